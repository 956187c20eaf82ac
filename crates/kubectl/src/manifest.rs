//! Manifests: from `-f` to objects with their kinds.

use api::{Kind, yaml};
use client::Client;
use serde_json::Value;

use crate::commands::namespace;
use crate::failure::Failure;
use crate::flags::Args;
use crate::kustomize;
use crate::resource;
use crate::task::Call;

/// One object of a manifest.
#[derive(Clone)]
pub(crate) struct Manifest {
    pub kind: &'static Kind,
    pub namespace: String,
    pub name: String,
    pub value: Value,
    /// The file as the user wrote it, or `STDIN`.
    pub source: String,
    pub document: yaml::Document,
}

/// Why one document of a text is no object.
pub(crate) struct Misread {
    pub failure: Failure,
    /// Counted from 1.
    pub line: u32,
}

/// Reads all that `-f` names.
pub(crate) fn read(call: &mut Call, args: &Args) -> Result<Vec<Manifest>, Failure> {
    let mut manifests = Vec::new();
    let fallback = namespace(call, args);
    let enforced = args.given("namespace");
    for file in args.all("filename") {
        for (source, text) in texts(call, file)? {
            for document in documents(&text, &source).map_err(|misread| misread.failure)? {
                let manifest =
                    resolve(call.client, document, &source, &fallback, enforced).map_err(|misread| misread.failure)?;
                manifests.push(manifest);
            }
        }
    }
    for folder in args.all("kustomize") {
        let built = kustomize::build(&call.state.files, folder).map_err(Failure::error)?;
        built.warnings.into_iter().for_each(|warning| call.io.err_line(warning));
        for value in built.objects {
            let document = yaml::Document { value, line: 1, lines: Default::default() };
            manifests
                .push(resolve(call.client, document, folder, &fallback, enforced).map_err(|misread| misread.failure)?);
        }
    }
    Ok(manifests)
}

/// The texts of a file, a folder or standard input, each with the name that messages use.
fn texts(call: &mut Call, file: &str) -> Result<Vec<(String, String)>, Failure> {
    if file == "-" {
        return Ok(vec![("STDIN".into(), call.io.stdin.take().unwrap_or_default())]);
    }
    if file.starts_with("http://") || file.starts_with("https://") {
        return Err(Failure::error(format!(
            "unable to read URL {file:?}: this page has no way to the Internet: paste the manifest into a file instead"
        )));
    }
    if let Some(text) = call.state.files.read(file) {
        return Ok(vec![(file.into(), text)]);
    }
    let Some(names) = call.state.files.list(file) else {
        return Err(Failure::error(format!("the path {file:?} does not exist")));
    };
    let folder = file.trim_end_matches('/');
    let manifests = names.iter().filter(|name| [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end)));
    let paths = manifests.map(|name| if folder == "." { name.clone() } else { format!("{folder}/{name}") });
    let texts: Vec<(String, String)> =
        paths.filter_map(|path| call.state.files.read(&path).map(|text| (path, text))).collect();
    if texts.is_empty() {
        return Err(Failure::error(format!(
            "error reading [{file}]: recognized file extensions are [.json .yaml .yml]"
        )));
    }
    Ok(texts)
}

/// The documents of a text; the items of a list count as documents.
pub(crate) fn documents(text: &str, source: &str) -> Result<Vec<yaml::Document>, Misread> {
    let parsed = yaml::parse_documents(text).map_err(|error| Misread {
        line: error.line,
        failure: Failure::error(format!("error parsing {source}: {error}")),
    })?;
    let mut documents = Vec::new();
    for document in parsed {
        let is_list = document.value["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
        match document.value.get("items").and_then(Value::as_array) {
            Some(items) if is_list => {
                for (at, item) in items.iter().enumerate() {
                    let prefix = format!("items[{at}].");
                    let inner = document.lines.iter();
                    let lines = inner.filter_map(|(path, line)| Some((path.strip_prefix(&prefix)?.to_owned(), *line)));
                    let lines = lines.collect();
                    let line = document.line_of(&format!("items[{at}]"));
                    documents.push(yaml::Document { value: item.clone(), line, lines });
                }
            }
            _ if document.value.is_null() => {}
            _ => documents.push(document),
        }
    }
    Ok(documents)
}

/// Finds the kind of a document and where its object belongs.
pub(crate) fn resolve(
    client: &mut Client,
    document: yaml::Document,
    source: &str,
    fallback: &str,
    enforced: bool,
) -> Result<Manifest, Misread> {
    let mut value = document.value.clone();
    let misread = |text: String| Misread { failure: Failure::error(text), line: document.line };
    let field = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (api_version, kind_name) = (field("apiVersion"), field("kind"));
    if kind_name.is_empty() {
        return Err(misread(format!("unable to decode {source:?}: Object 'Kind' is missing in '{value}'")));
    }
    if api_version.is_empty() {
        return Err(misread(format!(
            "error validating {source:?}: error validating data: apiVersion not set; if you choose to ignore these \
             errors, turn validation off with --validate=false"
        )));
    }
    let meta = |name: &str| value["metadata"][name].as_str().unwrap_or_default().to_owned();
    let (name, own_namespace) = (meta("name"), meta("namespace"));
    let Some(kind) = resource::by_kind(client, &api_version, &kind_name) else {
        return Err(misread(format!(
            "resource mapping not found for name: {name:?} namespace: {own_namespace:?} from {source:?}: no matches for \
             kind {kind_name:?} in version {api_version:?}\nensure CRDs are installed first"
        )));
    };
    let mut namespace = String::new();
    if kind.namespaced {
        if enforced && !own_namespace.is_empty() && own_namespace != fallback {
            return Err(misread(format!(
                "the namespace from the provided object {own_namespace:?} does not match the namespace {fallback:?}. You \
                 must pass '--namespace={own_namespace}' to perform this operation."
            )));
        }
        namespace = if own_namespace.is_empty() { fallback.to_owned() } else { own_namespace };
        if let Some(fields) = value.as_object_mut() {
            let meta = fields.entry("metadata").or_insert_with(|| Value::Object(Default::default()));
            if let Some(meta) = meta.as_object_mut() {
                meta.insert("namespace".into(), namespace.clone().into());
            }
        }
    }
    Ok(Manifest { kind, namespace, name, value, source: source.into(), document })
}
