//! Accounts: registration, links in letters, log-in.

mod confirm;
mod log_in;
mod register;
#[cfg(test)]
mod tests;

pub use confirm::confirm;
pub use log_in::log_in;
pub use register::{Registered, add, offer_setup, register};
