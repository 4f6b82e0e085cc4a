//! Registration, confirmation, log-in.

mod confirm;
mod log_in;
mod sign_up;

pub use confirm::ConfirmPage;
pub use log_in::LogInPage;
pub use sign_up::{SentPage, SetupPage, SignUpPage};
