//! Subject and body with `{{ full_name }}`, `{{ email }}`, `{{ comment }}` and `{{ unsubscribe_url }}`.
//!
//! What is allowed: expressions with minijinja's filters (`{{ full_name|default("friend") }}`) and
//! conditions (`{% if comment %}..{% else %}..{% endif %}`). Loops, assignments and blocks are not:
//! nothing in a letter needs them, and without them the output cannot outgrow the source. Expressions have
//! bounds that are held before they are parsed ([`super::syntax`]), each rendering has a fuel limit, which
//! minijinja charges for bytes as well as for steps, and what the Markdown becomes is bounded, too
//! ([`super::bounded`]), as is the letter that a client's values make of it.
//!
//! A client's data must not act as Markdown or HTML. So a body's expressions do not print their
//! values: they leave marks (see [`super::fill`]) and the values are kept aside. What results, the
//! template's own Markdown with marks in it, is the same for all clients that take the same branches;
//! it is turned into HTML and text once, kept as a variant, and each client's values are filled in,
//! escaped for their place: HTML, URL or plain text. A letter for one more client costs no Markdown.

use super::blocks;
use super::bounded::TooMuch;
use super::fill::{self, Pattern, Unfillable};
use super::layout::{self, Layout, Sheet};
use super::leave_link::Link;
use super::syntax::{self, Source, line_at};
use super::theme::Theme;
use super::{header, markdown, plain};
use crate::domain::design::Look;
use crate::domain::message::{BODY_MAX, TemplateProblem};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The names that a template may use.
pub const NAMES: [&str; 4] = ["full_name", "email", "comment", "unsubscribe_url"];

/// Steps of a rendering; 64 bytes written cost one. Enough for a body of the greatest length.
const FUEL: u64 = 50_000;
/// Bytes of a body of the greatest length.
const SOURCE_MAX: usize = BODY_MAX * 4;
/// Finished outputs that are kept, one for each combination of branches met.
const MAX_VARIANTS: usize = 64;
/// Bytes of the HTML of a letter with its values, and of its text. Mail servers take 10 to 25 MB as a rule.
const LETTER_MAX: usize = 8 * 1024 * 1024;
/// The name under which an expression finds where its value goes; no template can spell it.
const SCOPE: &str = "\0scope";

/// The field that a problem is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Subject,
    /// What mail programs show beside the subject.
    Preheader,
    Body,
}

impl Field {
    fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Preheader => "preheader",
            Self::Body => "body",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a template cannot be used, or cannot be filled in for a client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}, line {}: {} ({})", problem.line, problem.key, problem.detail)]
pub struct TemplateError {
    pub field: Field,
    pub problem: TemplateProblem,
}

/// Whom a letter is for.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    pub email: &'a str,
    pub full_name: &'a str,
    pub comment: &'a str,
}

/// A message filled in for one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line without control characters.
    pub subject: String,
    /// The same; empty where the message has none.
    pub preheader: String,
    /// A whole HTML document.
    pub html: String,
    pub text: String,
}

/// A checked message, compiled once for all clients of a run.
pub struct Template {
    environment: Environment<'static>,
    lang: String,
    /// Where the link to leave leads; a letter without one has none.
    link: Option<Arc<Link>>,
    /// Whether there is a preheader.
    preheader: bool,
    layout: Option<Layout>,
    /// Where stored pictures are found, without a trailing slash.
    site: String,
    variants: RwLock<Vec<Arc<Variant>>>,
}

/// What the body became for one combination of branches.
struct Variant {
    markdown: String,
    letter: Result<Letter, TemplateError>,
}

/// A body with places for values.
struct Letter {
    html: Pattern,
    text: Pattern,
    /// The token's place among the values: after those of the body. Subject and preheader are the next ones.
    token: usize,
    /// The body has the link to leave itself.
    says_link: bool,
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("lang", &self.lang).finish_non_exhaustive()
    }
}

/// Checks a message as it is saved: it must be filled in without error for clients with and without
/// a name and a comment.
///
/// # Errors
/// The first problem of each field.
pub fn check(subject: &str, body: &str) -> Result<(), Vec<(Field, TemplateProblem)>> {
    check_with(subject, "", body)
}

