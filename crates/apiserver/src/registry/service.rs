//! Service. Addresses and node ports are handed out by the pipeline, between preparing and validating.

use std::borrow::Cow;

use api::field::{Error, Errors, Path};
use api::types::{
    ClientIPConfig, IntOrString, LoadBalancerStatus, ObjectMeta, Service, ServicePort, ServiceSpec, ServiceStatus,
    SessionAffinityConfig,
};
use api::validate::{dns1123_label, dns1123_subdomain, labels, port_number, qualified_name};
use serde_json::Value;

use super::addresses::{BAD_IP, is_cidr, is_ip, parse_ip};
use super::rules::{complain, default_text, default_to, is_empty, label_name, list, one_of, selectable, text};
use super::{pod, service_changes, service_warnings};
use crate::strategy::Strategy;

const TYPES: &[&str] = &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
const AFFINITIES: &[&str] = &["ClientIP", "None"];
const POLICIES: &[&str] = &["Cluster", "Local"];
/// The one family of addresses that the cluster has.
const FAMILY: &str = "IPv4";
const FAMILIES: &[&str] = &["IPv4", "IPv6"];
const FAMILY_POLICIES: &[&str] = &["PreferDualStack", "RequireDualStack", "SingleStack"];
const DISTRIBUTIONS: &[&str] = &["PreferClose", "PreferSameZone", "PreferSameNode"];
pub(super) const TOPOLOGY_HINTS: &str = "service.kubernetes.io/topology-aware-hints";
pub(super) const TOPOLOGY_MODE: &str = "service.kubernetes.io/topology-mode";
const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
const KUBELET_PORT: i32 = 10_250;
/// Seconds: three hours, and a day.
const AFFINITY_TIMEOUT: i32 = 10_800;
const AFFINITY_TIMEOUT_MAX: i32 = 86_400;

impl Strategy for Service {
    const CREATE_ON_UPDATE: bool = true;
    const DELETE_RETURNS_OBJECT: bool = true;
    const FIELDS: &'static [&'static str] = &["spec.clusterIP", "spec.type"];

    fn default(&mut self) {
        default_spec(self.spec.get_or_insert_default());
        let is_balanced = self.spec.as_ref().is_some_and(|spec| text(&spec.type_) == "LoadBalancer");
        let balancer = self.status.get_or_insert_default().load_balancer.get_or_insert_default();
        for ingress in balancer.ingress.iter_mut().flatten().filter(|ingress| is_balanced && !is_empty(&ingress.ip)) {
            default_text(&mut ingress.ip_mode, "VIP");
        }
    }

    fn prepare_for_create(&mut self) {
        settle_addresses(self.spec.get_or_insert_default(), None);
        self.status =
            Some(ServiceStatus { load_balancer: Some(LoadBalancerStatus::default()), ..ServiceStatus::default() });
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
        if let (Some(new), Some(old)) = (&mut self.spec, &old.spec) {
            drop_fields_of_other_types(new, old);
            if text(&new.type_) != "ExternalName" && new.ip_families.is_none() && new.ip_family_policy.is_none() {
                new.ip_families.clone_from(&old.ip_families);
                new.ip_family_policy.clone_from(&old.ip_family_policy);
            }
            settle_addresses(new, Some(old));
        }
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        if self.spec != old.spec {
            self.spec.clone_from(&old.spec);
        }
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        label_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        let mut errors = Errors::new();
        let none = ServiceSpec::default();
        topology(&self.metadata, &mut errors);
        validate_spec(self.spec.as_ref().unwrap_or(&none), &self.metadata, &Path::new("spec"), &mut errors);
        errors
    }

    fn warnings(&self, _is_new: bool) -> Vec<String> {
        self.spec.as_ref().map(|spec| service_warnings::of_spec(spec, &self.metadata)).unwrap_or_default()
    }

    fn validate_update(&self, old: &Self) -> Errors {
        let mut errors = Errors::new();
        if let (Some(new), Some(old)) = (&self.spec, &old.spec) {
            service_changes::validate(new, old, &mut errors);
        }
        errors.extend(self.validate());
        errors
    }

    fn validate_status_update(&self, _old: &Self) -> Errors {
        let mut errors = Errors::new();
        let kind = self.spec.as_ref().map(|spec| text(&spec.type_)).unwrap_or_default();
        if let Some(balancer) = self.status.as_ref().and_then(|status| status.load_balancer.as_ref()) {
            service_changes::validate_balancer(list(&balancer.ingress), kind, &mut errors);
        }
        errors
    }

    fn field(&self, name: &str) -> Cow<'_, str> {
        let Some(spec) = &self.spec else { return "".into() };
        match name {
            "spec.clusterIP" => selectable(&spec.cluster_ip),
            "spec.type" => selectable(&spec.type_),
            _ => "".into(),
        }
    }
}

