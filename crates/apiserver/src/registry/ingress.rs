//! Ingress.

use api::field::{Error, Errors, Path};
use api::types::{HTTPIngressPath, Ingress, IngressBackend, IngressRule, IngressServiceBackend, IngressStatus};
use api::validate::{
    dns1123_label, dns1123_subdomain, path_segment, port_name, port_number, wildcard_dns1123_subdomain,
};

use super::addresses::is_ip;
use super::rules::{complain, list, subdomain_name, text};
use crate::strategy::Strategy;

const PATH_TYPES: &[&str] = &["Exact", "ImplementationSpecific", "Prefix"];
const BAD_SEQUENCES: &[&str] = &["//", "/./", "/../", "%2f", "%2F"];
const BAD_ENDS: &[&str] = &["/..", "/."];
/// How the class was named before `spec.ingressClassName`.
const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

impl Strategy for Ingress {
    const HAS_GENERATION: bool = true;

    fn default(&mut self) {
        self.spec.get_or_insert_default();
        self.status.get_or_insert_default().load_balancer.get_or_insert_default();
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(IngressStatus { load_balancer: Some(Default::default()) });
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        self.spec.clone_from(&old.spec);
    }

    fn same_generation(&self, old: &Self) -> bool {
        self.spec == old.spec
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        subdomain_name(name, prefix)
    }

    fn validate(&self) -> Errors {
        rules(self)
    }

    fn validate_status_update(&self, _old: &Self) -> Errors {
        let mut errors = Errors::new();
        let (status, path) = (Path::new("status"), "loadBalancer");
        let path = status.child(path);
        let path = path.child("ingress");
        let balancer = self.status.as_ref().and_then(|status| status.load_balancer.as_ref());
        for (index, point) in balancer.map(|balancer| list(&balancer.ingress)).unwrap_or_default().iter().enumerate() {
            let path = path.index(index);
            let (address, host) = (text(&point.ip), text(&point.hostname));
            if !address.is_empty() && !is_ip(address) {
                let why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
                errors.push(Error::invalid(&path.child("ip"), address, why));
            }
            if !host.is_empty() {
                complain(&mut errors, &path.child("hostname"), host, dns1123_subdomain(host));
            }
            if is_ip(host) {
                errors.push(Error::invalid(&path.child("hostname"), host, "must be a DNS name, not an IP address"));
            }
        }
        errors
    }

    fn warnings(&self, is_new: bool) -> Vec<String> {
        let has_annotation = api::meta::annotation(&self.metadata, CLASS_ANNOTATION).is_some();
        let has_class = self.spec.as_ref().is_some_and(|spec| spec.ingress_class_name.is_some());
        if is_new && has_annotation && !has_class {
            let text =
                format!("annotation {CLASS_ANNOTATION:?} is deprecated, please use 'spec.ingressClassName' instead");
            vec![text]
        } else {
            Vec::new()
        }
    }
}

fn rules(ingress: &Ingress) -> Errors {
    let mut errors = Errors::new();
    let (Some(spec), path) = (&ingress.spec, Path::new("spec")) else { return errors };
    let rules = list(&spec.rules);
    if rules.is_empty() && spec.default_backend.is_none() {
        let why = "either `defaultBackend` or `rules` must be specified";
        errors.push(Error::invalid(&path, serde_json::Value::Null, why));
    }
    if let Some(backend) = &spec.default_backend {
        self::backend(backend, &path.child("defaultBackend"), &mut errors);
    }
    for (index, rule) in rules.iter().enumerate() {
        let path = path.child("rules");
        self::rule(rule, &path.index(index), &mut errors);
    }
    for (index, tls) in list(&spec.tls).iter().enumerate() {
        let list_path = path.child("tls");
        let path = list_path.index(index);
        for (index, host) in list(&tls.hosts).iter().enumerate() {
            let path = path.child("hosts");
            self::host(host, &path.index(index), &mut errors);
        }
        let secret = text(&tls.secret_name);
        if !secret.is_empty() {
            complain(&mut errors, &path.child("secretName"), secret, dns1123_subdomain(secret));
        }
    }
    let class = text(&spec.ingress_class_name);
    if spec.ingress_class_name.is_some() {
        complain(&mut errors, &path.child("ingressClassName"), class, dns1123_subdomain(class));
    }
    errors
}

