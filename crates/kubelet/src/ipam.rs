//! Pod addresses from the node's range: CNI's `host-local`.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// The addresses of one node. The first one is the bridge's own.
#[derive(Clone, Default)]
pub struct Ipam {
    cidr: String,
    first: u32,
    last: u32,
    /// Addresses are given round-robin, so that one that was just freed is not taken up again at once.
    latest: u32,
    used: BTreeSet<u32>,
}

impl Ipam {
    /// Takes a range; addresses that are in use stay with their Pods.
    pub fn set_range(&mut self, cidr: &str) {
        if self.cidr == cidr {
            return;
        }
        let Some((base, bits)) = parse(cidr) else { return };
        self.cidr = cidr.into();
        let size: u32 = 1 << (32 - bits);
        self.first = base + 2;
        self.last = base + size - 2;
        self.latest = self.first - 1;
    }

    pub fn is_ready(&self) -> bool {
        !self.cidr.is_empty()
    }

    pub fn cidr(&self) -> &str {
        &self.cidr
    }

    /// The next free address; `None` when all are taken.
    pub fn allocate(&mut self) -> Option<String> {
        if !self.is_ready() {
            return None;
        }
        let mut candidate = self.latest;
        for _ in self.first..=self.last {
            candidate = if candidate >= self.last { self.first } else { candidate + 1 };
            if self.used.insert(candidate) {
                self.latest = candidate;
                return Some(Ipv4Addr::from(candidate).to_string());
            }
        }
        None
    }

    pub fn release(&mut self, address: &str) {
        if let Ok(address) = address.parse::<Ipv4Addr>() {
            self.used.remove(&u32::from(address));
        }
    }

    pub fn clear(&mut self) {
        self.used.clear();
    }
}

/// Base address and prefix length of a range that has room for Pods.
fn parse(cidr: &str) -> Option<(u32, u32)> {
    let (base, bits) = cidr.split_once('/')?;
    let base = u32::from(base.parse::<Ipv4Addr>().ok()?);
    let bits: u32 = bits.parse().ok()?;
    (8..=29).contains(&bits).then(|| (base & (u32::MAX << (32 - bits)), bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_go_round() {
        let mut ipam = Ipam::default();
        assert_eq!(ipam.allocate(), None);
        ipam.set_range("10.244.1.0/29");
        let mut take = || ipam.allocate().unwrap_or_default();
        assert_eq!([take(), take(), take()], ["10.244.1.2", "10.244.1.3", "10.244.1.4"]);
        ipam.release("10.244.1.2");
        assert_eq!(ipam.allocate().as_deref(), Some("10.244.1.5"));
        assert_eq!(ipam.allocate().as_deref(), Some("10.244.1.6"));
        assert_eq!(ipam.allocate().as_deref(), Some("10.244.1.2"));
        assert_eq!(ipam.allocate(), None);
    }
}
