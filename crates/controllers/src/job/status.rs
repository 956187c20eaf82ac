//! A Job's conditions.

use api::types::{Job, JobCondition, JobStatus};
use api::{SimTime, time};

/// Why a Job ends: the type, reason and message of a condition.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// `SuccessCriteriaMet` or `FailureTarget`, while Pods are still on their way out.
    pub interim: &'static str,
    pub reason: String,
    pub message: String,
}

impl Outcome {
    pub fn success(reason: &str, message: &str) -> Outcome {
        Outcome { interim: "SuccessCriteriaMet", reason: reason.into(), message: message.into() }
    }

    pub fn failure(reason: &str, message: impl Into<String>) -> Outcome {
        Outcome { interim: "FailureTarget", reason: reason.into(), message: message.into() }
    }

    /// What has been decided before.
    pub fn of(job: &Job) -> Option<Outcome> {
        let interim = ["SuccessCriteriaMet", "FailureTarget"].into_iter();
        let mut decided = interim.filter_map(|type_| Some((type_, condition(job, type_)?)));
        let (interim, condition) = decided.find(|(_, condition)| condition.status == "True")?;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Some(Outcome { interim, reason: text(&condition.reason), message: text(&condition.message) })
    }

    pub fn is_success(&self) -> bool {
        self.interim == "SuccessCriteriaMet"
    }

    /// The condition of a Job that has ended so.
    pub fn last(&self) -> &'static str {
        if self.is_success() { "Complete" } else { "Failed" }
    }
}

pub(super) fn condition<'a>(job: &'a Job, type_: &str) -> Option<&'a JobCondition> {
    job.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == type_)
}

/// Sets a condition. False when it says this already, or would say that what never was is not.
pub(super) fn set(status: &mut JobStatus, type_: &str, value: bool, reason: &str, message: &str, now: SimTime) -> bool {
    let value = if value { "True" } else { "False" };
    let conditions = status.conditions.get_or_insert_default();
    let new = JobCondition {
        type_: type_.into(),
        status: value.into(),
        reason: Some(reason.into()),
        message: Some(message.into()),
        last_probe_time: Some(time::stamp(now)),
        last_transition_time: Some(time::stamp(now)),
    };
    match conditions.iter_mut().find(|condition| condition.type_ == type_) {
        Some(condition) if condition.status == value => return false,
        Some(condition) => *condition = new,
        None if value == "False" => {
            status.conditions = status.conditions.take().filter(|conditions| !conditions.is_empty());
            return false;
        }
        None => conditions.push(new),
    }
    true
}
