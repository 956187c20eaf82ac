//! Reading Pods: upstream's `pkg/api/pod` as far as controllers need it.

use api::types::{Pod, PodCondition, Time};
use api::{SimTime, meta, time};

pub fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

pub fn node_name(pod: &Pod) -> &str {
    pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default()
}

pub fn condition<'a>(pod: &'a Pod, type_: &str) -> Option<&'a PodCondition> {
    pod.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == type_)
}

pub fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|condition| condition.status == "True")
}

/// Since when the Pod has been ready; `None` for one that is not.
pub fn ready_since(pod: &Pod) -> Option<&Time> {
    condition(pod, "Ready").filter(|condition| condition.status == "True")?.last_transition_time.as_ref()
}

/// Ready for at least `min_ready_seconds`.
pub fn is_available(pod: &Pod, min_ready_seconds: i32, now: SimTime) -> bool {
    is_ready(pod) && (min_ready_seconds <= 0 || until_available(pod, min_ready_seconds, now) == Some(0))
}

/// How long a ready Pod needs until it is available; `None` for one that is not ready.
pub fn until_available(pod: &Pod, min_ready_seconds: i32, now: SimTime) -> Option<SimTime> {
    let since = time::since_start(ready_since(pod)?);
    let due = since + min_ready_seconds.max(0) as SimTime * time::SECOND;
    Some(due.saturating_sub(now))
}

pub fn is_finished(pod: &Pod) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Neither finished nor being deleted.
pub fn is_active(pod: &Pod) -> bool {
    !is_finished(pod) && !meta::is_being_deleted(&pod.metadata)
}

/// Being deleted, but not yet gone or finished.
pub fn is_terminating(pod: &Pod) -> bool {
    !is_finished(pod) && meta::is_being_deleted(&pod.metadata)
}
