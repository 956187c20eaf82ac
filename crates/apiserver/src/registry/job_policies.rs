//! A Job's policies – what its failures and successes mean – and its status.

use api::field::{Error, Errors, Path};
use api::types::{
    Job, JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
    SuccessPolicyRule,
};
use api::validate::qualified_name;

use super::rules::{complain, list, not_negative, text};

const ACTIONS: &[&str] = &["Count", "FailIndex", "FailJob", "Ignore"];
const CONDITION_STATUSES: &[&str] = &["False", "True", "Unknown"];
const OPERATORS: &[&str] = &["In", "NotIn"];
const RULES_MAX: usize = 20;
const CONDITIONS_MAX: usize = 20;
const EXIT_CODES_MAX: usize = 255;

/// The pod failure, success and pod replacement policies.
pub(super) fn validate(spec: &JobSpec, path: &Path, errors: &mut Errors) {
    if let Some(policy) = &spec.pod_failure_policy {
        let path = path.child("podFailurePolicy");
        let path = path.child("rules");
        at_most(policy.rules.len(), RULES_MAX, &path, errors);
        for (index, rule) in policy.rules.iter().enumerate() {
            failure_rule(spec, rule, &path.index(index), errors);
        }
    }
    if let Some(policy) = &spec.success_policy {
        let path = path.child("successPolicy");
        if spec.completion_mode.as_deref() == Some("Indexed") {
            let path = path.child("rules");
            if policy.rules.is_empty() {
                let why = "at least one rules must be specified when the successPolicy is specified";
                errors.push(Error::required(&path, why));
            }
            at_most(policy.rules.len(), RULES_MAX, &path, errors);
            for (index, rule) in policy.rules.iter().enumerate() {
                success_rule(rule, spec.completions.unwrap_or(0), &path.index(index), errors);
            }
        } else {
            let shown = super::go_diff::compact("batch.v1.SuccessPolicy", policy);
            errors.push(Error::invalid_verbatim(&path, shown, "requires indexed completion mode"));
        }
    }
    if let Some(policy) = &spec.pod_replacement_policy {
        let supported: &[&str] =
            if spec.pod_failure_policy.is_some() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
        super::rules::one_of(policy, supported, &path.child("podReplacementPolicy"), errors);
    }
}

fn at_most(count: usize, limit: usize, path: &Path, errors: &mut Errors) {
    if count > limit {
        errors.push(Error::too_many(path, count, limit));
    }
}

/// A word that must be there and be one of a few; the few are told in both cases.
fn word(value: &str, supported: &[&str], path: &Path, errors: &mut Errors) {
    if value.is_empty() {
        let listed: Vec<String> = supported.iter().map(|word| format!("{word:?}")).collect();
        errors.push(Error::required(path, format!("valid values: [{}]", listed.join(" "))));
    } else {
        super::rules::one_of(value, supported, path, errors);
    }
}

fn failure_rule(spec: &JobSpec, rule: &PodFailurePolicyRule, path: &Path, errors: &mut Errors) {
    let action_path = path.child("action");
    if rule.action == "FailIndex" && spec.backoff_limit_per_index.is_none() {
        let why = "requires the backoffLimitPerIndex to be set";
        errors.push(Error::invalid(&action_path, rule.action.as_str(), why));
    } else {
        word(&rule.action, ACTIONS, &action_path, errors);
    }
    if let Some(codes) = &rule.on_exit_codes {
        exit_codes(spec, codes, &path.child("onExitCodes"), errors);
    }
    let conditions = list(&rule.on_pod_conditions);
    pod_conditions(conditions, &path.child("onPodConditions"), errors);
    let why = match (&rule.on_exit_codes, conditions) {
        (Some(_), [_, ..]) => "specifying both OnExitCodes and OnPodConditions is not supported",
        (None, []) => "specifying one of OnExitCodes and OnPodConditions is required",
        _ => return,
    };
    errors.push(Error::invalid_unshown(path, why));
}

fn pod_conditions(patterns: &[PodFailurePolicyOnPodConditionsPattern], path: &Path, errors: &mut Errors) {
    at_most(patterns.len(), CONDITIONS_MAX, path, errors);
    for (index, pattern) in patterns.iter().enumerate() {
        let path = path.index(index);
        complain(errors, &path.child("type"), &pattern.type_, qualified_name(&pattern.type_));
        word(text(&pattern.status), CONDITION_STATUSES, &path.child("status"), errors);
    }
}

fn exit_codes(spec: &JobSpec, codes: &PodFailurePolicyOnExitCodesRequirement, path: &Path, errors: &mut Errors) {
    word(&codes.operator, OPERATORS, &path.child("operator"), errors);
    if let Some(name) = &codes.container_name {
        let pod = spec.template.spec.as_ref();
        let mut containers = pod.into_iter().flat_map(|pod| pod.containers.iter().chain(list(&pod.init_containers)));
        if !containers.any(|container| container.name == *name) {
            let why = "must be one of the container or initContainer names in the pod template";
            errors.push(Error::invalid(&path.child("containerName"), name.as_str(), why));
        }
    }
    let (path, values) = (path.child("values"), codes.values.as_slice());
    if values.is_empty() {
        errors.push(Error::invalid(&path, serde_json::Value::Null, "at least one value is required"));
    }
    at_most(values.len(), EXIT_CODES_MAX, &path, errors);
    for (index, value) in values.iter().enumerate() {
        let path = path.index(index);
        if codes.operator == "In" && *value == 0 {
            errors.push(Error::invalid(&path, *value, "must not be 0 for the In operator"));
        }
        if values[..index].contains(value) {
            errors.push(Error::duplicate(&path, *value));
        }
    }
    if !values.is_sorted() {
        errors.push(Error::invalid(&path, values, "must be ordered"));
    }
}

