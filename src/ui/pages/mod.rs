//! The pages, by area.

pub mod accounts;
pub mod blog;
pub mod calendar;
pub mod clients;
pub mod designs;
pub mod doctor;
pub mod home;
pub mod mailings;
pub mod messages;
pub mod not_found;
pub mod outbox;
pub mod oversight;
pub mod overview;
pub mod posts;
pub mod relays;
pub mod reports;
pub mod settings;
pub mod suppressions;
pub mod topics;
