//! Clients: the list, one client, and the import.

mod edit;
mod import;
mod import_show;
mod list;
mod mapping;
mod outlook;
mod selection;

pub use edit::{ClientEditPage, ClientNewPage};
pub use import::ImportPage;
pub use import_show::ImportShowPage;
pub use list::ClientsPage;
