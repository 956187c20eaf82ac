//! What a failed Pod means for its Job: the pod failure policy.

use api::types::{ContainerStatus, Job, Pod, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule};

use crate::pods;

#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// One towards the back-off limit.
    Count,
    Ignore,
    FailIndex,
    /// The Job has failed, for this reason.
    FailJob(String),
}

pub(super) fn judge(job: &Job, pod: &Pod) -> Verdict {
    let policy = job.spec.as_ref().and_then(|spec| spec.pod_failure_policy.as_ref());
    if pods::phase(pod) != "Failed" {
        return Verdict::Count;
    }
    for (index, rule) in policy.iter().flat_map(|policy| &policy.rules).enumerate() {
        let Some(why) = matches(rule, pod, index) else { continue };
        return match rule.action.as_str() {
            "Ignore" => Verdict::Ignore,
            "FailIndex" => Verdict::FailIndex,
            "FailJob" => Verdict::FailJob(why),
            _ => Verdict::Count,
        };
    }
    Verdict::Count
}

/// How the rule fits, in words.
fn matches(rule: &PodFailurePolicyRule, pod: &Pod, index: usize) -> Option<String> {
    let (namespace, name) = (pod.metadata.namespace.as_deref(), pod.metadata.name.as_deref());
    let (namespace, name) = (namespace.unwrap_or_default(), name.unwrap_or_default());
    let status = pod.status.as_ref()?;
    if let Some(codes) = &rule.on_exit_codes {
        let statuses = status.container_statuses.iter().chain(&status.init_container_statuses).flatten();
        let (container, code) = statuses.filter_map(|container| exit_code(container, codes)).next()?;
        return Some(format!(
            "Container {container} for pod {namespace}/{name} failed with exit code {code} matching {} rule at index {index}",
            rule.action
        ));
    }
    for pattern in rule.on_pod_conditions.iter().flatten() {
        let wanted = pattern.status.as_deref().unwrap_or("True");
        if pods::condition(pod, &pattern.type_).is_some_and(|condition| condition.status == wanted) {
            return Some(format!(
                "Pod {namespace}/{name} has condition {} matching {} rule at index {index}",
                pattern.type_, rule.action
            ));
        }
    }
    None
}

fn exit_code<'a>(
    container: &'a ContainerStatus,
    codes: &PodFailurePolicyOnExitCodesRequirement,
) -> Option<(&'a str, i32)> {
    let code = container.state.as_ref()?.terminated.as_ref()?.exit_code;
    let is_meant = codes.container_name.as_ref().is_none_or(|name| *name == container.name);
    let is_listed = codes.values.contains(&code);
    let fits = if codes.operator == "In" { is_listed } else { !is_listed };
    (code != 0 && is_meant && fits).then_some((container.name.as_str(), code))
}