fn default_spec(spec: &mut ServiceSpec) {
    default_text(&mut spec.session_affinity, "None");
    default_text(&mut spec.type_, "ClusterIP");
    match text(&spec.session_affinity) {
        "None" => spec.session_affinity_config = None,
        "ClientIP" => {
            let config = spec.session_affinity_config.get_or_insert_with(SessionAffinityConfig::default);
            let config = config.client_ip.get_or_insert_with(ClientIPConfig::default);
            default_to(&mut config.timeout_seconds, AFFINITY_TIMEOUT);
        }
        _ => {}
    }
    for port in spec.ports.iter_mut().flatten() {
        default_text(&mut port.protocol, "TCP");
        let is_unset = match &port.target_port {
            None | Some(IntOrString::Int(0)) => true,
            Some(IntOrString::String(name)) => name.is_empty(),
            Some(IntOrString::Int(_)) => false,
        };
        if is_unset {
            port.target_port = Some(IntOrString::Int(port.port));
        }
        port.node_port = port.node_port.filter(|number| *number != 0);
    }
    spec.publish_not_ready_addresses = spec.publish_not_ready_addresses.filter(|publish| *publish);
    let is_external = is_external(spec);
    if is_external {
        default_text(&mut spec.external_traffic_policy, "Cluster");
    }
    if text(&spec.type_) == "LoadBalancer" {
        default_to(&mut spec.allocate_load_balancer_node_ports, true);
    }
    if text(&spec.type_) == "ExternalName" {
        return;
    }
    default_text(&mut spec.internal_traffic_policy, "Cluster");
}

/// The list of addresses follows the single address of clients that know nothing else. It is settled with what the storage
/// allocates, and so belongs to no manager.
fn settle_addresses(spec: &mut ServiceSpec, old: Option<&ServiceSpec>) {
    let wanted = spec.cluster_ip.clone().filter(|address| !address.is_empty());
    let follows = match old {
        None => list(&spec.cluster_ips).is_empty(),
        Some(old) => spec.cluster_ips == old.cluster_ips && spec.cluster_ip != old.cluster_ip,
    };
    if follows || (wanted.is_some() && list(&spec.cluster_ips).is_empty()) {
        spec.cluster_ips = wanted.map(|address| vec![address]);
    } else if old.is_some_and(|old| spec.cluster_ip == old.cluster_ip && spec.cluster_ips != old.cluster_ips) {
        spec.cluster_ip = list(&spec.cluster_ips).first().cloned();
    }
}

