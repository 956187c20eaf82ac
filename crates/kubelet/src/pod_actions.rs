//! What a sync has to do to a Pod's containers: upstream's `computePodActions`. A pure function of what is known.

use api::types::{Container, Pod};

use crate::container::{ContainerKind, ContainerRecord};
use crate::prober::ProbeKind;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Actions {
    pub create_sandbox: bool,
    /// Nothing will ever run again.
    pub kill_pod: bool,
    /// Containers to stop first, with the event's message and whether the probe's own grace period applies.
    pub kill: Vec<(usize, String, Option<ProbeKind>)>,
    /// Containers to start, in this order.
    pub start: Vec<usize>,
}

/// `attempt`: the number of the sandbox that is ready, if one is.
pub fn compute(pod: &Pod, records: &[ContainerRecord], attempt: Option<u32>) -> Actions {
    let policy = restart_policy(pod);
    let Some(attempt) = attempt else { return with_new_sandbox(pod, records, policy) };
    let mut actions = Actions::default();
    let initialized = records.iter().any(|record| record.kind == ContainerKind::Regular && is_of(record, attempt))
        || !add_init_actions(&mut actions, pod, records, attempt, policy);
    if !initialized {
        return actions;
    }
    for (number, record) in records.iter().enumerate() {
        let Some(container) = record.spec(pod) else { continue };
        match record.kind {
            ContainerKind::Init => {}
            ContainerKind::Sidecar if !actions.start.contains(&number) => {
                add_container_actions(&mut actions, number, record, container, policy);
            }
            ContainerKind::Sidecar => {}
            ContainerKind::Regular => add_container_actions(&mut actions, number, record, container, policy),
        }
    }
    let regular_left = records.iter().enumerate().any(|(number, record)| {
        record.kind == ContainerKind::Regular && (record.is_running() || actions.start.contains(&number))
    });
    if !regular_left {
        actions.kill_pod = true;
        actions.start.clear();
    }
    actions
}

fn with_new_sandbox(pod: &Pod, records: &[ContainerRecord], policy: &str) -> Actions {
    let ran = records.iter().any(|record| record.current.is_some());
    if policy == "Never" && ran {
        return Actions { kill_pod: true, ..Actions::default() };
    }
    let wanted = |record: &ContainerRecord| record.spec(pod).is_some_and(|spec| should_restart(record, spec, policy));
    let regular: Vec<usize> = (0..records.len())
        .filter(|&number| records[number].kind == ContainerKind::Regular)
        .filter(|&number| records[number].current.is_none() || wanted(&records[number]))
        .collect();
    if regular.is_empty() {
        return Actions { kill_pod: true, ..Actions::default() };
    }
    let start = if records.first().is_some_and(ContainerRecord::is_init) { vec![0] } else { regular };
    Actions { create_sandbox: true, start, ..Actions::default() }
}

/// The next init container, if any. Whether initialization still goes on.
fn add_init_actions(actions: &mut Actions, pod: &Pod, records: &[ContainerRecord], attempt: u32, policy: &str) -> bool {
    for (number, record) in records.iter().enumerate().filter(|(_, record)| record.is_init()) {
        let Some(container) = record.spec(pod) else { continue };
        if !is_of(record, attempt) {
            actions.start.push(number);
            return true;
        }
        if record.kind == ContainerKind::Sidecar {
            add_container_actions(actions, number, record, container, policy);
            if !record.is_running() || !record.started {
                return true;
            }
            continue;
        }
        match record.exit() {
            Some(exit) if exit.code == 0 => {}
            Some(_) if policy == "Never" && !should_restart(record, container, policy) => {
                actions.kill_pod = true;
                actions.start.clear();
                return true;
            }
            Some(_) => {
                actions.start.push(number);
                return true;
            }
            // It runs, or was created and could not be started.
            None => {
                if !record.is_running() {
                    actions.start.push(number);
                }
                return true;
            }
        }
    }
    false
}

fn add_container_actions(
    actions: &mut Actions,
    number: usize,
    record: &ContainerRecord,
    container: &Container,
    policy: &str,
) {
    if !record.is_running() {
        if should_restart(record, container, policy) {
            actions.start.push(number);
        }
        return;
    }
    let failed = [(ProbeKind::Liveness, "liveness"), (ProbeKind::Startup, "startup")]
        .into_iter()
        .find(|(kind, _)| record.probes.has_failed(*kind));
    let Some((kind, name)) = failed else { return };
    let restarts = container_policy(container, policy) != "Never";
    let verdict = if restarts { ", will be restarted" } else { "" };
    actions.kill.push((number, format!("Container {} failed {name} probe{verdict}", record.name), Some(kind)));
    if restarts {
        actions.start.push(number);
    }
}

/// It was created in the sandbox of that number.
fn is_of(record: &ContainerRecord, attempt: u32) -> bool {
    record.current.as_ref().is_some_and(|instance| instance.attempt == attempt)
}

pub fn restart_policy(pod: &Pod) -> &str {
    pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always")
}

fn container_policy<'a>(container: &'a Container, policy: &'a str) -> &'a str {
    container.restart_policy.as_deref().unwrap_or(policy)
}

/// Whether a container that does not run is to be started (again).
pub fn should_restart(record: &ContainerRecord, container: &Container, policy: &str) -> bool {
    let Some(instance) = &record.current else { return true };
    let Some(exit) = &instance.exit else { return instance.started_at.is_none() };
    if rules_restart(container, exit.code) {
        return true;
    }
    match container_policy(container, policy) {
        "Always" => true,
        "OnFailure" => exit.code != 0,
        _ => false,
    }
}

/// `restartPolicyRules`: the first rule that matches the exit code.
fn rules_restart(container: &Container, code: i32) -> bool {
    container.restart_policy_rules.iter().flatten().any(|rule| {
        let Some(codes) = &rule.exit_codes else { return false };
        let listed = codes.values.iter().flatten().any(|&value| value == code);
        let matches = if codes.operator == "NotIn" { !listed } else { listed };
        matches && rule.action == "Restart"
    })
}
