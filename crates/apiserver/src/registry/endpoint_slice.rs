//! EndpointSlice.

use std::net::IpAddr;

use api::field::{Error, Errors, Path};
use api::types::{Endpoint, EndpointSlice, SlicePort};
use api::validate::{dns1123_label, dns1123_subdomain, label_value, labels, qualified_name};

use super::rules::{complain, default_text, default_to, list, one_of, subdomain_name, text};
use crate::strategy::Strategy;

const ADDRESS_TYPES: &[&str] = &["FQDN", "IPv4", "IPv6"];
const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
const ADDRESSES_MAX: usize = 100;
const ENDPOINTS_MAX: usize = 1000;
const PORTS_MAX: usize = 20_000;
const TOPOLOGY_MAX: usize = 16;
const HINTS_MAX: usize = 8;

impl Strategy for EndpointSlice {
    const HAS_GENERATION: bool = true;

    fn default(&mut self) {
        for port in self.ports.iter_mut().flatten() {
            default_to(&mut port.name, String::new());
            default_text(&mut port.protocol, "TCP");
        }
        for endpoint in self.endpoints.iter_mut().flatten() {
            endpoint.conditions.get_or_insert_default();
        }
    }

    fn prepare_for_create(&mut self) {
        drop_topology(self);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        if self.endpoints != old.endpoints {
            drop_topology(self);
        }
    }