/// The same with a preheader.
///
/// # Errors
/// As there.
pub fn check_with(subject: &str, preheader: &str, body: &str) -> Result<(), Vec<(Field, TemplateProblem)>> {
    let problems: Vec<_> = [(Field::Subject, subject), (Field::Preheader, preheader), (Field::Body, body)]
        .into_iter()
        .filter_map(|(field, source)| {
            let mut environment = environment();
            let filled = add(&mut environment, field, source).and_then(|()| try_out(&environment, field));
            let shown = |filled: BTreeSet<String>| filled.iter().try_for_each(|markdown| showable(source, markdown));
            filled.and_then(|filled| if field == Field::Body { shown(filled) } else { Ok(()) }).err()
        })
        .map(|error| (error.field, error.problem))
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Those of `full_name` and `comment` of which a client without one would see a gap: they are printed with nothing in their
/// place. A message that cannot be filled in has none.
pub fn gaps(subject: &str, preheader: &str, body: &str) -> Vec<&'static str> {
    let mut environment = environment();
    let fields = [(Field::Subject, subject), (Field::Preheader, preheader), (Field::Body, body)];
    if fields.into_iter().any(|(field, source)| add(&mut environment, field, source).is_err()) {
        return Vec::new();
    }
    let whole = Recipient { email: "anna@example.org", full_name: "Anna", comment: "Comment" };
    let link = Arc::new(Link { page: "https://example.org/u/".to_owned(), words: String::new() });
    let without =
        [("full_name", Recipient { full_name: "", ..whole }), ("comment", Recipient { comment: "", ..whole })];
    let has_gap = |recipient: &Recipient<'_>| {
        fields.iter().any(|(field, _)| {
            let scope = Scope::new(recipient, Some(&link), "token", Some(Mutex::default()));
            render(&environment, *field, &scope).is_ok() && scope.take().iter().any(|value| value.trim().is_empty())
        })
    };
    without.into_iter().filter(|(_, recipient)| has_gap(recipient)).map(|(name, _)| name).collect()
}

/// A subject filled in for somebody; as it was written where it cannot be.
pub fn filled_subject(source: &str, recipient: &Recipient<'_>) -> String {
    let mut environment = environment();
    let filled = add(&mut environment, Field::Subject, source)
        .and_then(|()| render(&environment, Field::Subject, &Scope::new(recipient, None, "", None)));
    header::clean(&filled.unwrap_or_else(|_| source.to_owned())).into_owned()
}

impl Template {
    /// Compiles a message. `lang` (an RFC 5646 tag) is the language that the HTML declares.
    ///
    /// # Errors
    /// The first problem found.
    pub fn new(subject: &str, body: &str, lang: &str) -> Result<Self, TemplateError> {
        let mut environment = environment();
        for (field, source) in [(Field::Subject, subject), (Field::Body, body)] {
            add(&mut environment, field, source)?;
            try_out(&environment, field)?;
        }
        let (lang, site) = (lang.to_owned(), String::new());
        Ok(Self { environment, lang, link: None, preheader: false, layout: None, site, variants: RwLock::default() })
    }

    /// With words that mail programs show beside the subject; they may hold expressions, too.
    ///
    /// # Errors
    /// The first problem found in them.
    pub fn with_preheader(mut self, preheader: &str) -> Result<Self, TemplateError> {
        self.preheader = !preheader.trim().is_empty();
        if self.preheader {
            add(&mut self.environment, Field::Preheader, preheader)?;
            try_out(&self.environment, Field::Preheader)?;
        }
        Ok(self)
    }

    /// In a design, or in none. `site` is where stored pictures are found, without a trailing slash.
    #[must_use]
    pub fn with_look(self, look: Option<&Look>, site: &str) -> Self {
        Self { layout: look.map(|look| Layout::new(look, site)), site: site.to_owned(), ..self }
    }

    /// With a link to leave: where the message says `{{ unsubscribe_url }}`, else at the end of the letter.
    #[must_use]
    pub fn with_link(self, link: Link) -> Self {
        Self { link: Some(Arc::new(link)), ..self }
    }

