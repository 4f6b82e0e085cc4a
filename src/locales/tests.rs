use super::source::{EN, RU, parse};
use super::*;
use std::collections::BTreeSet;
use std::path::Path;

fn keys(lang: Lang) -> BTreeSet<&'static str> {
    texts(lang).keys().map(String::as_str).collect()
}

fn forms(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Object(forms) => forms.values().filter_map(Value::as_str).collect(),
        other => panic!("neither a text nor plural forms: {other}"),
    }
}

fn placeholders(value: &Value) -> BTreeSet<String> {
    forms(value)
        .into_iter()
        .flat_map(|text| {
            text.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name.to_owned()))
        })
        .collect()
}

#[test]
fn every_file_is_read_and_no_key_stands_twice() {
    for files in [EN, RU] {
        let maps: Vec<Texts> =
            files.iter().map(|file| serde_json::from_str(file).expect("a flat JSON object")).collect();
        let sum: usize = maps.iter().map(HashMap::len).sum();
        assert_eq!(parse(files).len(), sum, "a key stands in two files");
        for file in files {
            let lines = file.lines().filter(|line| line.trim_start().starts_with('"') && line.contains("\": "));
            let named: Vec<&str> =
                lines.filter_map(|line| line.trim().split('"').nth(1)).filter(|key| key.contains('.')).collect();
            assert_eq!(named.len(), named.iter().collect::<BTreeSet<_>>().len(), "a key stands twice in a file");
        }
    }
}

#[test]
fn both_languages_say_the_same_things() {
    assert_eq!(keys(Lang::En), keys(Lang::Ru));
    for (key, english) in texts(Lang::En) {
        let russian = &texts(Lang::Ru)[key];
        assert_eq!(placeholders(english), placeholders(russian), "placeholders of {key}");
        assert_eq!(english.is_object(), russian.is_object(), "plural forms of {key}");
        assert!(forms(english).iter().chain(&forms(russian)).all(|text| !text.trim().is_empty()), "{key} is empty");
    }
}

#[test]
fn plural_forms_are_complete() {
    for (lang, needed) in [(Lang::En, &["one", "other"][..]), (Lang::Ru, &["one", "few", "many", "other"][..])] {
        for (key, value) in texts(lang) {
            if let Value::Object(forms) = value {
                let present: BTreeSet<&str> = forms.keys().map(String::as_str).collect();
                assert_eq!(present, needed.iter().copied().collect(), "{key} in {lang:?}");
            }
        }
    }
}

#[test]
fn fills_and_counts() {
    let args = [("a".to_owned(), "{b}".to_owned()), ("b".to_owned(), "x".to_owned())];
    assert_eq!(fill("{a} and {b}, {c} {", &args), "{b} and x, {c} {");
    assert_eq!(count(Lang::Ru, "common.rows", 12_482, &[]), "12\u{a0}482 строки");
    assert_eq!(count(Lang::En, "common.rows", 1, &[]), "1 row");
    assert_eq!(text(Lang::En, "no.such_key"), "no.such_key");
}

/// Every string in the sources that looks like a key of a known area must be one.
#[test]
fn keys_in_the_sources_exist() {
    let known = keys(Lang::En);
    let areas: BTreeSet<&str> = known.iter().filter_map(|key| key.split('.').next()).collect();
    let mut missing = BTreeSet::new();
    visit(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut |source| {
        for literal in source.split('"') {
            let Some((area, name)) = literal.split_once('.') else { continue };
            let word = |text: &str| {
                !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            };
            if areas.contains(area) && word(name) && !known.contains(literal) && !FILES.contains(&name) {
                missing.insert(literal.to_owned());
            }
        }
    });
    missing.remove("no.such_key");
    // Columns of the database.
    for column in ["mailings.start_local", "designs.look"] {
        missing.remove(column);
    }
    assert!(missing.is_empty(), "keys without a text: {missing:?}");
}

/// Endings of file names, which look like the second half of a key.
const FILES: [&str; 4] = ["json", "csv", "rs", "txt"];

fn visit(folder: &Path, read: &mut dyn FnMut(&str)) {
    for entry in std::fs::read_dir(folder).expect("the sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            visit(&path, read);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            read(&std::fs::read_to_string(&path).expect("a source file"));
        }
    }
}
