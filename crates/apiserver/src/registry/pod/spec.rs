//! `ValidatePodSpec`: the rules of a specification, in a Pod or in a template, in upstream's order.

use api::field::{Error, Errors, Path};
use api::types::{ObjectMeta, PodSpec};
use api::validate::{dns1123_label, dns1123_subdomain, labels, qualified_name};

use super::{affinity, containers, dns, env, resources, security, spread, tolerations, volumes, windows};
use crate::registry::addresses::{BAD_IP, is_ip};
use crate::registry::rules::{complain, list, one_of, text};

const RESTART_POLICIES: &[&str] = &["Always", "OnFailure", "Never"];
const DNS_POLICIES: &[&str] = &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const PREEMPTION_POLICIES: &[&str] = &["PreemptLowerPriority", "Never"];

/// `pod` is the metadata of the Pod, where the specification is one's and no template's.
pub(in crate::registry) fn validate(spec: &PodSpec, pod: Option<&ObjectMeta>, path: &Path, errors: &mut Errors) {
    let name = pod.and_then(|meta| meta.name.as_deref());
    let volumes = volumes::validate(list(&spec.volumes), name, &path.child("volumes"), errors);
    resources::pod_claims(list(&spec.resource_claims), &path.child("resourceClaims"), errors);
    containers::validate(spec, &volumes, path, errors);
    resources::of_pod(spec, path, errors);
    host_ports(spec, pod.is_some(), path, errors);
    required_word(text(&spec.restart_policy), RESTART_POLICIES, &path.child("restartPolicy"), errors);
    required_word(text(&spec.dns_policy), DNS_POLICIES, &path.child("dnsPolicy"), errors);
    labels(spec.node_selector.as_ref(), &path.child("nodeSelector"), errors);
    security::pod(spec, path, errors);
    if let Some(wanted) = &spec.affinity {
        affinity::validate(wanted, &path.child("affinity"), errors);
    }
    dns::validate(spec, &path.child("dnsConfig"), errors);
    for (index, gate) in list(&spec.readiness_gates).iter().enumerate() {
        let path = path.child("readinessGates");
        let bad = qualified_name(&gate.condition_type);
        complain(errors, &path.index(index).child("conditionType"), &gate.condition_type, bad);
    }
    scheduling_gates(spec, &path.child("schedulingGates"), errors);
    spread::validate(list(&spec.topology_spread_constraints), &path.child("topologySpreadConstraints"), errors);
    windows::host_processes(spec, path, errors);
    own_users(spec, path, errors);
    hostname_override(spec, path, errors);
    names(spec, path, errors);
    tolerations::validate(list(&spec.tolerations), &path.child("tolerations"), errors);
    host_aliases(spec, &path.child("hostAliases"), errors);
    subdomain(text(&spec.priority_class_name), &path.child("priorityClassName"), errors);
    if let Some(class) = &spec.runtime_class_name {
        complain(errors, &path.child("runtimeClassName"), class, dns1123_subdomain(class));
    }
    if let Some(policy) = &spec.preemption_policy {
        required_word(policy, PREEMPTION_POLICIES, &path.child("preemptionPolicy"), errors);
    }
    if let Some(overhead) = &spec.overhead {
        resources::overhead(overhead, &path.child("overhead"), errors);
    }
    if let Some(os) = &spec.os {
        let path = path.child("os");
        match os.name.as_str() {
            "" => errors.push(Error::required(&path.child("name"), "")),
            name => one_of(name, &["linux", "windows"], &path, errors),
        }
    }
    security::for_system(spec, path, errors);
    containers::each(spec, path, |container, path| {
        env::files(list(&container.env), list(&spec.volumes), &path.child("env"), errors);
    });
}