/// Settles the address families of a Service, which this cluster has one of. Upstream: `initIPFamilyFields`.
pub(crate) fn settle_families(spec: &mut ServiceSpec) -> Errors {
    if text(&spec.type_) == "ExternalName" {
        return Errors::new();
    }
    let path = Path::new("spec");
    let mut errors = Errors::new();
    families(spec, &path, &mut errors);
    if !errors.is_empty() {
        return errors;
    }
    let families = spec.ip_families.get_or_insert_default();
    if spec.ip_family_policy.is_none() && (families.len() == 2 || list(&spec.cluster_ips).len() == 2) {
        spec.ip_family_policy = Some("RequireDualStack".into());
    }
    for address in list(&spec.cluster_ips).iter().skip(families.len()).filter_map(|address| parse_ip(address)) {
        families.push(if address.is_ipv4() { "IPv4" } else { "IPv6" }.into());
    }
    let policy = spec.ip_family_policy.clone();
    if is_headless(spec) && spec.selector.as_ref().is_none_or(|selector| selector.is_empty()) {
        // Nobody allocates anything for it: it may have families that the cluster has not.
        let families = spec.ip_families.get_or_insert_default();
        if families.is_empty() {
            families.push(FAMILY.into());
        }
        if families.len() < 2 && policy.as_deref() != Some("SingleStack") {
            families.push(if families[0] == FAMILY { "IPv6" } else { FAMILY }.into());
        }
        default_text(&mut spec.ip_family_policy, "RequireDualStack");
        return errors;
    }
    if let Some(policy @ "RequireDualStack") = policy.as_deref() {
        let why = "this cluster is not configured for dual-stack services";
        errors.push(Error::invalid(&path.child("ipFamilyPolicy"), policy, why));
    }
    let families_path = path.child("ipFamilies");
    let families = spec.ip_families.get_or_insert_default();
    for (index, family) in families.iter().enumerate().filter(|(_, family)| *family != FAMILY) {
        errors.push(Error::invalid(&families_path.index(index), family.as_str(), "not configured on this cluster"));
    }
    if families.is_empty() {
        families.push(FAMILY.into());
    }
    default_text(&mut spec.ip_family_policy, "SingleStack");
    errors
}

/// `ValidateServiceClusterIPsRelatedFields`
fn families(spec: &ServiceSpec, path: &Path, errors: &mut Errors) {
    let (first, addresses) = (text(&spec.cluster_ip), list(&spec.cluster_ips));
    let addresses_path = path.child("clusterIPs");
    let shown = || Value::from(addresses.to_vec());
    if !first.is_empty() && addresses.is_empty() {
        errors.push(Error::required(&addresses_path, ""));
    } else if !first.is_empty() && addresses[0] != first {
        errors.push(Error::invalid(&addresses_path, shown(), "first value must match `clusterIP`"));
    } else if first.is_empty() && !addresses.is_empty() {
        errors.push(Error::invalid(&addresses_path, shown(), "must be empty when `clusterIP` is not specified"));
    }
    let families = list(&spec.ip_families);
    let families_path = path.child("ipFamilies");
    for (index, family) in families.iter().enumerate() {
        one_of(family, FAMILIES, &families_path.index(index), errors);
        if families[..index].contains(family) {
            errors.push(Error::duplicate(&families_path.index(index), family.as_str()));
        }
    }
    if let Some(policy) = &spec.ip_family_policy {
        one_of(policy, FAMILY_POLICIES, &path.child("ipFamilyPolicy"), errors);
    }
    let mut is_readable = true;
    for (index, address) in addresses.iter().enumerate() {
        if index == 0 && address == "None" {
            if addresses.len() > 1 {
                is_readable = false;
                errors.push(Error::invalid(&addresses_path, shown(), "'None' must be the first and only value"));
            }
        } else if !is_ip(address) {
            is_readable = false;
            errors.push(Error::invalid(&addresses_path.index(index), address.as_str(), BAD_IP));
        }
    }
    if addresses.len() > 2 {
        errors.push(Error::invalid(&addresses_path, shown(), "may only hold up to 2 values"));
    }
    if !is_readable {
        return;
    }
    let is_four = |address: &String| parse_ip(address).is_some_and(|address| address.is_ipv4());
    if let [one, rest @ ..] = addresses
        && !rest.is_empty()
        && !rest.iter().any(|other| is_four(other) != is_four(one))
    {
        let why = "may specify no more than one IP for each IP family";
        errors.push(Error::invalid(&addresses_path, shown(), why));
    }
    for (index, (address, family)) in addresses.iter().zip(families).enumerate() {
        let expected = if family == FAMILY { "IPv4" } else { "IPv6" };
        if address != "None" && is_four(address) != (family == FAMILY) {
            let why = format!("expected an {expected} value as indicated by `ipFamilies[{index}]`");
            errors.push(Error::invalid(&addresses_path.index(index), address.as_str(), why));
        }
    }
}

