//! What a Pod is given that its author has left out: `SetDefaults_Pod`, `SetDefaults_PodSpec` and what they call.

use std::collections::BTreeMap;

use api::types::*;

use crate::registry::rules::{default_text, default_to, is_empty};

/// Defaults of Pods alone; those that templates share are [`spec`].
pub(super) fn pod(pod: &mut Pod) {
    let spec_ = pod.spec.get_or_insert_default();
    for container in spec_.containers.iter_mut().chain(spec_.init_containers.iter_mut().flatten()) {
        requests_from_limits(container);
    }
    whole_from_containers(spec_);
    default_to(&mut spec_.enable_service_links, true);
    // Old clients could store a negative period: it means the shortest.
    spec_.termination_grace_period_seconds = spec_.termination_grace_period_seconds.map(|seconds| match seconds {
        ..0 => 1,
        other => other,
    });
    spec(spec_);
    if spec_.host_network == Some(true) {
        let inits = spec_.init_containers.iter_mut().flatten();
        for port in inits.chain(&mut spec_.containers).flat_map(|container| container.ports.iter_mut().flatten()) {
            if port.host_port.unwrap_or(0) == 0 {
                port.host_port = Some(port.container_port);
            }
        }
    }
}

/// Limits stand for requests that are not given.
fn requests_from_limits(container: &mut Container) {
    let Some(resources) = &mut container.resources else { return };
    let Some(limits) = &resources.limits else { return };
    if limits.is_empty() {
        return;
    }
    let requests = resources.requests.get_or_insert_default();
    for (name, quantity) in limits {
        if !requests.contains_key(name) {
            requests.insert(name.clone(), quantity.clone());
        }
    }
}

/// What a Pod as a whole asks for follows from its limits and its containers: `defaultHugePagePodLimits` and
/// `defaultPodRequests`.
fn whole_from_containers(spec: &mut PodSpec) {
    let Some(mut resources) = spec.resources.take() else { return };
    let is_huge = |name: &str| name.starts_with("hugepages-");
    let sum = |of| api::quota::container_resources(spec, of);
    let is_given = |amounts: &Option<BTreeMap<String, Quantity>>| amounts.as_ref().is_some_and(|all| !all.is_empty());
    if is_given(&resources.limits) || is_given(&resources.requests) {
        for (name, limit) in sum(api::quota::limits).into_iter().filter(|(name, _)| is_huge(name)) {
            if resources.requests.as_ref().is_none_or(|requests| !requests.contains_key(&name)) {
                resources.limits.get_or_insert_default().entry(name).or_insert(limit);
            }
        }
    }
    if is_given(&resources.limits) {
        let requests = resources.requests.get_or_insert_default();
        let asked = sum(api::quota::requests).into_iter();
        for (name, request) in asked.filter(|(name, _)| matches!(name.as_str(), "cpu" | "memory")) {
            requests.entry(name).or_insert(request);
        }
        for (name, limit) in resources.limits.iter().flatten() {
            if matches!(name.as_str(), "cpu" | "memory") || is_huge(name) {
                requests.entry(name.clone()).or_insert_with(|| limit.clone());
            }
        }
    }
    spec.resources = Some(resources);
}

/// Defaults of a specification, in a Pod or in a template.
pub(in crate::registry) fn spec(spec: &mut PodSpec) {
    default_text(&mut spec.dns_policy, "ClusterFirst");
    default_text(&mut spec.restart_policy, "Always");
    default_text(&mut spec.scheduler_name, "default-scheduler");
    default_to(&mut spec.termination_grace_period_seconds, 30);
    spec.security_context.get_or_insert_default();
    if is_empty(&spec.service_account_name) {
        spec.service_account_name = spec.service_account.take().filter(|name| !name.is_empty());
    }
    spec.service_account.clone_from(&spec.service_account_name);
    for flag in [&mut spec.host_network, &mut spec.host_pid, &mut spec.host_ipc] {
        // Fields without `omitempty` in a pointer: false is not shown.
        if *flag == Some(false) {
            *flag = None;
        }
    }
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        self::container(container);
    }
    for container in spec.ephemeral_containers.iter_mut().flatten() {
        ephemeral_container(container);
    }
    for volume in spec.volumes.iter_mut().flatten() {
        self::volume(volume);
    }
}

fn container(container: &mut Container) {
    default_text(&mut container.termination_message_path, "/dev/termination-log");
    default_text(&mut container.termination_message_policy, "File");
    if is_empty(&container.image_pull_policy) {
        let policy = pull_policy(container.image.as_deref().unwrap_or_default());
        container.image_pull_policy = Some(policy.into());
    }
    container.resources.get_or_insert_default();
    for port in container.ports.iter_mut().flatten() {
        default_text(&mut port.protocol, "TCP");
    }
    for variable in container.env.iter_mut().flatten() {
        env_var(variable);
    }
    for probe in [&mut container.liveness_probe, &mut container.readiness_probe, &mut container.startup_probe] {
        probe.as_mut().into_iter().for_each(self::probe);
    }
    container.lifecycle.as_mut().into_iter().for_each(lifecycle);
}

