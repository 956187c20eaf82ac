//! A kubeconfig as Go's structs write it. Upstream: `client-go/tools/clientcmd/api/v1`.

use serde_json::{Map, Value, json};

use super::{CLUSTERS, CONTEXTS, Section, USERS};
use crate::output::{Fields, PLAIN};

pub(super) const CONFIG: Fields = Fields(&[
    ("kind", PLAIN),
    ("apiVersion", PLAIN),
    ("preferences", PLAIN),
    ("clusters", Fields(&[("name", PLAIN), ("cluster", CLUSTER)])),
    ("users", Fields(&[("name", PLAIN), ("user", USER)])),
    ("contexts", Fields(&[("name", PLAIN), ("context", CONTEXT)])),
    ("current-context", PLAIN),
    ("extensions", PLAIN),
]);

const CLUSTER: Fields = Fields(&[
    ("server", PLAIN),
    ("tls-server-name", PLAIN),
    ("insecure-skip-tls-verify", PLAIN),
    ("certificate-authority", PLAIN),
    ("certificate-authority-data", PLAIN),
    ("proxy-url", PLAIN),
    ("disable-compression", PLAIN),
]);

const USER: Fields = Fields(&[
    ("client-certificate", PLAIN),
    ("client-certificate-data", PLAIN),
    ("client-key", PLAIN),
    ("client-key-data", PLAIN),
    ("token", PLAIN),
    ("tokenFile", PLAIN),
    ("as", PLAIN),
    ("as-uid", PLAIN),
    ("as-groups", PLAIN),
    ("as-user-extra", PLAIN),
    ("username", PLAIN),
    ("password", PLAIN),
    ("auth-provider", Fields(&[("name", PLAIN), ("config", PLAIN)])),
    ("exec", PROGRAM),
]);

const PROGRAM: Fields = Fields(&[
    ("command", PLAIN),
    ("args", PLAIN),
    ("env", PLAIN),
    ("apiVersion", PLAIN),
    ("installHint", PLAIN),
    ("provideClusterInfo", PLAIN),
    ("interactiveMode", PLAIN),
]);

const CONTEXT: Fields = Fields(&[("cluster", PLAIN), ("user", PLAIN), ("namespace", PLAIN)]);

/// Gives every struct the fields that Go always writes, and takes those away that it leaves out when they are empty.
pub(crate) fn complete(config: &mut Value) {
    for entry in entries(config, CONTEXTS) {
        keep(entry, &[("cluster", json!("")), ("user", json!(""))]);
    }
    for entry in entries(config, CLUSTERS) {
        keep(entry, &[("server", json!(""))]);
    }
    for entry in entries(config, USERS) {
        keep(entry, &[]);
        if let Some(provider) = entry.get_mut("auth-provider").and_then(Value::as_object_mut) {
            keep(provider, &[("name", json!("")), ("config", Value::Null)]);
        }
        if let Some(program) = entry.get_mut("exec").and_then(Value::as_object_mut) {
            let asks_by_default = ["v1alpha1", "v1beta1"].iter().any(|version| {
                program.get("apiVersion") == Some(&json!(format!("client.authentication.k8s.io/{version}")))
            });
            if asks_by_default && !program.contains_key("interactiveMode") {
                program.insert("interactiveMode".into(), "IfAvailable".into());
            }
            let always = [("args", Value::Null), ("env", Value::Null)];
            keep(program, &[&always[..], &[("command", json!("")), ("provideClusterInfo", json!(false))]].concat());
        }
    }
}

fn entries(config: &mut Value, (list, field): Section) -> impl Iterator<Item = &mut Map<String, Value>> {
    let entries = config.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
    entries.filter_map(move |entry| {
        let inner = entry.as_object_mut()?.entry(field).or_insert_with(|| json!({}));
        if inner.is_null() {
            *inner = json!({});
        }
        inner.as_object_mut()
    })
}

/// `always` are the fields that are written even when they are empty, and how.
fn keep(fields: &mut Map<String, Value>, always: &[(&str, Value)]) {
    fields.retain(|name, value| {
        let is_empty = value.is_null() || *value == "" || *value == false;
        !is_empty || always.iter().any(|(kept, _)| kept == name)
    });
    for (name, empty) in always {
        fields.entry(*name).or_insert_with(|| empty.clone());
    }
}