/// Both annotations about topology must say the same.
fn topology(meta: &ObjectMeta, errors: &mut Errors) {
    let mode = api::meta::annotation(meta, TOPOLOGY_MODE);
    if let (Some(hints), Some(mode)) = (api::meta::annotation(meta, TOPOLOGY_HINTS), mode)
        && hints != mode
    {
        let path = Path::new("metadata");
        let why = format!("must match annotations[{TOPOLOGY_HINTS}] when both are specified");
        errors.push(Error::invalid(&path.child("annotations").key(TOPOLOGY_MODE), mode, why));
    }
}

/// Reachable from outside of the cluster.
fn is_external(spec: &ServiceSpec) -> bool {
    matches!(text(&spec.type_), "NodePort" | "LoadBalancer")
        || (text(&spec.type_) == "ClusterIP" && !list(&spec.external_ips).is_empty())
}

/// Whether each port is open on all nodes.
fn needs_node_ports(spec: &ServiceSpec) -> bool {
    match text(&spec.type_) {
        "NodePort" => true,
        "LoadBalancer" => spec.allocate_load_balancer_node_ports != Some(false),
        _ => false,
    }
}

pub(super) fn is_headless(spec: &ServiceSpec) -> bool {
    text(&spec.cluster_ip) == "None"
}

/// A changed type takes the fields with it that only the old type had, unless the client has changed them as well.
fn drop_fields_of_other_types(new: &mut ServiceSpec, old: &ServiceSpec) {
    let (now, was) = (text(&new.type_).to_owned(), text(&old.type_));
    if now == "ExternalName" && was != "ExternalName" {
        if new.cluster_ip == old.cluster_ip {
            (new.cluster_ip, new.cluster_ips) = (None, None);
        }
        if new.ip_families == old.ip_families && new.ip_family_policy == old.ip_family_policy {
            (new.ip_families, new.ip_family_policy) = (None, None);
        }
        if new.internal_traffic_policy == old.internal_traffic_policy {
            new.internal_traffic_policy = None;
        }
    }
    if !is_external(new) && is_external(old) && new.external_traffic_policy == old.external_traffic_policy {
        new.external_traffic_policy = None;
    }
    if !needs_node_ports(new) && needs_node_ports(old) {
        let had: Vec<i32> = list(&old.ports).iter().filter_map(|port| port.node_port).collect();
        let is_old = |port: &ServicePort| port.node_port.is_none_or(|number| had.contains(&number));
        if list(&new.ports).iter().all(is_old) {
            new.ports.iter_mut().flatten().for_each(|port| port.node_port = None);
        }
    }
    if !needs_health_check(new) && needs_health_check(old) && new.health_check_node_port == old.health_check_node_port {
        new.health_check_node_port = None;
    }
    if now != "LoadBalancer" && was == "LoadBalancer" {
        new.allocate_load_balancer_node_ports = None;
        if new.load_balancer_class == old.load_balancer_class {
            new.load_balancer_class = None;
        }
    }
}

fn validate_spec(spec: &ServiceSpec, meta: &ObjectMeta, path: &Path, errors: &mut Errors) {
    let kind = text(&spec.type_);
    let ports = list(&spec.ports);
    let ports_path = path.child("ports");
    if ports.is_empty() && !is_headless(spec) && kind != "ExternalName" {
        errors.push(Error::required(&ports_path, ""));
    }
    by_type(spec, kind, path, errors);
    for (index, port) in ports.iter().enumerate() {
        self::port(port, &ports[..index], ports.len() > 1, &ports_path.index(index), errors);
    }
    labels(spec.selector.as_ref(), &path.child("selector"), errors);
    affinity(spec, path, errors);
    addresses(spec, path, errors);
    one_of(kind, TYPES, &path.child("type"), errors);
    port_conflicts(ports, kind, &ports_path, errors);
    load_balancer(spec, meta, kind, path, errors);
    let policy = text(&spec.external_traffic_policy);
    if !is_external(spec) {
        if !policy.is_empty() {
            let why = "may only be set for externally-accessible services";
            errors.push(Error::invalid(&path.child("externalTrafficPolicy"), policy, why));
        }
    } else {
        pod::required_word(policy, POLICIES, &path.child("externalTrafficPolicy"), errors);
    }
    health_check(spec, &path.child("healthCheckNodePort"), errors);
    if let Some(policy) = &spec.internal_traffic_policy {
        one_of(policy, POLICIES, &path.child("internalTrafficPolicy"), errors);
    }
    if let Some(distribution) = &spec.traffic_distribution {
        one_of(distribution, DISTRIBUTIONS, &path.child("trafficDistribution"), errors);
    }
}