pub(super) fn ephemeral_container(container: &mut EphemeralContainer) {
    default_text(&mut container.termination_message_path, "/dev/termination-log");
    default_text(&mut container.termination_message_policy, "File");
    if is_empty(&container.image_pull_policy) {
        let policy = pull_policy(container.image.as_deref().unwrap_or_default());
        container.image_pull_policy = Some(policy.into());
    }
    container.resources.get_or_insert_default();
    for port in container.ports.iter_mut().flatten() {
        default_text(&mut port.protocol, "TCP");
    }
    for variable in container.env.iter_mut().flatten() {
        env_var(variable);
    }
    for probe in [&mut container.liveness_probe, &mut container.readiness_probe, &mut container.startup_probe] {
        probe.as_mut().into_iter().for_each(self::probe);
    }
    container.lifecycle.as_mut().into_iter().for_each(lifecycle);
}

/// An image without a tag, or with the tag `latest`, may change under its name.
fn pull_policy(image: &str) -> &'static str {
    if image.contains('@') {
        return "IfNotPresent";
    }
    let name = image.rsplit('/').next().unwrap_or_default();
    match name.split_once(':') {
        None | Some((_, "latest")) => "Always",
        Some(_) => "IfNotPresent",
    }
}

fn env_var(variable: &mut EnvVar) {
    let Some(source) = &mut variable.value_from else { return };
    source.field_ref.as_mut().into_iter().for_each(field_ref);
    if let Some(resource) = &mut source.resource_field_ref {
        default_to(&mut resource.divisor, Quantity("0".into()));
    }
}

fn field_ref(reference: &mut ObjectFieldSelector) {
    default_text(&mut reference.api_version, "v1");
}

fn probe(probe: &mut Probe) {
    let set = |field: &mut Option<i32>, value: i32| {
        if field.unwrap_or(0) == 0 {
            *field = Some(value);
        }
    };
    set(&mut probe.timeout_seconds, 1);
    set(&mut probe.period_seconds, 10);
    set(&mut probe.success_threshold, 1);
    set(&mut probe.failure_threshold, 3);
    if probe.initial_delay_seconds == Some(0) {
        probe.initial_delay_seconds = None;
    }
    probe.http_get.as_mut().into_iter().for_each(http_get);
    if let Some(grpc) = &mut probe.grpc {
        default_to(&mut grpc.service, String::new());
    }
}

fn http_get(action: &mut HTTPGetAction) {
    default_text(&mut action.path, "/");
    default_text(&mut action.scheme, "HTTP");
}

fn lifecycle(lifecycle: &mut Lifecycle) {
    for handler in [&mut lifecycle.post_start, &mut lifecycle.pre_stop].into_iter().flatten() {
        handler.http_get.as_mut().into_iter().for_each(http_get);
    }
}

fn volume(volume: &mut Volume) {
    const MODE: i32 = 0o644;
    if let Some(secret) = &mut volume.secret {
        default_to(&mut secret.default_mode, MODE);
    }
    if let Some(config_map) = &mut volume.config_map {
        default_to(&mut config_map.default_mode, MODE);
    }
    if let Some(downward) = &mut volume.downward_api {
        default_to(&mut downward.default_mode, MODE);
        downward.items.iter_mut().flatten().for_each(downward_file);
    }
    if let Some(projected) = &mut volume.projected {
        default_to(&mut projected.default_mode, MODE);
        for source in projected.sources.iter_mut().flatten() {
            projection(source);
        }
    }
    if let Some(host_path) = &mut volume.host_path {
        default_to(&mut host_path.type_, String::new());
    }
    if let Some(iscsi) = &mut volume.iscsi {
        default_text(&mut iscsi.iscsi_interface, "default");
    }
    if let Some(template) = volume.ephemeral.as_mut().and_then(|ephemeral| ephemeral.volume_claim_template.as_mut()) {
        template.metadata.get_or_insert_default();
        default_text(&mut template.spec.volume_mode, "Filesystem");
    }
    if let Some(image) = &mut volume.image {
        let policy = pull_policy(image.reference.as_deref().unwrap_or_default());
        default_text(&mut image.pull_policy, policy);
    }
    if !has_source(volume) {
        volume.empty_dir = Some(EmptyDirVolumeSource::default());
    }
}

fn projection(source: &mut VolumeProjection) {
    if let Some(token) = &mut source.service_account_token {
        default_to(&mut token.expiration_seconds, 3600);
    }
    for file in source.downward_api.iter_mut().flat_map(|downward| downward.items.iter_mut().flatten()) {
        downward_file(file);
    }
}

fn downward_file(file: &mut DownwardAPIVolumeFile) {
    file.field_ref.as_mut().into_iter().for_each(field_ref);
    if let Some(resource) = &mut file.resource_field_ref {
        default_to(&mut resource.divisor, Quantity("0".into()));
    }
}

fn has_source(volume: &Volume) -> bool {
    super::volumes::sources(volume).any(|(_, is_set)| is_set)
}

#[cfg(test)]
mod tests {
    #[test]
    fn images_that_may_change_are_always_pulled() {
        for (image, policy) in [
            ("nginx", "Always"),
            ("nginx:latest", "Always"),
            ("nginx:1.27", "IfNotPresent"),
            ("localhost:5000/web", "Always"),
            ("localhost:5000/web:2", "IfNotPresent"),
            ("nginx@sha256:00", "IfNotPresent"),
        ] {
            assert_eq!(super::pull_policy(image), policy, "{image}");
        }
    }
}
