//! Quotas, limits and disruption budgets.

use k8s_openapi::api::core::v1::{LimitRange, ResourceQuota};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::config::created_at;
use super::{AGE, CREATED_AT, Cell, Column, NAME, Printer, age, col, int, printer};
use crate::time::SimTime;

const QUOTA: &[Column] = &[NAME, col("Request"), col("Limit"), AGE];
const LIMITS: &[Column] = &[NAME, CREATED_AT];
const BUDGET: &[Column] = &[NAME, col("Min Available"), col("Max Unavailable"), int("Allowed Disruptions"), AGE];

pub(super) static PRINTERS: &[Printer] = &[
    printer!(ResourceQuota, QUOTA, quota),
    printer!(LimitRange, LIMITS, limit_range),
    printer!(PodDisruptionBudget, BUDGET, budget),
];

fn quota(object: &ResourceQuota, now: SimTime) -> Vec<Cell> {
    let none = Default::default();
    let status = object.status.as_ref().unwrap_or(&none);
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    for (resource, hard) in status.hard.iter().flatten() {
        let used = status.used.as_ref().and_then(|used| used.get(resource));
        let text = format!("{resource}: {}/{}", used.map_or("0", |used| used.0.as_str()), hard.0);
        if resource.starts_with("limits.") { limits.push(text) } else { requests.push(text) }
    }
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        requests.join(", ").into(),
        limits.join(", ").into(),
        age::of(&object.metadata, now).into(),
    ]
}

fn limit_range(object: &LimitRange, _: SimTime) -> Vec<Cell> {
    vec![object.metadata.name.as_deref().unwrap_or_default().into(), created_at(&object.metadata)]
}

fn budget(object: &PodDisruptionBudget, now: SimTime) -> Vec<Cell> {
    let spec = object.spec.as_ref();
    let shown = |value: Option<&IntOrString>| match value {
        Some(IntOrString::Int(number)) => number.to_string(),
        Some(IntOrString::String(text)) => text.clone(),
        None => "N/A".into(),
    };
    vec![
        object.metadata.name.as_deref().unwrap_or_default().into(),
        shown(spec.and_then(|spec| spec.min_available.as_ref())).into(),
        shown(spec.and_then(|spec| spec.max_unavailable.as_ref())).into(),
        object.status.as_ref().map_or(0, |status| status.disruptions_allowed.unwrap_or_default()).into(),
        age::of(&object.metadata, now).into(),
    ]
}
