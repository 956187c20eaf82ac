//! Differences as upstream shows them in messages: a unified diff of two objects as Go prints them in JSON.

use std::fmt::Write;

use api::schema::{self, Type};
use serde::Serialize;
use serde_json::Value;

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// The first differences between two values of a type.
pub(super) fn diff(type_name: &'static str, old: &impl Serialize, new: &impl Serialize) -> String {
    let dump = |value: &Value| {
        let mut lines = Vec::new();
        write(Type::Struct(type_name), Some(value), 0, "", &mut lines);
        lines
    };
    let old = dump(&api::wire::value_of(old));
    let new = dump(&api::wire::value_of(new));
    unified(&old, &new)
}

/// A value as Go prints its internal type in JSON, on one line.
pub(super) fn compact(type_name: &'static str, value: &impl Serialize) -> String {
    let mut lines = Vec::new();
    let value = api::wire::value_of(value);
    write(Type::Struct(type_name), Some(&value), 0, "", &mut lines);
    let joined = lines.iter().map(|line| {
        let line = line.trim_start();
        if line.starts_with('"') { line.replacen("\": ", "\":", 1) } else { line.to_owned() }
    });
    joined.collect()
}

/// The fields of a type in upstream's internal order, where it is known, and by name otherwise.
fn ordered(type_name: &str) -> Vec<&'static schema::Field> {
    let mut fields: Vec<&schema::Field> = schema::fields(type_name).iter().collect();
    if let Some((_, order)) = ORDER.iter().find(|(name, _)| *name == type_name) {
        let position = |name: &str| order.iter().position(|other| *other == name);
        fields.retain(|field| position(field.name).is_some());
        fields.sort_by_key(|field| position(field.name));
    }
    fields
}

const CONTAINER: &[&str] = &[
    "name",
    "image",
    "command",
    "args",
    "workingDir",
    "ports",
    "envFrom",
    "env",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
    "volumeMounts",
    "volumeDevices",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "imagePullPolicy",
    "securityContext",
    "stdin",
    "stdinOnce",
    "tty",
    "targetContainerName",
];

const ORDER: &[(&str, &[&str])] = &[
    (
        "core.v1.PodSpec",
        &[
            "volumes",
            "initContainers",
            "containers",
            "ephemeralContainers",
            "restartPolicy",
            "terminationGracePeriodSeconds",
            "activeDeadlineSeconds",
            "dnsPolicy",
            "nodeSelector",
            "serviceAccountName",
            "automountServiceAccountToken",
            "nodeName",
            "securityContext",
            "imagePullSecrets",
            "hostname",
            "subdomain",
            "setHostnameAsFQDN",
            "affinity",
            "schedulerName",
            "tolerations",
            "hostAliases",
            "priorityClassName",
            "priority",
            "preemptionPolicy",
            "dnsConfig",
            "readinessGates",
            "runtimeClassName",
            "overhead",
            "enableServiceLinks",
            "topologySpreadConstraints",
            "os",
            "schedulingGates",
            "resourceClaims",
            "resources",
            "hostnameOverride",
            "schedulingGroup",
        ],
    ),
    ("core.v1.Container", CONTAINER),
    ("core.v1.EphemeralContainer", CONTAINER),
    (
        "core.v1.SecurityContext",
        &[
            "capabilities",
            "privileged",
            "seLinuxOptions",
            "windowsOptions",
            "runAsUser",
            "runAsGroup",
            "runAsNonRoot",
            "readOnlyRootFilesystem",
            "allowPrivilegeEscalation",
            "procMount",
            "seccompProfile",
            "appArmorProfile",
        ],
    ),
    ("core.v1.SeccompProfile", &["type", "localhostProfile"]),
    ("core.v1.PodResourceClaim", &["name", "resourceClaimName", "resourceClaimTemplateName"]),
    ("core.v1.ResourceRequirements", &["limits", "requests", "claims"]),
    ("core.v1.VolumeResourceRequirements", &["limits", "requests"]),
    (
        // Its source, which upstream compares alone.
        "core.v1.PersistentVolumeSpec",
        &[
            "gcePersistentDisk",
            "awsElasticBlockStore",
            "hostPath",
            "glusterfs",
            "nfs",
            "rbd",
            "quobyte",
            "iscsi",
            "flexVolume",
            "cinder",
            "cephfs",
            "fc",
            "flocker",
            "azureFile",
            "vsphereVolume",
            "azureDisk",
            "photonPersistentDisk",
            "portworxVolume",
            "scaleIO",
            "local",
            "storageos",
            "csi",
        ],
    ),
    (
        "core.v1.PersistentVolumeClaimSpec",
        &[
            "accessModes",
            "selector",
            "resources",
            "volumeName",
            "storageClassName",
            "volumeMode",
            "dataSource",
            "dataSourceRef",
            "volumeAttributesClassName",
        ],
    ),
];

