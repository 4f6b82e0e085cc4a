//! The interface, rendered on the server and taken over by the browser.

pub mod app;
mod areas;
pub mod assets;
pub mod browser;
pub mod components;
pub mod form;
pub mod i18n;
pub mod link;
pub mod live;
pub mod markup;
pub mod once;
pub mod pages;
pub mod poll;
pub mod refused;
pub mod session;
pub mod status;
pub mod theme;
pub mod time;

pub use app::{App, shell};
