//! ConfigMaps, Secrets, ServiceAccounts, and the cluster's own configuration.

use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
    ValidatingWebhookConfiguration,
};
use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{AGE, CREATED_AT, Cell, Column, NAME, Printer, age, boolean, col, int, printer};
use crate::time::SimTime;

const CONFIG_MAP: &[Column] = &[NAME, col("Data"), AGE];
const SECRET: &[Column] = &[NAME, col("Type"), col("Data"), AGE];
const SERVICE_ACCOUNT: &[Column] = &[NAME, AGE];
const PRIORITY_CLASS: &[Column] = &[NAME, int("Value"), boolean("Global-Default"), AGE, col("PreemptionPolicy")];
const WEBHOOKS: &[Column] = &[NAME, int("Webhooks"), AGE];
const ADMISSION_POLICY: &[Column] = &[NAME, int("Validations"), col("ParamKind"), AGE];
const ADMISSION_BINDING: &[Column] = &[NAME, col("PolicyName"), col("ParamRef"), AGE];
const DEFINITION: &[Column] = &[NAME, CREATED_AT];

pub(super) static PRINTERS: &[Printer] = &[
    printer!(ConfigMap, CONFIG_MAP, config_map),
    printer!(Secret, SECRET, secret),
    printer!(ServiceAccount, SERVICE_ACCOUNT, service_account),
    printer!(PriorityClass, PRIORITY_CLASS, priority_class),
    printer!(MutatingWebhookConfiguration, WEBHOOKS, mutating_webhooks),
    printer!(ValidatingWebhookConfiguration, WEBHOOKS, validating_webhooks),
    printer!(ValidatingAdmissionPolicy, ADMISSION_POLICY, admission_policy),
    printer!(ValidatingAdmissionPolicyBinding, ADMISSION_BINDING, admission_binding),
    printer!(CustomResourceDefinition, DEFINITION, definition),
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

fn mutating_webhooks(object: &MutatingWebhookConfiguration, now: SimTime) -> Vec<Cell> {
    let count = object.webhooks.as_ref().map_or(0, Vec::len);
    vec![name(&object.metadata), count.into(), age::of(&object.metadata, now).into()]
}

fn validating_webhooks(object: &ValidatingWebhookConfiguration, now: SimTime) -> Vec<Cell> {
    let count = object.webhooks.as_ref().map_or(0, Vec::len);
    vec![name(&object.metadata), count.into(), age::of(&object.metadata, now).into()]
}

fn admission_policy(object: &ValidatingAdmissionPolicy, now: SimTime) -> Vec<Cell> {
    let spec = object.spec.as_ref();
    let kind = spec.and_then(|spec| spec.param_kind.as_ref()).map_or("<unset>".into(), |kind| {
        format!("{}/{}", kind.api_version.as_deref().unwrap_or_default(), kind.kind.as_deref().unwrap_or_default())
    });
    vec![
        name(&object.metadata),
        spec.and_then(|spec| spec.validations.as_ref()).map_or(0, Vec::len).into(),
        kind.into(),
        age::of(&object.metadata, now).into(),
    ]
}

fn admission_binding(object: &ValidatingAdmissionPolicyBinding, now: SimTime) -> Vec<Cell> {
    let parameters = object.spec.param_ref.as_ref().map_or("<unset>".into(), |reference| {
        let name = reference.name.clone().unwrap_or_default();
        match (&reference.namespace, name.is_empty()) {
            (_, true) => "*".into(),
            (Some(namespace), false) => format!("{namespace}/{name}"),
            (None, false) => name,
        }
    });
    vec![
        name(&object.metadata),
        object.spec.policy_name.as_str().into(),
        parameters.into(),
        age::of(&object.metadata, now).into(),
    ]
}

fn definition(object: &CustomResourceDefinition, _: SimTime) -> Vec<Cell> {
    vec![name(&object.metadata), created_at(&object.metadata)]
}
