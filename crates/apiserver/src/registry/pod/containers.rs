//! Containers, init containers and ephemeral containers.

use api::field::{Error, Errors, Path};
use api::types::{Container, ContainerPort, EphemeralContainer, PodSpec, SecurityContext, Volume};
use api::validate::{dns1123_label, port_name, port_number};

use super::spec::required_word;
use super::{env, handlers, mounts, resources, security};
use crate::registry::rules::{complain, list, text};

const PULL_POLICIES: &[&str] = &["Always", "IfNotPresent", "Never"];
const MESSAGE_POLICIES: &[&str] = &["FallbackToLogsOnError", "File"];
const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
const CONTAINER_RESTART_POLICIES: &[&str] = &["Always", "Never", "OnFailure"];

/// What the containers of a Pod have in common.
struct Shared<'a> {
    /// Those that are well-formed.
    volumes: &'a [&'a Volume],
    /// The names of the Pod's resource claims.
    claims: &'a [&'a str],
    /// Seconds.
    grace_period: i64,
    never_restarts: bool,
}

/// All containers of a Pod. `volumes` are those that are well-formed.
pub(super) fn validate(spec: &PodSpec, volumes: &[&Volume], path: &Path, errors: &mut Errors) {
    let claims: Vec<&str> = list(&spec.resource_claims).iter().map(|claim| claim.name.as_str()).collect();
    let shared = Shared {
        volumes,
        claims: &claims,
        grace_period: spec.termination_grace_period_seconds.unwrap_or(30),
        never_restarts: text(&spec.restart_policy) == "Never",
    };
    containers(&spec.containers, &shared, &path.child("containers"), errors);
    let inits = list(&spec.init_containers);
    init_containers(inits, &spec.containers, &shared, &path.child("initContainers"), errors);
    ephemeral_containers(spec, volumes, &path.child("ephemeralContainers"), errors);
}

fn containers(list_: &[Container], shared: &Shared, path: &Path, errors: &mut Errors) {
    if list_.is_empty() {
        errors.push(Error::required(path, ""));
        return;
    }
    for (index, container) in list_.iter().enumerate() {
        let path = path.index(index);
        common(container, shared, &path, errors);
        if !container.name.is_empty() && list_[..index].iter().any(|other| other.name == container.name) {
            errors.push(Error::duplicate(&path.child("name"), container.name.as_str()));
        }
        restart_policy(container, &path, errors);
        handlers::validate(container, shared.grace_period, &path, errors);
    }
    host_port_conflicts(list_, path, errors);
}

fn init_containers(inits: &[Container], regular: &[Container], shared: &Shared, path: &Path, errors: &mut Errors) {
    for (index, container) in inits.iter().enumerate() {
        let path = path.index(index);
        common(container, shared, &path, errors);
        let same_name = |other: &Container| other.name == container.name;
        if !container.name.is_empty() && (regular.iter().any(same_name) || inits[..index].iter().any(same_name)) {
            errors.push(Error::duplicate(&path.child("name"), container.name.as_str()));
        }
        restart_policy(container, &path, errors);
        host_port_conflicts(std::slice::from_ref(container), &path, errors);
        if text(&container.restart_policy) == "Always" {
            handlers::validate(container, shared.grace_period, &path, errors);
            continue;
        }
        let mut forbid = |name: &str, is_set: bool| {
            if is_set {
                let why = "may not be set for init containers without restartPolicy=Always";
                errors.push(Error::forbidden(&path.child(name), why));
            }
        };
        forbid("lifecycle", container.lifecycle.is_some());
        forbid("livenessProbe", container.liveness_probe.is_some());
        forbid("readinessProbe", container.readiness_probe.is_some());
        forbid("startupProbe", container.startup_probe.is_some());
    }
}

fn restart_policy(container: &Container, path: &Path, errors: &mut Errors) {
    if let Some(policy) = container.restart_policy.as_deref().filter(|policy| !policy.is_empty()) {
        required_word(policy, CONTAINER_RESTART_POLICIES, &path.child("restartPolicy"), errors);
    }
}

/// The rules that all containers share.
fn common(container: &Container, shared: &Shared, path: &Path, errors: &mut Errors) {
    name_and_image(&container.name, text(&container.image), path, errors);
    let policy = text(&container.termination_message_policy);
    required_word(policy, MESSAGE_POLICIES, &path.child("terminationMessagePolicy"), errors);
    ports(list(&container.ports), &path.child("ports"), errors);
    env::variables(list(&container.env), &path.child("env"), errors);
    env::sources(list(&container.env_from), &path.child("envFrom"), errors);
    let devices = list(&container.volume_devices);
    let privileged = is_privileged(container.security_context.as_ref());
    let (mounts, volumes) = (list(&container.volume_mounts), shared.volumes);
    mounts::mounts(mounts, devices, volumes, privileged, &path.child("volumeMounts"), errors);
    mounts::devices(devices, mounts, volumes, &path.child("volumeDevices"), errors);
    let policy = text(&container.image_pull_policy);
    required_word(policy, PULL_POLICIES, &path.child("imagePullPolicy"), errors);
    if let Some(requirements) = &container.resources {
        let path = path.child("resources");
        resources::requirements(requirements, &path, errors);
        resources::claims(list(&requirements.claims), shared.claims, &path.child("claims"), errors);
    }
    let policies = list(&container.resize_policy);
    resources::resize_policies(policies, shared.never_restarts, &path.child("resizePolicy"), errors);
    if let Some(context) = &container.security_context {
        security::container(context, &path.child("securityContext"), errors);
    }
}

