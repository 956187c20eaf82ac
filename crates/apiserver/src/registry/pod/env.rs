//! Environment variables and where they come from.

use api::field::{Error, Errors, Path};
use api::types::{
    EnvFromSource, EnvVar, EnvVarSource, FileKeySelector, ObjectFieldSelector, ResourceFieldSelector, Volume,
};
use api::validate::{config_key, dns1123_label, dns1123_subdomain, qualified_name, relaxed_env_var_name};

use crate::registry::rules::{amount, complain, one_of, subdomain_name, text};
use crate::registry::volume_sources::{no_backsteps, required};

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

/// `validateEnvVarValueFrom`
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
    if let Some(reference) = &source.file_key_ref {
        sources += 1;
        file_key(reference, &path.child("fileKeyRef"), errors);
    }
    if sources == 0 {
        let why =
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
        errors.push(Error::invalid(path, "", why));
    } else if !value.is_empty() {
        errors.push(Error::invalid(path, "", "may not be specified when `value` is not empty"));
    } else if sources > 1 {
        errors.push(Error::invalid(path, "", "may not have more than one field specified at a time"));
    }
}

fn key(name: &str, key: &str, path: &Path, errors: &mut Errors) {
    complain(errors, &path.child("name"), name, dns1123_subdomain(name));
    if key.is_empty() {
        errors.push(Error::required(&path.child("key"), ""));
    } else {
        complain(errors, &path.child("key"), key, config_key(key));
    }
}

/// A key of a file of variables, which an init container has written.
fn file_key(reference: &FileKeySelector, path: &Path, errors: &mut Errors) {
    let (key, volume) = (reference.key.as_str(), reference.volume_name.as_str());
    required(&[("key", key)], path, errors);
    if !key.is_empty() {
        complain(errors, &path.child("key"), key, relaxed_env_var_name(key));
    }
    required(&[("volumeName", volume)], path, errors);
    if !volume.is_empty() {
        complain(errors, &path.child("volumeName"), volume, dns1123_label(volume));
    }
    required(&[("path", &reference.path)], path, errors);
    no_backsteps(&reference.path, &path.child("path"), errors);
}

/// Files of variables are in `emptyDir` volumes alone: `validateFileKeyRefVolumes`.
pub(super) fn files(variables: &[EnvVar], volumes: &[Volume], path: &Path, errors: &mut Errors) {
    for (index, variable) in variables.iter().enumerate() {
        let Some(reference) = variable.value_from.as_ref().and_then(|source| source.file_key_ref.as_ref()) else {
            continue;
        };
        let variable_path = path.index(index);
        let (source_path, name) = (variable_path.child("valueFrom"), reference.volume_name.as_str());
        let file_path = source_path.child("fileKeyRef");
        let path = file_path.child("volumeName");
        match volumes.iter().rfind(|volume| volume.name == name) {
            None => errors.push(Error::not_found(&path, name)),
            Some(volume) if volume.empty_dir.is_none() => {
                errors.push(Error::invalid(&path, name, "referenced volume must be of type emptyDir"));
            }
            Some(_) => {}
        }
    }
}

/// A reference to a field of the Pod itself. `supported` is what may be used in its place.
pub(super) fn field(reference: &ObjectFieldSelector, supported: &[&str], path: &Path, errors: &mut Errors) {
    if text(&reference.api_version).is_empty() {
        errors.push(Error::required(&path.child("apiVersion"), ""));
        return;
    }
    let field = reference.field_path.as_str();
    let field_path = path.child("fieldPath");
    if field.is_empty() {
        errors.push(Error::required(&field_path, ""));
        return;
    }
    let version = text(&reference.api_version);
    let subscripted = field.strip_suffix("']").and_then(|field| field.split_once("['"));
    let subscripted = subscripted.filter(|(base, _)| !base.is_empty());
    let failure = match subscripted {
        _ if version != "v1" => Some(format!("unsupported pod version: {version}")),
        Some(("metadata.annotations" | "metadata.labels", _)) => None,
        Some(_) => Some(format!("field label does not support subscript: {field}")),
        None if !KNOWN_FIELDS.contains(&field) => Some(format!("field label not supported: {field}")),
        None => None,
    };
    if let Some(why) = failure {
        errors.push(Error::invalid(&field_path, field, format!("error converting fieldPath: {why}")));
        return;
    }
    match subscripted {
        Some((base, key)) => {
            let key = if base == "metadata.labels" { key.to_owned() } else { key.to_lowercase() };
            complain(errors, path, &key, qualified_name(&key));
        }
        None => {
            // An old name.
            let field = if field == "spec.host" { "spec.nodeName" } else { field };
            one_of(field, supported, &field_path, errors);
        }
    }
}

/// A reference to a container's resources. In a volume it must name the container.
pub(super) fn resource(reference: &ResourceFieldSelector, in_volume: bool, path: &Path, errors: &mut Errors) {
    let resource = reference.resource.as_str();
    if in_volume && text(&reference.container_name).is_empty() {
        errors.push(Error::required(&path.child("containerName"), ""));
    } else if resource.is_empty() {
        errors.push(Error::required(&path.child("resource"), ""));
    } else if !RESOURCES.contains(&resource) && !is_huge_pages(resource) {
        errors.push(Error::not_supported(&path.child("resource"), resource, RESOURCES));
    }
    let Some(divisor) = reference.divisor.as_ref().filter(|divisor| amount(divisor).0 != 0) else { return };
    let (known, shown, what) = match resource {
        "limits.cpu" | "requests.cpu" => (&["1m", "1"][..], "1m and 1".into(), "cpu"),
        "limits.memory" | "requests.memory" => (BYTES, BYTES.join(", "), "memory"),
        "limits.ephemeral-storage" | "requests.ephemeral-storage" => {
            (BYTES, BYTES.join(", "), "local ephemeral storage")
        }
        other if is_huge_pages(other) => (BYTES, BYTES.join(", "), "hugepages"),
        _ => return,
    };
    if !known.contains(&divisor.0.as_str()) {
        let why = format!("only divisor's values {shown} are supported with the {what} resource");
        errors.push(Error::invalid(&path.child("divisor"), resource, why));
    }
}

fn is_huge_pages(resource: &str) -> bool {
    resource.starts_with("limits.hugepages-") || resource.starts_with("requests.hugepages-")
}

pub(super) fn sources(sources: &[EnvFromSource], path: &Path, errors: &mut Errors) {
    for (index, source) in sources.iter().enumerate() {
        let (list_path, path) = (path, path.index(index));
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
                complain(errors, &path.child("name"), name, subdomain_name(name, true));
            }
        }
        // Upstream says this of the list.
        match named.iter().filter(|(_, name)| name.is_some()).count() {
            0 => errors.push(Error::invalid(list_path, "", "must specify one of: `configMapRef` or `secretRef`")),
            1 => {}
            _ => errors.push(Error::invalid(list_path, "", "may not have more than one field specified at a time")),
        }
    }
}
