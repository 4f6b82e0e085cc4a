//! Who may do what: a table of every server function, route, event stream and page, and tests that try each
//! as everybody, with what is theirs, another's, and nobody's. What is in the service and not in the table
//! fails them.

mod dump;
mod forgery;
mod functions;
mod guessing;
mod listing;
mod nasty;
mod proxies;
mod routes;
mod rule;
mod sessions;
mod tests;
mod try_out;
mod world;
