//! Pure types and rules, for both targets. Imports nothing of ours and no framework.

pub mod account;
pub mod audience;
pub mod audit;
pub mod bidi;
pub mod client;
pub mod delivery;
pub mod email;
pub mod formula;
pub mod import;
pub mod lang;
pub mod letter;
pub mod mailing;
pub mod mass_mail;
pub mod message;
pub mod oversight;
pub mod page;
pub mod post;
pub mod relay;
pub mod report;
pub mod returned;
pub mod schedule;
pub mod settings;
pub mod slug;
pub mod suppression;
pub mod user;
pub mod version;
