//! The roles and bindings with which every cluster begins. Upstream:
//! `plugin/pkg/auth/authorizer/rbac/bootstrappolicy`; `policy.txt` says how it is written down here.

use api::Draft;
use api::types::{
    AggregationRule, ClusterRole, ClusterRoleBinding, LabelSelector, ObjectMeta, PolicyRule, Role, RoleBinding,
    RoleRef, Subject,
};

const POLICY: &str = include_str!("policy.txt");
const GROUP: &str = "rbac.authorization.k8s.io";

/// The objects of the policy.
pub(crate) fn objects() -> Vec<Draft> {
    let mut objects: Vec<Draft> = Vec::new();
    for (head, lines) in paragraphs() {
        let words: Vec<&str> = head.split(' ').collect();
        match words.as_slice() {
            ["role", name, rest @ ..] => objects.push(cluster_role(name, rest, Some(rules_of(&lines)), None)),
            ["sum", name, rest @ ..] => {
                let marked = LabelSelector { match_labels: Some(mark(name)), ..LabelSelector::default() };
                let aggregation = AggregationRule { cluster_role_selectors: Some(vec![marked]) };
                objects.push(cluster_role(name, rest, None, Some(aggregation)));
            }
            ["controller", name] => {
                let role = format!("system:controller:{name}");
                objects.push(cluster_role(&role, &[], Some(rules_of(&lines)), None));
                objects.push(cluster_binding(&role, vec![account("kube-system", name)]));
            }
            ["bind", name] => {
                objects.push(cluster_binding(name, lines.iter().filter_map(|line| subject(line)).collect()))
            }
            ["local", namespace, name] => {
                let metadata = ObjectMeta { namespace: Some((*namespace).into()), ..meta(name) };
                objects.push(Draft::new(Role { metadata, rules: Some(rules_of(&lines)) }));
            }
            ["bind-local", namespace, name, role] => objects.push(Draft::new(RoleBinding {
                metadata: ObjectMeta { namespace: Some((*namespace).into()), ..meta(name) },
                role_ref: RoleRef { api_group: Some(GROUP.into()), kind: "Role".into(), name: (*role).into() },
                subjects: Some(lines.iter().filter_map(|line| subject(line)).collect()),
            })),
            _ => {}
        }
    }
    objects
}

/// The rules of one of the policy's roles.
pub(crate) fn rules(role: &str) -> Vec<PolicyRule> {
    let is_wanted = |head: &str| head.strip_prefix("role ").is_some_and(|name| name == role);
    paragraphs().find(|(head, _)| is_wanted(head)).map(|(_, lines)| rules_of(&lines)).unwrap_or_default()
}

/// Each object's first line with its indented ones.
fn paragraphs() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let mut lines = POLICY.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).peekable();
    std::iter::from_fn(move || {
        let head = lines.next()?;
        let mut inner = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with(' ')) {
            inner.push(line.trim_start());
        }
        Some((head, inner))
    })
}

fn meta(name: &str) -> ObjectMeta {
    let pair = |key: &str, value: &str| std::iter::once((key.to_owned(), value.to_owned())).collect();
    ObjectMeta {
        name: Some(name.into()),
        labels: Some(pair("kubernetes.io/bootstrapping", "rbac-defaults")),
        annotations: Some(pair("rbac.authorization.kubernetes.io/autoupdate", "true")),
        ..ObjectMeta::default()
    }
}

/// The label of roles that are aggregated into another.
fn mark(role: &str) -> std::collections::BTreeMap<String, String> {
    std::iter::once((format!("rbac.authorization.k8s.io/aggregate-to-{role}"), "true".to_owned())).collect()
}

fn cluster_role(
    name: &str,
    marks: &[&str],
    rules: Option<Vec<PolicyRule>>,
    aggregation_rule: Option<AggregationRule>,
) -> Draft {
    let mut metadata = meta(name);
    for role in marks.iter().filter_map(|word| word.strip_prefix("to=")) {
        metadata.labels.get_or_insert_default().extend(mark(role));
    }
    Draft::new(ClusterRole { metadata, rules, aggregation_rule })
}

fn cluster_binding(name: &str, subjects: Vec<Subject>) -> Draft {
    let role_ref = RoleRef { api_group: Some(GROUP.into()), kind: "ClusterRole".into(), name: name.into() };
    let subjects = Some(subjects).filter(|subjects| !subjects.is_empty());
    Draft::new(ClusterRoleBinding { metadata: meta(name), role_ref, subjects })
}

fn account(namespace: &str, name: &str) -> Subject {
    Subject { kind: "ServiceAccount".into(), name: name.into(), namespace: Some(namespace.into()), api_group: None }
}

fn subject(line: &str) -> Option<Subject> {
    let named = |kind: &str, name: &str| {
        Some(Subject { kind: kind.into(), name: name.into(), api_group: Some(GROUP.into()), namespace: None })
    };
    match line.split(' ').collect::<Vec<_>>().as_slice() {
        ["user", name] => named("User", name),
        ["group", name] => named("Group", name),
        ["account", namespace, name] => Some(account(namespace, name)),
        _ => None,
    }
}

fn rules_of(lines: &[&str]) -> Vec<PolicyRule> {
    lines.iter().filter_map(|line| rule(line)).collect()
}

fn rule(line: &str) -> Option<PolicyRule> {
    let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<String>>();
    match line.split(' ').collect::<Vec<_>>().as_slice() {
        ["events"] => Some(PolicyRule {
            api_groups: Some(vec![String::new(), "events.k8s.io".into()]),
            resources: Some(list("events")),
            verbs: list("create,patch,update"),
            ..PolicyRule::default()
        }),
        [verbs, "at", paths] => {
            Some(PolicyRule { verbs: list(verbs), non_resource_urls: Some(list(paths)), ..PolicyRule::default() })
        }
        [verbs, groups, resources, names @ ..] => {
            let verbs = match *verbs {
                "R" => "get,list,watch",
                "W" => "create,delete,deletecollection,patch,update",
                verbs => verbs,
            };
            let group = |group: String| if group == "-" { String::new() } else { group };
            Some(PolicyRule {
                verbs: list(verbs),
                api_groups: Some(list(groups).into_iter().map(group).collect()),
                resources: Some(list(resources)),
                resource_names: names.first().map(|names| list(names)),
                non_resource_urls: None,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_policy_is_understood() {
        for (head, lines) in paragraphs() {
            let binds = head.starts_with("bind");
            for line in lines {
                assert!(if binds { subject(line).is_some() } else { rule(line).is_some() }, "{head}: {line}");
            }
        }
        assert_eq!(rules("system:basic-user").len(), 2);
    }

    #[test]
    fn the_policy_keeps_the_rules_of_its_kinds() {
        for object in objects() {
            let rules = crate::registry::rules(object.kind_id());
            let mut defaulted = object.draft();
            (rules.default)(&mut *defaulted);
            assert!(defaulted.equals(&*object), "{}", object.name());
            assert!((rules.validate)(&*object).is_empty(), "{}", object.name());
        }
    }
}
