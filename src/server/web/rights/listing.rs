//! What there is to be tried: as the router, leptos and the app's routes have it, not as somebody wrote it down.

use crate::server::web::state::AppState;
use crate::ui::assets::Assets;
use leptos::server_fn::axum::server_fn_paths;
use std::collections::BTreeMap;

/// The paths of all server functions by their names, as `clients/save`. One whose path the macro makes up, with a hash of
/// the folder that it was built in, is not in the table of rights by that name.
pub fn functions() -> BTreeMap<String, String> {
    server_fn_paths().map(|(path, _)| (path.trim_start_matches("/api/").to_owned(), path.to_owned())).collect()
}

/// Method and path of everything that the router serves itself. axum tells them to nobody but its `Debug`.
pub fn routes(state: AppState) -> Vec<String> {
    let text = format!("{:?}", crate::server::web::router(state, Assets::default()));
    let own = text.split("fallback_router").next().unwrap_or_default();
    let (endpoints, paths) = own.split_once("node: Node").expect("a router has a tree of paths");
    let entries = |text: &str| -> BTreeMap<String, String> {
        let entry = |chunk: &str| chunk.split_once("): ").map(|(id, rest)| (id.to_owned(), rest.to_owned()));
        text.split("RouteId(").skip(1).filter_map(entry).collect()
    };
    let paths = entries(paths);
    let mut found = Vec::new();
    for (id, endpoint) in entries(endpoints) {
        let path = paths[&id].split('"').nth(1).expect("a path is a text");
        let methods: Vec<&str> = ["get", "delete", "options", "patch", "post", "put", "trace", "connect"]
            .into_iter()
            .filter(|method| {
                endpoint.contains(&format!("{method}: ")) && !endpoint.contains(&format!("{method}: None"))
            })
            .collect();
        // A service that takes any method.
        let methods = if methods.is_empty() { vec!["any"] } else { methods };
        found.extend(methods.iter().map(|method| format!("{} {path}", method.to_uppercase())));
    }
    found.sort();
    found
}

/// The paths of all pages, `/clients/{id}`.
pub fn pages() -> Vec<String> {
    let source = include_str!("../../../ui/app.rs");
    let path = |rest: &str| {
        let path = rest.split('"').next().unwrap_or_default();
        let part = |part: &str| part.strip_prefix(':').map_or_else(|| part.to_owned(), |name| format!("{{{name}}}"));
        format!("GET {}", path.split('/').map(part).collect::<Vec<_>>().join("/"))
    };
    source.split("path!(\"").skip(1).map(path).collect()
}
