//! The web server: router, middleware, and what requests share.

pub mod request;
pub mod state;
