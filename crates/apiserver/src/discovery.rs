//! What the API server says of itself: the groups, versions and resources that it serves, its version, its health, and
//! which OpenAPI documents there are. All of it follows from `api::kinds`.

use api::k8s_openapi::ByteString;
use api::{Kind, Subresource, custom};
use serde_json::{Map, Value, json};

use crate::parts::PartKind;
use crate::route::Answer;

/// The groups in the order of upstream's API service priorities; others follow in the order of the table of kinds.
const GROUP_ORDER: [&str; 20] = [
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
];

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// The kinds that the server serves.
type Kinds<'a> = &'a [&'static Kind];

/// Answers a path that names no resource.
pub fn serve(kinds: Kinds, method: &str, path: &str, accept: &str) -> Answer {
    let path = if path.len() > 1 { path.trim_end_matches('/') } else { path };
    if !matches!(method, "GET" | "HEAD") {
        return Answer::page_not_found();
    }
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let value = match parts.as_slice() {
        ["healthz" | "livez" | "readyz", ..] => return Answer::text("ok"),
        ["version"] => version(),
        ["api"] if wants_aggregated(accept) => return aggregated(kinds, &[""]),
        ["api"] => json!({
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443" }],
        }),
        ["apis"] if wants_aggregated(accept) => return aggregated(kinds, &groups(kinds)),
        ["apis"] => {
            let groups: Vec<Value> = groups(kinds).into_iter().map(|name| group(kinds, name)).collect();
            json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
        }
        ["api", version] => resources(kinds, "", version),
        ["apis", name] if !versions(kinds, name).is_empty() => {
            let mut value = group(kinds, name);
            value["kind"] = "APIGroup".into();
            value["apiVersion"] = "v1".into();
            value
        }
        ["apis", group, version] => resources(kinds, group, version),
        ["openapi", "v3"] => openapi_index(kinds),
        _ => return Answer::page_not_found(),
    };
    Answer::json(&value)
}

fn version() -> Value {
    json!({
        "major": "1",
        "minor": "36",
        "emulationMajor": "1",
        "emulationMinor": "36",
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "35",
        "gitVersion": "v1.36.2",
        "gitCommit": "$Format:%H$",
        "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "go1.26.6",
        "compiler": "gc",
        "platform": "linux/amd64",
    })
}

/// Every group but the core's.
fn groups(kinds: Kinds) -> Vec<&'static str> {
    let mut groups: Vec<&str> = Vec::new();
    for kind in kinds {
        if !kind.group.is_empty() && !groups.contains(&kind.group) {
            groups.push(kind.group);
        }
    }
    groups.sort_by_key(|group| (GROUP_ORDER.iter().position(|one| one == group).unwrap_or(GROUP_ORDER.len()), *group));
    groups
}

/// The versions of a group, the preferred one first.
fn versions(kinds: Kinds, group: &str) -> Vec<&'static str> {
    let mut versions: Vec<&str> = Vec::new();
    for kind in kinds.iter().filter(|kind| kind.group == group) {
        if !versions.contains(&kind.version) {
            versions.push(kind.version);
        }
    }
    versions.sort_by(|one, other| custom::version_order(one, other));
    versions
}

fn group(kinds: Kinds, name: &str) -> Value {
    let version = |version: &&str| json!({ "groupVersion": format!("{name}/{version}"), "version": version });
    let versions: Vec<Value> = versions(kinds, name).iter().map(version).collect();
    json!({ "name": name, "versions": versions, "preferredVersion": versions.first() })
}

fn kinds_of(kinds: Kinds, group: &str, version: &str) -> Vec<&'static Kind> {
    let of = |kind: &&&'static Kind| kind.group == group && kind.version == version;
    let mut kinds: Vec<&'static Kind> = kinds.iter().filter(of).copied().collect();
    kinds.sort_by_key(|kind| kind.plural);
    kinds
}

