//! Paths: `/apis/apps/v1/namespaces/default/deployments/web/scale`.

use api::{Kind, Reason, Status, Subresource, Verb};

use super::query::Parameters;
use super::{Answer, Shape, refusal};
use crate::parts::PartKind;

pub(super) struct Target {
    pub kind: &'static Kind,
    pub namespace: String,
    pub name: String,
    pub subresource: Subresource,
    /// Below `/watch/`, the old form of `?watch=1`.
    pub watches: bool,
}

const SUBRESOURCES: [Subresource; 14] = [
    Subresource::Status,
    Subresource::Scale,
    Subresource::Binding,
    Subresource::Eviction,
    Subresource::Log,
    Subresource::Exec,
    Subresource::Attach,
    Subresource::PortForward,
    Subresource::Proxy,
    Subresource::Token,
    Subresource::Finalize,
    Subresource::EphemeralContainers,
    Subresource::Resize,
    Subresource::Approval,
];

/// `None` for paths that name no resource; `Err` is the 404.
pub(super) fn parse(kinds: &[&'static Kind], path: &str) -> Result<Option<Target>, Answer> {
    let mut parts = path.trim_matches('/').split('/').map(super::query::decoded);
    let (group, version) = match parts.next().as_deref() {
        Some("api") => (String::new(), parts.next()),
        Some("apis") => match parts.next() {
            Some(group) if kinds.iter().any(|kind| kind.group == group) => (group, parts.next()),
            Some(group) if !group.is_empty() => return Err(Answer::page_not_found()),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let Some(version) = version else { return Ok(None) };
    if !kinds.iter().any(|kind| kind.group == group && kind.version == version) {
        let is_custom = kinds.iter().filter(|kind| kind.group == group).all(|kind| kind.id.is_custom());
        return Err(if is_custom && !group.is_empty() { Answer::page_not_found() } else { not_found() });
    }
    let rest: Vec<String> = parts.collect();
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let (watches, rest) = match rest.as_slice() {
        ["watch", rest @ ..] if !rest.is_empty() => (true, rest),
        rest => (false, rest),
    };
    let target = match rest {
        [] => return Ok(None),
        ["namespaces", namespace, plural, tail @ ..] if !matches!(*plural, "status" | "finalize") => {
            target(kinds, &group, &version, plural, namespace, tail)?
        }
        [plural, tail @ ..] => target(kinds, &group, &version, plural, "", tail)?,
    };
    if watches && (target.subresource != Subresource::None || !target.kind.verbs().contains(&Verb::Watch)) {
        return Err(not_found());
    }
    Ok(Some(Target { watches, ..target }))
}

fn target(
    kinds: &[&'static Kind],
    group: &str,
    version: &str,
    plural: &str,
    namespace: &str,
    tail: &[&str],
) -> Result<Target, Answer> {
    let served = |kind: &&&'static Kind| kind.plural == plural && kind.group == group && kind.version == version;
    let kind = *kinds.iter().find(served).ok_or_else(|| unknown(kinds, group, version))?;
    let (name, subresource) = match tail {
        [] => ("", Subresource::None),
        [name] => (*name, Subresource::None),
        [name, sub, ..] => {
            let known = SUBRESOURCES.iter().find(|one| one.as_str() == *sub && kind.has(**one));
            let unknown = || match kind.id.is_custom() {
                true => refusal(&Status::not_found(kind, name), Shape::Json),
                false => not_found(),
            };
            (*name, *known.ok_or_else(unknown)?)
        }
    };
    if kind.namespaced == namespace.is_empty() && (!namespace.is_empty() || !name.is_empty()) {
        return Err(if kind.id.is_custom() { Answer::page_not_found() } else { not_found() });
    }
    Ok(Target { kind, namespace: namespace.into(), name: name.into(), subresource, watches: false })
}

/// A version of a group without such a resource. Those of custom resources are answered by a server of their own.
fn unknown(kinds: &[&'static Kind], group: &str, version: &str) -> Answer {
    let custom = kinds.iter().any(|kind| kind.id.is_custom() && kind.group == group && kind.version == version);
    if custom { Answer::page_not_found() } else { not_found() }
}

fn not_found() -> Answer {
    refusal(&bare(404, Reason::NotFound, "the server could not find the requested resource"), Shape::Json)
}

fn bare(code: u16, reason: Reason, message: &str) -> Status {
    let mut status = Status::new(code, reason, message);
    status.details = Some(Default::default());
    status
}

pub(super) fn verb(method: &str, target: &Target, parameters: &Parameters) -> Result<Verb, Status> {
    let (is_one, is_custom) = (!target.name.is_empty(), target.kind.id.is_custom());
    let watches = parameters.is_set("watch");
    let creates = matches!(target.subresource, Subresource::Binding | Subresource::Eviction | Subresource::Token);
    let verb = match (method, is_one) {
        ("GET", _) if target.watches => Ok(Verb::Watch),
        (_, _) if target.watches => Err(not_allowed()),
        ("GET", true) if !creates => Ok(Verb::Get),
        ("GET", false) => Ok(if watches { Verb::Watch } else { Verb::List }),
        // exec, attach, port-forward and proxy are opened either way.
        ("POST", true) if target.subresource != Subresource::None && !has_state(target.subresource) => Ok(Verb::Create),
        ("POST", false) => Ok(Verb::Create),
        // The handler of custom resources looks itself for the name that it needs.
        ("POST", true) if is_custom && target.subresource == Subresource::None => Ok(Verb::Create),
        ("PUT" | "PATCH", false) if is_custom => Err(Status::bad_request("name must be provided")),
        ("PUT", true) if !creates => Ok(Verb::Update),
        ("PATCH", true) if !creates => Ok(Verb::Patch),
        ("DELETE", true) if matches!(target.subresource, Subresource::None | Subresource::Proxy) => Ok(Verb::Delete),
        ("DELETE", false) => Ok(Verb::DeleteCollection),
        _ => Err(not_allowed()),
    }?;
    if is_routed(target, verb) { Ok(verb) } else { Err(not_allowed()) }
}

/// Custom resources with a namespace can be listed and watched without one, and nothing else.
pub(super) fn check_scope(target: &Target, verb: Verb) -> Result<(), Answer> {
    let lacks_namespace = target.kind.id.is_custom() && target.kind.namespaced && target.namespace.is_empty();
    let is_anywhere = matches!(verb, Verb::List | Verb::Watch);
    if lacks_namespace && !is_anywhere { Err(Answer::page_not_found()) } else { Ok(()) }
}

/// Whether there is a handler. That of custom resources takes everything, and says itself what it does not do.
fn is_routed(target: &Target, verb: Verb) -> bool {
    let kind = target.kind;
    let everywhere = matches!(verb, Verb::List | Verb::Watch);
    match target.subresource {
        _ if kind.id.is_custom() => true,
        Subresource::None => {
            kind.verbs().contains(&verb) && (everywhere || !kind.namespaced || !target.namespace.is_empty())
        }
        part => PartKind::of(kind, part).verbs.contains(&verb.as_str()),
    }
}

fn not_allowed() -> Status {
    bare(405, Reason::MethodNotAllowed, "the server does not allow this method on the requested resource")
}

/// Subresources that are read and written like an object.
fn has_state(subresource: Subresource) -> bool {
    matches!(
        subresource,
        Subresource::Status
            | Subresource::Scale
            | Subresource::Finalize
            | Subresource::EphemeralContainers
            | Subresource::Resize
            | Subresource::Approval
            | Subresource::Log
    )
}
