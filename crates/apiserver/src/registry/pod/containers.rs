//! Containers, init containers and ephemeral containers.

use api::field::{Error, Errors, Path};
use api::types::{Container, ContainerPort, EphemeralContainer, PodSpec, SecurityContext, Volume};
use api::validate::{dns1123_label, port_name, port_number};

use super::resources::Level;
use super::spec::required_word;
use super::{env, handlers, mounts, resources, security};
use crate::registry::rules::{complain, list, one_of, text};

pub(super) const PULL_POLICIES: &[&str] = &["Always", "IfNotPresent", "Never"];
const MESSAGE_POLICIES: &[&str] = &["File", "FallbackToLogsOnError"];
const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
const CONTAINER_RESTART_POLICIES: &[&str] = &["Always", "Never", "OnFailure"];

const NOT_EPHEMERAL: &str = "cannot be set for an Ephemeral Container";
const RULES_MAX: usize = 20;
const EXIT_CODES_MAX: usize = 255;

/// What the containers of a Pod have in common.
struct Shared<'a> {
    /// Those that are well-formed.
    volumes: &'a [&'a Volume],
    /// The names of the Pod's resource claims.
    claims: &'a [&'a str],
    /// Seconds.
    grace_period: i64,
    never_restarts: bool,
    /// The Pod's users are those of its node.
    host_users: bool,
}

/// All containers of a Pod. `volumes` are those that are well-formed.
pub(super) fn validate(spec: &PodSpec, volumes: &[&Volume], path: &Path, errors: &mut Errors) {
    let claims = list(&spec.resource_claims).iter().map(|claim| claim.name.as_str());
    let claims: Vec<&str> = claims.filter(|name| !name.is_empty()).collect();
    let shared = Shared {
        volumes,
        claims: &claims,
        grace_period: spec.termination_grace_period_seconds.unwrap_or(30),
        never_restarts: text(&spec.restart_policy) == "Never",
        host_users: spec.host_users != Some(false),
    };
    containers(&spec.containers, &shared, &path.child("containers"), errors);
    let inits = list(&spec.init_containers);
    init_containers(inits, &spec.containers, &shared, &path.child("initContainers"), errors);
    ephemeral_containers(spec, &shared, &path.child("ephemeralContainers"), errors);
}

/// All containers with their places: init containers come first, as upstream's visitor has it.
pub(super) fn each(spec: &PodSpec, path: &Path, mut visit: impl FnMut(&Container, &Path)) {
    for (name, containers) in [("initContainers", list(&spec.init_containers)), ("containers", &spec.containers[..])] {
        let path = path.child(name);
        for (index, container) in containers.iter().enumerate() {
            visit(container, &path.index(index));
        }
    }
    let path = path.child("ephemeralContainers");
    for (index, container) in list(&spec.ephemeral_containers).iter().enumerate() {
        visit(&as_container(container), &path.index(index));
    }
}

/// Spaces around an image's name: templates may have them, Pods may not.
pub(super) fn images(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let lists = [("containers", &spec.containers[..]), ("initContainers", list(&spec.init_containers))];
    for (name, containers) in lists {
        let path = path.child(name);
        for (index, container) in containers.iter().enumerate() {
            image_spaces(container, &path.index(index), errors);
        }
    }
}

fn image_spaces(container: &Container, path: &Path, errors: &mut Errors) {
    let image = text(&container.image);
    if image.trim() != image {
        let why = "must not have leading or trailing whitespace";
        errors.push(Error::invalid(&path.child("image"), image, why));
    }
}

fn containers(list_: &[Container], shared: &Shared, path: &Path, errors: &mut Errors) {
    if list_.is_empty() {
        errors.push(Error::required(path, ""));
        return;
    }
    for (index, container) in list_.iter().enumerate() {
        let path = path.index(index);
        common(container, shared, &path, errors);
        if list_[..index].iter().any(|other| other.name == container.name) {
            errors.push(Error::duplicate(&path.child("name"), container.name.as_str()));
        }
        handlers::validate(container, shared.grace_period, &path, errors);
        restart_policy(container, &path, errors);
    }
    host_port_conflicts(list_, path, errors);
}

fn init_containers(inits: &[Container], regular: &[Container], shared: &Shared, path: &Path, errors: &mut Errors) {
    for (index, container) in inits.iter().enumerate() {
        let item_path = path.index(index);
        common(container, shared, &item_path, errors);
        restart_policy(container, &item_path, errors);
        let same_name = |other: &Container| other.name == container.name;
        let is_taken =
            regular.iter().any(same_name) || (!container.name.is_empty() && inits[..index].iter().any(same_name));
        if is_taken {
            errors.push(Error::duplicate(&item_path.child("name"), container.name.as_str()));
        }
        // They run one after the other; upstream counts each as the first.
        host_port_conflicts(std::slice::from_ref(container), path, errors);
        if text(&container.restart_policy) == "Always" {
            handlers::validate(container, shared.grace_period, &item_path, errors);
            continue;
        }
        let mut forbid = |name: &str, is_set: bool| {
            if is_set {
                let why = "may not be set for init containers without restartPolicy=Always";
                errors.push(Error::forbidden(&item_path.child(name), why));
            }
        };
        forbid("lifecycle", container.lifecycle.is_some());
        forbid("livenessProbe", container.liveness_probe.is_some());
        forbid("readinessProbe", container.readiness_probe.is_some());
        forbid("startupProbe", container.startup_probe.is_some());
        let policies_path = item_path.child("resizePolicy");
        for (index, policy) in list(&container.resize_policy).iter().enumerate() {
            if policy.restart_policy == "RestartContainer" {
                let why = "must not be set to 'RestartContainer' for non-sidecar initContainers";
                let path = policies_path.index(index);
                errors.push(Error::invalid(&path.child("restartPolicy"), policy.restart_policy.as_str(), why));
            }
        }
    }
}

