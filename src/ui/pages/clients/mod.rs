//! Clients: the list, one client, and the import.

mod doubles;
mod edit;
mod import;
mod import_show;
mod list;
mod mapping;
mod outlook;
mod selection;

pub use doubles::DoublesPage;
pub use edit::{ClientEditPage, ClientNewPage};
pub use import::{ImportPage, Upload};
pub use import_show::{Ends, ImportShowPage, Place, import_page};
pub use list::ClientsPage;
pub use mapping::{column_options, encodings};
pub use outlook::{ahead, first_lines, problem_table};
