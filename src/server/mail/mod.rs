//! Letters: filling in a message, building its MIME text, and handing it to a mail server. Nothing
//! here knows the database; the engine calls it and records what comes back.

pub mod address;
pub mod blocks;
pub mod bounded;
pub mod classify;
pub mod compose;
pub mod delivery_token;
pub mod dkim;
mod encoding;
mod fill;
pub mod hand_over;
mod header;
pub mod hello;
pub mod layout;
pub mod leave_link;
pub mod leaving;
pub mod links;
pub mod markdown;
pub mod plain;
pub mod relay;
pub mod reply;
pub mod return_path;
mod secrets;
pub mod smtp;
mod syntax;
pub mod template;
pub mod theme;
pub mod timeouts;
pub mod tls;
mod typed;
mod wire;

#[cfg(test)]
mod compose_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
pub(crate) mod script;
#[cfg(test)]
mod smtp_tests;
