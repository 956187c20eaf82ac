//! What may change in a Pod once it exists: very little.

use api::field::{Error, Errors, Path};
use api::types::{
    Affinity, Container, ContainerRestartRule, ContainerStateTerminated, ContainerStatus, NodeAffinity,
    NodeSelectorTerm, Pod, PodSpec, PodStatus, Toleration,
};
use api::validate::{dns1123_subdomain, qualified_name};
use serde_json::Value;

use super::tolerations;
use crate::registry::addresses::{BAD_IP, is_ip, parse_ip};
use crate::registry::go_diff;
use crate::registry::rules::{IMMUTABLE, complain, is_empty, list, text};

const MAY_CHANGE: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
     `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
     tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

pub(super) fn validate(new: &PodSpec, old: &PodSpec, errors: &mut Errors) {
    let path = Path::new("spec");
    let lists = [
        ("containers", new.containers.as_slice(), old.containers.as_slice()),
        ("initContainers", list(&new.init_containers), list(&old.init_containers)),
    ];
    for (name, new, old) in lists {
        if !same_containers(new, old, &path.child(name), errors) {
            return;
        }
    }
    if !deadline(new, old, &path.child("activeDeadlineSeconds"), errors) {
        return;
    }
    only_added_tolerations(new, old, &path.child("tolerations"), errors);
    only_deleted_gates(new, old, &path.child("schedulingGates"), errors);
    if new == old {
        return;
    }
    let munged = munged(new, old, &path, errors);
    if munged != *old {
        let diff = go_diff::diff("core.v1.PodSpec", old, &munged);
        errors.push(Error::forbidden(&path, format!("{MAY_CHANGE}\n{diff}")));
    }
}

/// Images may change, containers may not come or go. False: there is nothing more to compare.
fn same_containers(new: &[Container], old: &[Container], path: &Path, errors: &mut Errors) -> bool {
    if new.len() != old.len() {
        errors.push(Error::forbidden(path, "pod updates may not add or remove containers"));
        return false;
    }
    for (index, container) in new.iter().enumerate() {
        let path = path.index(index);
        let image = text(&container.image);
        if image.is_empty() {
            errors.push(Error::required(&path.child("image"), ""));
        }
        if image.trim() != image {
            let why = "must not have leading or trailing whitespace";
            errors.push(Error::invalid(&path.child("image"), image, why));
        }
    }
    true
}

/// A deadline may come, and come closer.
fn deadline(new: &PodSpec, old: &PodSpec, path: &Path, errors: &mut Errors) -> bool {
    match (new.active_deadline_seconds, old.active_deadline_seconds) {
        (Some(seconds), _) if !(0..=i64::from(i32::MAX)).contains(&seconds) => {
            errors.push(Error::invalid(path, seconds, "must be between 0 and 2147483647, inclusive"));
            false
        }
        (Some(seconds), Some(before)) if before < seconds => {
            errors.push(Error::invalid(path, seconds, "must be less than or equal to previous value"));
            false
        }
        (None, Some(_)) => {
            errors.push(Error::invalid(path, Value::Null, "must not update from a positive integer to nil value"));
            true
        }
        _ => true,
    }
}

fn only_added_tolerations(new: &PodSpec, old: &PodSpec, path: &Path, errors: &mut Errors) {
    let same_but_seconds = |one: &Toleration, other: &Toleration| {
        one.key == other.key && one.operator == other.operator && one.value == other.value && one.effect == other.effect
    };
    let kept = |before: &Toleration| list(&new.tolerations).iter().any(|now| same_but_seconds(now, before));
    if !list(&old.tolerations).iter().all(kept) {
        let why = "existing toleration can not be modified except its tolerationSeconds";
        errors.push(Error::forbidden(path, why));
        return;
    }
    tolerations::validate(list(&new.tolerations), path, errors);
}

fn only_deleted_gates(new: &PodSpec, old: &PodSpec, path: &Path, errors: &mut Errors) {
    let existed = |name: &str| list(&old.scheduling_gates).iter().any(|gate| gate.name == name);
    for (index, gate) in list(&new.scheduling_gates).iter().enumerate() {
        if !existed(&gate.name) {
            let why = format!("only deletion is allowed, but found new scheduling gate '{}'", gate.name);
            errors.push(Error::forbidden(&path.index(index).child("name"), why));
        }
    }
}

/// The new specification with everything that may change set back.
fn munged(new: &PodSpec, old: &PodSpec, path: &Path, errors: &mut Errors) -> PodSpec {
    let mut munged = new.clone();
    let inits = munged.init_containers.iter_mut().flatten().zip(list(&old.init_containers));
    for (container, before) in munged.containers.iter_mut().zip(&old.containers).chain(inits) {
        container.image.clone_from(&before.image);
    }
    munged.active_deadline_seconds = old.active_deadline_seconds;
    munged.tolerations.clone_from(&old.tolerations);
    munged.scheduling_gates.clone_from(&old.scheduling_gates);
    if old.termination_grace_period_seconds.is_some_and(|seconds| seconds < 0)
        && munged.termination_grace_period_seconds == Some(1)
    {
        munged.termination_grace_period_seconds = old.termination_grace_period_seconds;
    }
    if !list(&old.scheduling_gates).is_empty() {
        // A Pod that does not run yet may still be told where to.
        node_selector(new, old, &path.child("nodeSelector"), errors);
        munged.node_selector.clone_from(&old.node_selector);
        let before = old.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
        let after = munged.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
        if before != after {
            let path = path.child("affinity");
            node_affinity(after, before, &path.child("nodeAffinity"), errors);
            let affinity = munged.affinity.get_or_insert_default();
            affinity.node_affinity = before.cloned();
            if old.affinity.is_none() && *affinity == Affinity::default() {
                munged.affinity = None;
            }
        }
    }
    munged
}

/// `validateNodeSelectorMutation`
fn node_selector(new: &PodSpec, old: &PodSpec, path: &Path, errors: &mut Errors) {
    let kept = |key: &String, value: &String| new.node_selector.as_ref().and_then(|now| now.get(key)) == Some(value);
    if !old.node_selector.iter().flatten().all(|(key, value)| kept(key, value)) {
        let value = api::wire::value_of(&new.node_selector);
        let why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        errors.push(Error::invalid(path, value, why));
    }
}

/// `validateNodeAffinityMutation`
fn node_affinity(new: Option<&NodeAffinity>, old: Option<&NodeAffinity>, path: &Path, errors: &mut Errors) {
    fn terms(affinity: Option<&NodeAffinity>) -> &[NodeSelectorTerm] {
        let required =
            affinity.and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref());
        required.map(|selector| selector.node_selector_terms.as_slice()).unwrap_or_default()
    }
    let (new, old) = (terms(new), terms(old));
    if old.is_empty() {
        return;
    }
    let path = path.child("requiredDuringSchedulingIgnoredDuringExecution");
    let path = path.child("nodeSelectorTerms");
    let shown = |term: &NodeSelectorTerm| go_diff::compact("core.v1.NodeSelectorTerm", term);
    if new.len() != old.len() {
        let shown = new.iter().map(shown).collect::<Vec<_>>().join(",");
        let shown = if new.is_empty() { "null".into() } else { format!("[{shown}]") };
        let why = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        errors.push(Error::invalid_verbatim(&path, shown, why));
        return;
    }
    for (index, (now, before)) in new.iter().zip(old).enumerate() {
        let was_empty = list(&before.match_expressions).is_empty() && list(&before.match_fields).is_empty();
        let is_empty = list(&now.match_expressions).is_empty() && list(&now.match_fields).is_empty();
        let adds = list(&now.match_expressions).starts_with(list(&before.match_expressions))
            && list(&now.match_fields).starts_with(list(&before.match_fields));
        if !adds || (was_empty && !is_empty) {
            let why = "only additions are allowed (no mutations or deletions)";
            errors.push(Error::invalid_verbatim(&path.index(index), shown(now), why));
        }
    }
}

/// `ValidatePodStatusUpdate`
pub(super) fn validate_status(new: &Pod, old: &Pod) -> Errors {
    let mut errors = Errors::new();
    let path = Path::new("status");
    let none = (PodStatus::default(), PodSpec::default());
    let (status, before) = (new.status.as_ref().unwrap_or(&none.0), old.status.as_ref().unwrap_or(&none.0));
    let spec = old.spec.as_ref().unwrap_or(&none.1);
    for (index, condition) in list(&status.conditions).iter().enumerate() {
        let conditions_path = path.child("conditions");
        let path = conditions_path.index(index);
        not_below_zero(condition.observed_generation, &path.child("observedGeneration"), &mut errors);
        if !matches!(condition.type_.as_str(), "PodScheduled" | "Ready" | "Initialized") {
            complain(&mut errors, &path.child("Type"), &condition.type_, qualified_name(&condition.type_));
        }
    }
    let nominated = text(&status.nominated_node_name);
    if !nominated.is_empty() && nominated != text(&before.nominated_node_name) {
        let path = path.child("nominatedNodeName");
        complain(&mut errors, &path, nominated, dns1123_subdomain(nominated));
        if !is_empty(&spec.node_name) {
            let why = "may not be set on pods that are already bound to a node";
            errors.push(Error::forbidden(&path, why));
        }
    }
    not_below_zero(status.observed_generation, &path.child("observedGeneration"), &mut errors);
    if text(&status.qos_class) != text(&before.qos_class) {
        errors.push(Error::invalid(&path.child("qosClass"), text(&status.qos_class), IMMUTABLE));
    }
    let restarts = |containers: &[Container], status: &ContainerStatus| {
        containers.iter().find(|container| container.name == status.name).is_some_and(|container| {
            let code = ended(status).map(|ended| ended.exit_code).unwrap_or_default();
            may_restart(container, spec, code)
        })
    };
    let all = spec.containers.iter().chain(list(&spec.init_containers));
    let any_restarts_all = all.flat_map(|container| list(&container.restart_policy_rules));
    let any_restarts_all = any_restarts_all.into_iter().any(|rule| rule.action == "RestartAllContainers");
    let lists = [
        ("containerStatuses", &status.container_statuses, &before.container_statuses, &spec.containers[..]),
        (
            "initContainerStatuses",
            &status.init_container_statuses,
            &before.init_container_statuses,
            list(&spec.init_containers),
        ),
        ("ephemeralContainerStatuses", &status.ephemeral_container_statuses, &before.ephemeral_container_statuses, &[]),
    ];
    for (name, after, before, containers) in lists {
        if any_restarts_all && name != "ephemeralContainerStatuses" {
            continue;
        }
        for (index, was) in list(before).iter().enumerate().filter(|(_, was)| ended(was).is_some()) {
            let now = list(after).iter().find(|now| now.name == was.name && ended(now).is_none());
            if now.is_some() && !restarts(containers, was) {
                let why = "may not be transitioned to non-terminated state";
                let path = path.child(name);
                errors.push(Error::forbidden(&path.index(index).child("state"), why));
            }
        }
    }
    addresses(status, &path, &mut errors);
    errors
}

fn ended(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    status.state.as_ref()?.terminated.as_ref()
}

/// Upstream's `podutil.ContainerShouldRestart`.
fn may_restart(container: &Container, spec: &PodSpec, code: i32) -> bool {
    let by_policy = |policy: &str| policy == "Always" || (policy == "OnFailure" && code != 0);
    let Some(own) = container.restart_policy.as_deref() else { return by_policy(text(&spec.restart_policy)) };
    let fits = |rule: &&ContainerRestartRule| {
        rule.exit_codes.as_ref().is_some_and(|codes| list(&codes.values).contains(&code) == (codes.operator == "In"))
    };
    match list(&container.restart_policy_rules).iter().find(fits) {
        Some(rule) => rule.action == "Restart",
        None => by_policy(own),
    }
}

fn not_below_zero(generation: Option<i64>, path: &Path, errors: &mut Errors) {
    if let Some(generation) = generation.filter(|generation| *generation < 0) {
        errors.push(Error::invalid(path, generation, "must be a non-negative integer"));
    }
}

/// `validatePodIPs` and `validateHostIPs`
fn addresses(status: &PodStatus, path: &Path, errors: &mut Errors) {
    let of_pod: Vec<&str> = list(&status.pod_ips).iter().map(|one| one.ip.as_str()).collect();
    let of_host: Vec<&str> = list(&status.host_ips).iter().map(|one| one.ip.as_str()).collect();
    if let Some(first) = of_host.first().filter(|first| **first != text(&status.host_ip)) {
        let path = path.child("hostIPs");
        errors.push(Error::invalid(&path.index(0).child("ip"), *first, "must be equal to `hostIP`"));
    }
    for (name, all) in [("podIPs", of_pod), ("hostIPs", of_host)] {
        let path = path.child(name);
        for (index, address) in all.iter().enumerate().filter(|(_, address)| !is_ip(address)) {
            errors.push(Error::invalid(&path.index(index), *address, BAD_IP));
        }
        let families: Vec<bool> = all.iter().filter_map(|address| Some(parse_ip(address)?.is_ipv4())).collect();
        if all.len() > 1 && !(families.len() == 2 && families[0] != families[1]) {
            let shown = all.iter().map(|ip| format!("{{\"IP\":{}}}", Value::from(*ip))).collect::<Vec<_>>().join(",");
            let why = "may specify no more than one IP for each IP family";
            errors.push(Error::invalid_verbatim(&path, format!("[{shown}]"), why));
        }
    }
}