fn success_rule(rule: &SuccessPolicyRule, completions: i32, path: &Path, errors: &mut Errors) {
    if rule.succeeded_count.is_none() && rule.succeeded_indexes.is_none() {
        let why = "at least one of succeededCount or succeededIndexes must be specified";
        errors.push(Error::required(path, why));
    }
    let mut total = 0;
    if let Some(indexes) = &rule.succeeded_indexes {
        match count_indexes(indexes, completions) {
            Ok(count) => total = count,
            Err(why) => {
                let why = format!("error parsing succeededIndexes: {why}");
                errors.push(Error::invalid(&path.child("succeededIndexes"), indexes.as_str(), why));
            }
        }
    }
    let Some(count) = rule.succeeded_count else { return };
    let path = path.child("succeededCount");
    not_negative(count, &path, errors);
    if count > completions {
        let why = format!("must be less than or equal to {completions} (the number of specified completions)");
        errors.push(Error::invalid(&path, count, why));
    }
    if rule.succeeded_indexes.is_some() && count > total {
        let why = format!(
            "must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
        );
        errors.push(Error::invalid(&path, count, why));
    }
}

/// How many indexes `1,3-5` names; they must rise and stay below the completions.
fn count_indexes(text: &str, completions: i32) -> Result<i32, String> {
    let mut total = 0;
    let mut last: Option<i32> = None;
    if text.is_empty() {
        return Ok(0);
    }
    for interval in text.split(',') {
        let ends: Vec<&str> = interval.split('-').collect();
        if ends.len() > 2 {
            return Err(format!(
                "the fragment {interval:?} violates the requirement that an index interval can have at most two parts separated by '-'"
            ));
        }
        let mut numbers = Vec::new();
        for end in ends {
            let number: i32 =
                end.parse().map_err(|_| format!("cannot convert string to integer for index: {end:?}"))?;
            if number >= completions {
                return Err(format!("too large index: {end:?}"));
            }
            if last.is_some_and(|last| last >= number) {
                let last = last.unwrap_or_default();
                return Err(format!("non-increasing order, previous: {last}, current: {number}"));
            }
            last = Some(number);
            numbers.push(number);
        }
        total += numbers.last().unwrap_or(&0) - numbers.first().unwrap_or(&0) + 1;
    }
    Ok(total)
}

/// What no status may say, and what a later one may not take back.
pub(super) fn validate_status(new: &Job, old: &Job, path: &Path, errors: &mut Errors) {
    let (Some(status), none) = (&new.status, Default::default()) else { return };
    let before = old.status.as_ref().unwrap_or(&none);
    let active = status.active.unwrap_or(0);
    let counts = [
        ("active", status.active),
        ("succeeded", status.succeeded),
        ("failed", status.failed),
        ("ready", status.ready),
        ("terminating", status.terminating),
    ];
    for (name, count) in counts {
        not_negative(count.unwrap_or(0), &path.child(name), errors);
    }
    let is = |job: &Job, type_: &str| {
        let conditions = job.status.iter().flat_map(|status| list(&status.conditions));
        conditions.into_iter().any(|condition| condition.type_ == type_ && condition.status == "True")
    };
    let (complete, failed) = (is(new, "Complete"), is(new, "Failed"));
    let (criteria_met, failure_target) = (is(new, "SuccessCriteriaMet"), is(new, "FailureTarget"));
    let mut refuse = |wrong: bool, why: &str| {
        if wrong {
            errors.push(Error::invalid_unshown(&path.child("conditions"), why));
        }
    };
    refuse(complete && failed, "cannot set Complete=True and Failed=true conditions");
    refuse(complete && failure_target, "cannot set Complete=True and FailureTarget=true conditions");
    refuse(
        failed && !failure_target && !is(old, "Failed"),
        "cannot set Failed=True condition without the FailureTarget=true condition",
    );
    refuse(
        complete && !criteria_met && !is(old, "Complete"),
        "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
    );
    refuse(criteria_met && failed, "cannot set SuccessCriteriaMet=True and Failed=true conditions");
    refuse(criteria_met && failure_target, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
    for type_ in ["Failed", "Complete", "FailureTarget"] {
        let why = format!("cannot disable the terminal {type_}=True condition");
        refuse(is(old, type_) && !is(new, type_), &why);
    }
    if status.completion_time.is_some() && !complete {
        let shown = api::wire::value_of(&status.completion_time);
        let why = "cannot set completionTime when there is no Complete=True condition";
        errors.push(Error::invalid(&path.child("completionTime"), shown, why));
    }
    if status.completion_time.is_none() && complete {
        errors.push(Error::required(&path.child("completionTime"), "completionTime is required for Complete jobs"));
    }
    if active > 0 && (complete || failed) {
        errors.push(Error::invalid(&path.child("active"), active, "active>0 is invalid for finished job"));
    }
    if status.start_time.is_none() && (complete || failed) {
        errors.push(Error::required(&path.child("startTime"), "startTime is required for finished job"));
    }
    for (name, now, then) in
        [("failed", status.failed, before.failed), ("succeeded", status.succeeded, before.succeeded)]
    {
        let now = now.unwrap_or(0);
        if now < then.unwrap_or(0) {
            errors.push(Error::invalid(&path.child(name), now, format!("cannot decrease the {name} counter")));
        }
    }
}
