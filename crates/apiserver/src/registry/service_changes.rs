//! What may change in a Service, and what its load balancer may report.

use std::net::IpAddr;

use api::field::{Error, Errors, Path};
use api::types::{LoadBalancerIngress, ServiceSpec};
use api::validate::dns1123_subdomain;
use serde_json::Value;

use super::addresses::{BAD_IP, is_ip};
use super::rules::{IMMUTABLE, complain, list, one_of, text};
use super::service::{balancer_class, is_headless, needs_health_check};

const ONCE: &str = "may not change once set";

/// What `ValidateServiceUpdate` asks beyond the rules of every Service.
pub(super) fn validate(new: &ServiceSpec, old: &ServiceSpec, errors: &mut Errors) {
    let path = Path::new("spec");
    let is_named = |spec: &ServiceSpec| text(&spec.type_) == "ExternalName";
    if !is_named(new) && !is_named(old) {
        if !(is_headless(new) && is_headless(old)) {
            addresses(new, old, &path, errors);
        }
        if !is_headless(new) && !is_headless(old) {
            families(new, old, &path, errors);
        }
    }
    let is_balanced = |spec: &ServiceSpec| text(&spec.type_) == "LoadBalancer";
    let class_path = path.child("loadBalancerClass");
    if is_balanced(new) && is_balanced(old) && new.load_balancer_class != old.load_balancer_class {
        errors.push(Error::invalid(&class_path, Value::from(new.load_balancer_class.clone()), ONCE));
    }
    balancer_class(new, &class_path, errors);
    if needs_health_check(new) && needs_health_check(old) && new.health_check_node_port != old.health_check_node_port {
        errors.push(Error::forbidden(&path.child("healthCheckNodePort"), IMMUTABLE));
    }
}

/// A second entry was released, which takes a word.
fn released(spec: &ServiceSpec, what: &str, path: &Path, errors: &mut Errors) {
    let policy = &spec.ip_family_policy;
    if policy.as_deref() != Some("SingleStack") {
        let why = format!("must be set to 'SingleStack' when releasing the secondary {what}");
        errors.push(Error::invalid(&path.child("ipFamilyPolicy"), Value::from(policy.clone()), why));
    }
}

/// A list as Go shows it: none is `null`.
fn shown(list: &[String]) -> Value {
    if list.is_empty() { Value::Null } else { list.into() }
}

/// `validateUpgradeDowngradeClusterIPs`
fn addresses(new: &ServiceSpec, old: &ServiceSpec, path: &Path, errors: &mut Errors) {
    let (now, was) = (list(&new.cluster_ips), list(&old.cluster_ips));
    let list_path = path.child("clusterIPs");
    if now.len() == was.len() {
        for (index, _) in now.iter().zip(was).enumerate().filter(|(_, (now, was))| now != was) {
            errors.push(Error::invalid(&list_path.index(index), shown(now), ONCE));
        }
        return;
    }
    let first = list_path.index(0);
    if now.is_empty() {
        errors.push(Error::invalid(&first, shown(now), "primary clusterIP can not be unset"));
    }
    if let (Some(one), Some(other)) = (now.first(), was.first())
        && one != other
    {
        errors.push(Error::invalid(&first, shown(now), ONCE));
    }
    if now.len() == 1 && was.len() > 1 {
        released(new, "clusterIP", path, errors);
    }
}

/// `validateUpgradeDowngradeIPFamilies`
fn families(new: &ServiceSpec, old: &ServiceSpec, path: &Path, errors: &mut Errors) {
    let (now, was) = (list(&new.ip_families), list(&old.ip_families));
    let list_path = path.child("ipFamilies");
    let first = list_path.index(0);
    if now.len() == was.len() {
        for _ in now.iter().zip(was).filter(|(now, was)| now != was) {
            errors.push(Error::invalid(&first, shown(now), ONCE));
        }
        return;
    }
    if now.len() < was.len() && list(&new.cluster_ips).is_empty() {
        errors.push(Error::invalid(&first, shown(now), "primary ipFamily can not be unset"));
    }
    if let (Some(one), Some(other)) = (now.first(), was.first())
        && one != other
    {
        // Upstream shows the addresses here.
        errors.push(Error::invalid(&first, shown(list(&new.cluster_ips)), ONCE));
    }
    if now.len() == 1 && was.len() > 1 {
        released(new, "ipFamily", path, errors);
    }
}

/// `ValidateLoadBalancerStatus`
pub(super) fn validate_balancer(ingresses: &[LoadBalancerIngress], kind: &str, errors: &mut Errors) {
    let path = Path::new("status");
    let path = path.child("loadBalancer");
    let path = path.child("ingress");
    if kind != "LoadBalancer" && !ingresses.is_empty() {
        errors.push(Error::forbidden(&path, "may only be used when `spec.type` is 'LoadBalancer'"));
        return;
    }
    for (index, ingress) in ingresses.iter().enumerate() {
        let path = path.index(index);
        let (ip, hostname, mode_path) = (text(&ingress.ip), text(&ingress.hostname), path.child("ipMode"));
        if !ip.is_empty() && !is_ip(ip) {
            errors.push(Error::invalid(&path.child("ip"), ip, BAD_IP));
        }
        match &ingress.ip_mode {
            None if !ip.is_empty() => {
                errors.push(Error::required(&mode_path, "must be specified when `ip` is set"));
            }
            Some(_) if ip.is_empty() => {
                errors.push(Error::forbidden(&mode_path, "may not be specified when `ip` is not set"));
            }
            Some(mode) => one_of(mode, &["Proxy", "VIP"], &mode_path, errors),
            None => {}
        }
        if !hostname.is_empty() {
            complain(errors, &path.child("hostname"), hostname, dns1123_subdomain(hostname));
            if hostname.parse::<IpAddr>().is_ok() {
                let why = "must be a DNS name, not an IP address";
                errors.push(Error::invalid(&path.child("hostname"), hostname, why));
            }
        }
    }
}