    /// Fills the message in for one client.
    ///
    /// # Errors
    /// If an expression fails for this client's data.
    pub fn render(&self, recipient: &Recipient<'_>) -> Result<Rendered, TemplateError> {
        self.render_with(recipient, "")
    }

    /// The same with the token that the link to leave ends with.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub fn render_with(&self, recipient: &Recipient<'_>, token: &str) -> Result<Rendered, TemplateError> {
        let scope = |printed| Scope::new(recipient, self.link.as_ref(), token, printed);
        let line = |field| {
            Ok::<_, TemplateError>(header::clean(&render(&self.environment, field, &scope(None))?).into_owned())
        };
        let subject = line(Field::Subject)?;
        let preheader = if self.preheader { line(Field::Preheader)? } else { String::new() };
        let scope = scope(Some(Mutex::default()));
        let markdown = render(&self.environment, Field::Body, &scope)?;
        let mut values = scope.take();
        let variant = self.variant(markdown, values.len(), scope.says_link.load(Ordering::Relaxed));
        let letter = variant.letter.as_ref().map_err(Clone::clone)?;
        values.extend([token.to_owned(), subject, preheader]);
        let fill = |pattern: &Pattern| {
            pattern.fill(&values, LETTER_MAX).map_err(|error| self.unfillable(&variant.markdown, &values, error))
        };
        let (html, text) = (fill(&letter.html)?, fill(&letter.text)?);
        let preheader = values.pop().unwrap_or_default();
        Ok(Rendered { subject: values.pop().unwrap_or_default(), preheader, html, text })
    }

    /// Says where in the body's source a client's values do not fit.
    fn unfillable(&self, markdown: &str, values: &[String], error: Unfillable) -> TemplateError {
        let fail = |problem| TemplateError { field: Field::Body, problem };
        let Unfillable::NoAddress(index) = error else {
            return fail(syntax::problem("error.template.size", "", 1));
        };
        let value = values.get(index).map_or("", String::as_str);
        let at = fill::mark(index).and_then(|mark| markdown.find(mark)).unwrap_or_default();
        let line = match self.environment.get_template(Field::Body.name()) {
            Ok(source) => source_line(source.source(), markdown, line_at(markdown, at)),
            Err(_) => 1,
        };
        fail(syntax::problem("error.link.value", value, line))
    }

    fn variant(&self, markdown: String, values: usize, says_link: bool) -> Arc<Variant> {
        let known = |variant: &&Arc<Variant>| {
            let same = |letter: &Letter| letter.token == values && letter.says_link == says_link;
            let same = variant.letter.as_ref().is_ok_and(same);
            variant.markdown == markdown && (same || variant.letter.is_err())
        };
        if let Some(found) = self.variants.read().unwrap_or_else(PoisonError::into_inner).iter().find(known) {
            return Arc::clone(found);
        }
        let letter = self.letter(&markdown, values, says_link);
        let variant = Arc::new(Variant { markdown, letter });
        let mut variants = self.variants.write().unwrap_or_else(PoisonError::into_inner);
        if variants.len() < MAX_VARIANTS {
            variants.push(Arc::clone(&variant));
        }
        variant
    }

    fn letter(&self, markdown: &str, values: usize, says_link: bool) -> Result<Letter, TemplateError> {
        let source = self.environment.get_template(Field::Body.name()).map_err(|error| failed(Field::Body, &error))?;
        // What is tried when a message is stored does not know each way that values can lead.
        showable(source.source(), markdown)?;
        let theme = self.layout.as_ref().map_or(Theme::plain(), |layout| &layout.theme);
        let mut body =
            blocks::render(markdown, theme, &self.site).map_err(|error| too_much(source.source(), markdown, error))?;
        let leave = match (&self.link, fill::mark(values), says_link) {
            (Some(link), Some(token), false) => Some((&**link, token)),
            _ => None,
        };
        let mark = |place| fill::mark(values + place);
        let title = mark(1).map(String::from).unwrap_or_default();
        let preheader = mark(2).filter(|_| self.preheader).map(layout::preheader).unwrap_or_default();
        let html = match &self.layout {
            Some(layout) => {
                let footer = layout.footer_parts(leave);
                if !footer.is_empty() {
                    body.simple.push_str(&format!("<hr>\n{footer}"));
                }
                let (lang, title, preheader) = (self.lang.as_str(), title.as_str(), preheader.as_str());
                layout.document(&Sheet { fragment: &body.html, leave, lang, title, preheader })
            }
            None => {
                let footer = leave.map(|(link, token)| link.footer(token)).unwrap_or_default();
                body.html.push_str(&footer);
                body.simple.push_str(&footer);
                markdown::plain_letter(&body.html, &self.lang, &title, &preheader)
            }
        };
        Ok(Letter {
            html: Pattern::html(&html),
            text: Pattern::text(&plain::to_text(&body.simple)),
            token: values,
            says_link,
        })
    }
}

