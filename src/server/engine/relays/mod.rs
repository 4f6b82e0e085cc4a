//! Relays: which mail server the next letter goes to, over how many connections, and how fast.

mod allowance;
mod concurrency;
mod learned;
mod live;
mod pool;
mod rate;
mod report;
mod rest;
mod session;
#[cfg(test)]
mod tests;
mod window;

pub use allowance::Grant;
pub use pool::{Pool, PoolConfig, Source};
pub use session::{Handed, Session};
