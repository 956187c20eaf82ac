//! The Pod's own DNS configuration.

use api::field::{Error, Errors, Path};
use api::types::PodSpec;
use api::validate::{Complaints, DNS_1123_SUBDOMAIN_LENGTH_MAX};

use crate::registry::addresses::{BAD_IP, is_ip};
use crate::registry::rules::{complain, list, text};

const NAMESERVERS_MAX: usize = 3;
const SEARCHES_MAX: usize = 32;
const SEARCHES_LENGTH_MAX: usize = 2048;

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
            errors.push(Error::invalid(&path.index(index), server.as_str(), BAD_IP));
        }
    }
    let searches = list(&config.searches);
    if searches.len() > SEARCHES_MAX {
        let why = format!("must not have more than {SEARCHES_MAX} search paths");
        errors.push(Error::invalid(&path.child("searches"), searches.to_vec(), why));
    }
    if searches.join(" ").len() > SEARCHES_LENGTH_MAX {
        let why =
            format!("must not have more than {SEARCHES_LENGTH_MAX} characters (including spaces) in the search list");
        errors.push(Error::invalid(&path.child("searches"), searches.to_vec(), why));
    }
    for (index, search) in searches.iter().enumerate().filter(|(_, search)| *search != ".") {
        let path = path.child("searches");
        let name = search.strip_suffix('.').unwrap_or(search);
        complain(errors, &path.index(index), name, search_path(name));
    }
    for (index, option) in list(&config.options).iter().enumerate() {
        if text(&option.name).is_empty() {
            let path = path.child("options");
            errors.push(Error::required(&path.index(index), "must not be empty"));
        }
    }
}

/// A subdomain whose labels may have underscores: `IsDNS1123SubdomainWithUnderscore`.
fn search_path(name: &str) -> Complaints {
    let is_label = |label: &str| {
        let is_alphanumeric = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit();
        let label = label.strip_prefix('_').unwrap_or(label);
        label.starts_with(is_alphanumeric)
            && label.ends_with(is_alphanumeric)
            && label.chars().all(|one| is_alphanumeric(one) || matches!(one, '-' | '_'))
    };
    let mut complaints = Complaints::new();
    if name.len() > DNS_1123_SUBDOMAIN_LENGTH_MAX {
        complaints.push(format!("must be no more than {DNS_1123_SUBDOMAIN_LENGTH_MAX} characters"));
    }
    if !name.split('.').all(is_label) {
        complaints.push(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and \
             must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
             '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')"
                .into(),
        );
    }
    complaints
}
