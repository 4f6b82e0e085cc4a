//! The texts as part of the program.

use super::Texts;
use crate::domain::lang::Lang;
use std::sync::OnceLock;

macro_rules! files {
    ($lang:literal) => {
        &[
            include_str!(concat!($lang, "/common.json")),
            include_str!(concat!($lang, "/errors.json")),
            include_str!(concat!($lang, "/account.json")),
            include_str!(concat!($lang, "/accounts.json")),
            include_str!(concat!($lang, "/calendar.json")),
            include_str!(concat!($lang, "/clients.json")),
            include_str!(concat!($lang, "/messages.json")),
            include_str!(concat!($lang, "/checks.json")),
            include_str!(concat!($lang, "/designs.json")),
            include_str!(concat!($lang, "/starters.json")),
            include_str!(concat!($lang, "/mailings.json")),
            include_str!(concat!($lang, "/outbox.json")),
            include_str!(concat!($lang, "/outcome.json")),
            include_str!(concat!($lang, "/reports.json")),
            include_str!(concat!($lang, "/relays.json")),
            include_str!(concat!($lang, "/settings.json")),
            include_str!(concat!($lang, "/doctor.json")),
            include_str!(concat!($lang, "/letters.json")),
            include_str!(concat!($lang, "/home.json")),
            include_str!(concat!($lang, "/overview.json")),
            include_str!(concat!($lang, "/oversight.json")),
            include_str!(concat!($lang, "/blog.json")),
            include_str!(concat!($lang, "/posts.json")),
            include_str!(concat!($lang, "/suppressions.json")),
            include_str!(concat!($lang, "/topics.json")),
            include_str!(concat!($lang, "/leaving.json")),
        ]
    };
}

pub(super) const EN: &[&str] = files!("en");
pub(super) const RU: &[&str] = files!("ru");

pub(super) fn parse(files: &[&str]) -> Texts {
    // The files are part of the program, and a test reads each: a faulty one cannot be released.
    files.iter().filter_map(|file| serde_json::from_str::<Texts>(file).ok()).flatten().collect()
}

pub(super) fn texts(lang: Lang) -> &'static Texts {
    static ENGLISH: OnceLock<Texts> = OnceLock::new();
    static RUSSIAN: OnceLock<Texts> = OnceLock::new();
    match lang {
        Lang::En => ENGLISH.get_or_init(|| parse(EN)),
        Lang::Ru => RUSSIAN.get_or_init(|| parse(RU)),
    }
}
