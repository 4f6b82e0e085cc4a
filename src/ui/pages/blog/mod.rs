//! The blog, for everybody.

mod card;
mod head;
mod list;
mod show;

pub use card::{PostCard, picture};
pub use head::Head;
pub use list::BlogPage;
pub use show::BlogPostPage;
