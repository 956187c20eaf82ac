//! From the words of a line to kinds and objects: upstream's `cli-runtime/pkg/resource`.

use api::object::Tree;
use api::request::{Options, Verb};
use api::{Kind, ObjectRef, Request, Response, Status, Subresource, custom, kinds};
use client::Client;

use crate::commands::namespace;
use crate::failure::Failure;
use crate::flags::Args;
use crate::manifest::Manifest;
use crate::task::Call;

/// One object that a command works on.
#[derive(Clone, Debug)]
pub(crate) struct Info {
    pub kind: &'static Kind,
    pub namespace: String,
    pub name: String,
    pub object: ObjectRef,
}

impl Info {
    /// `pod/web`, `deployment.apps/web`
    pub fn full_name(&self) -> String {
        full_name(self.kind, &self.name)
    }
}

pub(crate) fn full_name(kind: &Kind, name: &str) -> String {
    format!("{}/{name}", dotted(kind))
}

/// `pod`, `deployment.apps`
pub(crate) fn dotted(kind: &Kind) -> String {
    let singular = kind.kind.to_lowercase();
    if kind.group.is_empty() { singular } else { format!("{singular}.{}", kind.group) }
}

/// The kinds of custom resources, as their definitions tell: those that the API prefers first. Upstream asks discovery.
pub(crate) fn custom_kinds(client: &mut Client) -> Vec<&'static Kind> {
    let definitions =
        kinds::by_kind("apiextensions.k8s.io/v1", "CustomResourceDefinition").expect("a kind of the table");
    let Ok(Response::List(list)) = client.call(Request::of(Verb::List, definitions.id, "", "")) else {
        return Vec::new();
    };
    let mut kinds: Vec<&'static Kind> =
        list.items.iter().filter_map(|object| object.downcast_ref::<Tree>()).flat_map(custom::served).collect();
    kinds.sort_by(|one, other| {
        (one.group, one.plural)
            .cmp(&(other.group, other.plural))
            .then_with(|| custom::version_order(one.version, other.version))
    });
    kinds
}

/// The kind that a word names: plural, singular, short, or with its group (`deployments.apps`, `deployments.v1.apps`).
pub(crate) fn kind_of(client: &mut Client, word: &str) -> Option<&'static Kind> {
    named(kinds::KINDS.iter(), word).or_else(|| named(custom_kinds(client), word))
}

fn named(kinds: impl IntoIterator<Item = &'static Kind>, word: &str) -> Option<&'static Kind> {
    let lower = word.to_lowercase();
    let (resource, rest) = lower.split_once('.').map_or((lower.as_str(), None), |(first, rest)| (first, Some(rest)));
    // Short names are looked up as they are written.
    let short = word.split('.').next().unwrap_or_default();
    let named =
        |kind: &&Kind| kind.plural == resource || kind.singular == resource || kind.short_names.contains(&short);
    kinds.into_iter().filter(named).find(|kind| match rest {
        None => true,
        Some(rest) => rest == kind.group || rest.split_once('.') == Some((kind.version, kind.group)),
    })
}

/// The kind of a manifest.
pub(crate) fn by_kind(client: &mut Client, api_version: &str, name: &str) -> Option<&'static Kind> {
    kinds::by_kind(api_version, name).or_else(|| {
        let of = |kind: &&Kind| kind.kind == name && kind.api_version() == api_version;
        custom_kinds(client).into_iter().find(of)
    })
}

pub(crate) fn find_kind(client: &mut Client, word: &str) -> Result<&'static Kind, Failure> {
    kind_of(client, word).ok_or_else(|| {
        let resource = word.split('.').next().unwrap_or_default();
        Failure::error(format!("the server doesn't have a resource type {resource:?}"))
    })
}

/// The kinds of `pods,svc` or `all`.
pub(crate) fn find_kinds(client: &mut Client, words: &str) -> Result<Vec<&'static Kind>, Failure> {
    let mut found: Vec<&'static Kind> = Vec::new();
    for word in words.split(',') {
        let is_in = |kind: &&'static Kind| kind.categories.contains(&word);
        let mut all: Vec<&'static Kind> = kinds::stored().filter(is_in).collect();
        all.extend(custom_kinds(client).iter().copied().filter(is_in));
        if !all.is_empty() {
            all.sort_by_key(|kind| (kind.group, kind.plural));
            all.dedup_by_key(|kind| (kind.group, kind.plural));
            found.extend(all);
        } else {
            found.push(find_kind(client, word)?);
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|kind| seen.insert(kind.id));
    Ok(found)
}

