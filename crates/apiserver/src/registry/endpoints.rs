//! Endpoints.

use api::field::{Error, Errors, Path};
use api::types::{EndpointAddress, EndpointPort, EndpointSubset, Endpoints};
use api::validate::{dns1123_label, dns1123_subdomain, port_number, qualified_name};

use super::addresses::{BAD_IP, ip_warning, parse_ip};
use super::endpoint_slice::special_ip;
use super::rules::{complain, default_text, list, subdomain_name, text};
use crate::strategy::Strategy;

const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];

impl Strategy for Endpoints {
    const CREATE_ON_UPDATE: bool = true;

    fn default(&mut self) {
        for port in self.subsets.iter_mut().flatten().flat_map(|subset| subset.ports.iter_mut().flatten()) {
            default_text(&mut port.protocol, "TCP");
        }
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let path = Path::new("subsets");
        for (index, subset) in list(&self.subsets).iter().enumerate() {
            self::subset(subset, &path.index(index), &mut errors);
        }
        errors
    }

    /// Subsets that were let through once may stay.
    fn validate_update(&self, old: &Self) -> Errors {
        if self.subsets == old.subsets { Errors::new() } else { self.validate() }
    }

    fn warnings(&self, _is_new: bool) -> Vec<String> {
        let mut warnings = Vec::new();
        let path = Path::new("subsets");
        for (index, subset) in list(&self.subsets).iter().enumerate() {
            let path = path.index(index);
            for (name, addresses) in
                [("addresses", &subset.addresses), ("notReadyAddresses", &subset.not_ready_addresses)]
            {
                let path = path.child(name);
                for (index, address) in list(addresses).iter().enumerate() {
                    warnings.extend(ip_warning(&path.index(index).child("ip"), &address.ip));
                }
            }
        }
        warnings
    }
}

fn subset(subset: &EndpointSubset, path: &Path, errors: &mut Errors) {
    let (ready, not_ready) = (list(&subset.addresses), list(&subset.not_ready_addresses));
    if ready.is_empty() && not_ready.is_empty() {
        errors.push(Error::required(path, "must specify `addresses` or `notReadyAddresses`"));
    }
    for (name, addresses) in [("addresses", ready), ("notReadyAddresses", not_ready)] {
        for (index, address) in addresses.iter().enumerate() {
            let path = path.child(name);
            self::address(address, &path.index(index), errors);
        }
    }
    let ports = list(&subset.ports);
    for (index, port) in ports.iter().enumerate() {
        let ports_path = path.child("ports");
        self::port(port, ports.len() > 1, &ports_path.index(index), errors);
    }
}

fn address(address: &EndpointAddress, path: &Path, errors: &mut Errors) {
    let (ip_path, ip) = (path.child("ip"), parse_ip(&address.ip));
    if ip.is_none() {
        errors.push(Error::invalid(&ip_path, address.ip.as_str(), BAD_IP));
    }
    let hostname = text(&address.hostname);
    if !hostname.is_empty() {
        complain(errors, &path.child("hostname"), hostname, dns1123_label(hostname));
    }
    if let Some(node) = &address.node_name {
        complain(errors, &path.child("nodeName"), node, dns1123_subdomain(node));
    }
    match ip {
        Some(ip) => special_ip(ip, &address.ip, &ip_path, errors),
        // Upstream checks twice.
        None => errors.push(Error::invalid(&ip_path, address.ip.as_str(), "must be a valid IP address")),
    }
}

fn port(port: &EndpointPort, needs_name: bool, path: &Path, errors: &mut Errors) {
    let name = text(&port.name);
    if name.is_empty() && needs_name {
        errors.push(Error::required(&path.child("name"), ""));
    } else if !name.is_empty() {
        complain(errors, &path.child("name"), name, dns1123_label(name));
    }
    if let Some(why) = port_number(port.port) {
        errors.push(Error::invalid(&path.child("port"), port.port, why));
    }
    let protocol = text(&port.protocol);
    if protocol.is_empty() {
        errors.push(Error::required(&path.child("protocol"), ""));
    } else if !PROTOCOLS.contains(&protocol) {
        errors.push(Error::not_supported(&path.child("protocol"), protocol, PROTOCOLS));
    }
    if let Some(protocol) = &port.app_protocol {
        complain(errors, &path.child("appProtocol"), protocol, qualified_name(protocol));
    }
}
