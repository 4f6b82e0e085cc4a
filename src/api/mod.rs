//! The border between browser and server: server functions of a few lines each, which prove a
//! permission and call a service.

pub mod accounts;
pub mod clients;
pub mod designs;
pub mod doctor;
pub mod error;
pub mod mailings;
pub mod messages;
pub mod outbox;
pub mod oversight;
pub mod overview;
pub mod posts;
pub mod profile;
pub mod relays;
pub mod reports;
pub mod returns;
pub mod settings;
pub mod suppressions;
pub mod topics;
