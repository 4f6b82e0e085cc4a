//! The pages, by area.

pub mod accounts;
pub mod home;
pub mod not_found;
