//! How many connections, or anything else that is open for a while, one network address may have.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts what is open; a network of IPv6 counts by its first 64 bits, which one customer has.
#[derive(Clone, Debug, Default)]
pub struct Peers(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A place that is given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    peers: Peers,
    network: IpAddr,
}

impl Peers {
    /// A place for one more, unless the network of the address has so many.
    #[must_use]
    pub fn enter(&self, address: IpAddr, most: usize) -> Option<Place> {
        let network = network(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(network).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { peers: self.clone(), network })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.peers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_few_and_come_back() {
        let peers = Peers::default();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = peers.enter(address("2001:db8::1"), 1).unwrap();
        assert!(peers.enter(address("2001:db8::ffff"), 1).is_none());
        assert!(peers.enter(address("2001:db8:0:1::1"), 1).is_some());
        let mapped = peers.enter(address("::ffff:192.0.2.1"), 1).unwrap();
        assert!(peers.enter(address("192.0.2.1"), 1).is_none());
        assert!(peers.enter(address("192.0.2.1"), 2).is_some());
        assert!(peers.enter(address("192.0.2.2"), 1).is_some(), "another one gets in");
        drop((first, mapped));
        assert!(peers.0.lock().unwrap().is_empty());
        assert!(peers.enter(address("192.0.2.1"), 1).is_some());
    }
}
