//! A post as a message for a mailing.

use crate::domain::message::SUBJECT_MAX;
use crate::forms::messages::MessageForm;
use crate::locales;
use crate::server::db::{Db, posts};
use crate::server::services::{Actor, Error, Result, messages};
use chrono::{DateTime, Utc};

/// Makes a message of the actor's own out of a post, one for each key (`once`), and returns its id: the title is its subject,
/// the body its body, with whole addresses and a link to the post.
///
/// # Errors
/// [`Error::NotFound`] if there is no such post; [`Error::Invalid`] if no letter can be made of it.
pub async fn to_message(db: &Db, actor: &Actor, id: i64, site: &str, once: &str, now: DateTime<Utc>) -> Result<i64> {
    let content = posts::get(db, id).await?.ok_or(Error::NotFound)?.content;
    let read = locales::text(content.lang, "blog.read_online");
    let body = format!(
        "{}\n\n[{read}]({site}/blog/{})\n",
        literal(&whole_addresses(&content.body, site)).trim_end(),
        content.slug
    );
    let subject: String = literal(&content.title).chars().take(SUBJECT_MAX).collect();
    messages::save(db, actor, &MessageForm { id: 0, subject, body }, once, now).await
}

/// Puts the service's address before links and pictures of its own.
fn whole_addresses(markdown: &str, site: &str) -> String {
    markdown.replace("](/", &format!("]({site}/"))
}

/// A text that a template prints as it is.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('{', Some('{' | '%' | '#')) => out.push_str("{{ '{' }}"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_whole() {
        let body = "![a](/images/0123456789abcdef0123456789abcdef) [b](/blog/c) [d](https://e.example/) `](/x)`";
        assert_eq!(
            whole_addresses(body, "https://v.example"),
            "![a](https://v.example/images/0123456789abcdef0123456789abcdef) [b](https://v.example/blog/c) \
             [d](https://e.example/) `](https://v.example/x)`"
        );
    }

    #[test]
    fn braces_are_no_template() {
        assert_eq!(literal("a {{ b }} {c} {% d"), "a {{ '{' }}{ b }} {c} {{ '{' }}% d");
        assert_eq!(literal("{{{"), "{{ '{' }}{{ '{' }}{");
    }
}
