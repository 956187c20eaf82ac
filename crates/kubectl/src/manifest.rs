//! Manifests: from `-f` to objects with their kinds.

use api::selector::Selector;
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
    /// What follows in the file is not looked at.
    pub ends_file: bool,
}

impl Manifest {
    pub fn is_selected(&self, selector: &Selector) -> bool {
        let labels = serde_json::from_value(self.value["metadata"]["labels"].clone()).unwrap_or_default();
        selector.matches(&labels)
    }
}

/// Reads all that `-f` and `-k` name, or says what is wrong with some of it.
pub(crate) fn read(call: &mut Call, args: &Args) -> Result<Vec<Manifest>, Failure> {
    let (manifests, failures) = read_all(call, args)?;
    Failure::all(failures).map_or(Ok(manifests), Err)
}

/// The same for commands that do what they can: the documents that can be read, and what is wrong with the others.
pub(crate) fn read_all(call: &mut Call, args: &Args) -> Result<(Vec<Manifest>, Vec<Failure>), Failure> {
    if !args.all("filename").is_empty() && args.some_text("kustomize").is_some() {
        return Err(Failure::error("only one of -f or -k can be specified"));
    }
    let (mut manifests, mut failures) = (Vec::new(), Vec::new());
    let place = Place {
        namespace: namespace(call, args),
        is_enforced: args.given("namespace"),
        // A command that validates refuses what has no kind in the words of its schema.
        validates: args.knows("validate") && !matches!(args.text("validate"), "false" | "ignore"),
        is_local: args.is("local"),
    };
    let (mut all, mut missing) = (Vec::new(), Vec::new());
    for file in args.all("filename") {
        match texts(call, file, args.is("recursive")) {
            Ok(texts) => all.extend(texts),
            Err(failure) => missing.push(failure),
        }
    }
    if let Some(failure) = Failure::all(missing) {
        return Err(failure);
    }
    for (source, text) in all {
        let documents = match documents(&text, &source) {
            Ok(documents) => documents,
            Err(misread) => {
                failures.push(misread.failure);
                continue;
            }
        };
        for document in documents {
            match resolve(call.client, document, &source, &place) {
                Ok(manifest) => manifests.push(manifest),
                Err(misread) => {
                    failures.push(misread.failure);
                    if misread.ends_file {
                        break;
                    }
                }
            }
        }
    }
    for folder in args.all("kustomize") {
        let built = kustomize::build(&call.state.files, folder).map_err(Failure::error)?;
        built.warnings.into_iter().for_each(|warning| call.io.err_line(warning));
        for value in built.objects {
            let document = yaml::Document { value, line: 1, lines: Default::default() };
            match resolve(call.client, document, folder, &place) {
                Ok(manifest) => manifests.push(manifest),
                Err(misread) => failures.push(misread.failure),
            }
        }
    }
    Ok((manifests, failures))
}

/// The text of one file or of standard input.
pub(crate) fn text(call: &mut Call, file: &str) -> Result<String, Failure> {
    match texts(call, file, false)?.into_iter().next() {
        Some((_, text)) => Ok(text),
        None => Err(missing(file)),
    }
}

fn missing(file: &str) -> Failure {
    Failure::error(format!("the path {file:?} does not exist"))
}

type Texts = Vec<(String, String)>;

/// The texts of a file, a folder, a pattern or standard input, each with the name that messages use.
fn texts(call: &mut Call, file: &str, recursive: bool) -> Result<Texts, Failure> {
    if file == "-" {
        return Ok(vec![("STDIN".into(), call.io.stdin.take().unwrap_or_default())]);
    }
    if file.starts_with("http://") || file.starts_with("https://") {
        return call.state.files.fetch(file).map(|text| vec![(file.into(), text)]).map_err(Failure::plain);
    }
    if let Some(text) = call.state.files.read(file) {
        return Ok(vec![(file.into(), text)]);
    }
    if !call.state.files.is_folder(file) {
        return matching(call, file);
    }
    let mut texts = Vec::new();
    inside(call, file, recursive, &mut texts);
    if texts.is_empty() {
        return Err(Failure::error(format!(
            "error reading [{file}]: recognized file extensions are [.json .yaml .yml]"
        )));
    }
    Ok(texts)
}

/// The manifests of a folder.
fn inside(call: &mut Call, folder: &str, recursive: bool, texts: &mut Texts) {
    let path = |name: &str| match folder.trim_end_matches('/') {
        "." => name.to_owned(),
        folder => format!("{folder}/{name}"),
    };
    let files = call.state.files.list(folder).unwrap_or_default().into_iter().map(|name| (name, false));
    let folders = call.state.files.folders(folder).into_iter().map(|name| (name, true));
    let mut entries: Vec<(String, bool)> = files.chain(folders).collect();
    entries.sort();
    for (name, is_folder) in entries {
        let path = path(&name);
        if is_folder {
            if recursive {
                inside(call, &path, true, texts);
            }
        } else if [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end))
            && let Some(text) = call.state.files.read(&path)
        {
            texts.push((path, text));
        }
    }
}

/// The files that a pattern of names means: `manifests/*.yaml`.
fn matching(call: &mut Call, pattern: &str) -> Result<Texts, Failure> {
    let (folder, names) = pattern.rsplit_once('/').unwrap_or((".", pattern));
    let mut texts = Vec::new();
    for name in call.state.files.list(folder).unwrap_or_default() {
        let path = if folder == "." { name.clone() } else { format!("{folder}/{name}") };
        if is_matched(&name, names)
            && let Some(text) = call.state.files.read(&path)
        {
            texts.push((path, text));
        }
    }
    if texts.is_empty() { Err(missing(pattern)) } else { Ok(texts) }
}

