//! APIService: who serves a group's version. Upstream: `kube-aggregator/pkg/apis/apiregistration`.

use api::field::{Error, Errors, Path};
use api::object::Tree;
use api::time;
use serde_json::{Value, json};

use super::admission_rules::{default_field, text};
use crate::strategy::TreeStrategy;

pub(super) struct ApiService;

impl TreeStrategy for ApiService {
    const GROUP: &'static str = "apiregistration.k8s.io";
    const KIND: &'static str = "APIService";
    const UNCONDITIONAL_UPDATE: bool = false;
    const HAS_STATUS: bool = true;

    fn default(object: &mut Tree) {
        let service = object.fields_mut().get_mut("spec").and_then(|spec| spec.get_mut("service"));
        if let Some(service) = service.and_then(Value::as_object_mut) {
            default_field(service, "port", json!(443));
        }
    }

    fn validate_name(name: &str, _prefix: bool) -> Vec<String> {
        api::validate::path_segment(name, false)
    }

    fn validate(object: &Tree) -> Errors {
        let mut errors = Errors::new();
        let (spec, path) = (object.get("spec").unwrap_or(&Value::Null), Path::new("spec"));
        let (group, version) = (text(spec, "group"), text(spec, "version"));
        let name = api::Object::meta(object).name.as_deref().unwrap_or_default();
        let wanted = format!("{version}.{group}");
        if name != wanted {
            let metadata = Path::new("metadata");
            let why = format!("must be `spec.version+\".\"+spec.group`: {wanted:?}");
            errors.push(Error::invalid(&metadata.child("name"), name, why));
        }
        let refuse = |field: &str, value: &str, complaints: Vec<String>, errors: &mut Errors| {
            let path = path.child(field);
            let texts = complaints.join("; ");
            if !texts.is_empty() {
                errors.push(Error::invalid(&path, value, texts));
            }
        };
        if !group.is_empty() {
            refuse("group", group, api::validate::dns1123_subdomain(group), &mut errors);
        }
        refuse("version", version, api::validate::dns1035_label(version), &mut errors);
        let number = |field: &str| spec.get(field).and_then(Value::as_i64).unwrap_or(0);
        for (field, max) in [("groupPriorityMinimum", 20000), ("versionPriority", 1000)] {
            let value = number(field);
            if value <= 0 || value > max {
                let why = format!("must be positive and less than {max}");
                errors.push(Error::invalid(&path.child(field), value, why));
            }
        }
        let service = spec.get("service").filter(|service| !service.is_null());
        let skips = spec.get("insecureSkipTLSVerify") == Some(&json!(true));
        let bundle = !text(spec, "caBundle").is_empty();
        match service {
            None => {
                if bundle {
                    let given = text(spec, "caBundle");
                    let bytes = given.len() / 4 * 3 - given.bytes().rev().take_while(|byte| *byte == b'=').count();
                    let why = "local APIServices may not have a caBundle";
                    errors.push(Error::invalid(&path.child("caBundle"), format!("{bytes} bytes"), why));
                }
                if skips {
                    let why = "local APIServices may not have insecureSkipTLSVerify";
                    errors.push(Error::invalid(&path.child("insecureSkipTLSVerify"), skips, why));
                }
            }
            Some(service) => {
                let at = path.child("service");
                for field in ["namespace", "name"] {
                    if text(service, field).is_empty() {
                        errors.push(Error::required(&at.child(field), ""));
                    }
                }
                let port = service.get("port").and_then(Value::as_i64).unwrap_or(443);
                if let Some(why) = api::validate::port_number(i32::try_from(port).unwrap_or(0)) {
                    errors.push(Error::invalid(&at.child("port"), port, format!("port is not valid: {why}")));
                }
                if skips && bundle {
                    let why = "may not be true if caBundle is present";
                    errors.push(Error::invalid(&path.child("insecureSkipTLSVerify"), skips, why));
                }
            }
        }
        errors
    }
}

/// The object of a group's version that the API server serves itself.
pub(crate) fn local(group: &str, version: &str, group_priority: i64, version_priority: i64) -> Value {
    let mut spec = json!({
        "version": version,
        "groupPriorityMinimum": group_priority,
        "versionPriority": version_priority,
    });
    if !group.is_empty() {
        spec["group"] = group.into();
    }
    json!({
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {
            "name": format!("{version}.{group}"),
            "labels": { "kube-aggregator.kubernetes.io/automanaged": "onstart" },
        },
        "spec": spec,
        "status": { "conditions": [{
            "type": "Available",
            "status": "True",
            "lastTransitionTime": time::stamp(0),
            "reason": "Local",
            "message": "Local APIServices are always available",
        }] },
    })
}
