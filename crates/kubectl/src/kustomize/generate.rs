//! `configMapGenerator` and `secretGenerator`.

use serde_json::{Value, json};

use super::resource::Resource;
use super::{join, text, texts};
use crate::files::Files;
use crate::output::base64_encode;

pub(super) fn run(files: &Files, folder: &str, config: &Value, resources: &mut Vec<Resource>) -> Result<(), String> {
    let defaults = &config["generatorOptions"];
    for (field, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
        for entry in config[field].as_array().into_iter().flatten() {
            let made = generate(files, folder, kind, entry, defaults)?;
            add(resources, made, text(&entry["behavior"]))?;
        }
    }
    Ok(())
}

fn generate(files: &Files, folder: &str, kind: &str, entry: &Value, defaults: &Value) -> Result<Resource, String> {
    let mut value = json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": entry["name"] } });
    if let Some(namespace) = entry["namespace"].as_str() {
        value["metadata"]["namespace"] = namespace.into();
    }
    for field in ["labels", "annotations"] {
        for options in [defaults, &entry["options"]] {
            for (key, text) in options[field].as_object().into_iter().flatten() {
                value["metadata"][field][key] = text.clone();
            }
        }
    }
    for (key, text) in pairs(files, folder, entry)? {
        value["data"][key] = if kind == "Secret" { base64_encode(text.as_bytes()).into() } else { text.into() };
    }
    if kind == "Secret" {
        value["type"] = entry["type"].as_str().unwrap_or("Opaque").into();
    }
    let option = |name: &str| [&entry["options"], defaults].iter().any(|options| options[name] == true);
    if option("immutable") {
        value["immutable"] = true.into();
    }
    let mut resource = Resource::new(value);
    resource.hashed = !option("disableNameSuffixHash");
    Ok(resource)
}

/// The keys and texts of an entry: its files of variables, literals and files.
fn pairs(files: &Files, folder: &str, entry: &Value) -> Result<Vec<(String, String)>, String> {
    let read = |path: &str| {
        let full = join(folder, path);
        files.read(&full).ok_or_else(|| {
            format!("loading KV pairs: file sources: [{path}]: evalsymlink failure on '{full}' : lstat {full}: no such file or directory")
        })
    };
    let mut pairs = Vec::new();
    for path in texts(&entry["envs"]).chain(entry["env"].as_str()) {
        for line in read(path)?.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            pairs.push((key.to_owned(), value.to_owned()));
        }
    }
    for literal in texts(&entry["literals"]) {
        let (key, value) = literal.split_once('=').ok_or_else(|| {
            format!("loading KV pairs: literal sources {literal}: invalid literal source {literal}, expected key=value")
        })?;
        pairs.push((key.to_owned(), unquoted(value).to_owned()));
    }
    for source in texts(&entry["files"]) {
        let (key, path) = source.split_once('=').unwrap_or((source.rsplit('/').next().unwrap_or_default(), source));
        pairs.push((key.to_owned(), read(path)?));
    }
    Ok(pairs)
}

/// A value without the quotes around it.
fn unquoted(value: &str) -> &str {
    ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value)
}

/// Adds a generated object, or changes the one of that name.
fn add(resources: &mut Vec<Resource>, made: Resource, behavior: &str) -> Result<(), String> {
    let name = made.name().to_owned();
    let known = resources.iter_mut().find(|known| known.kind() == made.kind() && known.names.contains(&name));
    match (known, behavior) {
        (None, "merge" | "replace") => Err(format!(
            "merging from generator: id resid.ResId{{Kind: {:?}, Name: {name:?}}} does not exist; cannot merge or replace",
            made.kind()
        )),
        (None, _) => {
            resources.push(made);
            Ok(())
        }
        (Some(known), "merge" | "replace") => {
            if behavior == "replace" {
                known.value["data"] = Value::Null;
            }
            let kept = known.name().to_owned();
            known.value = api::patch::merge(std::mem::take(&mut known.value), made.value);
            known.value["metadata"]["name"] = kept.into();
            Ok(())
        }
        (Some(known), _) => Err(format!(
            "merging from generator: id resid.ResId{{Kind: {:?}, Name: {name:?}}} exists; behavior must be merge or replace",
            known.kind()
        )),
    }
}