/// `*` stands for any text and `?` for any letter.
fn is_matched(name: &str, pattern: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    match (first, name.chars().next()) {
        ('*', _) => name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| is_matched(&name[at..], rest)),
        ('?', Some(letter)) => is_matched(&name[letter.len_utf8()..], rest),
        (first, Some(letter)) if first == letter => is_matched(&name[letter.len_utf8()..], rest),
        _ => false,
    }
}

/// The documents of a text; the items of a list count as documents.
pub(crate) fn documents(text: &str, source: &str) -> Result<Vec<yaml::Document>, Misread> {
    let refuse = |line: u32, why: String| Misread {
        line,
        failure: Failure::error(format!("error parsing {source}: {why}")),
        ends_file: true,
    };
    let parsed = match json_stream(text) {
        Some(Ok(documents)) => documents,
        Some(Err(line)) => return Err(refuse(line, "unexpected EOF".into())),
        None => yaml::parse_lenient(text).map_err(|error| refuse(error.line, error.to_string()))?,
    };
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

/// The values of a text that is JSON; the line where one breaks off. `None` for what is to be read as YAML.
fn json_stream(text: &str) -> Option<Result<Vec<yaml::Document>, u32>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let mut documents = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        match value {
            Ok(value) => documents.push(yaml::Document { value, line: 1, lines: Default::default() }),
            Err(error) if error.is_eof() => return Some(Err(u32::try_from(error.line()).unwrap_or(1))),
            Err(_) => return None,
        }
    }
    // One value is read for its lines once more.
    (documents.len() > 1).then_some(Ok(documents))
}

/// An object says what it is: `[apiVersion not set, kind not set]`.
pub(crate) fn type_set(value: &Value) -> Result<(), String> {
    let is_empty = |name: &&str| value[*name].as_str().unwrap_or_default().is_empty();
    let unset: Vec<String> =
        ["apiVersion", "kind"].iter().copied().filter(is_empty).map(|name| format!("{name} not set")).collect();
    match unset.as_slice() {
        [] => Ok(()),
        [only] => Err(only.clone()),
        many => Err(format!("[{}]", many.join(", "))),
    }
}

/// Where objects belong that do not say so, and what is asked of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pub namespace: String,
    /// `--namespace` was given.
    pub is_enforced: bool,
    pub validates: bool,
    /// Objects stay as they are written.
    pub is_local: bool,
}

/// Finds the kind of a document and where its object belongs.
pub(crate) fn resolve(
    client: &mut Client,
    document: yaml::Document,
    source: &str,
    place: &Place,
) -> Result<Manifest, Misread> {
    let mut value = document.value.clone();
    let fallback = place.namespace.as_str();
    let misread = |text: String| Misread { failure: Failure::error(text), line: document.line, ends_file: false };
    let invalid = |why: &str| Misread {
        ends_file: true,
        ..misread(format!(
            "error validating {source:?}: error validating data: {why}; if you choose to ignore these errors, turn \
             validation off with --validate=false"
        ))
    };
    let field = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (api_version, kind_name) = (field("apiVersion"), field("kind"));
    if place.validates && !value.is_object() {
        return Err(invalid("invalid object to validate"));
    }
    if !value.is_object() {
        let found = api::decode::go_kind(&value);
        let why = format!("json: cannot unmarshal {found} into Go value of type unstructured.detector");
        return Err(misread(format!("unable to decode {source:?}: {why}")));
    }
    if place.validates {
        type_set(&value).map_err(|why| invalid(&why))?;
    }
    if kind_name.is_empty() {
        return Err(misread(format!("unable to decode {source:?}: Object 'Kind' is missing in '{value}'")));
    }
    if api_version.is_empty() {
        return Err(misread(format!("unable to decode {source:?}: Object 'apiVersion' is missing in '{value}'")));
    }
    let meta = |name: &str| value["metadata"][name].as_str().unwrap_or_default().to_owned();
    let (name, own_namespace) = (meta("name"), meta("namespace"));
    let Some(kind) = resource::by_kind(client, &api_version, &kind_name) else {
        return Err(misread(format!(
            "resource mapping not found for name: {name:?} namespace: {own_namespace:?} from {source:?}: no matches for \
             kind {kind_name:?} in version {api_version:?}\nensure CRDs are installed first"
        )));
    };
    // Upstream decodes the metadata alone.
    if let Err(why) = api::decode::check_metadata(&mut value["metadata"].clone()) {
        return Err(misread(format!("unable to decode {source:?}: {why}")));
    }
    let mut namespace = String::new();
    if kind.namespaced {
        if place.is_enforced && !own_namespace.is_empty() && own_namespace != fallback {
            return Err(misread(format!(
                "the namespace from the provided object {own_namespace:?} does not match the namespace {fallback:?}. You \
                 must pass '--namespace={own_namespace}' to perform this operation."
            )));
        }
        namespace = if own_namespace.is_empty() { fallback.to_owned() } else { own_namespace };
        if let Some(fields) = value.as_object_mut()
            && !place.is_local
        {
            let meta = fields.entry("metadata").or_insert_with(|| Value::Object(Default::default()));
            if let Some(meta) = meta.as_object_mut() {
                meta.insert("namespace".into(), namespace.clone().into());
            }
        }
    }
    Ok(Manifest { kind, namespace, name, value, source: source.into(), document })
}
