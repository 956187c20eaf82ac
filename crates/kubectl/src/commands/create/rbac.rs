//! `kubectl create role`, `clusterrole`, `rolebinding`, `clusterrolebinding`

use serde_json::{Value, json};

use super::{Made, make, name};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, array, list, map, text};
use crate::resource;
use crate::task::Call;

pub(in crate::commands) static ROLE_FLAGS: &[Flag] = &[
    list("verb", ' ', "Verbs that the role allows"),
    list("resource", ' ', "Resources that the role is about"),
    array("resource-name", ' ', "Names that the role is about"),
];
pub(in crate::commands) static CLUSTER_ROLE_FLAGS: &[Flag] = &[
    list("non-resource-url", ' ', "Paths that the cluster role is about"),
    map("aggregation-rule", ' ', "Labels of cluster roles to combine"),
];
pub(in crate::commands) static ROLE_REF_FLAGS: &[Flag] = &[text("role", ' ', "The role to bind")];
pub(in crate::commands) static BINDING_FLAGS: &[Flag] = &[
    text("clusterrole", ' ', "The cluster role to bind"),
    array("user", ' ', "User names"),
    array("group", ' ', "Group names"),
    array("serviceaccount", ' ', "namespace:name"),
];

const VERBS: [&str; 15] = [
    "*",
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "use",
    "bind",
    "impersonate",
    "escalate",
    "approve",
    "sign",
];

fn rules(call: &mut Call, args: &Args, namespaced: bool) -> Result<Vec<Value>, Failure> {
    let mut verbs: Vec<String> = Vec::new();
    for verb in args.all("verb") {
        if !verbs.contains(verb) {
            verbs.push(verb.clone());
        }
    }
    if verbs.iter().any(|verb| verb == "*") {
        verbs = vec!["*".into()];
    }
    if verbs.is_empty() {
        return Err(Failure::error("at least one verb must be specified"));
    }
    let is_odd = |verb: &&String| !VERBS.contains(&verb.as_str()) && !args.all("resource").is_empty();
    for verb in verbs.iter().filter(is_odd) {
        call.io.err_line(format!("Warning: '{verb}' is not a standard resource verb"));
    }
    let paths = args.all("non-resource-url");
    if args.all("resource").is_empty() && paths.is_empty() {
        return Err(Failure::error(if namespaced {
            "at least one resource must be specified"
        } else {
            "one of resource or nonResourceURL must be specified"
        }));
    }
    const PATH_VERBS: [&str; 8] = ["*", "get", "post", "put", "delete", "patch", "head", "options"];
    if let Some(verb) = verbs.iter().find(|verb| !paths.is_empty() && !PATH_VERBS.contains(&verb.as_str())) {
        return Err(Failure::error(format!("invalid verb: '{verb}' for nonResourceURL")));
    }
    if let Some(path) = paths.iter().find(|path| *path != "*" && !path.starts_with('/')) {
        return Err(Failure::error(match path.is_empty() {
            true => "nonResourceURL should not be empty",
            false => "nonResourceURL should start with /",
        }));
    }
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for word in args.all("resource") {
        let (bare, sub) = word.split_once('/').map_or((word.as_str(), ""), |(bare, sub)| (bare, sub));
        if bare.is_empty() {
            return Err(Failure::error("resource must be specified if apiGroup/subresource specified"));
        }
        let (group, plural) = group_and_plural(call, bare, &verbs)?;
        let plural = if sub.is_empty() { plural } else { format!("{plural}/{sub}") };
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, plurals)) if plurals.contains(&plural) => {}
            Some((_, plurals)) => plurals.push(plural),
            None => groups.push((group, vec![plural])),
        }
    }
    let mut rules = Vec::new();
    for (group, plurals) in groups {
        let mut rule = json!({ "apiGroups": [group], "resources": plurals, "verbs": verbs });
        if !args.all("resource-name").is_empty() {
            rule["resourceNames"] = args.all("resource-name").into();
        }
        rules.push(rule);
    }
    if !paths.is_empty() {
        rules.push(json!({ "nonResourceURLs": paths, "verbs": verbs }));
    }
    Ok(rules)
}

/// Verbs that only some resources know.
const SPECIAL_VERBS: &[(&str, &[(&str, &str)])] = &[
    ("bind", &[("rbac.authorization.k8s.io", "roles"), ("rbac.authorization.k8s.io", "clusterroles")]),
    ("escalate", &[("rbac.authorization.k8s.io", "roles"), ("rbac.authorization.k8s.io", "clusterroles")]),
    ("impersonate", &[("", "users"), ("", "serviceaccounts"), ("", "groups"), ("authentication.k8s.io", "userextras")]),
    ("use", &[]),
];

