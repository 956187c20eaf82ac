//! ConfigMaps, Secrets, ServiceAccounts, and the cluster's own configuration.

use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{AGE, Cell, Column, NAME, Printer, age, boolean, col, int, printer};
use crate::time::SimTime;

const CONFIG_MAP: &[Column] = &[NAME, col("Data"), AGE];
const SECRET: &[Column] = &[NAME, col("Type"), col("Data"), AGE];
const SERVICE_ACCOUNT: &[Column] = &[NAME, AGE];
const PRIORITY_CLASS: &[Column] = &[NAME, int("Value"), boolean("Global-Default"), AGE, col("PreemptionPolicy")];

pub(super) static PRINTERS: &[Printer] = &[
    printer!(ConfigMap, CONFIG_MAP, config_map),
    printer!(Secret, SECRET, secret),
    printer!(ServiceAccount, SERVICE_ACCOUNT, service_account),
    printer!(PriorityClass, PRIORITY_CLASS, priority_class),
];

fn name(meta: &ObjectMeta) -> Cell {
    meta.name.as_deref().unwrap_or_default().into()
}

/// When the object was made, in full: kinds without printers of their own in the API server's code show that.
pub(super) fn created_at(meta: &ObjectMeta) -> Cell {
    let text = meta.creation_timestamp.as_ref().map(|time| time.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    text.unwrap_or_default().into()
}

fn config_map(object: &ConfigMap, now: SimTime) -> Vec<Cell> {
    let texts = object.data.as_ref().map_or(0, |data| data.len());
    let binaries = object.binary_data.as_ref().map_or(0, |data| data.len());
    vec![name(&object.metadata), (texts + binaries).into(), age::of(&object.metadata, now).into()]
}

fn secret(object: &Secret, now: SimTime) -> Vec<Cell> {
    vec![
        name(&object.metadata),
        object.type_.as_deref().unwrap_or_default().into(),
        object.data.as_ref().map_or(0, |data| data.len()).into(),
        age::of(&object.metadata, now).into(),
    ]
}

fn service_account(object: &ServiceAccount, now: SimTime) -> Vec<Cell> {
    vec![name(&object.metadata), age::of(&object.metadata, now).into()]
}

fn priority_class(object: &PriorityClass, now: SimTime) -> Vec<Cell> {
    vec![
        name(&object.metadata),
        object.value.unwrap_or_default().into(),
        object.global_default.unwrap_or_default().into(),
        age::of(&object.metadata, now).into(),
        object.preemption_policy.as_deref().unwrap_or("PreemptLowerPriority").into(),
    ]
}
