//! Everything that only the server may know.

pub mod cache;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod engine;
mod failpoint;
pub mod log;
pub mod mail;
pub mod memory;
pub mod metrics;
pub mod private;
pub mod receive;
pub mod schedule;
pub mod seal;
pub mod services;
pub mod sink;
pub mod supervisor;
pub mod web;
