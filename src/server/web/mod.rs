//! The web server: router, middleware, and what requests share.

pub mod outbox;
pub mod request;
pub mod state;