fn health_check(spec: &ServiceSpec, path: &Path, errors: &mut Errors) {
    let port = spec.health_check_node_port.unwrap_or(0);
    if !needs_health_check(spec) {
        if port != 0 {
            let why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
            errors.push(Error::invalid(path, port, why));
        }
    } else if port == 0 {
        errors.push(Error::required(path, ""));
    } else if let Some(why) = port_number(port) {
        errors.push(Error::invalid(path, port, why));
    }
}

/// Whether a load balancer must ask which nodes have endpoints.
pub(crate) fn needs_health_check(spec: &ServiceSpec) -> bool {
    text(&spec.type_) == "LoadBalancer" && text(&spec.external_traffic_policy) == "Local"
}

fn by_type(spec: &ServiceSpec, kind: &str, path: &Path, errors: &mut Errors) {
    let mut not_headless = |kind: &str| {
        if is_headless(spec) {
            let why = format!("may not be set to 'None' for {kind} services");
            errors.push(Error::invalid(&path.child("clusterIPs").index(0), "None", why));
        }
    };
    match kind {
        "LoadBalancer" => {
            not_headless(kind);
            for (index, port) in list(&spec.ports).iter().enumerate() {
                if port.port == KUBELET_PORT {
                    let path = path.child("ports");
                    let why = "may not expose port 10250 externally since it is used by kubelet";
                    errors.push(Error::invalid(&path.index(index), port.port, why));
                }
            }
        }
        "NodePort" => not_headless(kind),
        "ExternalName" => {
            for (name, is_set) in [
                ("clusterIPs", !list(&spec.cluster_ips).is_empty()),
                ("ipFamilies", !list(&spec.ip_families).is_empty()),
                ("ipFamilyPolicy", spec.ip_family_policy.is_some()),
            ] {
                if is_set {
                    errors.push(Error::forbidden(&path.child(name), "may not be set for ExternalName services"));
                }
            }
            let name = text(&spec.external_name);
            let name = name.strip_suffix('.').unwrap_or(name);
            if name.is_empty() {
                errors.push(Error::required(&path.child("externalName"), ""));
            } else {
                complain(errors, &path.child("externalName"), name, dns1123_subdomain(name));
            }
        }
        _ => {}
    }
}

