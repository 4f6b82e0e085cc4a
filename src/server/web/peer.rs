//! Who is at the other end of a request: the peer's address, or what a trusted proxy says of it.

use super::state::AppState;
use crate::server::config::Config;
use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The header in which proxies say who was at their other end.
pub const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address that a request came from. `X-Forwarded-For` is believed as far as trusted proxies wrote
/// it: from its end, the first address that is none of theirs.
pub fn of(state: &AppState, extensions: &Extensions, headers: &HeaderMap) -> IpAddr {
    // Only a router that is not served over TCP has no such information.
    let peer =
        extensions.get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
    forwarded(peer, headers, &|address| is_trusted(&state.config, address))
}

/// Whether the settings trust a proxy at this address.
pub fn is_trusted(config: &Config, address: IpAddr) -> bool {
    config.trusted_proxies.iter().any(|network| network.contains(&address))
}

/// The addresses of `X-Forwarded-For`, the last one first; none for what is no address.
pub fn hops(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let values = headers.get_all(FORWARDED_FOR).iter().rev().map(|value| value.to_str().unwrap_or_default());
    values.flat_map(|value| value.rsplit(',')).map(|hop| hop.trim().parse().ok().map(|hop: IpAddr| hop.to_canonical()))
}

fn forwarded(peer: IpAddr, headers: &HeaderMap, trusted: &dyn Fn(IpAddr) -> bool) -> IpAddr {
    let mut best = peer.to_canonical();
    for hop in hops(headers) {
        if !trusted(best) {
            break;
        }
        let Some(address) = hop else { break };
        best = address;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipnet::IpNet;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxies: [IpNet; 2] = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let seen = |peer: &str, headers: &[&'static str]| {
            let mut map = HeaderMap::new();
            for value in headers {
                map.append("x-forwarded-for", value.parse().unwrap());
            }
            let trusted = |address| proxies.iter().any(|network| network.contains(&address));
            forwarded(peer.parse().unwrap(), &map, &trusted).to_string()
        };
        assert_eq!(seen("192.0.2.1", &["198.51.100.7"]), "192.0.2.1", "a stranger's header is ignored");
        assert_eq!(seen("10.0.0.1", &["203.0.113.9, 198.51.100.7"]), "198.51.100.7", "what the proxy saw");
        assert_eq!(seen("10.0.0.1", &["6.6.6.6, 198.51.100.7, 10.1.1.1"]), "198.51.100.7", "two proxies");
        assert_eq!(seen("::1", &["6.6.6.6", "198.51.100.7"]), "198.51.100.7", "two headers");
        assert_eq!(seen("10.0.0.1", &["rubbish"]), "10.0.0.1");
        assert_eq!(seen("::ffff:10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
    }
}
