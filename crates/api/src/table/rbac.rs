//! Roles and bindings.

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::config::created_at;
use super::{AGE, CREATED_AT, Cell, Column, NAME, Printer, age, col, printer, wide};
use crate::time::SimTime;

const ROLE: &[Column] = &[NAME, CREATED_AT];
const BINDING: &[Column] = &[NAME, col("Role"), AGE, wide("Users"), wide("Groups"), wide("ServiceAccounts")];

pub(super) static PRINTERS: &[Printer] = &[
    printer!(Role, ROLE, role),
    printer!(ClusterRole, ROLE, cluster_role),
    printer!(RoleBinding, BINDING, role_binding),
    printer!(ClusterRoleBinding, BINDING, cluster_role_binding),
];

fn named_and_created(meta: &ObjectMeta) -> Vec<Cell> {
    vec![meta.name.as_deref().unwrap_or_default().into(), created_at(meta)]
}

fn role(object: &Role, _: SimTime) -> Vec<Cell> {
    named_and_created(&object.metadata)
}

fn cluster_role(object: &ClusterRole, _: SimTime) -> Vec<Cell> {
    named_and_created(&object.metadata)
}

fn role_binding(object: &RoleBinding, now: SimTime) -> Vec<Cell> {
    binding(&object.metadata, &object.role_ref, object.subjects.as_deref().unwrap_or_default(), now)
}

fn cluster_role_binding(object: &ClusterRoleBinding, now: SimTime) -> Vec<Cell> {
    binding(&object.metadata, &object.role_ref, object.subjects.as_deref().unwrap_or_default(), now)
}

fn binding(meta: &ObjectMeta, role: &RoleRef, subjects: &[Subject], now: SimTime) -> Vec<Cell> {
    let of_kind = |kind: &str| {
        let named = subjects.iter().filter(|subject| subject.kind == kind).map(|subject| match &subject.namespace {
            Some(namespace) if kind == "ServiceAccount" => format!("{namespace}/{}", subject.name),
            _ => subject.name.clone(),
        });
        named.collect::<Vec<_>>().join(", ")
    };
    vec![
        meta.name.as_deref().unwrap_or_default().into(),
        format!("{}/{}", role.kind, role.name).into(),
        age::of(meta, now).into(),
        of_kind("User").into(),
        of_kind("Group").into(),
        of_kind("ServiceAccount").into(),
    ]
}