    fn same_generation(&self, old: &Self) -> bool {
        self.endpoints == old.endpoints
            && self.ports == old.ports
            && self.address_type == old.address_type
            && self.metadata.labels == old.metadata.labels
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        if self.address_type.is_empty() {
            errors.push(Error::required(&Path::new("addressType"), ""));
        } else {
            one_of(&self.address_type, ADDRESS_TYPES, &Path::new("addressType"), &mut errors);
        }
        ports(list(&self.ports), &Path::new("ports"), &mut errors);
        let path = Path::new("endpoints");
        let endpoints = list(&self.endpoints);
        if endpoints.len() > ENDPOINTS_MAX {
            errors.push(Error::too_many(&path, endpoints.len(), ENDPOINTS_MAX));
            return errors;
        }
        for (index, endpoint) in endpoints.iter().enumerate() {
            self::endpoint(endpoint, &self.address_type, &path.index(index), &mut errors);
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = self.validate();
        if self.address_type != old.address_type {
            let path = Path::new("addressType");
            errors.push(Error::invalid(&path, self.address_type.as_str(), super::rules::IMMUTABLE));
        }
        errors
    }
}

/// `dropTopologyOnV1`: the field is written by an older version of the API alone.
fn drop_topology(slice: &mut EndpointSlice) {
    for endpoint in slice.endpoints.iter_mut().flatten() {
        endpoint.deprecated_topology = None;
    }
}

fn ports(ports: &[SlicePort], path: &Path, errors: &mut Errors) {
    if ports.len() > PORTS_MAX {
        errors.push(Error::too_many(path, ports.len(), PORTS_MAX));
        return;
    }
    for (index, port) in ports.iter().enumerate() {
        let path = path.index(index);
        let name = text(&port.name);
        if !name.is_empty() {
            complain(errors, &path.child("name"), name, dns1123_label(name));
        }
        if ports[..index].iter().any(|other| text(&other.name) == name) {
            errors.push(Error::duplicate(&path.child("name"), name));
        }
        one_of(text(&port.protocol), PROTOCOLS, &path.child("protocol"), errors);
        if let Some(protocol) = &port.app_protocol {
            complain(errors, &path.child("appProtocol"), protocol, qualified_name(protocol));
        }
    }
}

fn endpoint(endpoint: &Endpoint, address_type: &str, path: &Path, errors: &mut Errors) {
    let addresses_path = path.child("addresses");
    if endpoint.addresses.is_empty() {
        errors.push(Error::required(&addresses_path, "must contain at least 1 address"));
    } else if endpoint.addresses.len() > ADDRESSES_MAX {
        errors.push(Error::too_many(&addresses_path, endpoint.addresses.len(), ADDRESSES_MAX));
    }
    for (index, address) in endpoint.addresses.iter().enumerate() {
        let item = addresses_path.index(index);
        let ip: Option<IpAddr> = address.parse().ok();
        match address_type {
            "IPv4" if !ip.is_some_and(|ip| ip.is_ipv4()) => {
                errors.push(Error::invalid(&addresses_path, address.as_str(), "must be an IPv4 address"));
            }
            "IPv6" if !ip.is_some_and(|ip| ip.is_ipv6()) => {
                errors.push(Error::invalid(&addresses_path, address.as_str(), "must be an IPv6 address"));
            }
            "FQDN" => full_domain(address, &addresses_path, errors),
            _ => {}
        }
        if let Some(ip) = ip.filter(|_| address_type != "FQDN") {
            special_ip(ip, address, &item, errors);
        }
    }
    if let Some(node) = &endpoint.node_name {
        complain(errors, &path.child("nodeName"), node, dns1123_subdomain(node));
    }
    let topology_path = path.child("deprecatedTopology");
    let topology = endpoint.deprecated_topology.as_ref();
    if let Some(topology) = topology.filter(|topology| topology.len() > TOPOLOGY_MAX) {
        errors.push(Error::too_many(&topology_path, topology.len(), TOPOLOGY_MAX));
    }
    labels(topology, &topology_path, errors);
    if let Some(hostname) = &endpoint.hostname {
        complain(errors, &path.child("hostname"), hostname, dns1123_label(hostname));
    }
    let Some(hints) = &endpoint.hints else { return };
    let path = path.child("hints");
    let zones: Vec<&str> = list(&hints.for_zones).iter().map(|zone| zone.name.as_str()).collect();
    if !hinted(&zones, &path.child("forZones"), label_value, errors) {
        return;
    }
    let nodes: Vec<&str> = list(&hints.for_nodes).iter().map(|node| node.name.as_str()).collect();
    hinted(&nodes, &path.child("forNodes"), dns1123_subdomain, errors);
}

/// Each name once, and no more than a few of them: whether they are so few.
fn hinted(names: &[&str], path: &Path, form: fn(&str) -> Vec<String>, errors: &mut Errors) -> bool {
    if names.len() > HINTS_MAX {
        errors.push(Error::too_many(path, names.len(), HINTS_MAX));
        return false;
    }
    for (index, name) in names.iter().enumerate() {
        let item = path.index(index);
        let path = item.child("name");
        if names[..index].contains(name) {
            errors.push(Error::duplicate(&path, *name));
        }
        complain(errors, &path, name, form(name));
    }
    true
}

/// `IsFullyQualifiedDomainName`.
fn full_domain(name: &str, path: &Path, errors: &mut Errors) {
    if name.is_empty() {
        errors.push(Error::required(path, ""));
        return;
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let bad = dns1123_subdomain(name);
    if !bad.is_empty() {
        errors.push(Error::invalid(path, name, bad.join(",")));
    } else if !name.contains('.') {
        errors.push(Error::invalid(path, name, "should be a domain with at least two segments separated by dots"));
    }
}

/// `ValidateEndpointIP`: addresses that mean the node itself or nobody in particular.
pub(super) fn special_ip(ip: IpAddr, shown: &str, path: &Path, errors: &mut Errors) {
    let link_local = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => (ip.segments()[0] & 0xffc0) == 0xfe80,
    };
    let link_local_multicast = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => ip.octets()[..3] == [224, 0, 0],
        IpAddr::V6(ip) => (ip.segments()[0] & 0xff0f) == 0xff02,
    };
    let mut refuse = |why: String| errors.push(Error::invalid(path, shown, why));
    if ip.is_unspecified() {
        refuse(format!("may not be unspecified ({shown})"));
    }
    if ip.is_loopback() {
        refuse("may not be in the loopback range (127.0.0.0/8, ::1/128)".into());
    }
    if link_local(&ip) {
        refuse("may not be in the link-local range (169.254.0.0/16, fe80::/10)".into());
    }
    if link_local_multicast(&ip) {
        refuse("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)".into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_and_hints_are_checked() {
        let slice: EndpointSlice = serde_json::from_value(serde_json::json!({
            "addressType": "FQDN",
            "endpoints": [
                { "addresses": ["local."], "hints": { "forZones": [{ "name": "a b" }, { "name": "a b" }] } },
            ],
        }))
        .unwrap();
        let fields: Vec<String> = slice.validate().into_iter().map(|error| error.field).collect();
        let zones = ["endpoints[0].hints.forZones[0].name", "endpoints[0].hints.forZones[1].name"];
        assert_eq!(fields, ["endpoints[0].addresses", zones[0], zones[1], zones[1]]);
        let first = &slice.validate()[0];
        assert_eq!(first.detail, "should be a domain with at least two segments separated by dots");
    }
}