/// The values of one client, and where the expressions of a body put theirs.
#[derive(Debug)]
struct Scope {
    full_name: Value,
    email: Value,
    comment: Value,
    unsubscribe_url: Value,
    printed: Option<Mutex<Vec<String>>>,
    /// The body has printed the link to leave.
    says_link: AtomicBool,
}

/// The link to leave, as an expression has it. What stands before the token is of this service, so it goes into the
/// Markdown as it is: a value would be taken for a part of an address.
#[derive(Debug)]
struct LeavingUrl {
    link: Arc<Link>,
    token: String,
}

impl Object for LeavingUrl {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.link.page, self.token)
    }
}

impl Scope {
    fn new(
        recipient: &Recipient<'_>,
        link: Option<&Arc<Link>>,
        token: &str,
        printed: Option<Mutex<Vec<String>>>,
    ) -> Arc<Self> {
        let url = link.map(|link| LeavingUrl { link: Arc::clone(link), token: token.to_owned() });
        Arc::new(Self {
            full_name: Value::from(&*one_line(recipient.full_name)),
            email: Value::from(&*one_line(recipient.email)),
            comment: Value::from(&*one_line(recipient.comment)),
            unsubscribe_url: url.map_or_else(|| Value::from(""), Value::from_object),
            printed,
            says_link: AtomicBool::new(false),
        })
    }

    fn take(&self) -> Vec<String> {
        match &self.printed {
            Some(printed) => std::mem::take(&mut printed.lock().unwrap_or_else(PoisonError::into_inner)),
            None => Vec::new(),
        }
    }
}

impl Object for Scope {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key {
            "full_name" => Some(self.full_name.clone()),
            "email" => Some(self.email.clone()),
            "comment" => Some(self.comment.clone()),
            "unsubscribe_url" => Some(self.unsubscribe_url.clone()),
            SCOPE => Some(Value::from_dyn_object(Arc::clone(self))),
            _ => None,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }
}

/// HTML folds line ends to spaces; the text does the same, and no value can start a line of its own.
fn one_line(text: &str) -> Cow<'_, str> {
    let odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if text.contains(odd) { Cow::Owned(text.replace("\r\n", " ").replace(odd, " ")) } else { Cow::Borrowed(text) }
}

/// A condition on a line of its own leaves no empty line, which would end a Markdown paragraph.
fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().unwrap_or_default()
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_syntax(syntax());
    environment.set_fuel(Some(FUEL));
    environment.set_formatter(print);
    for filter in ["default", "d"] {
        environment.add_filter(filter, default);
    }
    // Escaping is ours and depends on the place; these would only show as `&amp;`.
    for filter in ["safe", "escape", "e"] {
        environment.remove_filter(filter);
    }
    environment
}

/// Every name is defined, so a default can only be meant for an empty value.
fn default(value: &Value, other: Value) -> Value {
    if value.is_true() { value.clone() } else { other }
}

