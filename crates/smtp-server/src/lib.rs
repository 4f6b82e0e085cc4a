//! The receiving side of SMTP (RFC 5321). What each server needs stands in modules of its own: commands, the
//! transparency of the body, lines within bounds, TLS. [`Receiver`] is a server that takes letters for the addresses its
//! owner names, and nothing else: it relays nothing, knows no log-in, and is made for the open network.

pub mod command;
pub mod dots;
pub mod peers;
mod receiver;
mod session;
pub mod tls;
pub mod wire;

pub use receiver::{Mailroom, NotNow, Received, Receiver, ReceiverConfig, ReceiverError};
