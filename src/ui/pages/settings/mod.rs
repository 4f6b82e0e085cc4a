//! Pages of administrators: settings of the service, invitations, limits of a user.

mod invitations;
mod limits;
mod service;

pub use invitations::InvitationsPage;
pub use limits::limits;
pub use service::SettingsPage;