/// Prints the value of an expression: into a subject as it is, into a body as a mark.
fn print(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let leaving = value.downcast_object_ref::<LeavingUrl>();
    let text = match value.as_str() {
        Some(text) => one_line(text).into_owned(),
        None => one_line(&value.to_string()).into_owned(),
    };
    let scope = state.lookup(SCOPE).and_then(|value| value.downcast_object::<Scope>());
    let Some(printed) = scope.as_ref().and_then(|scope| scope.printed.as_ref()) else {
        out.write_str(&text)?;
        return Ok(());
    };
    let text = match (leaving, &scope) {
        (Some(url), Some(scope)) => {
            scope.says_link.store(true, Ordering::Relaxed);
            out.write_str(&url.link.page)?;
            url.token.clone()
        }
        _ => text,
    };
    let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
    // The last marks are those of the link at the end, of the subject, which stands in the title, and of the preheader.
    let mark = if printed.len() + 3 < fill::MAX_VALUES { fill::mark(printed.len()) } else { None };
    let Some(mark) = mark else {
        return Err(Error::from(ErrorKind::OutOfFuel));
    };
    out.write_str(mark.encode_utf8(&mut [0; 4]))?;
    printed.push(text);
    Ok(())
}

fn render(environment: &Environment<'static>, field: Field, scope: &Arc<Scope>) -> Result<String, TemplateError> {
    environment
        .get_template(field.name())
        .and_then(|template| template.render(Value::from_dyn_object(Arc::clone(scope))))
        .map_err(|error| failed(field, &error))
}

/// Compiles one field into the environment.
fn add(environment: &mut Environment<'static>, field: Field, source: &str) -> Result<(), TemplateError> {
    let fail = |problem| TemplateError { field, problem };
    if source.len() > SOURCE_MAX {
        return Err(fail(syntax::problem("error.too_long", "", 1)));
    }
    let source = source.replace("\r\n", "\n").replace('\r', "\n").replace(fill::is_mark, "");
    let read = Source::read(&source, syntax()).map_err(fail)?;
    environment.add_template_owned(field.name(), source.clone()).map_err(|error| failed(field, &error))?;
    let template = environment.get_template(field.name()).map_err(|error| failed(field, &error))?;
    let mut unknown = template.undeclared_variables(false);
    unknown.retain(|name| !NAMES.contains(&name.as_str()));
    if unknown.is_empty() {
        return Ok(());
    }
    // Of several, the one that comes first.
    let (name, line) = read.first_name(|name| unknown.contains(name)).unwrap_or(("", 1));
    Err(fail(syntax::problem("error.template.undefined", name, line)))
}

/// Fills the field in for clients with and without each value, so that every way is tried on which
/// an expression can meet an empty value; returns what it became.
fn try_out(environment: &Environment<'static>, field: Field) -> Result<BTreeSet<String>, TemplateError> {
    let mut filled = BTreeSet::new();
    let sample = Arc::new(Link { page: "https://example.org/u/".to_owned(), words: String::new() });
    for bits in 0..4 {
        let recipient = Recipient {
            email: "anna@example.org",
            full_name: if bits & 1 == 0 { "Anna Kim" } else { "" },
            comment: if bits & 2 == 0 { "Comment" } else { "" },
        };
        filled.insert(render(
            environment,
            field,
            &Scope::new(&recipient, Some(&sample), "", (field == Field::Body).then(Mutex::default)),
        )?);
    }
    Ok(filled)
}

/// Whether the Markdown that a body became stays within the limits of a letter, and each link and picture keeps its address.
fn showable(source: &str, markdown: &str) -> Result<(), TemplateError> {
    match blocks::problem(markdown).map_err(|error| too_much(source, markdown, error))? {
        None => Ok(()),
        Some(problem) => {
            let line = source_line(source, markdown, problem.line);
            Err(TemplateError { field: Field::Body, problem: TemplateProblem { line, ..problem } })
        }
    }
}

/// Says where in a body's source it becomes too much.
fn too_much(source: &str, markdown: &str, error: TooMuch) -> TemplateError {
    let line = source_line(source, markdown, error.line);
    TemplateError { field: Field::Body, problem: syntax::problem(error.key(), "", line) }
}

