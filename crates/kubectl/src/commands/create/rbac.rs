//! `kubectl create role`, `clusterrole`, `rolebinding`, `clusterrolebinding`

use serde_json::{Value, json};

use super::{Made, make, name};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, array, list, text};
use crate::resource;
use crate::task::Call;

pub(in crate::commands) static ROLE_FLAGS: &[Flag] = &[
    list("verb", ' ', "Verbs that the role allows"),
    list("resource", ' ', "Resources that the role is about"),
    array("resource-name", ' ', "Names that the role is about"),
    list("non-resource-url", ' ', "Paths that the cluster role is about"),
    text("aggregation-rule", ' ', "A label selector of cluster roles to combine"),
];
pub(in crate::commands) static BINDING_FLAGS: &[Flag] = &[
    text("role", ' ', "The role to bind"),
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
    let verbs = args.all("verb");
    if verbs.is_empty() {
        return Err(Failure::error("at least one verb must be specified"));
    }
    for verb in verbs.iter().filter(|verb| !VERBS.contains(&verb.as_str())) {
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
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for word in args.all("resource") {
        let (bare, sub) = word.split_once('/').map_or((word.as_str(), ""), |(bare, sub)| (bare, sub));
        let (group, plural) = if bare == "*" {
            (String::new(), "*".to_owned())
        } else {
            let kind = resource::kind_of(call.client, bare).ok_or_else(|| {
                let name = bare.split('.').next().unwrap_or_default();
                Failure::plain(format!("the server doesn't have a resource type {name:?}"))
            })?;
            (kind.group.to_owned(), kind.plural.to_owned())
        };
        let plural = if sub.is_empty() { plural } else { format!("{plural}/{sub}") };
        match groups.iter_mut().find(|(known, _)| *known == group) {
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

fn role_value(call: &mut Call, args: &Args, name: &str, kind: &str) -> Result<Value, Failure> {
    let mut value = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
        "metadata": { "creationTimestamp": null, "name": name },
    });
    if let Some(selector) = args.some_text("aggregation-rule") {
        if ["verb", "resource", "resource-name", "non-resource-url"].iter().any(|flag| args.given(flag)) {
            return Err(Failure::error(
                "aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames",
            ));
        }
        let labels = crate::commands::expose::pairs(selector)?;
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
    make(call, args, Made { value, refused: "failed to create role: " })
}

pub(in crate::commands) fn cluster_role(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create clusterrole")?;
    let value = role_value(call, args, &name, "ClusterRole")?;
    make(call, args, Made { value, refused: "failed to create clusterrole: " })
}

fn binding_value(args: &Args, name: &str, kind: &str) -> Result<Value, Failure> {
    let (role_kind, role) = match (args.some_text("role"), args.some_text("clusterrole")) {
        (Some(role), None) => ("Role", role),
        (None, Some(role)) => ("ClusterRole", role),
        _ if kind == "ClusterRoleBinding" => {
            return Err(Failure::error("required flag(s) \"clusterrole\" not set"));
        }
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
        let (namespace, name) =
            account.split_once(':').ok_or_else(|| Failure::error("serviceaccount must be <namespace>:<name>"))?;
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
    make(call, args, Made { value, refused: "failed to create rolebinding: " })
}

pub(in crate::commands) fn cluster_role_binding(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create clusterrolebinding")?;
    let value = binding_value(args, &name, "ClusterRoleBinding")?;
    make(call, args, Made { value, refused: "failed to create clusterrolebinding: " })
}