fn is_privileged(context: Option<&SecurityContext>) -> bool {
    context.is_some_and(|context| context.privileged == Some(true))
}

fn name_and_image(name: &str, image: &str, path: &Path, errors: &mut Errors) {
    if name.is_empty() {
        errors.push(Error::required(&path.child("name"), ""));
    } else {
        complain(errors, &path.child("name"), name, dns1123_label(name));
    }
    if image.is_empty() {
        errors.push(Error::required(&path.child("image"), ""));
    } else if image.trim() != image {
        let why = "must not have leading or trailing whitespace";
        errors.push(Error::invalid(&path.child("image"), image, why));
    }
}

fn ports(ports: &[ContainerPort], path: &Path, errors: &mut Errors) {
    for (index, port) in ports.iter().enumerate() {
        let path = path.index(index);
        let name = text(&port.name);
        if !name.is_empty() {
            let bad = port_name(name);
            let is_valid = bad.is_empty();
            complain(errors, &path.child("name"), name, bad);
            if is_valid && ports[..index].iter().any(|other| text(&other.name) == name) {
                errors.push(Error::duplicate(&path.child("name"), name));
            }
        }
        if port.container_port == 0 {
            errors.push(Error::required(&path.child("containerPort"), ""));
        } else if let Some(why) = port_number(port.container_port) {
            errors.push(Error::invalid(&path.child("containerPort"), port.container_port, why));
        }
        let host_port = port.host_port.unwrap_or(0);
        if let Some(why) = port_number(host_port).filter(|_| host_port != 0) {
            errors.push(Error::invalid(&path.child("hostPort"), host_port, why));
        }
        required_word(text(&port.protocol), PROTOCOLS, &path.child("protocol"), errors);
    }
}

fn host_port_conflicts(containers: &[Container], path: &Path, errors: &mut Errors) {
    let mut seen: Vec<(&str, &str, i32)> = Vec::new();
    for (index, container) in containers.iter().enumerate() {
        for (port_index, port) in list(&container.ports).iter().enumerate() {
            let Some(number) = port.host_port.filter(|number| *number != 0) else { continue };
            let key = (text(&port.protocol), text(&port.host_ip), number);
            if seen.contains(&key) {
                let container_path = path.index(index);
                let ports_path = container_path.child("ports");
                let value = format!("{}/{}/{}", key.0, key.1, key.2);
                errors.push(Error::duplicate(&ports_path.index(port_index).child("hostPort"), value));
            }
            seen.push(key);
        }
    }
}

fn ephemeral_containers(spec: &PodSpec, volumes: &[&Volume], path: &Path, errors: &mut Errors) {
    let ephemeral = list(&spec.ephemeral_containers);
    for (index, container) in ephemeral.iter().enumerate() {
        let path = path.index(index);
        ephemeral_container(container, volumes, &path, errors);
        let taken = spec.containers.iter().chain(list(&spec.init_containers)).any(|other| other.name == container.name)
            || ephemeral[..index].iter().any(|other| other.name == container.name);
        if taken && !container.name.is_empty() {
            errors.push(Error::duplicate(&path.child("name"), container.name.as_str()));
        }
        let target = text(&container.target_container_name);
        let exists = |target: &str| {
            spec.containers.iter().chain(list(&spec.init_containers)).any(|container| container.name == target)
        };
        if !target.is_empty() && !exists(target) {
            errors.push(Error::not_found(&path.child("targetContainerName"), target));
        }
    }
}

fn ephemeral_container(container: &EphemeralContainer, volumes: &[&Volume], path: &Path, errors: &mut Errors) {
    name_and_image(&container.name, text(&container.image), path, errors);
    let policy = text(&container.termination_message_policy);
    required_word(policy, MESSAGE_POLICIES, &path.child("terminationMessagePolicy"), errors);
    env::variables(list(&container.env), &path.child("env"), errors);
    env::sources(list(&container.env_from), &path.child("envFrom"), errors);
    let privileged = is_privileged(container.security_context.as_ref());
    mounts::mounts(list(&container.volume_mounts), &[], volumes, privileged, &path.child("volumeMounts"), errors);
    let policy = text(&container.image_pull_policy);
    required_word(policy, PULL_POLICIES, &path.child("imagePullPolicy"), errors);
    let resources = container.resources.as_ref();
    let has_resources = resources.is_some_and(|resources| resources.limits.is_some() || resources.requests.is_some());
    let fields = [
        ("ports", container.ports.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
        ("lifecycle", container.lifecycle.is_some()),
        ("resources", has_resources),
    ];
    for (name, is_set) in fields {
        if is_set {
            errors.push(Error::forbidden(&path.child(name), "cannot be set for an Ephemeral Container"));
        }
    }
    for (index, mount) in list(&container.volume_mounts).iter().enumerate() {
        let mounts_path = path.child("volumeMounts");
        let path = mounts_path.index(index);
        for (name, value) in [("subPath", &mount.sub_path), ("subPathExpr", &mount.sub_path_expr)] {
            if !text(value).is_empty() {
                errors.push(Error::forbidden(&path.child(name), "cannot be set for an Ephemeral Container"));
            }
        }
    }
}
