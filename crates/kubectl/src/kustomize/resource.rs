//! One object on its way through a build.

use api::kinds;
use serde_json::Value;

use super::{hash, text};

/// Kind, name and namespace: what a reference looks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Identity {
    pub kind: String,
    pub name: String,
    pub namespace: String,
}

pub(super) struct Resource {
    pub value: Value,
    /// All names that it has had: patches and generators may use any.
    pub names: Vec<String>,
    /// It was generated, and its name gets a hash.
    pub hashed: bool,
}

impl Resource {
    pub fn new(value: Value) -> Resource {
        let names = vec![text(&value["metadata"]["name"]).to_owned()];
        Resource { value, names, hashed: false }
    }

    pub fn kind(&self) -> &str {
        text(&self.value["kind"])
    }

    pub fn name(&self) -> &str {
        text(&self.value["metadata"]["name"])
    }

    pub fn identity(&self) -> Identity {
        Identity {
            kind: self.kind().into(),
            name: self.name().into(),
            namespace: text(&self.value["metadata"]["namespace"]).into(),
        }
    }

    pub fn group_version(&self) -> (&str, &str) {
        let version = text(&self.value["apiVersion"]);
        version.split_once('/').unwrap_or(("", version))
    }

    /// The row of its kind; `None` for custom resources.
    pub fn row(&self) -> Option<&'static api::Kind> {
        kinds::by_kind(text(&self.value["apiVersion"]), self.kind())
    }

    pub fn is_namespaced(&self) -> bool {
        self.row().is_none_or(|kind| kind.namespaced)
    }

    pub fn rename(&mut self, name: String) {
        if !self.names.contains(&name) {
            self.names.push(name.clone());
        }
        self.value["metadata"]["name"] = name.into();
    }

    pub fn add_hash(&mut self) {
        if self.hashed {
            let name = format!("{}-{}", self.name(), hash::suffix(&self.value, ""));
            self.rename(name);
        }
    }
}

/// The order in which objects are best created; the rest comes between the last two parts, by group, version and kind.
const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// The key by which a build's objects are sorted.
pub(super) fn order(value: &Value) -> (usize, String) {
    let kind = text(&value["kind"]);
    let place = match (FIRST.iter().position(|first| *first == kind), LAST.iter().position(|last| *last == kind)) {
        (Some(at), _) => at,
        (_, Some(at)) => FIRST.len() + 1 + at,
        _ => FIRST.len(),
    };
    let version = text(&value["apiVersion"]);
    let (group, version) = version.split_once('/').unwrap_or(("~G", version));
    let meta = &value["metadata"];
    (place, format!("{group}_{version}_{kind}|{}|{}", text(&meta["namespace"]), text(&meta["name"])))
}