/// `APIResourceList`
fn resources(kinds: Kinds, group: &str, version: &str) -> Value {
    let mut resources = Vec::new();
    for kind in kinds_of(kinds, group, version) {
        let mut resource = Map::new();
        resource.insert("name".into(), kind.plural.into());
        resource.insert("singularName".into(), kind.singular.into());
        resource.insert("namespaced".into(), kind.namespaced.into());
        resource.insert("kind".into(), kind.kind.into());
        resource.insert("verbs".into(), verbs(kind).into());
        names(&mut resource, kind);
        if let Some(hash) = storage_version_hash(kind) {
            resource.insert("storageVersionHash".into(), hash.into());
        }
        resources.push(Value::Object(resource));
        for sub in subresources(kind) {
            let of = PartKind::of(kind, sub);
            let mut resource = Map::new();
            resource.insert("name".into(), format!("{}/{}", kind.plural, sub.as_str()).into());
            resource.insert("singularName".into(), "".into());
            resource.insert("namespaced".into(), kind.namespaced.into());
            if !of.group.is_empty() {
                resource.insert("group".into(), of.group.into());
                resource.insert("version".into(), of.version.into());
            }
            resource.insert("kind".into(), of.kind.into());
            resource.insert("verbs".into(), of.verbs.into());
            resources.push(Value::Object(resource));
        }
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let mut list = json!({ "kind": "APIResourceList", "groupVersion": group_version, "resources": resources });
    if !group.is_empty() {
        list["apiVersion"] = "v1".into();
    }
    list
}

/// As what each kind is kept: the hash of group, version and kind, by which clients notice a migration.
const STORAGE_VERSIONS: &str = include_str!("storage_versions.txt");

fn storage_version_hash(kind: &'static Kind) -> Option<String> {
    if kind.id.is_custom() {
        let bytes = format!("{:08x}", kind.stored().id.0).into_bytes();
        return api::wire::value_of(&ByteString(bytes)).as_str().map(str::to_owned);
    }
    let stored = kind.stored();
    let name = format!("{}/{}/{} ", stored.group, stored.version, stored.kind);
    STORAGE_VERSIONS.lines().find_map(|line| line.strip_prefix(&name)).map(str::to_owned)
}

fn names(resource: &mut Map<String, Value>, kind: &Kind) {
    if !kind.short_names.is_empty() {
        resource.insert("shortNames".into(), kind.short_names.into());
    }
    if !kind.categories.is_empty() {
        resource.insert("categories".into(), kind.categories.into());
    }
}

fn verbs(kind: &Kind) -> Vec<&'static str> {
    kind.verbs().iter().map(|verb| verb.as_str()).collect()
}

fn subresources(kind: &Kind) -> Vec<Subresource> {
    let mut subresources = kind.subresources.to_vec();
    if !kind.id.is_custom() {
        subresources.sort_by_key(|sub| sub.as_str());
    }
    subresources
}

fn wants_aggregated(accept: &str) -> bool {
    let first = accept.split(',').next().unwrap_or_default();
    let has = |wanted: &str| first.split(';').any(|part| part.trim() == wanted);
    has("as=APIGroupDiscoveryList") && has("v=v2") && has("g=apidiscovery.k8s.io")
}

/// `APIGroupDiscoveryList`: everything in one answer.
fn aggregated(kinds: Kinds, groups: &[&str]) -> Answer {
    let items: Vec<Value> = groups.iter().map(|group| aggregated_group(kinds, group)).collect();
    let list = json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    });
    Answer { content_type: AGGREGATED, ..Answer::json(&list) }
}

fn aggregated_group(kinds: Kinds, group: &str) -> Value {
    let of_version = |version: &&str| {
        let resources: Vec<Value> = kinds_of(kinds, group, version).into_iter().map(aggregated_resource).collect();
        json!({ "version": version, "resources": resources, "freshness": "Current" })
    };
    let versions: Vec<Value> = versions(kinds, group).iter().map(of_version).collect();
    let metadata = if group.is_empty() { json!({}) } else { json!({ "name": group }) };
    json!({ "metadata": metadata, "versions": versions })
}

fn aggregated_resource(kind: &Kind) -> Value {
    let response = |group: &str, version: &str, kind: &str| json!({ "group": group, "version": version, "kind": kind });
    let mut resource = Map::new();
    resource.insert("resource".into(), kind.plural.into());
    resource.insert("responseKind".into(), response("", "", kind.kind));
    resource.insert("scope".into(), if kind.namespaced { "Namespaced" } else { "Cluster" }.into());
    resource.insert("singularResource".into(), kind.singular.into());
    resource.insert("verbs".into(), verbs(kind).into());
    names(&mut resource, kind);
    let subresources = subresources(kind).into_iter().map(|sub| {
        let of = PartKind::of(kind, sub);
        json!({
            "subresource": sub.as_str(),
            "responseKind": response(of.group, of.version, &of.kind),
            "verbs": of.verbs,
        })
    });
    let subresources: Vec<Value> = subresources.collect();
    if !subresources.is_empty() {
        resource.insert("subresources".into(), subresources.into());
    }
    Value::Object(resource)
}

/// The paths of the documents, which the HTTP server writes.
fn openapi_index(kinds: Kinds) -> Value {
    let mut paths = Map::new();
    let mut add = |path: String| {
        let link = json!({ "serverRelativeURL": format!("/openapi/v3/{path}") });
        paths.insert(path, link);
    };
    let fixed = [".well-known/openid-configuration", "api", "api/v1", "apis", "openid/v1/jwks", "version"];
    fixed.into_iter().for_each(|path| add(path.into()));
    for group in groups(kinds) {
        add(format!("apis/{group}"));
        for version in versions(kinds, group) {
            add(format!("apis/{group}/{version}"));
        }
    }
    json!({ "paths": paths })
}