/// The line of a body's source that became a line of its Markdown. Conditions take whole lines out, so it stands where it
/// does in what the body became, or further down.
fn source_line(source: &str, markdown: &str, line: u32) -> u32 {
    let index = (line as usize).saturating_sub(1);
    let shown = markdown.lines().nth(index).unwrap_or_default();
    // Neither values nor expressions.
    let plain = shown.split(fill::is_mark).next().unwrap_or_default().trim();
    let further = source.lines().skip(index).position(|line| line.contains(plain)).unwrap_or(0);
    line.saturating_add(u32::try_from(further).unwrap_or(0))
}

fn failed(field: Field, error: &Error) -> TemplateError {
    let key = match error.kind() {
        ErrorKind::UndefinedError => "error.template.undefined",
        ErrorKind::SyntaxError | ErrorKind::BadEscape | ErrorKind::InvalidDelimiter => "error.template.syntax",
        ErrorKind::OutOfFuel => "error.template.fuel",
        ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction | ErrorKind::UnknownMethod => {
            "error.template.unknown"
        }
        _ => "error.template.failed",
    };
    // minijinja counts lines up to 65,535 only.
    let place = error.template_source().zip(error.range());
    let line = place.map(|(source, range)| line_at(source, range.start));
    let line = line.or_else(|| error.line().and_then(|line| u32::try_from(line).ok())).unwrap_or(1);
    TemplateError { field, problem: syntax::problem(key, error.detail().unwrap_or_default(), line) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn body(source: &str, full_name: &str, comment: &str) -> Rendered {
        let template = Template::new("s", source, "en").unwrap();
        template.render(&Recipient { email: "anna@example.org", full_name, comment }).unwrap()
    }

    fn first(subject: &str, source: &str) -> (Field, TemplateProblem) {
        check(subject, source).unwrap_err().remove(0)
    }

    fn wrong(source: &str) -> (String, String, u32) {
        let (field, problem) = first("fine", source);
        assert_eq!(field, Field::Body);
        (problem.key, problem.detail, problem.line)
    }

    #[test]
    fn unknown_names_are_named_even_in_branches() {
        assert_eq!(wrong("a\n{{ name }}"), ("error.template.undefined".into(), "name".into(), 2));
        assert_eq!(
            wrong("name\n{% if not email %}\n{{ nmae|upper }}{% endif %}"),
            ("error.template.undefined".into(), "nmae".into(), 3)
        );
        assert_eq!(wrong("{{ range(9) }}").1, "range");
        assert_eq!(first("{{ x }}", "fine").0, Field::Subject);
        assert_eq!(check("{{ x }}", "{{ y }}").unwrap_err().len(), 2);
    }

    #[test]
    fn syntax_and_statements_are_refused() {
        assert_eq!(wrong("a\n\n{{ full_name").0, "error.template.syntax");
        assert_eq!(wrong("a\n{% if comment %}x").0, "error.template.syntax");
        assert_eq!(wrong("{{ full_name|shout }}").0, "error.template.unknown");
        for statement in ["for x in [1]", "set x = 1", "include 'x'", "filter upper", "with", "macro m()"] {
            let (key, detail, line) = wrong(&format!("a\n{{%- {statement} %}}"));
            assert_eq!((key.as_str(), line), ("error.template.statement", 2), "{statement}");
            assert!(statement.starts_with(&detail));
        }
        assert_eq!(wrong("{{ \"x\" * 99999999 }}").0, "error.template.fuel");
        assert!(check("Hi {{ full_name }}", "{{ email }} {{ comment }}").is_ok());
    }

    #[test]
    fn values_are_not_markdown() {
        let name = "*x* <script>y</script> [a](javascript:b)\n# head";
        let letter = body("Hello **{{ full_name }}**!\n\n`{{ full_name }}`\n\n# {{ full_name }}\n", name, "");
        assert!(letter.html.contains("<strong>*x* &lt;script&gt;y&lt;/script&gt; [a](javascript:b) # head</strong>"));
        assert!(!letter.html.contains("<script") && !letter.html.contains("href") && !letter.html.contains("<em>"));
        assert_eq!(letter.html.matches("<h1").count(), 1);
        assert!(letter.text.contains("Hello *x* <script>y</script> [a](javascript:b) # head!"));
    }

    #[test]
    fn links_take_encoded_values_and_cannot_change_scheme() {
        let letter = body(
            "[a](https://x.org/?n={{ full_name }}) [b](mailto:{{ email }}) <https://x.org/{{ email }}>",
            "A & B\"",
            "",
        );
        assert!(letter.html.contains("href=\"https://x.org/?n=A%20%26%20B%22\""), "{}", letter.html);
        assert!(letter.html.contains("href=\"mailto:anna@example.org\""));
        assert!(letter.text.contains("a <https://x.org/?n=A%20%26%20B%22>"), "{}", letter.text);
        assert!(letter.text.contains("https://x.org/anna@example.org") && !letter.text.contains("%EE"));
    }

    #[test]
    fn a_value_can_be_the_whole_address() {
        let pay = "Dear\n\n{% if full_name %}\nname\n{% endif %}\n[Pay]({{ comment }}) now";
        assert_eq!(check("s", pay), Ok(()));
        let letter = body(pay, "", "https://pay.example/7?a=b&c=d");
        assert!(letter.html.contains("<a href=\"https://pay.example/7?a=b&amp;c=d\""), "{}", letter.html);
        assert!(letter.text.contains("Pay <https://pay.example/7?a=b&c=d> now"), "{}", letter.text);
        assert!(
            body("![x]({{ comment }})", "", "//cdn.example/x.png").html.contains("src=\"https://cdn.example/x.png\"")
        );
        assert!(body("[w]({{ email }})", "", "").html.contains("href=\"mailto:anna@example.org\""));
        // Whoever would get a link that leads nowhere gets no letter, and the line is named.
        let template = Template::new("s", pay, "en").unwrap();
        for value in ["", "javascript:alert(1)", "call me", "/pay/7"] {
            let recipient = Recipient { email: "anna@example.org", full_name: "", comment: value };
            let problem = template.render(&recipient).unwrap_err().problem;
            let expected = ("error.link.value", value, 6);
            assert_eq!((problem.key.as_str(), problem.detail.as_str(), problem.line), expected);
        }
    }

    #[test]
    fn an_address_that_would_be_lost_is_named_where_it_stands() {
        let named = |key: &str, detail: &str, line| (key.to_owned(), detail.to_owned(), line);
        assert_eq!(wrong("a\n\n[x](/blog/a)"), named("error.link.lost", "/blog/a", 3));
        assert_eq!(
            wrong("{% if comment %}\n{{ comment }}\n{% endif %}\n\n![x](a.png)"),
            named("error.picture.lost", "a.png", 5)
        );
        assert_eq!(wrong("[x](/{{ full_name }})"), named("error.link.lost", "/…", 1));
        assert_eq!(
            check("s", "[x](https://x.org/{{ full_name }}) [y](www.example.com) https://x.org/{{ email }}"),
            Ok(())
        );
    }

    /// What is tried when a message is stored knows no value of a real client.
    #[test]
    fn nobody_gets_a_link_without_address_whatever_their_values_lead_to() {
        let source = "Hi\n\n{% if comment == \"vip\" %}\n[Offer](/vip)\n{% endif %}\n\nBye";
        assert_eq!(check("s", source), Ok(()));
        let template = Template::new("s", source, "en").unwrap();
        let render = |comment| template.render(&Recipient { email: "anna@example.org", full_name: "", comment });
        assert!(render("none").is_ok());
        let problem = render("vip").unwrap_err().problem;
        assert_eq!((problem.key.as_str(), problem.detail.as_str(), problem.line), ("error.link.lost", "/vip", 4));
        // Nor of one that was stored before such links were refused.
        let old = Template::new("s", "a\n\n[x](/blog/a)", "en").unwrap();
        let problem =
            old.render(&Recipient { email: "a@example.org", full_name: "", comment: "" }).unwrap_err().problem;
        assert_eq!((problem.key.as_str(), problem.line), ("error.link.lost", 3));
    }

    #[test]
    fn gaps_are_values_that_nobody_cared_for() {
        assert_eq!(gaps("s", "", "Dear {{ full_name }}, {{ comment|upper }} {{ email }}"), ["full_name", "comment"]);
        assert_eq!(gaps("Hi {{ full_name }}", "{{ comment }}", "x"), ["full_name", "comment"]);
        let cared_for = "{{ full_name|default(\"x\") }}{% if comment %}{{ comment }}{% endif %} {{ unsubscribe_url }}";
        assert_eq!(gaps("s", "", cared_for), [""; 0]);
    }

    #[test]
    fn a_subject_is_shown_filled() {
        let anna = Recipient { email: "a@b.co", full_name: "Anna", comment: "" };
        assert_eq!(filled_subject("{% if full_name %}{{ full_name }}, hello{% endif %}", &anna), "Anna, hello");
        assert_eq!(filled_subject("{{ nmae }}", &anna), "{{ nmae }}");
    }

    #[test]
    fn a_preheader_stands_hidden_before_the_text() {
        let anna = Recipient { email: "a@b.co", full_name: "A<b>", comment: "" };
        for look in [None, crate::domain::design::BuiltIn::Bakery.look("Bakery")] {
            let template = Template::new("s", "# Hello", "en").unwrap().with_preheader("For {{ full_name }}").unwrap();
            let letter = template.with_look(look.as_ref(), "https://m.example").render(&anna).unwrap();
            assert_eq!(letter.preheader, "For A<b>");
            let (before, _) = letter.html.split_once("Hello").unwrap();
            assert!(before.contains("mso-hide:all\">For A&lt;b&gt;&#847;"), "{before}");
            assert!(!letter.text.contains("For A"), "{}", letter.text);
        }
        let template = Template::new("s", "# Hello", "en").unwrap();
        assert!(!template.render(&anna).unwrap().html.contains("mso-hide"), "none is written where there is none");
        assert!(Template::new("s", "b", "en").unwrap().with_preheader("{{ x }}").is_err());
        assert_eq!(check_with("s", "{{ x }}", "b").unwrap_err()[0].0, Field::Preheader);
    }

    #[test]
    fn conditions_and_filters() {
        let source = "Dear {{ full_name|default(\"friend\") }},\n\n{% if comment %}\n> {{ comment|upper }}\n{% else %}\n*none*\n{% endif %}\n";
        let template = Template::new("{{ full_name }}\r\nBcc: x", source, "en").unwrap();
        let render = |full_name, comment| template.render(&Recipient { email: "a@b.co", full_name, comment }).unwrap();
        assert_eq!(render("Anna", "yes").text, "Dear Anna,\n\n> YES\n");
        let other = render("", "");
        assert_eq!(other.text, "Dear friend,\n\nnone\n");
        assert!(other.html.contains("<em>none</em>"));
        assert_eq!(render("Анна\u{7}", "").subject, "Анна  Bcc: x");
        assert_eq!(template.variants.read().unwrap().len(), 2);
        assert!(render("A<b>", "").html.contains("<title>A&lt;b&gt; Bcc: x</title>"));
    }

    #[test]
    fn marks_cannot_be_forged() {
        let letter = body("{{ full_name }} \u{e000} {{ comment }}", "\u{e001}", "secret");
        assert_eq!(letter.text.matches("secret").count(), 1);
        let forged = body("{{ \"\\ue000\" }}", "secret", "");
        assert!(!forged.text.contains("secret"));
    }

    proptest! {
        #[test]
        fn a_value_adds_no_markup(name in "\\PC{0,60}") {
            let plain = body("**{{ full_name }}** [x](https://x.org/{{ full_name }})", "x", "");
            let letter = body("**{{ full_name }}** [x](https://x.org/{{ full_name }})", &name, "");
            prop_assert_eq!(letter.html.matches('<').count(), plain.html.matches('<').count());
            prop_assert_eq!(letter.html.matches('"').count(), plain.html.matches('"').count());
        }

        #[test]
        fn any_source_is_checked_without_panic(source in "[a-z{}%|\" \n\\[\\]()*]{0,60}") {
            let _ = check(&source, &source);
        }
    }
}