/// Structs that Go holds by value: they are printed though nothing is in them.
const VALUES: &[&str] = &["core.v1.ResourceRequirements", "core.v1.VolumeResourceRequirements"];
/// Texts that Go holds by pointer: absent is `null`.
const POINTERS: &[&str] = &[
    "restartPolicy@core.v1.Container",
    "preemptionPolicy",
    "runtimeClassName",
    "storageClassName",
    "volumeMode",
    "volumeAttributesClassName",
    "hostnameOverride",
    "procMount",
    "localhostProfile",
    "resourceClaimName",
    "resourceClaimTemplateName",
];
/// Numbers and flags that Go holds by value: absent is zero.
const BY_VALUE: &[&str] = &["stdin", "stdinOnce", "tty", "readOnly", "hostPort", "containerPort", "optional@"];

fn write(ty: Type, value: Option<&Value>, depth: usize, tail: &str, lines: &mut Vec<String>) {
    let indent = " ".repeat(depth);
    let mut open = |text: String| lines.push(text);
    match (ty, value) {
        (Type::Struct(name), Some(Value::Object(fields))) => {
            append(lines, "{");
            let known = ordered(name);
            for (index, field) in known.iter().enumerate() {
                let comma = if index + 1 < known.len() { "," } else { "" };
                lines.push(format!("{indent} \"{}\": ", go_name(field.name)));
                match fields.get(field.name) {
                    Some(inner) => write(field.ty, Some(inner), depth + 1, comma, lines),
                    None => absent(name, field, depth + 1, comma, lines),
                }
            }
            open_close(lines, &indent, "}", tail);
        }
        (Type::Map(inner), Some(Value::Object(entries))) => {
            append(lines, "{");
            for (index, (key, entry)) in entries.iter().enumerate() {
                let comma = if index + 1 < entries.len() { "," } else { "" };
                lines.push(format!("{indent} {}: ", Value::from(key.as_str())));
                write(inner.get(), Some(entry), depth + 1, comma, lines);
            }
            open_close(lines, &indent, "}", tail);
        }
        (Type::List(inner), Some(Value::Array(items))) => {
            append(lines, "[");
            for (index, item) in items.iter().enumerate() {
                let comma = if index + 1 < items.len() { "," } else { "" };
                lines.push(format!("{indent} "));
                write(inner.get(), Some(item), depth + 1, comma, lines);
            }
            open_close(lines, &indent, "]", tail);
        }
        (_, Some(value)) => append(lines, &format!("{value}{tail}")),
        (_, None) => open(String::new()),
    }
}

/// Appends to the last line, or begins the first.
fn append(lines: &mut Vec<String>, text: &str) {
    match lines.last_mut() {
        Some(line) => line.push_str(text),
        None => lines.push(text.to_owned()),
    }
}

fn open_close(lines: &mut Vec<String>, indent: &str, bracket: &str, tail: &str) {
    lines.push(format!("{indent}{bracket}{tail}"));
}

/// What Go prints for a field that is not set.
fn absent(owner: &str, field: &schema::Field, depth: usize, tail: &str, lines: &mut Vec<String>) {
    let listed = |names: &[&str]| {
        names.iter().any(|name| match name.split_once('@') {
            Some((name, of)) => name == field.name && of == owner,
            None => *name == field.name,
        })
    };
    match field.ty {
        Type::String if !listed(POINTERS) => append(lines, &format!("\"\"{tail}")),
        Type::Bool if listed(BY_VALUE) => append(lines, &format!("false{tail}")),
        Type::Int32 | Type::Int64 if listed(BY_VALUE) => append(lines, &format!("0{tail}")),
        Type::Struct(name) if VALUES.contains(&name) => {
            write(field.ty, Some(&Value::Object(serde_json::Map::new())), depth, tail, lines);
        }
        _ => append(lines, &format!("null{tail}")),
    }
}

/// `dnsPolicy` as `DNSPolicy`.
fn go_name(name: &str) -> String {
    for (name_or_start, go) in [("seLinux", "SELinux"), ("cephfs", "CephFS"), ("storageos", "StorageOS")] {
        if let Some(rest) = name.strip_prefix(name_or_start) {
            return [go, rest].concat();
        }
    }
    for short in ["dns", "os", "tty", "ip", "api", "csi", "nfs", "rbd", "iscsi", "fc", "gce", "aws", "pd", "fs"] {
        if let Some(rest) = name.strip_prefix(short)
            && rest.chars().next().is_none_or(char::is_uppercase)
        {
            return short.to_uppercase() + rest;
        }
    }
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// The changed stretch with its context. One hunk: from the first to the last line that differ.
fn unified(old: &[String], new: &[String]) -> String {
    let same_before = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let (rest_old, rest_new) = (&old[same_before..], &new[same_before..]);
    let same_after = rest_old.iter().rev().zip(rest_new.iter().rev()).take_while(|(one, other)| one == other).count();
    let start = same_before.saturating_sub(CONTEXT);
    let (old_end, new_end) = (old.len() - same_after, new.len() - same_after);
    let after = same_after.min(CONTEXT);
    let (old_count, new_count) = (old_end + after - start, new_end + after - start);
    let mut text = format!("@@ -{},{old_count} +{},{new_count} @@\n", start + 1, start + 1);
    let mut add = |sign: char, lines: &[String]| {
        for line in lines {
            // A write to a String cannot fail.
            let _ = writeln!(text, "{sign}{line}");
        }
    };
    add(' ', &old[start..same_before]);
    add('-', &old[same_before..old_end]);
    add('+', &new[same_before..new_end]);
    add(' ', &old[old_end..old_end + after]);
    text
}
