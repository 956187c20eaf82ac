//! Roles and bindings.

use api::k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use api::types::ObjectMeta;

use super::{Context, Writer, labels_and_annotations, name_of};

fn rules(writer: &mut Writer, meta: &ObjectMeta, rules: &[PolicyRule]) {
    writer.field(0, "Name", name_of(meta));
    labels_and_annotations(writer, meta);
    writer.line(0, "PolicyRule:");
    writer.line(1, "Resources\tNon-Resource URLs\tResource Names\tVerbs");
    writer.line(1, "---------\t-----------------\t--------------\t-----");
    let rules = serde_json::json!(rules);
    for line in super::rules::table(&rules) {
        writer.line(1, line.join("\t"));
    }
}

fn binding(writer: &mut Writer, meta: &ObjectMeta, role: &RoleRef, subjects: &[Subject]) {
    writer.field(0, "Name", name_of(meta));
    labels_and_annotations(writer, meta);
    writer.line(0, "Role:");
    writer.field(1, "Kind", &role.kind);
    writer.field(1, "Name", &role.name);
    writer.line(0, "Subjects:");
    writer.line(1, "Kind\tName\tNamespace");
    writer.line(1, "----\t----\t---------");
    for subject in subjects {
        let namespace = subject.namespace.as_deref().unwrap_or_default();
        writer.line(1, format!("{}\t{}\t{namespace}", subject.kind, subject.name));
    }
}

pub(super) fn role(writer: &mut Writer, role: &Role, _: &mut Context) {
    rules(writer, &role.metadata, role.rules.as_deref().unwrap_or_default());
}

pub(super) fn cluster_role(writer: &mut Writer, role: &ClusterRole, _: &mut Context) {
    rules(writer, &role.metadata, role.rules.as_deref().unwrap_or_default());
}

pub(super) fn role_binding(writer: &mut Writer, object: &RoleBinding, _: &mut Context) {
    binding(writer, &object.metadata, &object.role_ref, object.subjects.as_deref().unwrap_or_default());
}

pub(super) fn cluster_role_binding(writer: &mut Writer, object: &ClusterRoleBinding, _: &mut Context) {
    binding(writer, &object.metadata, &object.role_ref, object.subjects.as_deref().unwrap_or_default());
}
