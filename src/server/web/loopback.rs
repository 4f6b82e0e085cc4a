//! Whether somebody at this machine asks. Whatever trusts the loopback asks here: a peer on it proves little, since
//! proxies are on this machine too, and so is a browser that a foreign site has led here under its own name.

use super::peer;
use super::state::AppState;
use crate::server::config::Config;
use axum::extract::ConnectInfo;
use axum::http::header::{FORWARDED, HOST, VIA};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Request, Uri, Version};
use std::net::{IpAddr, SocketAddr};
use url::{Host, Url};

/// The name that people used, as a proxy passes it on.
const FORWARDED_HOST: &str = "x-forwarded-host";
/// What proxies add to a request.
const ADDED: [HeaderName; 10] = [
    FORWARDED,
    VIA,
    HeaderName::from_static(peer::FORWARDED_FOR),
    HeaderName::from_static(FORWARDED_HOST),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-server"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-client-ip"),
    HeaderName::from_static("cf-connecting-ip"),
    HeaderName::from_static("true-client-ip"),
];

/// What tells where a request comes from.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    pub version: Version,
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
    pub extensions: &'a Extensions,
}

impl<'a> From<&'a Parts> for Head<'a> {
    fn from(parts: &'a Parts) -> Self {
        Self { version: parts.version, uri: &parts.uri, headers: &parts.headers, extensions: &parts.extensions }
    }
}

impl<'a, B> From<&'a Request<B>> for Head<'a> {
    fn from(request: &'a Request<B>) -> Self {
        Self {
            version: request.version(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

/// In the extensions of a request of our own, made for somebody at this machine (`cache::key`).
#[derive(Clone, Copy, Debug)]
pub struct Proven;

/// Whether somebody at this machine asks: the service is for this machine alone by its settings, it was asked under a
/// name of this machine, and no proxy stands between, but for a trusted one that says that its peer is local as well.
pub fn asks(state: &AppState, head: Head<'_>) -> bool {
    if head.extensions.get::<Proven>().is_some() {
        return true;
    }
    let Some(peer) = head.extensions.get::<ConnectInfo<SocketAddr>>() else { return false };
    let peer = peer.0.ip().to_canonical();
    peer.is_loopback() && is_for_here(&state.config) && is_under_local_name(head) && is_direct(state, peer, head)
}

/// Whether nobody else is meant to reach the service.
fn is_for_here(config: &Config) -> bool {
    let public = Url::parse(&config.public_url);
    let local = public.is_ok_and(|url| match url.host() {
        Some(Host::Domain(name)) => is_local_name(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).to_canonical().is_loopback(),
        None => false,
    });
    local && config.addr.ip().to_canonical().is_loopback()
}

/// Whether all names that the request bears are this machine's. A page of another site that was led here by its
/// DNS (rebinding) comes under that site's name.
fn is_under_local_name(head: Head<'_>) -> bool {
    let mut hosts = head.headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let others = head.headers.get_all(FORWARDED_HOST).iter();
    let written = std::iter::once(host).chain(others);
    written.map(HeaderValue::to_str).all(|host| host.is_ok_and(|host| host.parse().is_ok_and(|host| is_local(&host))))
        && head.uri.authority().is_none_or(is_local)
}

fn is_local(host: &Authority) -> bool {
    !host.as_str().contains('@') && is_local_name(host.host())
}

fn is_local_name(name: &str) -> bool {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Whether nobody stands between. Browsers speak HTTP/1.1; a proxy that is not told otherwise may speak 1.0.
fn is_direct(state: &AppState, peer: IpAddr, head: Head<'_>) -> bool {
    if head.version < Version::HTTP_11 {
        return false;
    }
    if !peer::is_trusted(&state.config, peer) {
        return !ADDED.iter().any(|name| head.headers.contains_key(name));
    }
    let mut hops = peer::hops(head.headers).peekable();
    hops.peek().is_some() && hops.all(|hop| hop.is_some_and(|address| address.is_loopback()))
}
