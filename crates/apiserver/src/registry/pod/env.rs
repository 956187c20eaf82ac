//! Environment variables and where they come from.

use api::field::{Error, Errors, Path};
use api::types::{EnvFromSource, EnvVar, EnvVarSource, ObjectFieldSelector, ResourceFieldSelector};
use api::validate::{config_key, dns1123_subdomain, qualified_name, relaxed_env_var_name};

use crate::registry::rules::{complain, text};

const FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// What the downward API can name at all.
const KNOWN_FIELDS: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.serviceAccountName",
    "spec.schedulerName",
    "status.phase",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
    "spec.host",
];
const RESOURCES: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

/// What bytes may be divided by.
const BYTES: &[&str] = &["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

pub(super) fn variables(variables: &[EnvVar], path: &Path, errors: &mut Errors) {
    for (index, variable) in variables.iter().enumerate() {
        let path = path.index(index);
        if variable.name.is_empty() {
            errors.push(Error::required(&path.child("name"), ""));
        } else {
            complain(errors, &path.child("name"), &variable.name, relaxed_env_var_name(&variable.name));
        }
        if let Some(source) = &variable.value_from {
            value_from(source, text(&variable.value), &path.child("valueFrom"), errors);
        }
    }
}

fn value_from(source: &EnvVarSource, value: &str, path: &Path, errors: &mut Errors) {
    let mut sources = 0;
    if let Some(reference) = &source.field_ref {
        sources += 1;
        field(reference, FIELDS, &path.child("fieldRef"), errors);
    }
    if let Some(reference) = &source.resource_field_ref {
        sources += 1;
        resource(reference, false, &path.child("resourceFieldRef"), errors);
    }
    if let Some(reference) = &source.config_map_key_ref {
        sources += 1;
        key(&reference.name, &reference.key, &path.child("configMapKeyRef"), errors);
    }
    if let Some(reference) = &source.secret_key_ref {
        sources += 1;
        key(&reference.name, &reference.key, &path.child("secretKeyRef"), errors);
    }
    sources += usize::from(source.file_key_ref.is_some());
    if sources == 0 {
        let why = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`";
        errors.push(Error::invalid(path, "", why));
    }
    if !value.is_empty() {
        if sources != 0 {
            errors.push(Error::invalid(path, "", "may not be specified when `value` is not empty"));
        }
    } else if sources > 1 {
        errors.push(Error::invalid(path, "", "may not have more than one field specified at a time"));
    }
}

fn key(name: &str, key: &str, path: &Path, errors: &mut Errors) {
    if name.is_empty() {
        errors.push(Error::required(&path.child("name"), ""));
    }
    if key.is_empty() {
        errors.push(Error::required(&path.child("key"), ""));
    } else {
        complain(errors, &path.child("key"), key, config_key(key));
    }
}

/// A reference to a field of the Pod itself. `supported` is what may be used in its place.
pub(super) fn field(reference: &ObjectFieldSelector, supported: &[&str], path: &Path, errors: &mut Errors) {
    if text(&reference.api_version).is_empty() {
        errors.push(Error::required(&path.child("apiVersion"), ""));
        return;
    }
    let field = reference.field_path.as_str();
    let path = path.child("fieldPath");
    if field.is_empty() {
        errors.push(Error::required(&path, ""));
        return;
    }
    let version = text(&reference.api_version);
    if version != "v1" {
        let why = format!("error converting fieldPath: unsupported pod version: {version}");
        errors.push(Error::invalid(&path, field, why));
        return;
    }
    if let Some((base, subscript)) = field.strip_suffix("']").and_then(|field| field.split_once("['")) {
        match base {
            "metadata.annotations" => complain(errors, &path, field, qualified_name(&subscript.to_lowercase())),
            "metadata.labels" => complain(errors, &path, field, qualified_name(subscript)),
            _ => errors.push(Error::invalid(&path, base, "does not support subscript")),
        }
        return;
    }
    if !KNOWN_FIELDS.contains(&field) {
        let why = format!("error converting fieldPath: field label not supported: {field}");
        errors.push(Error::invalid(&path, field, why));
    } else if !supported.contains(&field) {
        errors.push(Error::not_supported(&path, field, supported));
    }
}

/// A reference to a container's resources. In a volume it must name the container.
pub(super) fn resource(reference: &ResourceFieldSelector, in_volume: bool, path: &Path, errors: &mut Errors) {
    let resource = reference.resource.as_str();
    if in_volume && text(&reference.container_name).is_empty() {
        errors.push(Error::required(&path.child("containerName"), ""));
    } else if resource.is_empty() {
        errors.push(Error::required(&path.child("resource"), ""));
    } else if !RESOURCES.contains(&resource) && !resource.contains("hugepages-") {
        errors.push(Error::not_supported(&path.child("resource"), resource, RESOURCES));
    }
    let Some(divisor) = reference.divisor.as_ref().map(|divisor| divisor.0.as_str()) else { return };
    let (known, shown, what) = match resource.split_once('.').map_or(resource, |(_, resource)| resource) {
        "cpu" => (&["1m", "1"][..], "1m and 1".into(), "cpu"),
        "memory" => (BYTES, BYTES.join(", "), "memory"),
        "ephemeral-storage" => (BYTES, BYTES.join(", "), "local ephemeral storage"),
        other if other.starts_with("hugepages-") => (BYTES, BYTES.join(", "), "hugepages"),
        _ => return,
    };
    if !matches!(divisor, "" | "0") && !known.contains(&divisor) {
        let why = format!("only divisor's values {shown} are supported with the {what} resource");
        errors.push(Error::invalid(&path.child("divisor"), resource, why));
    }
}

pub(super) fn sources(sources: &[EnvFromSource], path: &Path, errors: &mut Errors) {
    for (index, source) in sources.iter().enumerate() {
        let path = path.index(index);
        let prefix = text(&source.prefix);
        if !prefix.is_empty() {
            complain(errors, &path.child("prefix"), prefix, relaxed_env_var_name(prefix));
        }
        let named = [
            ("configMapRef", source.config_map_ref.as_ref().map(|reference| reference.name.as_str())),
            ("secretRef", source.secret_ref.as_ref().map(|reference| reference.name.as_str())),
        ];
        for (field, name) in named {
            let Some(name) = name else { continue };
            let path = path.child(field);
            if name.is_empty() {
                errors.push(Error::required(&path.child("name"), ""));
            } else {
                complain(errors, &path.child("name"), name, dns1123_subdomain(name));
            }
        }
        match named.iter().filter(|(_, name)| name.is_some()).count() {
            0 => errors.push(Error::invalid(&path, "", "must specify one of: `configMapRef` or `secretRef`")),
            1 => {}
            _ => errors.push(Error::invalid(&path, "", "may not have more than one field specified at a time")),
        }
    }
}