/// What operands name, before the server is asked.
#[derive(Debug)]
pub(crate) enum Named {
    Nothing,
    Kinds(Vec<&'static Kind>),
    Objects(Vec<(&'static Kind, String)>),
}

/// Reads `TYPE[,TYPE] [NAME…]` or `TYPE/NAME…`.
pub(crate) fn read(client: &mut Client, operands: &[String]) -> Result<Named, Failure> {
    let Some(first) = operands.first() else { return Ok(Named::Nothing) };
    if operands.iter().any(|word| word.contains('/')) {
        let mut objects = Vec::new();
        for word in operands {
            let parts: Vec<&str> = word.split('/').collect();
            match parts.as_slice() {
                [kind, name] if !kind.is_empty() && !name.is_empty() => {
                    objects.push((find_kind(client, kind)?, (*name).into()))
                }
                [_] => {
                    return Err(Failure::error(
                        "there is no need to specify a resource type as a separate argument when passing arguments in \
                         resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get \
                         resource resource/<resource_name>'",
                    ));
                }
                [_, _] => {
                    return Err(Failure::error("arguments in resource/name form must have a single resource and name"));
                }
                _ => return Err(Failure::error("arguments in resource/name form may not have more than one slash")),
            }
        }
        return Ok(Named::Objects(objects));
    }
    if operands.len() > 1 && first.split(',').any(str::is_empty) {
        return Err(Failure::error("arguments in resource/name form must have a single resource and name"));
    }
    let kinds = find_kinds(client, first)?;
    if operands.len() == 1 {
        return Ok(Named::Kinds(kinds));
    }
    let names = &operands[1..];
    if first == "all" {
        return Err(Failure::error("you must specify only one resource"));
    }
    let pairs = kinds.iter().flat_map(|kind| names.iter().map(|name| (*kind, name.clone())));
    Ok(Named::Objects(pairs.collect()))
}

/// The namespace to ask for a kind: none for cluster-scoped ones.
pub(crate) fn scope<'a>(kind: &Kind, namespace: &'a str) -> &'a str {
    if kind.namespaced { namespace } else { "" }
}

pub(crate) fn get(call: &mut Call, kind: &Kind, namespace: &str, name: &str) -> Result<ObjectRef, Status> {
    let request = Request::of(Verb::Get, kind.id, scope(kind, namespace), name);
    expect_object(call.request(request)?)
}

pub(crate) fn list(
    call: &mut Call,
    kind: &Kind,
    namespace: &str,
    options: Options,
) -> Result<(Vec<ObjectRef>, u64), Status> {
    let mut request = Request::of(Verb::List, kind.id, scope(kind, namespace), "");
    request.options = options;
    match call.request(request)? {
        Response::List(list) => Ok((list.items, list.revision)),
        _ => Err(Status::internal("the server did not answer with a list")),
    }
}

pub(crate) fn expect_object(response: Response) -> Result<ObjectRef, Status> {
    match response {
        Response::Object(object) => Ok(object),
        _ => Err(Status::internal("the server did not answer with an object")),
    }
}

/// The subresource that `--subresource` names; none for an empty name.
pub(crate) fn subresource(kind: &Kind, name: &str) -> Result<Subresource, Status> {
    if name.is_empty() {
        return Ok(Subresource::None);
    }
    kind.subresources.iter().copied().find(|one| one.as_str() == name).ok_or_else(no_such_path)
}

/// The answer to a path that the server does not know.
pub(crate) fn no_such_path() -> Status {
    Status::new(404, api::Reason::NotFound, "the server could not find the requested resource")
}

pub(crate) fn info(kind: &'static Kind, object: ObjectRef) -> Info {
    Info { kind, namespace: object.namespace().into(), name: object.name().into(), object }
}

/// What a command found, and what it did not.
#[derive(Default)]
pub(crate) struct Picked {
    pub infos: Vec<Info>,
    pub failures: Vec<Failure>,
    /// The line names exactly one object.
    pub single: bool,
}

const NO_RESOURCES: &str = "You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'";

const LOCAL_NEEDS_FILES: &str = "you must specify resources by --filename when --local is set.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'";

pub(crate) fn no_resources() -> Failure {
    Failure::error(NO_RESOURCES)
}

/// A selector without a type.
pub(crate) fn no_type_to_select() -> Failure {
    Failure::error("at least one resource must be specified to use a selector")
}

/// How a command reads its operands.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rules {
    /// `TYPE` alone means all of them, as for `get` and `describe`.
    pub all_of_type: bool,
    /// `--all` may stand beside a selector, as for `wait`.
    pub all_may_select: bool,
}