/// `validateHostUsers`
fn own_users(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    const WHY: &str = "when `hostUsers` is false";
    if spec.host_users != Some(false) {
        return;
    }
    // Upstream writes two of the names with capitals.
    for (name, flag) in [("hostNetwork", spec.host_network), ("HostPID", spec.host_pid), ("HostIPC", spec.host_ipc)] {
        if flag == Some(true) {
            errors.push(Error::forbidden(&path.child(name), WHY));
        }
    }
    containers::each(spec, path, |container, path| {
        if !list(&container.volume_devices).is_empty() {
            errors.push(Error::forbidden(&path.child("volumeDevices"), WHY));
        }
    });
}

/// `validatePodHostName`
fn hostname_override(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    const LENGTH_MAX: usize = 64;
    let Some(name) = &spec.hostname_override else { return };
    let path = path.child("hostnameOverride");
    for (flag, what) in [(spec.set_hostname_as_fqdn, "setHostnameAsFQDN"), (spec.host_network, "hostNetwork")] {
        if flag == Some(true) {
            errors.push(Error::forbidden(&path, format!("may not be specified when {what} is true")));
        }
    }
    if name.len() > LENGTH_MAX {
        errors.push(Error::too_long(&path, LENGTH_MAX));
    }
    complain(errors, &path, name, dns1123_subdomain(name));
}

/// A word that must be there and be one of a few.
pub(in crate::registry) fn required_word(value: &str, supported: &[&str], path: &Path, errors: &mut Errors) {
    if value.is_empty() {
        errors.push(Error::required(path, ""));
    } else if !supported.contains(&value) {
        errors.push(Error::not_supported(path, value, supported));
    }
}

fn subdomain(name: &str, path: &Path, errors: &mut Errors) {
    if !name.is_empty() {
        complain(errors, path, name, dns1123_subdomain(name));
    }
}

fn names(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    subdomain(text(&spec.service_account_name), &path.child("serviceAccountName"), errors);
    subdomain(text(&spec.node_name), &path.child("nodeName"), errors);
    if let Some(seconds) = spec.active_deadline_seconds.filter(|seconds| !(1..=i64::from(i32::MAX)).contains(seconds)) {
        let why = "must be between 1 and 2147483647, inclusive";
        errors.push(Error::invalid(&path.child("activeDeadlineSeconds"), seconds, why));
    }
    for (name, value) in [("hostname", text(&spec.hostname)), ("subdomain", text(&spec.subdomain))] {
        if !value.is_empty() {
            complain(errors, &path.child(name), value, dns1123_label(value));
        }
    }
}

/// On the node's own network a port cannot be mapped to another. A template's are filled in when its Pods are made.
fn host_ports(spec: &PodSpec, is_pod: bool, path: &Path, errors: &mut Errors) {
    if spec.host_network != Some(true) {
        return;
    }
    let path = path.child("containers");
    for (index, container) in spec.containers.iter().enumerate() {
        let container_path = path.index(index);
        let path = container_path.child("ports");
        for (index, port) in list(&container.ports).iter().enumerate() {
            let host_port = port.host_port.unwrap_or(0);
            if (is_pod || host_port != 0) && host_port != port.container_port {
                let why = "must match `containerPort` when `hostNetwork` is true";
                errors.push(Error::invalid(&path.index(index).child("hostPort"), host_port, why));
            }
        }
    }
}

fn scheduling_gates(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let gates = list(&spec.scheduling_gates);
    for (index, gate) in gates.iter().enumerate() {
        let path = path.index(index);
        let bad = qualified_name(&gate.name);
        complain(errors, &path, &gate.name, bad);
        if gates[..index].iter().any(|other| other.name == gate.name) {
            errors.push(Error::duplicate(&path, gate.name.as_str()));
        }
    }
}

fn host_aliases(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    for (index, alias) in list(&spec.host_aliases).iter().enumerate() {
        let path = path.index(index);
        if !is_ip(&alias.ip) {
            errors.push(Error::invalid(&path.child("ip"), alias.ip.as_str(), BAD_IP));
        }
        for (index, name) in list(&alias.hostnames).iter().enumerate() {
            let path = path.child("hostnames");
            complain(errors, &path.index(index), name, dns1123_subdomain(name));
        }
    }
}
