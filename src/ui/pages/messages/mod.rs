//! The messages area.

pub mod edit;
mod editor;
pub mod list;
mod preview;
pub mod starters;
