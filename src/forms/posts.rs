//! The form of a post.

use super::{Check, from_garde, is_filled, is_line, is_text};
use crate::api::error::FieldErrors;
use crate::domain::lang::Lang;
use crate::domain::post::{
    ALT_MAX, AUTHOR_MAX, BODY_MAX, Content, Fields, SUMMARY_MAX, TAG_MAX, TAGS_MAX, TITLE_MAX, is_image_id, tags,
};
use crate::domain::slug::is_slug;
use garde::Validate;
use serde::{Deserialize, Serialize};

/// A post as it is written: new while `id` is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Validate)]
pub struct PostForm {
    #[garde(skip)]
    #[serde(default)]
    pub id: i64,
    /// The version that was changed; somebody else may have stored a newer one.
    #[garde(skip)]
    #[serde(default)]
    pub version: i64,
    #[garde(custom(is_filled), custom(is_line(TITLE_MAX)))]
    pub title: String,
    /// Empty: made of the title.
    #[garde(custom(is_slug_or_empty))]
    #[serde(default)]
    pub slug: String,
    #[garde(custom(is_line(SUMMARY_MAX)))]
    #[serde(default)]
    pub summary: String,
    /// Markdown.
    #[garde(custom(is_filled), custom(is_text(BODY_MAX)))]
    pub body: String,
    #[garde(custom(are_tags))]
    #[serde(default)]
    pub tags: String,
    #[garde(custom(is_lang))]
    pub lang: String,
    /// Empty: the name of whoever saves it first.
    #[garde(custom(is_line(AUTHOR_MAX)))]
    #[serde(default)]
    pub author: String,
    /// A picture's id.
    #[garde(custom(is_image_or_empty))]
    #[serde(default)]
    pub cover: String,
    #[garde(custom(is_line(ALT_MAX)))]
    #[serde(default)]
    pub cover_alt: String,
    /// `draft`, `now` or `at`.
    #[garde(custom(is_choice))]
    pub publish: String,
    /// Wall time in the editor's zone.
    #[garde(skip)]
    #[serde(default)]
    pub publish_at: String,
}

impl PostForm {
    /// The form with these fields.
    pub fn new(id: i64, fields: &Fields) -> Self {
        let Fields { version, content, publish, publish_at } = fields.clone();
        let Content { title, slug, summary, body, tags, lang, author, cover, cover_alt } = content;
        let (lang, cover) = (lang.as_str().to_owned(), cover.unwrap_or_default());
        Self { id, version, title, slug, summary, body, tags, lang, author, cover, cover_alt, publish, publish_at }
    }

    /// The fields as they stand in the form.
    pub fn fields(self) -> Fields {
        Fields {
            version: self.version,
            content: Content {
                title: self.title.trim().to_owned(),
                slug: self.slug.trim().to_owned(),
                summary: self.summary.trim().to_owned(),
                body: self.body,
                tags: tags(&self.tags).join(", "),
                lang: Lang::parse(&self.lang).unwrap_or_default(),
                author: self.author.trim().to_owned(),
                cover: Some(self.cover).filter(|cover| !cover.is_empty()),
                cover_alt: self.cover_alt.trim().to_owned(),
            },
            publish: self.publish,
            publish_at: self.publish_at,
        }
    }
}

impl Check for PostForm {
    fn check(&self) -> FieldErrors {
        from_garde(self)
    }
}

fn is_image_or_empty<C>(value: &str, _: &C) -> garde::Result {
    if value.is_empty() || is_image_id(value) { Ok(()) } else { Err(garde::Error::new("error.image.unknown")) }
}

fn is_slug_or_empty<C>(value: &str, _: &C) -> garde::Result {
    let value = value.trim();
    if value.is_empty() || is_slug(value) { Ok(()) } else { Err(garde::Error::new("error.post.slug")) }
}

fn are_tags<C>(value: &str, context: &C) -> garde::Result {
    let tags = tags(value);
    if tags.len() > TAGS_MAX {
        return Err(garde::Error::new("error.post.tags"));
    }
    tags.iter().try_for_each(|tag| is_line(TAG_MAX)(tag, context))
}

fn is_lang<C>(value: &str, _: &C) -> garde::Result {
    Lang::parse(value).map(drop).ok_or_else(|| garde::Error::new("error.required"))
}

fn is_choice<C>(value: &str, _: &C) -> garde::Result {
    if matches!(value, "draft" | "now" | "at") { Ok(()) } else { Err(garde::Error::new("error.required")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> PostForm {
        PostForm {
            title: "Заголовок".to_owned(),
            body: "Text".to_owned(),
            lang: "ru".to_owned(),
            publish: "draft".to_owned(),
            ..PostForm::default()
        }
    }

    fn one(form: PostForm) -> (String, String) {
        let errors = form.check().0;
        assert_eq!(errors.len(), 1, "{errors:?}");
        (errors[0].field.clone(), errors[0].key.clone())
    }

    #[test]
    fn says_which_field_is_wrong() {
        assert!(form().check().is_empty());
        let wrong = |field: &str, key: &str| (field.to_owned(), key.to_owned());
        assert_eq!(one(PostForm { title: " ".to_owned(), ..form() }), wrong("title", "error.required"));
        assert_eq!(one(PostForm { body: String::new(), ..form() }), wrong("body", "error.required"));
        assert_eq!(one(PostForm { slug: "Б/..".to_owned(), ..form() }), wrong("slug", "error.post.slug"));
        assert_eq!(one(PostForm { lang: "xx".to_owned(), ..form() }), wrong("lang", "error.required"));
        assert_eq!(one(PostForm { publish: "soon".to_owned(), ..form() }), wrong("publish", "error.required"));
        assert_eq!(one(PostForm { cover: "../etc".to_owned(), ..form() }), wrong("cover", "error.image.unknown"));
        let many: Vec<String> = (0..=TAGS_MAX).map(|n| n.to_string()).collect();
        assert_eq!(one(PostForm { tags: many.join(","), ..form() }), wrong("tags", "error.post.tags"));
        let long = "т".repeat(TAG_MAX + 1);
        assert_eq!(one(PostForm { tags: long, ..form() }), wrong("tags", "error.too_long"));
    }

    #[test]
    fn fields_come_back_as_they_were() {
        let fields = PostForm { tags: "a, b".to_owned(), cover: "0".repeat(32), ..form() }.fields();
        assert_eq!(PostForm::new(0, &fields).fields(), fields);
    }
}
