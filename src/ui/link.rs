//! Links that change a part of the page's query and keep the rest.

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};
use leptos_router::location::Url;

/// Query parameters that belong to one answer and must not travel on.
const ONCE: [&str; 6] = ["done", "n", "m", "confirm", "pick", "all"];

/// A function that writes links to this page with some query parameters changed: `Some` sets one,
/// `None` drops it. Reactive where it is called in a closure.
///
/// ```ignore
/// let link = use_link();
/// view! { <a href=move || link(&[("sort", Some("email")), ("after", None)])>…</a> }
/// ```
pub fn use_link() -> impl Fn(&[(&str, Option<&str>)]) -> String + Copy + Send + Sync + 'static {
    let path = use_location().pathname;
    let query = use_query_map();
    move |changes| {
        let changed = |name: &str| changes.iter().any(|(known, _)| *known == name);
        let mut pairs: Vec<(String, String)> = query.with(|query| {
            query
                .into_iter()
                .filter(|(name, _)| !changed(name) && !ONCE.contains(&name.as_ref()))
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect()
        });
        pairs.extend(
            changes.iter().filter_map(|(name, value)| value.map(|value| ((*name).to_owned(), value.to_owned()))),
        );
        path.with(|path| href(path, &pairs))
    }
}

/// A path with a query.
pub fn href(path: &str, pairs: &[(String, String)]) -> String {
    let query: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", Url::escape(name), Url::escape(value))).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

/// The query parameter of that name, or an empty text.
pub fn use_param(name: &'static str) -> Memo<String> {
    let query = use_query_map();
    Memo::new(move |_| query.with(|query| query.get_str(name).unwrap_or_default().to_owned()))
}

/// The query parameters that a GET form must carry on, except the named ones.
pub fn kept(except: &[&str]) -> Vec<(String, String)> {
    use_query_map().with(|query| {
        query
            .into_iter()
            .filter(|(name, _)| !except.contains(&name.as_ref()) && !ONCE.contains(&name.as_ref()))
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_a_query_may_not_hold() {
        let pairs = [("q".to_owned(), "a&b=ц d".to_owned())];
        let link = href("/clients", &pairs);
        assert!(link.starts_with("/clients?q=a%26b%3D%D1%86") && !link.contains(' '), "{link}");
        assert_eq!(href("/clients", &[]), "/clients");
    }
}
