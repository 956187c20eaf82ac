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
    for rule in rules {
        let list = |list: Option<&Vec<String>>| format!("[{}]", list.map(|list| list.join(" ")).unwrap_or_default());
        let names = list(rule.resource_names.as_ref());
        let verbs = list(Some(&rule.verbs));
        for path in rule.non_resource_urls.iter().flatten() {
            writer.line(1, format!("\t[{path}]\t{names}\t{verbs}"));
        }
        for resource in rule.resources.iter().flatten() {
            for group in rule.api_groups.iter().flatten() {
                let (plural, sub) =
                    resource.split_once('/').map_or((resource.as_str(), ""), |(plural, sub)| (plural, sub));
                let mut shown = plural.to_owned();
                if !group.is_empty() {
                    shown.push_str(&format!(".{group}"));
                }
                if !sub.is_empty() {
                    shown.push_str(&format!("/{sub}"));
                }
                writer.line(1, format!("{shown}\t[]\t{names}\t{verbs}"));
            }
        }
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
