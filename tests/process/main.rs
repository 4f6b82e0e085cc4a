//! The program itself, as processes that are stopped, killed and run beside each other, against the
//! built-in mail server and its ledger.

mod bench;
mod database;
mod endure;
mod faults;
mod health;
mod kill;
mod leaving;
mod outage;
mod pages;
mod secrets;
mod share;
mod soak;
mod stop;
mod support;
