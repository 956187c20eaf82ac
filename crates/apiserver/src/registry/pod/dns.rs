//! The Pod's own DNS configuration.

use api::field::{Error, Errors, Path};
use api::types::PodSpec;
use api::validate::dns1123_subdomain;

use crate::registry::addresses::is_ip;
use crate::registry::rules::{complain, list, text};

const NAMESERVERS_MAX: usize = 3;
const SEARCHES_MAX: usize = 32;

pub(super) fn validate(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let config = spec.dns_config.as_ref();
    if text(&spec.dns_policy) == "None" {
        match config {
            None => {
                errors.push(Error::required(path, "must provide `dnsConfig` when `dnsPolicy` is None"));
                return;
            }
            Some(config) if list(&config.nameservers).is_empty() => {
                let why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
                errors.push(Error::required(&path.child("nameservers"), why));
                return;
            }
            Some(_) => {}
        }
    }
    let Some(config) = config else { return };
    let servers = list(&config.nameservers);
    if servers.len() > NAMESERVERS_MAX {
        let why = format!("must not have more than {NAMESERVERS_MAX} nameservers");
        errors.push(Error::invalid(&path.child("nameservers"), servers.to_vec(), why));
    }
    for (index, server) in servers.iter().enumerate() {
        if !is_ip(server) {
            let path = path.child("nameservers");
            let why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
            errors.push(Error::invalid(&path.index(index), server.as_str(), why));
        }
    }
    let searches = list(&config.searches);
    if searches.len() > SEARCHES_MAX {
        let why = format!("must not have more than {SEARCHES_MAX} search paths");
        errors.push(Error::invalid(&path.child("searches"), searches.to_vec(), why));
    }
    for (index, search) in searches.iter().enumerate().filter(|(_, search)| *search != ".") {
        let path = path.child("searches");
        let name = search.strip_suffix('.').unwrap_or(search);
        complain(errors, &path.index(index), name, dns1123_subdomain(name));
    }
    for (index, option) in list(&config.options).iter().enumerate() {
        if text(&option.name).is_empty() {
            let path = path.child("options");
            errors.push(Error::required(&path.index(index), "must not be empty"));
        }
    }
}
