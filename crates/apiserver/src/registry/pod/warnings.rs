//! What a client is warned of though its Pod, or its template of Pods, is accepted. Upstream: `pkg/api/pod/warnings.go`.

use std::collections::BTreeMap;

use api::field::Path;
use api::types::{
    Affinity, Container, ContainerPort, DownwardAPIVolumeFile, KeyToPath, NodeSelectorTerm, PodAffinity, PodSpec,
    Quantity, Volume,
};
use api::validate::label_value;

use super::annotations::{self, Annotations};
use super::containers;
use crate::registry::addresses::ip_warning;
use crate::registry::persistent_volume_claim;
use crate::registry::rules::{amount, list, text};

/// Labels of nodes that have other names now.
const OLD_LABELS: &[(&str, &str)] = &[
    ("beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"),
    ("beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    ("failure-domain.beta.kubernetes.io/zone", "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead"),
    ("beta.kubernetes.io/instance-type", "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead"),
];

const OLD_ANNOTATIONS: &[(&str, &str)] = &[
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    ("security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
    ("security.alpha.kubernetes.io/unsafe-sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
];

const NO_SELECTOR: &str = "a null labelSelector results in matching no pod";

/// The warnings about a specification; `root` is what holds it and its metadata, which nothing holds in a Pod.
pub(in crate::registry) fn of(spec: &PodSpec, annotations: &Annotations, root: Option<&Path>) -> Vec<String> {
    let spec_path = root.map_or(Path::new("spec"), |root| root.child("spec"));
    let meta_path = root.map_or(Path::new("metadata"), |root| root.child("metadata"));
    let mut out = Vec::new();
    let notes_path = meta_path.child("annotations");
    let app_armor = |container: &Container| annotations::old_app_armor(annotations, container, spec, root.is_some());
    let use_field = |key: String, since: &str, field: &str| {
        format!("{}: {since}; use the \"{field}\" field instead", notes_path.key(&key))
    };
    const SECCOMP: (&str, &str) = ("non-functional in v1.27+", "seccompProfile");
    const APP_ARMOR: (&str, &str) = ("deprecated since v1.30", "appArmorProfile");
    if root.is_none() {
        // Upstream has said this while it prepared the Pod.
        containers::each(spec, &spec_path, |container, _| {
            out.extend(app_armor(container).map(|key| use_field(key, APP_ARMOR.0, APP_ARMOR.1)));
        });
    }
    node_labels(spec, &spec_path, &mut out);
    for (key, why) in OLD_ANNOTATIONS {
        if annotations.contains_key(*key) {
            out.push(format!("{}: {why}", notes_path.key(key)));
        }
    }
    let volumes_path = spec_path.child("volumes");
    for (index, volume) in list(&spec.volumes).iter().enumerate() {
        old_volume(volume, &volumes_path.index(index), &mut out);
    }
    list(&spec.volumes).iter().for_each(|volume| overlapping_paths(volume, &mut out));
    repeated_names(spec, &spec_path, &mut out);
    let overhead_path = spec_path.child("overhead");
    fractions(spec.overhead.as_ref(), &overhead_path, &mut out);
    let of_pod = annotations::old_seccomp(annotations, None, spec);
    out.extend(of_pod.map(|key| use_field(key, SECCOMP.0, SECCOMP.1)));
    containers::each(spec, &spec_path, |container, path| {
        let own = annotations::old_seccomp(annotations, Some(container), spec);
        out.extend(own.map(|key| use_field(key, SECCOMP.0, SECCOMP.1)));
        if root.is_some() {
            out.extend(app_armor(container).map(|key| use_field(key, APP_ARMOR.0, APP_ARMOR.1)));
        }
        if let Some(resources) = &container.resources {
            let path = path.child("resources");
            let (limits, requests) = (path.child("limits"), path.child("requests"));
            for name in ["memory", "ephemeral-storage"] {
                for (amounts, path) in [(&resources.limits, &limits), (&resources.requests, &requests)] {
                    let quantity = amounts.as_ref().and_then(|amounts| amounts.get(name));
                    out.extend(quantity.and_then(|quantity| fraction_warning(&path.key(name), quantity)));
                }
            }
        }
        hidden_variables(container, path, &mut out);
    });
    repeated_ports(spec, &spec_path, &mut out);
    repeated_port_names(spec, &spec_path, &mut out);
    if spec.termination_grace_period_seconds.is_some_and(|seconds| seconds < 0) {
        let path = spec_path.child("terminationGracePeriodSeconds");
        out.push(format!("{path}: must be >= 0; negative values are invalid and will be treated as 1"));
    }
    if let Some(affinity) = &spec.affinity {
        selectors(affinity, &spec_path.child("affinity"), &mut out);
    }
    let dns_path = spec_path.child("dnsConfig");
    let servers_path = dns_path.child("nameservers");
    let servers = spec.dns_config.iter().flat_map(|config| list(&config.nameservers)).enumerate();
    out.extend(servers.filter_map(|(index, server)| ip_warning(&servers_path.index(index), server)));
    let aliases_path = spec_path.child("hostAliases");
    let aliases = list(&spec.host_aliases).iter().enumerate();
    out.extend(aliases.filter_map(|(index, alias)| ip_warning(&aliases_path.index(index).child("ip"), &alias.ip)));
    out
}

fn old_label(key: &str) -> Option<&'static str> {
    OLD_LABELS.iter().find(|(old, _)| *old == key).map(|(_, why)| *why)
}

fn node_labels(spec: &PodSpec, path: &Path, out: &mut Vec<String>) {
    for key in spec.node_selector.iter().flat_map(BTreeMap::keys) {
        if let Some(why) = old_label(key) {
            out.push(format!("{}: {why}", path.child("nodeSelector").key(key)));
        }
    }
    if let Some(affinity) = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref()) {
        let (path, required, preferred) = (
            path.child("affinity"),
            "requiredDuringSchedulingIgnoredDuringExecution",
            "preferredDuringSchedulingIgnoredDuringExecution",
        );
        let path = path.child("nodeAffinity");
        let (required, preferred) = (path.child(required), path.child(preferred));
        let terms = required.child("nodeSelectorTerms");
        let wanted = affinity.required_during_scheduling_ignored_during_execution.iter();
        for (index, term) in wanted.flat_map(|wanted| &wanted.node_selector_terms).enumerate() {
            term_labels(term, false, &terms.index(index), out);
        }
        let wanted = list(&affinity.preferred_during_scheduling_ignored_during_execution);
        for (index, term) in wanted.iter().enumerate() {
            term_labels(&term.preference, true, &preferred.index(index).child("preference"), out);
        }
    }
    let path = path.child("topologySpreadConstraints");
    for (index, constraint) in list(&spec.topology_spread_constraints).iter().enumerate() {
        let path = path.index(index);
        if let Some(why) = old_label(&constraint.topology_key) {
            out.push(format!("{}: {} is {why}", path.child("topologyKey"), constraint.topology_key));
        }
        if constraint.label_selector.is_none() {
            out.push(format!("{}: {NO_SELECTOR}", path.child("labelSelector")));
        }
    }
}

fn term_labels(term: &NodeSelectorTerm, check_values: bool, path: &Path, out: &mut Vec<String>) {
    let path = path.child("matchExpressions");
    for (index, expression) in list(&term.match_expressions).iter().enumerate() {
        let path = path.index(index);
        if let Some(why) = old_label(&expression.key) {
            out.push(format!("{}: {} is {why}", path.child("key"), expression.key));
        }
        let path = path.child("values");
        for (index, value) in list(&expression.values).iter().enumerate().filter(|_| check_values) {
            let complaints = label_value(value).into_iter();
            out.extend(complaints.map(|why| format!("{}: {value} is invalid, {why}", path.index(index))));
        }
    }
}

fn old_volume(volume: &Volume, path: &Path, out: &mut Vec<String>) {
    let old = [
        (
            "photonPersistentDisk",
            volume.photon_persistent_disk.is_some(),
            "deprecated in v1.11, non-functional in v1.16+",
        ),
        ("gitRepo", volume.git_repo.is_some(), "deprecated in v1.11, and disabled by default in v1.33+"),
        ("scaleIO", volume.scale_io.is_some(), "deprecated in v1.16, non-functional in v1.22+"),
        ("flocker", volume.flocker.is_some(), "deprecated in v1.22, non-functional in v1.25+"),
        ("storageOS", volume.storageos.is_some(), "deprecated in v1.22, non-functional in v1.25+"),
        ("quobyte", volume.quobyte.is_some(), "deprecated in v1.22, non-functional in v1.25+"),
        ("glusterfs", volume.glusterfs.is_some(), "deprecated in v1.25, non-functional in v1.26+"),
        ("ephemeral", false, ""),
        ("cephfs", volume.cephfs.is_some(), "deprecated in v1.28, non-functional in v1.31+"),
        ("rbd", volume.rbd.is_some(), "deprecated in v1.28, non-functional in v1.31+"),
    ];
    for (name, is_used, why) in old {
        if is_used {
            out.push(format!("{}: {why}", path.child(name)));
        }
        let ephemeral = volume.ephemeral.as_ref().filter(|_| name == "ephemeral");
        if let Some(template) = ephemeral.and_then(|ephemeral| ephemeral.volume_claim_template.as_ref()) {
            let template_path = path.child(name);
            let path = template_path.child("volumeClaimTemplate");
            out.extend(persistent_volume_claim::spec_warnings(&template.spec, &path.child("spec")));
        }
    }
}

/// Files of one volume that would hide one another: `warningsForOverlappingVirtualPaths`.
fn overlapping_paths(volume: &Volume, out: &mut Vec<String>) {
    fn paths(items: &Option<Vec<KeyToPath>>) -> Vec<&str> {
        list(items).iter().map(|item| item.path.as_str()).collect()
    }
    fn files(items: &Option<Vec<DownwardAPIVolumeFile>>) -> Vec<&str> {
        list(items).iter().map(|item| item.path.as_str()).collect()
    }
    let name = &volume.name;
    let mut alone = |paths: Vec<&str>, what: String| {
        let mut seen = Vec::new();
        overlaps(&paths, "", &mut seen, &format!("volume {name:?} ({what})"), out);
    };
    if let Some(source) = &volume.config_map {
        alone(paths(&source.items), format!("ConfigMap {:?}", source.name));
    }
    if let Some(source) = &volume.secret {
        alone(paths(&source.items), format!("Secret {:?}", text(&source.secret_name)));
    }
    if let Some(source) = &volume.downward_api {
        alone(files(&source.items), "DownwardAPI".into());
    }
    let mut seen = Vec::new();
    for source in volume.projected.iter().flat_map(|projected| list(&projected.sources)) {
        let (found, what) = if let Some(source) = source.config_map.as_ref().filter(|source| source.items.is_some()) {
            (paths(&source.items), format!("ConfigMap {:?}", source.name))
        } else if let Some(source) = source.secret.as_ref().filter(|source| source.items.is_some()) {
            (paths(&source.items), format!("Secret {:?}", source.name))
        } else if let Some(source) = source.downward_api.as_ref().filter(|source| source.items.is_some()) {
            (files(&source.items), "DownwardAPI".into())
        } else if let Some(source) = &source.service_account_token {
            (vec![source.path.as_str()], "ServiceAccountToken".into())
        } else if source.config_map.is_none() && source.secret.is_none() && source.downward_api.is_none() {
            out.push(format!("volume {name:?} (Projected) has no sources provided"));
            continue;
        } else {
            continue;
        };
        overlaps(&found, &what, &mut seen, &format!("volume {name:?} (Projected)"), out);
    }
}

/// `seen` are the paths before, each with its source, of which nothing is said where there is but one.
fn overlaps(paths: &[&str], source: &str, seen: &mut Vec<(String, String)>, what: &str, out: &mut Vec<String>) {
    let shown = |path: &str, source: &str| match source {
        "" => format!("{path:?}"),
        source => format!("{path:?} ({source})"),
    };
    for path in paths.iter().map(|path| path.trim_end_matches('/')) {
        let within = |one: &str, other: &str| format!("{one}/").starts_with(&format!("{other}/"));
        for (other, other_source) in seen.iter().filter(|(other, _)| !other.is_empty() && !path.is_empty()) {
            if within(other, path) || within(path, other) {
                let (path, other) = (shown(path, source), shown(other, other_source));
                out.push(format!("{what}: overlapping paths: {path} with {other}"));
            }
        }
        seen.push((path.to_owned(), source.to_owned()));
    }
}

fn repeated_names(spec: &PodSpec, path: &Path, out: &mut Vec<String>) {
    let aliases = list(&spec.host_aliases);
    let aliases_path = path.child("hostAliases");
    for (index, alias) in aliases.iter().enumerate() {
        let path = aliases_path.index(index);
        if aliases[..index].iter().any(|other| other.ip == alias.ip) {
            out.push(format!("{}: duplicate ip {:?}", path.child("ip"), alias.ip));
        }
    }
    let secrets = list(&spec.image_pull_secrets);
    let secrets_path = path.child("imagePullSecrets");
    for (index, secret) in secrets.iter().enumerate() {
        if secrets[..index].iter().any(|other| other.name == secret.name) {
            out.push(format!("{}: duplicate name {:?}", secrets_path.index(index).child("name"), secret.name));
        }
    }
    for (index, _) in secrets.iter().enumerate().filter(|(_, secret)| secret.name.is_empty()) {
        out.push(format!("{}: invalid empty name \"\"", secrets_path.index(index).child("name")));
    }
}

/// Parts of bytes.
fn fractions(amounts: Option<&BTreeMap<String, Quantity>>, path: &Path, out: &mut Vec<String>) {
    for name in ["memory", "ephemeral-storage"] {
        let quantity = amounts.and_then(|amounts| amounts.get(name));
        out.extend(quantity.and_then(|quantity| fraction_warning(&path.key(name), quantity)));
    }
}

/// The warning about an amount of bytes that is not whole.
pub(in crate::registry) fn fraction_warning(path: &Path, quantity: &Quantity) -> Option<String> {
    let is_whole = amount(quantity).0 % 1_000_000_000 == 0;
    (!is_whole).then(|| format!("{path}: fractional byte value {:?} is invalid, must be an integer", quantity.0))
}

fn hidden_variables(container: &Container, path: &Path, out: &mut Vec<String>) {
    let variables = list(&container.env);
    let path = path.child("env");
    for (index, variable) in variables.iter().enumerate() {
        let reference = format!("$({})", variable.name);
        let value = text(&variable.value);
        let builds_on_it = variable.value_from.is_none() && value != reference && value.contains(&reference);
        if !builds_on_it && variables[..index].iter().any(|other| other.name == variable.name) {
            let name = &variable.name;
            let path = path.index(index);
            out.push(format!("{path}: hides previous definition of {name:?}, which may be dropped when using apply"));
        }
    }
}

fn repeated_ports(spec: &PodSpec, path: &Path, out: &mut Vec<String>) {
    let mut seen: Vec<(String, ContainerPort)> = Vec::new();
    containers::each(spec, path, |container, path| {
        let ports_path = path.child("ports");
        for (index, port) in list(&container.ports).iter().enumerate() {
            let path = ports_path.index(index).to_string();
            let (host_ip, host_port) = (text(&port.host_ip), port.host_port.unwrap_or(0));
            if !host_ip.is_empty() && host_port == 0 {
                let (name, number, protocol) = (text(&port.name), port.container_port, text(&port.protocol));
                out.push(format!(
                    "{path}: hostIP set without hostPort: {{Name:{name} HostPort:0 ContainerPort:{number} \
                     Protocol:{protocol} HostIP:{host_ip}}}"
                ));
            }
            let same = |other: &ContainerPort| {
                other.container_port == port.container_port && text(&other.protocol) == text(&port.protocol)
            };
            for (other_path, other) in seen.iter().filter(|(_, other)| same(other)) {
                let (other_ip, other_port) = (text(&other.host_ip), other.host_port.unwrap_or(0));
                let how = if (host_ip, host_port) == (other_ip, other_port) {
                    "duplicate"
                } else if host_port == 0 || other_port == 0 {
                    "overlapping"
                } else if host_port == other_port && host_ip.is_empty() != other_ip.is_empty() {
                    "dangerously ambiguous"
                } else {
                    continue;
                };
                out.push(format!("{path}: {how} port definition with {other_path}"));
            }
            seen.push((path, port.clone()));
        }
    });
}

/// Names that a Service or a probe could mean either port by.
fn repeated_port_names(spec: &PodSpec, path: &Path, out: &mut Vec<String>) {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    containers::each(spec, path, |container, path| {
        let ports_path = path.child("ports");
        for (index, port) in list(&container.ports).iter().enumerate() {
            let (name, path) = (text(&port.name), ports_path.index(index).to_string());
            match seen.get(name) {
                _ if name.is_empty() => {}
                Some(other) => out.push(format!(
                    "{path}: duplicate port name {name:?} with {other}, services and probes that select ports by name \
                     will use {other}"
                )),
                None => {
                    seen.insert(name.to_owned(), path);
                }
            }
        }
    });
}

/// Terms that match no Pod at all.
fn selectors(affinity: &Affinity, path: &Path, out: &mut Vec<String>) {
    let anti = affinity.pod_anti_affinity.as_ref().map(|anti| PodAffinity {
        required_during_scheduling_ignored_during_execution: anti
            .required_during_scheduling_ignored_during_execution
            .clone(),
        preferred_during_scheduling_ignored_during_execution: anti
            .preferred_during_scheduling_ignored_during_execution
            .clone(),
    });
    for (name, affinity) in [("podAffinity", affinity.pod_affinity.as_ref()), ("podAntiAffinity", anti.as_ref())] {
        let Some(affinity) = affinity else { continue };
        let path = path.child(name);
        let required = path.child("requiredDuringSchedulingIgnoredDuringExecution");
        for (index, term) in list(&affinity.required_during_scheduling_ignored_during_execution).iter().enumerate() {
            if term.label_selector.is_none() {
                out.push(format!("{}: {NO_SELECTOR}", required.index(index).child("labelSelector")));
            }
        }
        let preferred = path.child("preferredDuringSchedulingIgnoredDuringExecution");
        for (index, term) in list(&affinity.preferred_during_scheduling_ignored_during_execution).iter().enumerate() {
            if term.pod_affinity_term.label_selector.is_none() {
                let path = preferred.index(index);
                out.push(format!("{}: {NO_SELECTOR}", path.child("podAffinityTerm").child("labelSelector")));
            }
        }
    }
}
