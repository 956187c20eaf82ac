//! The transformers of a kustomization, in upstream's order.

use std::collections::BTreeMap;

use api::selector::Selector;
use regex_lite::Regex;
use serde_json::{Map, Value, json};

use super::reference::{pod_spec, walk};
use super::resource::Resource;
use super::{join, text, texts};
use crate::files::Files;

pub(super) fn run(files: &Files, folder: &str, config: &Value, resources: &mut Vec<Resource>) -> Result<(), String> {
    patches(files, folder, config, resources)?;
    if let Some(namespace) = config["namespace"].as_str().filter(|namespace| !namespace.is_empty()) {
        resources.iter_mut().for_each(|resource| move_to(resource, namespace));
    }
    rename(resources, text(&config["namePrefix"]), text(&config["nameSuffix"]));
    for entry in config["labels"].as_array().into_iter().flatten() {
        let selects = entry["includeSelectors"] == true;
        let templates = selects || entry["includeTemplates"] == true;
        labels(resources, &entry["pairs"], templates, selects);
    }
    labels(resources, &config["commonLabels"], true, true);
    annotations(resources, &config["commonAnnotations"]);
    for entry in config["replicas"].as_array().into_iter().flatten() {
        replicas(resources, entry)?;
    }
    for entry in config["images"].as_array().into_iter().flatten() {
        images(resources, entry);
    }
    Ok(())
}

fn read(files: &Files, folder: &str, path: &str) -> Result<String, String> {
    let full = join(folder, path);
    files
        .read(&full)
        .ok_or_else(|| format!("evalsymlink failure on '{full}' : lstat {full}: no such file or directory"))
}

fn patches(files: &Files, folder: &str, config: &Value, resources: &mut Vec<Resource>) -> Result<(), String> {
    for entry in texts(&config["patchesStrategicMerge"]) {
        let text = if entry.contains('\n') { entry.to_owned() } else { read(files, folder, entry)? };
        patch(resources, &text, &Value::Null)?;
    }
    for field in ["patches", "patchesJson6902"] {
        for entry in config[field].as_array().into_iter().flatten() {
            let text = match entry["path"].as_str() {
                Some(path) => read(files, folder, path)?,
                None => text(&entry["patch"]).to_owned(),
            };
            patch(resources, &text, &entry["target"])?;
        }
    }
    Ok(())
}

/// One patch: a list is JSON Patch, an object a strategic merge, which may name its object itself.
fn patch(resources: &mut Vec<Resource>, text: &str, target: &Value) -> Result<(), String> {
    let documents = api::yaml::parse_documents(text).map_err(|error| error.to_string())?;
    for document in documents {
        let body = document.value;
        if body.is_array() && target.is_null() {
            return Err(format!("must specify a target for JSON patch {text}"));
        }
        let own = json!({ "kind": body["kind"], "name": body["metadata"]["name"] });
        let wanted = Target::read(if target.is_null() { &own } else { target })?;
        let mut found = false;
        let mut deleted = Vec::new();
        for (at, resource) in resources.iter_mut().enumerate().filter(|(_, resource)| wanted.matches(resource)) {
            found = true;
            if body["$patch"] == "delete" {
                deleted.push(at);
                continue;
            }
            let before = std::mem::take(&mut resource.value);
            let (kind, meta) = (before["kind"].clone(), before["metadata"].clone());
            let version = before["apiVersion"].clone();
            let row = api::kinds::by_kind(self::text(&version), self::text(&kind));
            resource.value = match (&body, row) {
                (Value::Array(_), _) => api::patch::json(before, &body),
                (_, Some(row)) => api::patch::strategic(row, before, body.clone()),
                (_, None) => Ok(api::patch::merge(before, body.clone())),
            }
            .map_err(|status| status.message)?;
            if !body.is_array() {
                (resource.value["kind"], resource.value["apiVersion"]) = (kind, version);
                for field in ["name", "namespace"] {
                    if let Some(kept) = meta.get(field) {
                        resource.value["metadata"][field] = kept.clone();
                    }
                }
            }
        }
        if !found && target.is_null() {
            let (kind, name) = (self::text(&own["kind"]), self::text(&own["name"]));
            return Err(format!(
                "no resource matches strategic merge patch {:?}: no matches for Id {kind}/{name}; failed to find unique target for patch {kind}/{name}",
                format!("{kind}.{name}")
            ));
        }
        deleted.into_iter().rev().for_each(|at| drop(resources.remove(at)));
    }
    Ok(())
}

/// Which resources a patch is for.
struct Target {
    group: String,
    version: String,
    kind: Regex,
    name: Regex,
    namespace: Regex,
    labels: Selector,
    annotations: Selector,
}

impl Target {
    fn read(value: &Value) -> Result<Target, String> {
        let pattern = |field: &str| {
            let text = value[field].as_str().filter(|text| !text.is_empty()).unwrap_or(".*");
            Regex::new(&format!("^(?:{text})$")).map_err(|error| error.to_string())
        };
        Ok(Target {
            group: text(&value["group"]).into(),
            version: text(&value["version"]).into(),
            kind: pattern("kind")?,
            name: pattern("name")?,
            namespace: pattern("namespace")?,
            labels: Selector::parse(text(&value["labelSelector"]))?,
            annotations: Selector::parse(text(&value["annotationSelector"]))?,
        })
    }

    fn matches(&self, resource: &Resource) -> bool {
        let map = |field: &str| -> BTreeMap<String, String> {
            serde_json::from_value(resource.value["metadata"][field].clone()).unwrap_or_default()
        };
        let (group, version) = resource.group_version();
        (self.group.is_empty() || self.group == group)
            && (self.version.is_empty() || self.version == version)
            && self.kind.is_match(resource.kind())
            && resource.names.iter().any(|name| self.name.is_match(name))
            && self.namespace.is_match(text(&resource.value["metadata"]["namespace"]))
            && self.labels.matches(&map("labels"))
            && self.annotations.matches(&map("annotations"))
    }
}