/// `validateContainerRestartPolicy`
fn restart_policy(container: &Container, path: &Path, errors: &mut Errors) {
    let rules = list(&container.restart_policy_rules);
    let policy_path = path.child("restartPolicy");
    match &container.restart_policy {
        None if rules.is_empty() => {}
        None => errors.push(Error::required(&policy_path, "must specify restartPolicy when restart rules are used")),
        Some(policy) => one_of(policy, CONTAINER_RESTART_POLICIES, &policy_path, errors),
    }
    let rules_path = path.child("restartPolicyRules");
    if rules.len() > RULES_MAX {
        errors.push(Error::too_many(&rules_path, rules.len(), RULES_MAX));
    }
    for (index, rule) in rules.iter().enumerate() {
        let path = rules_path.index(index);
        one_of(&rule.action, &["Restart", "RestartAllContainers"], &path.child("action"), errors);
        let codes_path = path.child("exitCodes");
        let Some(codes) = &rule.exit_codes else {
            errors.push(Error::required(&codes_path, "must be specified"));
            continue;
        };
        one_of(&codes.operator, &["In", "NotIn"], &codes_path.child("operator"), errors);
        let values = list(&codes.values);
        if values.len() > EXIT_CODES_MAX {
            errors.push(Error::too_many(&codes_path.child("values"), values.len(), EXIT_CODES_MAX));
        }
    }
}

/// The rules that all containers share.
fn common(container: &Container, shared: &Shared, path: &Path, errors: &mut Errors) {
    if container.name.is_empty() {
        errors.push(Error::required(&path.child("name"), ""));
    } else {
        complain(errors, &path.child("name"), &container.name, dns1123_label(&container.name));
    }
    if text(&container.image).is_empty() {
        errors.push(Error::required(&path.child("image"), ""));
    }
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
        resources::requirements(requirements, shared.claims, Level::Container, &path, errors);
    }
    let policies = list(&container.resize_policy);
    resources::resize_policies(policies, shared.never_restarts, &path.child("resizePolicy"), errors);
    if let Some(context) = &container.security_context {
        security::container(context, shared.host_users, &path.child("securityContext"), errors);
    }
}

fn is_privileged(context: Option<&SecurityContext>) -> bool {
    context.is_some_and(|context| context.privileged == Some(true))
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

fn ephemeral_containers(spec: &PodSpec, shared: &Shared, path: &Path, errors: &mut Errors) {
    let ephemeral = list(&spec.ephemeral_containers);
    let others = || spec.containers.iter().chain(list(&spec.init_containers));
    for (index, container) in ephemeral.iter().enumerate() {
        let path = path.index(index);
        let plain = as_container(container);
        common(&plain, shared, &path, errors);
        image_spaces(&plain, &path, errors);
        let name = container.name.as_str();
        if others().any(|other| other.name == name) || ephemeral[..index].iter().any(|other| other.name == name) {
            errors.push(Error::duplicate(&path.child("name"), name));
        }
        let target = text(&container.target_container_name);
        if !target.is_empty() && !others().any(|other| other.name == target) {
            errors.push(Error::not_found(&path.child("targetContainerName"), target));
        }
        let has_resources = plain.resources.as_ref().is_some_and(|resources| *resources != Default::default());
        let fields = [
            ("ports", plain.ports.is_some()),
            ("resources", has_resources),
            ("resizePolicy", plain.resize_policy.is_some()),
            ("restartPolicy", plain.restart_policy.is_some()),
            ("restartPolicyRules", plain.restart_policy_rules.is_some()),
            ("livenessProbe", plain.liveness_probe.is_some()),
            ("readinessProbe", plain.readiness_probe.is_some()),
            ("startupProbe", plain.startup_probe.is_some()),
            ("lifecycle", plain.lifecycle.is_some()),
        ];
        for (name, _) in fields.iter().filter(|(_, is_set)| *is_set) {
            errors.push(Error::forbidden(&path.child(name), NOT_EPHEMERAL));
        }
        for (index, mount) in list(&container.volume_mounts).iter().enumerate() {
            let mounts_path = path.child("volumeMounts");
            let path = mounts_path.index(index);
            for (name, value) in [("subPath", &mount.sub_path), ("subPathExpr", &mount.sub_path_expr)] {
                if !text(value).is_empty() {
                    errors.push(Error::forbidden(&path.child(name), NOT_EPHEMERAL));
                }
            }
        }
    }
}

/// The same container as if it were a regular one: upstream's `EphemeralContainerCommon`.
fn as_container(container: &EphemeralContainer) -> Container {
    let one = container.clone();
    Container {
        args: one.args,
        command: one.command,
        env: one.env,
        env_from: one.env_from,
        image: one.image,
        image_pull_policy: one.image_pull_policy,
        lifecycle: one.lifecycle,
        liveness_probe: one.liveness_probe,
        name: one.name,
        ports: one.ports,
        readiness_probe: one.readiness_probe,
        resize_policy: one.resize_policy,
        resources: one.resources,
        restart_policy: one.restart_policy,
        restart_policy_rules: one.restart_policy_rules,
        security_context: one.security_context,
        startup_probe: one.startup_probe,
        stdin: one.stdin,
        stdin_once: one.stdin_once,
        termination_message_path: one.termination_message_path,
        termination_message_policy: one.termination_message_policy,
        tty: one.tty,
        volume_devices: one.volume_devices,
        volume_mounts: one.volume_mounts,
        working_dir: one.working_dir,
    }
}
