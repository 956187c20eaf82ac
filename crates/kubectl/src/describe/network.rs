//! Services, Endpoints, Ingresses.

use api::Kinded;
use api::request::Options;
use api::types::{EndpointSlice, Endpoints, Ingress, IngressBackend, IntOrString, Service};

use super::events::events;
use super::{Context, Writer, head, labels_and_annotations, or_none, selector_map};
use crate::resource;

pub(super) fn service(writer: &mut Writer, object: &Service, context: &mut Context) {
    head(writer, &object.metadata);
    labels_and_annotations(writer, &object.metadata);
    let none = Default::default();
    let spec = object.spec.as_ref().unwrap_or(&none);
    writer.field(0, "Selector", selector_map(spec.selector.as_ref()));
    writer.field(0, "Type", spec.type_.as_deref().unwrap_or("ClusterIP"));
    if let Some(policy) = &spec.ip_family_policy {
        writer.field(0, "IP Family Policy", policy);
    }
    let families = spec.ip_families.as_deref().unwrap_or_default();
    writer.field(0, "IP Families", or_none(Some(&families.join(","))));
    let ip = spec.cluster_ip.as_deref().unwrap_or_default();
    writer.field(0, "IP", ip);
    let ips = spec.cluster_ips.as_deref().unwrap_or_default();
    writer.field(0, "IPs", or_none(Some(&ips.join(","))));
    if let Some(external) = spec.external_ips.as_ref().filter(|external| !external.is_empty()) {
        writer.field(0, "External IPs", external.join(","));
    }
    if let Some(address) = spec.load_balancer_ip.as_deref().filter(|address| !address.is_empty()) {
        writer.field(0, "Desired LoadBalancer IP", address);
    }
    if let Some(name) = spec.external_name.as_deref().filter(|name| !name.is_empty()) {
        writer.field(0, "External Name", name);
    }
    let balancer = object.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let ingress: Vec<String> = balancer
        .and_then(|balancer| balancer.ingress.as_deref())
        .unwrap_or_default()
        .iter()
        .filter_map(|ingress| match (&ingress.ip, &ingress.ip_mode) {
            (Some(ip), Some(mode)) => Some(format!("{ip} ({mode})")),
            (Some(ip), None) => Some(ip.clone()),
            (None, _) => ingress.hostname.clone(),
        })
        .collect();
    if !ingress.is_empty() {
        writer.field(0, "LoadBalancer Ingress", ingress.join(", "));
    }
    let slices = slices_of(context, object);
    for port in spec.ports.iter().flatten() {
        let name = port.name.as_deref().filter(|name| !name.is_empty()).unwrap_or("<unset>");
        let protocol = port.protocol.as_deref().unwrap_or("TCP");
        writer.field(0, "Port", format!("{name}\t{}/{protocol}", port.port));
        let target = match &port.target_port {
            Some(IntOrString::Int(number)) => number.to_string(),
            Some(IntOrString::String(name)) => name.clone(),
            None => port.port.to_string(),
        };
        writer.field(0, "TargetPort", format!("{target}/{protocol}"));
        if let Some(node_port) = port.node_port.filter(|port| *port > 0) {
            writer.field(0, "NodePort", format!("{name}\t{node_port}/{protocol}"));
        }
        writer.field(0, "Endpoints", endpoints_of(&slices, port.name.as_deref().unwrap_or_default()));
    }
    writer.field(0, "Session Affinity", spec.session_affinity.as_deref().unwrap_or("None"));
    if let Some(policy) = &spec.external_traffic_policy {
        writer.field(0, "External Traffic Policy", policy);
    }
    if let Some(policy) = &spec.internal_traffic_policy {
        writer.field(0, "Internal Traffic Policy", policy);
    }
    if let Some(port) = spec.health_check_node_port.filter(|port| *port > 0) {
        writer.field(0, "HealthCheck NodePort", port);
    }
    if let Some(ranges) = spec.load_balancer_source_ranges.as_ref().filter(|ranges| !ranges.is_empty()) {
        writer.field(0, "LoadBalancer Source Ranges", ranges.join(","));
    }
    events(writer, context);
}

fn slices_of(context: &mut Context, object: &Service) -> Vec<api::ObjectRef> {
    let options = Options {
        label_selector: format!("kubernetes.io/service-name={}", object.metadata.name.as_deref().unwrap_or_default()),
        ..Options::default()
    };
    let namespace = object.metadata.namespace.clone().unwrap_or_default();
    resource::list(context.call, EndpointSlice::row(), &namespace, options)
        .map(|(slices, _)| slices)
        .unwrap_or_default()
}

/// The ready endpoints of a port, at most three of them: `10.0.0.1:80,10.0.0.2:80 + 1 more...`.
fn endpoints_of(slices: &[api::ObjectRef], port_name: &str) -> String {
    let mut all = Vec::new();
    for slice in slices.iter().filter_map(|slice| slice.downcast_ref::<EndpointSlice>()) {
        let ports = slice.ports.as_deref().unwrap_or_default();
        for port in ports.iter().filter(|port| port.name.as_deref().unwrap_or_default() == port_name) {
            for endpoint in slice.endpoints.iter().flatten() {
                if endpoint.conditions.as_ref().is_some_and(|conditions| conditions.ready == Some(false)) {
                    continue;
                }
                let number = port.port.unwrap_or_default();
                all.extend(endpoint.addresses.iter().map(|address| format!("{address}:{number}")));
            }
        }
    }
    let shown = all[..all.len().min(3)].join(",");
    if all.len() > 3 { format!("{shown} + {} more...", all.len() - 3) } else { shown }
}