fn host(host: &str, path: &Path, errors: &mut Errors) {
    let bad = if host.contains('*') { wildcard_dns1123_subdomain(host) } else { dns1123_subdomain(host) };
    complain(errors, path, host, bad);
}

fn rule(rule: &IngressRule, path: &Path, errors: &mut Errors) {
    let name = text(&rule.host);
    if !name.is_empty() {
        let path = path.child("host");
        if is_ip(name) {
            errors.push(Error::invalid(&path, name, "must be a DNS name, not an IP address"));
        }
        host(name, &path, errors);
    }
    let Some(http) = &rule.http else { return };
    let http_path = path.child("http");
    let path = http_path.child("paths");
    if http.paths.is_empty() {
        errors.push(Error::required(&path, ""));
    }
    for (index, one) in http.paths.iter().enumerate() {
        http_path_rule(one, &path.index(index), errors);
    }
}

fn http_path_rule(rule: &HTTPIngressPath, path: &Path, errors: &mut Errors) {
    let (kind, value) = (rule.path_type.as_str(), text(&rule.path));
    let value_path = path.child("path");
    match kind {
        "" => {
            errors.push(Error::required(&path.child("pathType"), "pathType must be specified"));
            return;
        }
        "Exact" | "Prefix" => {
            if !value.starts_with('/') {
                errors.push(Error::invalid(&value_path, value, "must be an absolute path"));
            }
            if !value.is_empty() {
                for bad in BAD_SEQUENCES.iter().filter(|bad| value.contains(*bad)) {
                    errors.push(Error::invalid(&value_path, value, format!("must not contain '{bad}'")));
                }
                for bad in BAD_ENDS.iter().filter(|bad| value.ends_with(*bad)) {
                    errors.push(Error::invalid(&value_path, value, format!("cannot end with '{bad}'")));
                }
            }
        }
        "ImplementationSpecific" => {
            if !value.is_empty() && !value.starts_with('/') {
                errors.push(Error::invalid(&value_path, value, "must be an absolute path"));
            }
        }
        other => errors.push(Error::not_supported(&path.child("pathType"), other, PATH_TYPES)),
    }
    backend(&rule.backend, &path.child("backend"), errors);
}

fn backend(backend: &IngressBackend, path: &Path, errors: &mut Errors) {
    match (&backend.resource, &backend.service) {
        (Some(_), Some(_)) => {
            errors.push(Error::invalid(path, "", "cannot set both resource and service backends"));
        }
        (Some(resource), None) => {
            typed_reference(&resource.api_group, &resource.kind, &resource.name, &path.child("resource"), errors);
        }
        (None, Some(service)) => service_backend(service, path, errors),
        (None, None) => errors.push(Error::invalid(path, "", "resource or service backend is required")),
    }
}

/// `validateIngressTypedLocalObjectReference`
pub(super) fn typed_reference(group: &Option<String>, kind: &str, name: &str, path: &Path, errors: &mut Errors) {
    if let Some(group) = group {
        complain(errors, &path.child("apiGroup"), group, dns1123_subdomain(group));
    }
    for (field, value, missing) in [("kind", kind, "kind is required"), ("name", name, "name is required")] {
        if value.is_empty() {
            errors.push(Error::required(&path.child(field), missing));
        } else {
            complain(errors, &path.child(field), value, path_segment(value, false));
        }
    }
}

fn service_backend(service: &IngressServiceBackend, path: &Path, errors: &mut Errors) {
    let service_path = path.child("service");
    if service.name.is_empty() {
        errors.push(Error::required(&service_path.child("name"), ""));
    } else {
        complain(errors, &service_path.child("name"), &service.name, dns1123_label(&service.name));
    }
    let port_path = service_path.child("port");
    let port = service.port.as_ref();
    let name = port.map(|port| text(&port.name)).unwrap_or_default();
    let number = port.and_then(|port| port.number).unwrap_or(0);
    match (name.is_empty(), number == 0) {
        (false, false) => errors.push(Error::invalid(path, "", "cannot set both port name & port number")),
        (false, true) => complain(errors, &port_path.child("name"), name, port_name(name)),
        (true, false) => {
            if let Some(why) = port_number(number) {
                errors.push(Error::invalid(&port_path.child("number"), number, why));
            }
        }
        (true, true) => errors.push(Error::required(path, "port name or number is required")),
    }
}
