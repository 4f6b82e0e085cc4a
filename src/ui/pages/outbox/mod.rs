//! The Outbox: letters that were caught on this machine.

pub mod list;
pub mod show;