fn port(port: &ServicePort, before: &[ServicePort], needs_name: bool, path: &Path, errors: &mut Errors) {
    let name = text(&port.name);
    if name.is_empty() {
        if needs_name {
            errors.push(Error::required(&path.child("name"), ""));
        }
    } else {
        complain(errors, &path.child("name"), name, dns1123_label(name));
        if before.iter().any(|other| text(&other.name) == name) {
            errors.push(Error::duplicate(&path.child("name"), name));
        }
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
    if let Some(target) = &port.target_port {
        pod::port(target, &path.child("targetPort"), errors);
    }
    if let Some(protocol) = &port.app_protocol {
        complain(errors, &path.child("appProtocol"), protocol, qualified_name(protocol));
    }
}

fn affinity(spec: &ServiceSpec, path: &Path, errors: &mut Errors) {
    let affinity = text(&spec.session_affinity);
    if affinity.is_empty() {
        errors.push(Error::required(&path.child("sessionAffinity"), ""));
    } else {
        one_of(affinity, AFFINITIES, &path.child("sessionAffinity"), errors);
    }
    let config = spec.session_affinity_config.as_ref();
    if affinity == "ClientIP" {
        let seconds = config.and_then(|config| config.client_ip.as_ref()?.timeout_seconds).unwrap_or(0);
        if !(1..=AFFINITY_TIMEOUT_MAX).contains(&seconds) {
            let config_path = path.child("sessionAffinityConfig");
            let client_path = config_path.child("clientIP");
            let why = format!("must be greater than 0 and less than {AFFINITY_TIMEOUT_MAX}");
            errors.push(Error::invalid(&client_path.child("timeoutSeconds"), seconds, why));
        }
    } else if affinity == "None" && config.is_some() {
        let why = "must not be set when session affinity is None";
        errors.push(Error::forbidden(&path.child("sessionAffinityConfig"), why));
    }
}

fn addresses(spec: &ServiceSpec, path: &Path, errors: &mut Errors) {
    if text(&spec.type_) != "ExternalName" {
        families(spec, path, errors);
    }
    for (index, address) in list(&spec.external_ips).iter().enumerate() {
        let list_path = path.child("externalIPs");
        let path = list_path.index(index);
        match parse_ip(address) {
            None => errors.push(Error::invalid(&path, address.as_str(), BAD_IP)),
            Some(ip) => super::endpoint_slice::special_ip(ip, address, &path, errors),
        }
    }
}

fn port_conflicts(ports: &[ServicePort], kind: &str, path: &Path, errors: &mut Errors) {
    let node_port = |port: &ServicePort| port.node_port.filter(|number| *number != 0);
    for (index, port) in ports.iter().enumerate() {
        if kind == "ClusterIP" && node_port(port).is_some() {
            let why = "may not be used when `type` is 'ClusterIP'";
            errors.push(Error::forbidden(&path.index(index).child("nodePort"), why));
        }
    }
    for (index, port) in ports.iter().enumerate() {
        let taken = |other: &ServicePort| other.protocol == port.protocol && node_port(other) == node_port(port);
        if let Some(number) = node_port(port).filter(|_| ports[..index].iter().any(taken)) {
            errors.push(Error::duplicate(&path.index(index).child("nodePort"), number));
        }
    }
    for (index, port) in ports.iter().enumerate() {
        if ports[..index].iter().any(|other| other.protocol == port.protocol && other.port == port.port) {
            let value = format!(
                "{{\"Name\":\"\",\"Protocol\":{},\"AppProtocol\":null,\"Port\":{},\"TargetPort\":0,\"NodePort\":0}}",
                Value::from(text(&port.protocol)),
                port.port
            );
            errors.push(Error::duplicate(&path.index(index), value).verbatim());
        }
    }
}

fn load_balancer(spec: &ServiceSpec, meta: &ObjectMeta, kind: &str, path: &Path, errors: &mut Errors) {
    const ONLY: &str = "may only be used when `type` is 'LoadBalancer'";
    let is_balanced = kind == "LoadBalancer";
    let range = |range: &str, path: &Path, errors: &mut Errors| {
        let range = range.trim();
        if !is_cidr(range) {
            let why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
            errors.push(Error::invalid(path, range, why));
        }
    };
    let ranges = list(&spec.load_balancer_source_ranges);
    if !ranges.is_empty() {
        // Upstream writes the field's name with a capital.
        let path = path.child("LoadBalancerSourceRanges");
        if !is_balanced {
            errors.push(Error::forbidden(&path, ONLY));
        }
        for (index, one) in ranges.iter().enumerate() {
            range(one, &path.index(index), errors);
        }
    } else if let Some(all) = api::meta::annotation(meta, SOURCE_RANGES) {
        let path = Path::new("metadata");
        let path = path.child("annotations");
        let path = path.key(SOURCE_RANGES);
        if !is_balanced {
            errors.push(Error::forbidden(&path, ONLY));
        }
        if !all.trim().is_empty() {
            all.trim().split(',').for_each(|one| range(one, &path, errors));
        }
    }
    if spec.allocate_load_balancer_node_ports.is_some() && !is_balanced {
        errors.push(Error::forbidden(&path.child("allocateLoadBalancerNodePorts"), ONLY));
    }
    balancer_class(spec, &path.child("loadBalancerClass"), errors);
}

/// `validateLoadBalancerClassField`
pub(super) fn balancer_class(spec: &ServiceSpec, path: &Path, errors: &mut Errors) {
    let Some(class) = &spec.load_balancer_class else { return };
    if text(&spec.type_) == "LoadBalancer" {
        complain(errors, path, class, qualified_name(class));
    } else {
        errors.push(Error::forbidden(path, "may only be used when `type` is 'LoadBalancer'"));
    }
}