fn move_to(resource: &mut Resource, namespace: &str) {
    if resource.kind() == "Namespace" {
        resource.rename(namespace.into());
    } else if resource.is_namespaced() {
        resource.value["metadata"]["namespace"] = namespace.into();
    }
    walk(&mut resource.value, "subjects", &mut |subjects| {
        for subject in subjects.as_array_mut().into_iter().flatten() {
            if subject["kind"] == "ServiceAccount" && subject["name"] == "default" {
                subject["namespace"] = namespace.into();
            }
        }
    });
}

fn rename(resources: &mut [Resource], prefix: &str, suffix: &str) {
    const KEPT: [&str; 3] = ["Namespace", "CustomResourceDefinition", "APIService"];
    for resource in resources.iter_mut().filter(|resource| !KEPT.contains(&resource.kind())) {
        let name = format!("{prefix}{}{suffix}", resource.name());
        resource.rename(name);
    }
}

/// Where an object keeps the metadata of what it makes.
fn templates(kind: &str) -> &'static [&'static str] {
    match kind {
        "Deployment" | "ReplicaSet" | "ReplicationController" | "DaemonSet" | "StatefulSet" | "Job" => {
            &["/spec/template/metadata"]
        }
        "CronJob" => &["/spec/jobTemplate/metadata", "/spec/jobTemplate/spec/template/metadata"],
        _ => &[],
    }
}

/// Where an object selects others, and whether a selector is made where there is none.
fn selectors(kind: &str) -> (&'static [&'static str], bool) {
    match kind {
        "Service" | "ReplicationController" => (&["/spec/selector"], true),
        "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" => (&["/spec/selector/matchLabels"], true),
        "Job" | "PodDisruptionBudget" => (&["/spec/selector/matchLabels"], false),
        "CronJob" => (&["/spec/jobTemplate/spec/selector/matchLabels"], false),
        "NetworkPolicy" => (&["/spec/podSelector/matchLabels"], false),
        _ => (&[], false),
    }
}

/// Lays pairs over the map at a pointer, making what is missing on the way.
fn lay(value: &mut Value, pointer: &str, pairs: &Map<String, Value>, make: bool) {
    let mut place = value;
    for part in pointer.split('/').skip(1) {
        if place.get(part).is_none_or(Value::is_null) {
            if !make {
                return;
            }
            place[part] = json!({});
        }
        place = &mut place[part];
    }
    for (key, text) in pairs {
        place[key] = text.clone();
    }
}

fn labels(resources: &mut [Resource], pairs: &Value, in_templates: bool, in_selectors: bool) {
    let Some(pairs) = pairs.as_object() else { return };
    for resource in resources {
        let kind = resource.kind().to_owned();
        lay(&mut resource.value, "/metadata/labels", pairs, true);
        if in_templates {
            for template in templates(&kind) {
                lay(&mut resource.value, &format!("{template}/labels"), pairs, true);
            }
        }
        if in_selectors {
            let (paths, make) = selectors(&kind);
            paths.iter().for_each(|path| lay(&mut resource.value, path, pairs, make));
        }
    }
}

fn annotations(resources: &mut [Resource], pairs: &Value) {
    let Some(pairs) = pairs.as_object() else { return };
    for resource in resources {
        let kind = resource.kind().to_owned();
        lay(&mut resource.value, "/metadata/annotations", pairs, true);
        for template in templates(&kind) {
            lay(&mut resource.value, &format!("{template}/annotations"), pairs, true);
        }
    }
}

fn replicas(resources: &mut [Resource], entry: &Value) -> Result<(), String> {
    let name = text(&entry["name"]);
    let mut found = false;
    for resource in resources {
        let scales = matches!(resource.kind(), "Deployment" | "ReplicaSet" | "ReplicationController" | "StatefulSet");
        if scales && resource.names.iter().any(|own| own == name) {
            resource.value["spec"]["replicas"] = entry["count"].clone();
            found = true;
        }
    }
    match found {
        true => Ok(()),
        false => Err(format!(
            "resource with name {name} does not match a config with the following GVK [Deployment.[noVer].[noGrp] \
             ReplicationController.[noVer].[noGrp] ReplicaSet.[noVer].[noGrp] StatefulSet.[noVer].[noGrp]]"
        )),
    }
}

fn images(resources: &mut [Resource], entry: &Value) {
    for resource in resources {
        let Some(spec) = pod_spec(resource.kind()) else { continue };
        for list in ["containers", "initContainers"] {
            walk(&mut resource.value, &format!("{spec}/{list}/image"), &mut |image| {
                if let Some(changed) = changed_image(text(image), entry) {
                    *image = changed.into();
                }
            });
        }
    }
}

/// An image under its new name, tag or digest; `None` for one of another name.
fn changed_image(image: &str, entry: &Value) -> Option<String> {
    let rest = image.strip_prefix(text(&entry["name"]))?;
    if !(rest.is_empty() || rest.starts_with([':', '@'])) {
        return None;
    }
    let name = entry["newName"].as_str().unwrap_or(text(&entry["name"]));
    let version = match (entry["newTag"].as_str(), entry["digest"].as_str()) {
        (_, Some(digest)) => format!("@{digest}"),
        (Some(tag), None) => format!(":{tag}"),
        (None, None) => rest.to_owned(),
    };
    Some(format!("{name}{version}"))
}
