//! Services and what leads to them.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Endpoints, Service};
use k8s_openapi::api::discovery::v1::{EndpointPort, EndpointSlice};
use k8s_openapi::api::networking::v1::{Ingress, IngressClass, IngressRule, NetworkPolicy};

use super::format::{first_three, label_selector, labels, or_none};
use super::{AGE, Cell, Column, NAME, Printer, age, col, printer, wide};
use crate::time::SimTime;

const SERVICE: &[Column] =
    &[NAME, col("Type"), col("Cluster-IP"), col("External-IP"), col("Port(s)"), AGE, wide("Selector")];
const ENDPOINTS: &[Column] = &[NAME, col("Endpoints"), AGE];
const SLICE: &[Column] = &[NAME, col("AddressType"), col("Ports"), col("Endpoints"), AGE];
const INGRESS: &[Column] = &[NAME, col("Class"), col("Hosts"), col("Address"), col("Ports"), AGE];
const INGRESS_CLASS: &[Column] = &[NAME, col("Controller"), col("Parameters"), AGE];
const POLICY: &[Column] = &[NAME, col("Pod-Selector"), AGE];

pub(super) static PRINTERS: &[Printer] = &[
    printer!(Service, SERVICE, service),
    printer!(Endpoints, ENDPOINTS, endpoints),
    printer!(EndpointSlice, SLICE, slice),
    printer!(Ingress, INGRESS, ingress),
    printer!(IngressClass, INGRESS_CLASS, ingress_class),
    printer!(NetworkPolicy, POLICY, network_policy),
];

fn service(object: &Service, now: SimTime) -> Vec<Cell> {
    let none = Default::default();
    let spec = object.spec.as_ref().unwrap_or(&none);
    let kind = spec.type_.as_deref().unwrap_or("ClusterIP");
    let cluster_ip = spec.cluster_ips.iter().flatten().next().or(spec.cluster_ip.as_ref());
    let ports: Vec<String> = spec
        .ports
        .iter()
        .flatten()
        .map(|port| {
            let protocol = port.protocol.as_deref().unwrap_or("TCP");
            match port.node_port.filter(|port| *port > 0) {
                Some(node_port) => format!("{}:{node_port}/{protocol}", port.port),
                None => format!("{}/{protocol}", port.port),
            }
        })
        .collect();
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        kind.into(),
        or_none(cluster_ip.map(String::as_str)).into(),
        external_ip(object, kind).into(),
        or_none(Some(&ports.join(","))).into(),
        age::of(&object.metadata, now).into(),
        labels(spec.selector.as_ref()).into(),
    ]
}

fn external_ip(object: &Service, kind: &str) -> String {
    let none = Default::default();
    let spec = object.spec.as_ref().unwrap_or(&none);
    let external: Vec<&str> = spec.external_ips.iter().flatten().map(String::as_str).collect();
    match kind {
        "ExternalName" => spec.external_name.clone().unwrap_or_default(),
        "LoadBalancer" => {
            let balancer = object.status.as_ref().and_then(|status| status.load_balancer.as_ref());
            let mut all: Vec<&str> = balancer
                .and_then(|balancer| balancer.ingress.as_deref())
                .unwrap_or_default()
                .iter()
                .filter_map(|ingress| ingress.ip.as_deref().or(ingress.hostname.as_deref()))
                .collect();
            all.extend(external);
            if all.is_empty() { "<pending>".into() } else { all.join(",") }
        }
        _ => or_none(Some(&external.join(","))),
    }
}

fn endpoints(object: &Endpoints, now: SimTime) -> Vec<Cell> {
    let mut all = Vec::new();
    for subset in object.subsets.iter().flatten() {
        let addresses = subset.addresses.as_deref().unwrap_or_default();
        let ports = subset.ports.as_deref().unwrap_or_default();
        if ports.is_empty() {
            all.extend(addresses.iter().map(|address| address.ip.clone()));
        }
        for port in ports {
            all.extend(addresses.iter().map(|address| format!("{}:{}", address.ip, port.port)));
        }
    }
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        first_three(&all, "<none>").into(),
        age::of(&object.metadata, now).into(),
    ]
}

fn slice(object: &EndpointSlice, now: SimTime) -> Vec<Cell> {
    let ports: Vec<String> = object
        .ports
        .iter()
        .flatten()
        .map(|port| port.port.map_or_else(|| named(port), |number| number.to_string()))
        .collect();
    let addresses: Vec<String> =
        object.endpoints.iter().flatten().flat_map(|endpoint| endpoint.addresses.iter().cloned()).collect();
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        object.address_type.as_str().into(),
        first_three(&ports, "<unset>").into(),
        first_three(&addresses, "<unset>").into(),
        age::of(&object.metadata, now).into(),
    ]
}

/// A port without a number.
fn named(port: &EndpointPort) -> String {
    port.name.clone().unwrap_or_else(|| "*".into())
}

fn ingress(object: &Ingress, now: SimTime) -> Vec<Cell> {
    let spec = object.spec.as_ref();
    let rules = spec.and_then(|spec| spec.rules.as_deref()).unwrap_or_default();
    let balancer = object.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let points = balancer.and_then(|balancer| balancer.ingress.as_deref()).unwrap_or_default().iter();
    let addresses: BTreeSet<&str> =
        points.filter_map(|ingress| ingress.ip.as_deref().or(ingress.hostname.as_deref())).collect();
    let addresses: Vec<&str> = addresses.into_iter().collect();
    let has_tls = spec.and_then(|spec| spec.tls.as_deref()).is_some_and(|tls| !tls.is_empty());
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        or_none(spec.and_then(|spec| spec.ingress_class_name.as_deref())).into(),
        hosts(rules).into(),
        addresses.join(",").into(),
        if has_tls { "80, 443" } else { "80" }.into(),
        age::of(&object.metadata, now).into(),
    ]
}

/// The first three hosts. Rules that come after them are counted, with a host or without.
fn hosts(rules: &[IngressRule]) -> String {
    const SHOWN: usize = 3;
    let mut shown: Vec<&str> = Vec::new();
    let mut has_more = false;
    for rule in rules {
        has_more |= shown.len() == SHOWN;
        shown.extend(rule.host.as_deref().filter(|host| !has_more && !host.is_empty()));
    }
    match shown.join(",") {
        none if none.is_empty() => "*".into(),
        text if has_more => format!("{text} + {} more...", rules.len() - SHOWN),
        text => text,
    }
}

fn ingress_class(object: &IngressClass, now: SimTime) -> Vec<Cell> {
    let spec = object.spec.as_ref();
    let parameters = spec.and_then(|spec| spec.parameters.as_ref()).map(|parameters| match &parameters.api_group {
        Some(group) => format!("{}.{group}/{}", parameters.kind, parameters.name),
        None => format!("{}/{}", parameters.kind, parameters.name),
    });
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        spec.and_then(|spec| spec.controller.as_deref()).unwrap_or_default().into(),
        or_none(parameters.as_deref()).into(),
        age::of(&object.metadata, now).into(),
    ]
}

fn network_policy(object: &NetworkPolicy, now: SimTime) -> Vec<Cell> {
    let selector = object.spec.as_ref().and_then(|spec| spec.pod_selector.as_ref());
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        label_selector(selector).into(),
        age::of(&object.metadata, now).into(),
    ]
}
