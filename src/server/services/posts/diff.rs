//! What two versions differ in, and how two changes become one, line by line.

use crate::domain::lang::Lang;
use crate::domain::post::{Change, Content, FieldDiff};
use similar::algorithms::{Capture, diff_slices_deadline};
use similar::{Algorithm, ChangeTag, DiffOp, DiffTag, group_diff_ops};
use std::ops::Range;
use std::time::{Duration, Instant};

/// Lines around a change that are shown with it.
const AROUND: usize = 2;
/// After this a comparison is finished in a hurry: correct, but longer than need be.
const PATIENCE: Duration = Duration::from_millis(300);

/// The fields of a version in a fixed order, as texts.
pub fn texts(content: &Content) -> [(&'static str, String); 9] {
    let Content { title, slug, summary, body, tags, lang, author, cover, cover_alt } = content.clone();
    [
        ("title", title),
        ("slug", slug),
        ("summary", summary),
        ("body", body),
        ("tags", tags),
        ("lang", lang.as_str().to_owned()),
        ("author", author),
        ("cover", cover.unwrap_or_default()),
        ("cover_alt", cover_alt),
    ]
}

/// Reads [`texts`] back.
pub fn from_texts(texts: Vec<String>) -> Content {
    let mut texts = texts.into_iter();
    let mut next = || texts.next().unwrap_or_default();
    Content {
        title: next(),
        slug: next(),
        summary: next(),
        body: next(),
        tags: next(),
        lang: Lang::parse(&next()).unwrap_or_default(),
        author: next(),
        cover: Some(next()).filter(|cover| !cover.is_empty()),
        cover_alt: next(),
    }
}

/// The fields that differ, with their lines.
pub fn contents(old: &Content, new: &Content) -> Vec<FieldDiff> {
    texts(old)
        .iter()
        .zip(&texts(new))
        .filter(|((_, old), (_, new))| old != new)
        .map(|((field, old), (_, new))| FieldDiff { field: (*field).to_owned(), lines: lines(old, new) })
        .collect()
}

/// How one text becomes the other, line by line. `similar`'s own clean-up of this is left out: it loses
/// empty lines where many are alike.
fn operations(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let mut captured = Capture::new();
    let Ok(()) = diff_slices_deadline(Algorithm::Myers, &mut captured, old, new, Some(Instant::now() + PATIENCE));
    captured.into_ops()
}

fn lines(old: &str, new: &str) -> Vec<(Change, String)> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let mut lines = Vec::new();
    for (n, group) in group_diff_ops(operations(&old, &new), AROUND).iter().enumerate() {
        if n > 0 {
            lines.push((Change::Gap, String::new()));
        }
        for change in group.iter().flat_map(|op| op.iter_changes(&old[..], &new[..])) {
            let kind = match change.tag() {
                ChangeTag::Equal => Change::Same,
                ChangeTag::Delete => Change::Removed,
                ChangeTag::Insert => Change::Added,
            };
            lines.push((kind, change.value().to_owned()));
        }
    }
    lines
}

/// A change of some lines of the base.
type Edit<'a> = (Range<usize>, &'a [&'a str]);

fn edits<'a>(base: &[&str], other: &'a [&'a str]) -> Vec<Edit<'a>> {
    operations(base, other)
        .into_iter()
        .filter(|op| op.tag() != DiffTag::Equal)
        .map(|op| (op.old_range(), &other[op.new_range()]))
        .collect()
}

/// Makes both changes to the base; nothing if they meet.
pub fn merge3(base: &str, mine: &str, theirs: &str) -> Option<String> {
    let [base, mine, theirs] = [base, mine, theirs].map(|text| text.replace("\r\n", "\n"));
    let [base, mine, theirs] = [&base, &mine, &theirs].map(|text| text.split('\n').collect::<Vec<&str>>());
    let (mut ours, mut others) =
        (edits(&base, &mine).into_iter().peekable(), edits(&base, &theirs).into_iter().peekable());
    let (mut merged, mut at) = (Vec::new(), 0);
    loop {
        let (range, lines) = match (ours.peek(), others.peek()) {
            (None, None) => break,
            (Some(a), Some(b)) if a == b => {
                others.next();
                ours.next()?
            }
            (Some((a, _)), Some((b, _))) if a.start == b.start || (a.start < b.end && b.start < a.end) => return None,
            (Some((a, _)), Some((b, _))) if b.start < a.start => others.next()?,
            (Some(_), _) => ours.next()?,
            (None, Some(_)) => others.next()?,
        };
        merged.extend_from_slice(base.get(at..range.start)?);
        merged.extend_from_slice(lines);
        at = range.end;
    }
    merged.extend_from_slice(base.get(at..)?);
    Some(merged.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn changes_in_different_places_are_joined() {
        let base = "one\ntwo\nthree\nfour\nfive";
        let merged = merge3(base, "ONE\ntwo\nthree\nfour\nfive", "one\ntwo\nthree\nfour\nfive\nsix");
        assert_eq!(merged.as_deref(), Some("ONE\ntwo\nthree\nfour\nfive\nsix"));
        assert_eq!(merge3(base, "one\nfive", base).as_deref(), Some("one\nfive"));
        assert_eq!(
            merge3(base, "x\ntwo\nthree\nfour\nfive", "x\ntwo\nthree\nfour\nfive").as_deref(),
            Some("x\ntwo\nthree\nfour\nfive")
        );
        assert_eq!(merge3("a\r\nb", "a\nb\nc", "a\r\nb").as_deref(), Some("a\nb\nc"), "line ends are no change");
    }

    #[test]
    fn changes_in_one_place_are_not() {
        assert_eq!(merge3("one\ntwo", "ONE\ntwo", "eins\ntwo"), None);
        assert_eq!(merge3("one", "one\nmine", "one\ntheirs"), None);
        assert_eq!(merge3("a\nb\nc\nd", "a\nd", "a\nb\nC\nd"), None);
    }

    #[test]
    fn far_lines_are_left_out() {
        let old: Vec<String> = (0..30).map(|n| n.to_string()).collect();
        let mut new = old.clone();
        new[3] = "x".to_owned();
        new[25] = "y".to_owned();
        let lines = lines(&(old.join("\n") + "\n"), &(new.join("\n") + "\n"));
        assert_eq!(lines.iter().filter(|(change, _)| *change == Change::Gap).count(), 1);
        assert!(lines.contains(&(Change::Removed, "3".to_owned())) && lines.contains(&(Change::Added, "y".to_owned())));
        assert!(lines.len() < 16);
    }

    #[test]
    fn every_field_is_compared() {
        let old = Content { title: "a".to_owned(), cover: Some("0".repeat(32)), ..Content::default() };
        let new = Content { lang: Lang::Ru, cover: None, ..old.clone() };
        let fields: Vec<String> = contents(&old, &new).into_iter().map(|diff| diff.field).collect();
        assert_eq!(fields, ["lang", "cover"]);
        assert_eq!(from_texts(texts(&old).map(|(_, text)| text).to_vec()), old);
    }

    proptest! {
        #[test]
        fn one_change_alone_always_wins(base in "[a-c\n]{0,30}", mine in "[a-c\n]{0,30}") {
            prop_assert_eq!(merge3(&base, &mine, &base), Some(mine.clone()));
            prop_assert_eq!(merge3(&base, &base, &mine), Some(mine.clone()));
            prop_assert_eq!(merge3(&base, &mine, &mine), Some(mine));
        }
    }
}