/// Finds what a word of `--resource` means, and refuses verbs that are not for it.
fn group_and_plural(call: &mut Call, bare: &str, verbs: &[String]) -> Result<(String, String), Failure> {
    let (first, rest) = bare.split_once('.').unwrap_or((bare, ""));
    let special = |verb: &str| SPECIAL_VERBS.iter().find(|(known, _)| *known == verb);
    let found = if first == "*" {
        (rest.to_owned(), "*".to_owned())
    } else if let Some(kind) = resource::kind_of(call.client, bare) {
        (kind.group.to_owned(), kind.plural.to_owned())
    } else {
        // What is no kind, such as users, has its special verbs.
        let known = verbs.iter().filter_map(|verb| special(verb)).flat_map(|(_, allowed)| allowed.iter());
        let Some((group, plural)) = known.into_iter().find(|(_, plural)| *plural == first) else {
            let within = if rest.is_empty() { String::new() } else { format!(" in group {rest:?}") };
            return Err(Failure::plain(format!("the server doesn't have a resource type {first:?}{within}")));
        };
        ((*group).to_owned(), (*plural).to_owned())
    };
    for verb in verbs {
        let Some((_, allowed)) = special(verb) else { continue };
        let fits = |(group, plural): &&(&str, &str)| *group == found.0 && *plural == found.1;
        if found.1 != "*" && allowed.iter().find(fits).is_none() {
            let (group, plural) = &found;
            return Err(Failure::error(format!("can not perform '{verb}' on '{plural}' in group '{group}'")));
        }
    }
    Ok(found)
}

fn role_value(call: &mut Call, args: &Args, name: &str, kind: &str) -> Result<Value, Failure> {
    let mut value = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
        "metadata": { "creationTimestamp": null, "name": name },
    });
    if args.given("aggregation-rule") {
        if ["verb", "resource", "resource-name", "non-resource-url"].iter().any(|flag| args.given(flag)) {
            return Err(Failure::error(
                "aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames",
            ));
        }
        let labels = crate::commands::expose::pairs(&args.all("aggregation-rule").join(","))?;
        value["aggregationRule"] = json!({ "clusterRoleSelectors": [{ "matchLabels": labels }] });
        value["rules"] = Value::Null;
        return Ok(value);
    }
    value["rules"] = rules(call, args, kind == "Role")?.into();
    Ok(value)
}

pub(in crate::commands) fn role(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create role")?;
    let value = role_value(call, args, &name, "Role")?;
    make(call, args, Made::new(value, ""))
}

pub(in crate::commands) fn cluster_role(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create clusterrole")?;
    let value = role_value(call, args, &name, "ClusterRole")?;
    make(call, args, Made::new(value, "failed to create clusterrole: "))
}

fn binding_value(args: &Args, name: &str, kind: &str) -> Result<Value, Failure> {
    let (role_kind, role) = match (args.some_text("role"), args.some_text("clusterrole")) {
        (Some(role), None) => ("Role", role),
        (None, Some(role)) => ("ClusterRole", role),
        _ => return Err(Failure::error("exactly one of clusterrole or role must be specified")),
    };
    let group = "rbac.authorization.k8s.io";
    let mut subjects = Vec::new();
    for user in args.all("user") {
        subjects.push(json!({ "kind": "User", "apiGroup": group, "name": user }));
    }
    for name in args.all("group") {
        subjects.push(json!({ "kind": "Group", "apiGroup": group, "name": name }));
    }
    for account in args.all("serviceaccount") {
        let refuse = || Failure::error("serviceaccount must be <namespace>:<name>");
        let (namespace, name) = account.split_once(':').ok_or_else(refuse)?;
        if namespace.is_empty() || name.is_empty() || name.contains(':') {
            return Err(refuse());
        }
        subjects.push(json!({ "kind": "ServiceAccount", "namespace": namespace, "name": name }));
    }
    let mut value = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
        "metadata": { "creationTimestamp": null, "name": name },
        "roleRef": { "apiGroup": group, "kind": role_kind, "name": role },
    });
    if !subjects.is_empty() {
        value["subjects"] = subjects.into();
    }
    Ok(value)
}

pub(in crate::commands) fn role_binding(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create rolebinding")?;
    let value = binding_value(args, &name, "RoleBinding")?;
    make(call, args, Made::new(value, "failed to create rolebinding: "))
}

pub(in crate::commands) fn cluster_role_binding(call: &mut Call, args: &Args) -> Outcome {
    super::require(args, &["clusterrole"])?;
    let name = name(args, "kubectl create clusterrolebinding")?;
    let value = binding_value(args, &name, "ClusterRoleBinding")?;
    make(call, args, Made::new(value, "failed to create clusterrolebinding: "))
}
