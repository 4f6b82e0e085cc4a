//! The kit that pages are built from; one subject a file.

pub mod badge;
pub mod choice;
pub mod copy;
pub mod dialog;
pub mod empty;
pub mod error_panel;
pub mod field;
pub mod icon;
pub mod layout;
pub mod listing;
pub mod navigation;
pub mod page;
pub mod pagination;
pub mod progress;
pub mod search;
pub mod segmented;
pub mod selection;
pub mod stat;
pub mod submit;
pub mod table;
pub mod title;
pub mod toast;
pub mod user_menu;
