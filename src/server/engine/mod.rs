//! The engine: opens runs when they are due, delivers, and records what became of each delivery.

mod wake;

pub use wake::Wake;
