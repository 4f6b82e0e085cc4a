//! Registration, links in letters, log-in, and the reader's own account.

mod code;
mod confirm;
mod forgot;
mod invitation;
mod link;
mod log_in;
mod new_account;
mod new_email;
mod notices;
mod own_data;
mod profile;
mod security;
mod sign_up;
mod tabs;
mod totp;

pub use code::CodePage;
pub use confirm::ConfirmPage;
pub use forgot::{ForgotPage, ForgotSentPage, ResendPage, ResetPage};
pub use invitation::InvitationPage;
pub use log_in::LogInPage;
pub use new_email::{NewEmailPage, RevokePage};
pub use notices::NoticesPage;
pub use own_data::OwnDataPage;
pub use profile::ProfilePage;
pub use security::SecurityPage;
pub use sign_up::{SentPage, SetupPage, SignUpPage};
