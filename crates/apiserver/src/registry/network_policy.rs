//! NetworkPolicy.

use std::net::IpAddr;

use api::field::{Error, Errors, Path};
use api::types::{IPBlock, IntOrString, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec};
use api::validate::{label_selector, port_name, port_number};

use super::addresses::{cidr_warnings, is_cidr};
use super::rules::{complain, default_text, list, one_of, subdomain_name, twice};
use crate::strategy::Strategy;

const POLICY_TYPES: &[&str] = &["Ingress", "Egress"];
const NO_CIDR: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

impl Strategy for NetworkPolicy {
    const HAS_GENERATION: bool = true;

    fn default(&mut self) {
        let spec = self.spec.get_or_insert_default();
        spec.pod_selector.get_or_insert_default();
        let ingress = spec.ingress.iter_mut().flatten().flat_map(|rule| rule.ports.iter_mut().flatten());
        let egress = spec.egress.iter_mut().flatten().flat_map(|rule| rule.ports.iter_mut().flatten());
        for port in ingress.chain(egress) {
            default_text(&mut port.protocol, "TCP");
        }
        if list(&spec.policy_types).is_empty() {
            let count = if list(&spec.egress).is_empty() { 1 } else { 2 };
            spec.policy_types = Some(POLICY_TYPES[..count].iter().map(|&name| name.into()).collect());
        }
    }

    fn same_generation(&self, old: &Self) -> bool {
        self.spec == old.spec
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        if let Some(spec) = &self.spec {
            validate_spec(spec, &Path::new("spec"), &mut errors);
        }
        errors
    }

    fn validate_update(&self, _old: &Self) -> Errors {
        twice(self.validate())
    }

    fn warnings(&self, _is_new: bool) -> Vec<String> {
        let Some(spec) = &self.spec else { return Vec::new() };
        let path = Path::new("spec");
        let ingress = list(&spec.ingress).iter().map(|rule| list(&rule.from));
        let egress = list(&spec.egress).iter().map(|rule| list(&rule.to));
        let mut warnings = Vec::new();
        for (index, peers) in ingress.enumerate() {
            let path = path.child("ingress");
            block_warnings(peers, &path.index(index).child("from"), &mut warnings);
        }
        for (index, peers) in egress.enumerate() {
            let path = path.child("egress");
            block_warnings(peers, &path.index(index).child("to"), &mut warnings);
        }
        warnings
    }
}

fn validate_spec(spec: &NetworkPolicySpec, path: &Path, errors: &mut Errors) {
    if let Some(selector) = &spec.pod_selector {
        label_selector(selector, &path.child("podSelector"), errors);
    }
    let ingress_path = path.child("ingress");
    for (index, rule) in list(&spec.ingress).iter().enumerate() {
        let path = ingress_path.index(index);
        validate_rule(list(&rule.ports), list(&rule.from), "from", &path, errors);
    }
    let egress_path = path.child("egress");
    for (index, rule) in list(&spec.egress).iter().enumerate() {
        let path = egress_path.index(index);
        validate_rule(list(&rule.ports), list(&rule.to), "to", &path, errors);
    }
    let (types, path) = (list(&spec.policy_types), path.child("policyTypes"));
    if types.len() > POLICY_TYPES.len() {
        errors.push(Error::invalid(&path, types, "may not specify more than two policyTypes"));
        return;
    }
    for (index, type_) in types.iter().enumerate() {
        one_of(type_, POLICY_TYPES, &path.index(index), errors);
    }
}

fn validate_rule(
    ports: &[NetworkPolicyPort],
    peers: &[NetworkPolicyPeer],
    peers_name: &str,
    path: &Path,
    errors: &mut Errors,
) {
    let ports_path = path.child("ports");
    for (index, port) in ports.iter().enumerate() {
        validate_port(port, &ports_path.index(index), errors);
    }
    let peers_path = path.child(peers_name);
    for (index, peer) in peers.iter().enumerate() {
        validate_peer(peer, &peers_path.index(index), errors);
    }
}