/// The list options of `-l` and `--field-selector`.
pub(crate) fn selectors(args: &Args) -> Options {
    Options {
        label_selector: args.text("selector").into(),
        field_selector: args.text("field-selector").into(),
        ..Options::default()
    }
}

/// `-f` or `-k` is given.
pub(crate) fn names_files(args: &Args) -> bool {
    !args.all("filename").is_empty() || args.some_text("kustomize").is_some()
}

/// Finds the objects that operands, `-f`, `-l` and `--all` name.
pub(crate) fn pick(call: &mut Call, args: &Args, rules: Rules) -> Result<Picked, Failure> {
    let selects = args.some_text("selector").is_some() || args.some_text("field-selector").is_some();
    if args.is("all") && selects && !rules.all_may_select {
        return Err(Failure::error("setting 'all' parameter but found a non empty selector. "));
    }
    let everywhere = args.is("all-namespaces");
    let namespace = if everywhere { String::new() } else { namespace(call, args) };
    if names_files(args) {
        return pick_files(call, args);
    }
    if args.is("local") {
        return Err(Failure::error(LOCAL_NEEDS_FILES));
    }
    let mut picked = Picked::default();
    match read(call.client, &args.operands)? {
        Named::Nothing if selects || args.is("all") => return Err(no_type_to_select()),
        Named::Nothing => return Err(no_resources()),
        Named::Objects(_) if selects => {
            return Err(Failure::error("name cannot be provided when a selector is specified"));
        }
        Named::Objects(objects) => {
            picked.single = objects.len() == 1;
            for (kind, name) in objects {
                if everywhere && kind.namespaced {
                    return Err(Failure::error("a resource cannot be retrieved by name across all namespaces"));
                }
                match get(call, kind, &namespace, &name) {
                    Ok(object) => picked.infos.push(info(kind, object)),
                    Err(status) => picked.failures.push(status.into()),
                }
            }
        }
        Named::Kinds(kinds) => {
            if !rules.all_of_type && !selects && !args.is("all") {
                return Err(Failure::error("resource(s) were provided, but no name was specified"));
            }
            for kind in kinds {
                match list(call, kind, &namespace, selectors(args)) {
                    Ok((objects, _)) => picked.infos.extend(objects.into_iter().map(|object| info(kind, object))),
                    Err(status) => picked.failures.push(refused_list(kind, status, args)),
                }
            }
        }
    }
    Ok(picked)
}

fn pick_files(call: &mut Call, args: &Args) -> Result<Picked, Failure> {
    if !args.operands.is_empty() && args.knows("selector") {
        return Err(Failure::error(
            "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
        ));
    }
    let (documents, failures) = crate::manifest::read_all(call, args)?;
    let mut picked = Picked { single: documents.len() == 1, failures, ..Picked::default() };
    for document in documents {
        if args.is("local") {
            let object = (document.kind.decode)(document.kind, document.value.clone())
                .map_err(|error| Failure::error(error.to_string()))?
                .share();
            let Manifest { kind, namespace, name, .. } = document;
            picked.infos.push(Info { kind, namespace, name, object });
            continue;
        }
        match get(call, document.kind, &document.namespace, &document.name) {
            Ok(object) => picked.infos.push(info(document.kind, object)),
            Err(status) => picked.failures.push(status.into()),
        }
    }
    Ok(picked)
}

/// A refused list names its selectors, as upstream's `EnhanceListError`.
pub(crate) fn refused_list(kind: &Kind, mut status: Status, args: &Args) -> Failure {
    let (labels, fields) = (args.text("selector"), args.text("field-selector"));
    if status.code == 400 && !(labels.is_empty() && fields.is_empty()) {
        let version = kind.api_version();
        let resource = if kind.group.is_empty() { format!("/{version}") } else { version };
        status.message = format!(
            "Unable to find \"{resource}, Resource={}\" that match label selector {labels:?}, field selector {fields:?}: {}",
            kind.plural, status.message
        );
    }
    status.into()
}