pub(super) fn endpoints(writer: &mut Writer, object: &Endpoints, context: &mut Context) {
    head(writer, &object.metadata);
    labels_and_annotations(writer, &object.metadata);
    writer.line(0, "Subsets:");
    for subset in object.subsets.iter().flatten() {
        let ips = |addresses: &Option<Vec<api::types::EndpointAddress>>| {
            let all: Vec<String> = addresses.iter().flatten().map(|address| address.ip.clone()).collect();
            or_none(Some(&all.join(","))).to_owned()
        };
        writer.field(1, "Addresses", ips(&subset.addresses));
        writer.field(1, "NotReadyAddresses", ips(&subset.not_ready_addresses));
        if let Some(ports) = subset.ports.as_ref().filter(|ports| !ports.is_empty()) {
            writer.line(1, "Ports:");
            writer.line(2, "Name\tPort\tProtocol");
            writer.line(2, "----\t----\t--------");
            for port in ports {
                let name = port.name.as_deref().filter(|name| !name.is_empty()).unwrap_or("<unset>");
                writer.line(2, format!("{name}\t{}\t{}", port.port, port.protocol.as_deref().unwrap_or("TCP")));
            }
        }
        writer.line(0, "");
    }
    events(writer, context);
}

fn backend(context: &mut Context, namespace: &str, backend: Option<&IngressBackend>) -> String {
    if let Some(resource) = backend.and_then(|backend| backend.resource.as_ref()) {
        let group = or_none(resource.api_group.as_deref());
        return format!("APIGroup: {group}, Kind: {}, Name: {}", resource.kind, resource.name);
    }
    let Some(service) = backend.and_then(|backend| backend.service.as_ref()) else { return "<default>".into() };
    let port = service.port.as_ref();
    let port =
        port.and_then(|port| port.number.map(|number| number.to_string()).or(port.name.clone())).unwrap_or_default();
    let found = context.call.client.get::<Service>(namespace, &service.name);
    let endpoints = match found {
        Err(status) => format!("<error: {}>", status.message),
        Ok(object) => {
            let ports = object.spec.as_ref().and_then(|spec| spec.ports.as_deref()).unwrap_or_default();
            let named = ports
                .iter()
                .find(|known| known.port.to_string() == port || known.name.as_deref() == Some(port.as_str()));
            let name = named.and_then(|port| port.name.clone()).unwrap_or_default();
            endpoints_of(&slices_of(context, &object), &name)
        }
    };
    format!("{}:{port} ({endpoints})", service.name)
}

pub(super) fn ingress(writer: &mut Writer, object: &Ingress, context: &mut Context) {
    let none = Default::default();
    let spec = object.spec.as_ref().unwrap_or(&none);
    writer.field(0, "Name", object.metadata.name.as_deref().unwrap_or_default());
    super::labels(writer, 0, object.metadata.labels.as_ref());
    let namespace = object.metadata.namespace.clone().unwrap_or_default();
    writer.field(0, "Namespace", &namespace);
    let balancer = object.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let addresses: Vec<&str> = balancer
        .and_then(|balancer| balancer.ingress.as_deref())
        .unwrap_or_default()
        .iter()
        .filter_map(|ingress| ingress.ip.as_deref().or(ingress.hostname.as_deref()))
        .collect();
    writer.field(0, "Address", addresses.join(","));
    writer.field(0, "Ingress Class", or_none(spec.ingress_class_name.as_deref()));
    let default = backend(context, &namespace, spec.default_backend.as_ref());
    writer.field(0, "Default backend", &default);
    if let Some(tls) = spec.tls.as_ref().filter(|tls| !tls.is_empty()) {
        writer.line(0, "TLS:");
        for entry in tls {
            let hosts = entry.hosts.clone().unwrap_or_default().join(",");
            match entry.secret_name.as_deref().filter(|name| !name.is_empty()) {
                Some(secret) => writer.line(1, format!("{secret} terminates {hosts}")),
                None => writer.line(1, format!("SNI routes {hosts}")),
            }
        }
    }
    writer.line(0, "Rules:\n  Host\tPath\tBackends\n  ----\t----\t--------");
    let with_paths = spec.rules.iter().flatten().filter(|rule| rule.http.is_some());
    for rule in with_paths.clone() {
        writer.line(1, format!("{}\t", rule.host.as_deref().filter(|host| !host.is_empty()).unwrap_or("*")));
        for path in rule.http.iter().flat_map(|http| &http.paths) {
            let text = backend(context, &namespace, Some(&path.backend));
            writer.line(1, format!("\t{} \t{text}", path.path.as_deref().unwrap_or_default()));
        }
    }
    if with_paths.count() == 0 {
        writer.line(1, format!("*\t*\t{default}"));
    }
    super::annotations(writer, 0, object.metadata.annotations.as_ref());
    events(writer, context);
}