fn validate_port(port: &NetworkPolicyPort, path: &Path, errors: &mut Errors) {
    if let Some(protocol) = &port.protocol {
        one_of(protocol, &["TCP", "UDP", "SCTP"], &path.child("protocol"), errors);
    }
    let (port_path, end_path) = (path.child("port"), path.child("endPort"));
    match (&port.port, port.end_port) {
        (Some(IntOrString::Int(number)), end) => {
            if let Some(why) = port_number(*number) {
                errors.push(Error::invalid(&port_path, *number, why));
            }
            let Some(end) = end else { return };
            if end < *number {
                // Upstream shows the first port here.
                errors.push(Error::invalid(&end_path, *number, "must be greater than or equal to `port`"));
            }
            if let Some(why) = port_number(end) {
                errors.push(Error::invalid(&end_path, end, why));
            }
        }
        (Some(IntOrString::String(name)), end) => {
            if let Some(end) = end {
                errors.push(Error::invalid(&end_path, end, "may not be specified when `port` is non-numeric"));
            }
            complain(errors, &port_path, name, port_name(name));
        }
        (None, Some(end)) => {
            errors.push(Error::invalid(&end_path, end, "may not be specified when `port` is not specified"));
        }
        (None, None) => {}
    }
}

fn validate_peer(peer: &NetworkPolicyPeer, path: &Path, errors: &mut Errors) {
    let selectors = [("podSelector", &peer.pod_selector), ("namespaceSelector", &peer.namespace_selector)];
    for (name, selector) in selectors {
        if let Some(selector) = selector {
            label_selector(selector, &path.child(name), errors);
        }
    }
    if let Some(block) = &peer.ip_block {
        validate_block(block, &path.child("ipBlock"), errors);
    }
    let selects = peer.pod_selector.is_some() || peer.namespace_selector.is_some();
    match (&peer.ip_block, selects) {
        (None, false) => errors.push(Error::required(path, "must specify a peer")),
        (Some(_), true) => errors.push(Error::forbidden(path, "may not specify both ipBlock and another peer")),
        _ => {}
    }
}

fn block_warnings(peers: &[NetworkPolicyPeer], path: &Path, warnings: &mut Vec<String>) {
    for (index, peer) in peers.iter().enumerate() {
        let Some(block) = &peer.ip_block else { continue };
        let path = path.index(index);
        let path = path.child("ipBlock");
        warnings.extend(cidr_warnings(&path.child("cidr"), &block.cidr));
        let path = path.child("except");
        for (index, except) in list(&block.except).iter().enumerate() {
            warnings.extend(cidr_warnings(&path.index(index), except));
        }
    }
}

fn validate_block(block: &IPBlock, path: &Path, errors: &mut Errors) {
    let cidr_path = path.child("cidr");
    if block.cidr.is_empty() {
        errors.push(Error::required(&cidr_path, ""));
        return;
    }
    if !is_cidr(&block.cidr) {
        errors.push(Error::invalid(&cidr_path, block.cidr.as_str(), NO_CIDR));
        return;
    }
    let path = path.child("except");
    for (index, except) in list(&block.except).iter().enumerate() {
        let path = path.index(index);
        if !is_cidr(except) {
            errors.push(Error::invalid(&path, except.as_str(), NO_CIDR));
        } else if !is_strictly_within(except, &block.cidr) {
            errors.push(Error::invalid(&path, except.as_str(), "must be a strict subset of `cidr`"));
        }
    }
}

/// Whether one network is a smaller part of another. Both are well-formed.
fn is_strictly_within(inner: &str, outer: &str) -> bool {
    let (Some((inner, inner_length)), Some((outer, outer_length))) = (network(inner), network(outer)) else {
        return false;
    };
    let mask = u128::MAX.checked_shl(128 - outer_length).unwrap_or(0);
    inner_length > outer_length && inner & mask == outer & mask
}

/// Address and prefix length, both in the space of IPv6: IPv4 lies in a part of its own.
fn network(cidr: &str) -> Option<(u128, u32)> {
    let (address, length) = cidr.split_once('/')?;
    let length: u32 = length.parse().ok()?;
    match address.parse().ok()? {
        IpAddr::V4(address) => Some((u128::from(address.to_ipv6_mapped()), length + 96)),
        IpAddr::V6(address) => Some((u128::from(address), length)),
    }
}
