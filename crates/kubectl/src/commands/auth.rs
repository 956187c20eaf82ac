//! `kubectl auth can-i`, `kubectl auth whoami`

use api::kinds;
use api::request::Verb;
use serde_json::{Value, json};

use super::namespace;
use crate::describe::rules;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, switch, text};
use crate::output::{self, Format, align, plain_table};
use crate::resource;
use crate::task::Call;

pub(super) static CAN_I_FLAGS: &[Flag] = &[
    switch("list", ' ', "List all that is allowed"),
    switch("quiet", 'q', "Answer only by the exit code"),
    switch("all-namespaces", 'A', "In all namespaces"),
    text("subresource", ' ', "A subresource"),
    switch("no-headers", ' ', "Do not print headers"),
];

pub(super) static WHOAMI_FLAGS: &[Flag] = &[];

const AUTHORIZATION: &str = "authorization.k8s.io/v1";

const VERBS: &[&str] = &[
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
    "*",
    "approve",
    "sign",
    "escalate",
    "attest",
];
const PATH_VERBS: &[&str] = &["get", "put", "post", "head", "options", "delete", "patch", "*"];

pub(super) fn can_i(call: &mut Call, args: &Args) -> Outcome {
    if args.is("list") {
        return list(call, args);
    }
    let [verb, what] = args.operands.as_slice() else {
        return Err(Failure::error(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' \
             for help and examples.",
        ));
    };
    let spec =
        if what.starts_with('/') { of_path(call, args, verb, what)? } else { of_resource(call, args, verb, what) };
    let answer = review(call, AUTHORIZATION, "SelfSubjectAccessReview", "", spec)?;
    let status = &answer["status"];
    let allowed = status["allowed"].as_bool().unwrap_or_default();
    if !args.is("quiet") {
        let why = ["reason", "evaluationError"].iter().filter_map(|field| status[*field].as_str());
        let why: String = why.filter(|why| !why.is_empty() && !allowed).map(|why| format!(" - {why}")).collect();
        call.io.line(format!("{}{why}", if allowed { "yes" } else { "no" }));
    }
    if allowed { Ok(0) } else { Err(Failure::Exit(1)) }
}

fn of_path(call: &mut Call, args: &Args, verb: &str, path: &str) -> Result<Value, Failure> {
    if args.some_text("subresource").is_some() {
        return Err(Failure::error("--subresource can not be used with NonResourceURL"));
    }
    warn_of_verb(call, verb, PATH_VERBS);
    Ok(json!({ "nonResourceAttributes": { "path": path, "verb": verb } }))
}

fn of_resource(call: &mut Call, args: &Args, verb: &str, what: &str) -> Value {
    let (word, name) = what.split_once('/').unwrap_or((what, ""));
    let (group, plural) = match resource::kind_of(call.client, word) {
        Some(kind) => {
            if !kind.namespaced && !args.is("all-namespaces") {
                let within = if kind.group.is_empty() { String::new() } else { format!(" in group '{}'", kind.group) };
                call.io.err_line(format!("Warning: resource '{}' is not namespace scoped{within}\n", kind.plural));
            }
            (kind.group, kind.plural)
        }
        None => {
            let (plural, group) = word.split_once('.').unwrap_or((word, ""));
            // Impersonation has resources of its own.
            if !matches!(word, "*" | "users" | "groups") {
                let within = if group.is_empty() { String::new() } else { format!(" in group '{group}'") };
                call.io.err_line(format!("Warning: the server doesn't have a resource type '{plural}'{within}\n"));
            }
            (group, plural)
        }
    };
    if !args.is("all-namespaces") {
        warn_of_verb(call, verb, VERBS);
    }
    let space = if args.is("all-namespaces") { String::new() } else { namespace(call, args) };
    json!({ "resourceAttributes": {
        "namespace": space, "verb": verb, "group": group, "resource": plural, "name": name,
        "subresource": args.text("subresource"),
    } })
}

fn warn_of_verb(call: &mut Call, verb: &str, known: &[&str]) {
    if !known.contains(&verb) {
        call.io.err_line(format!("Warning: verb '{verb}' is not a known verb\n"));
    }
}

/// `auth can-i --list`
fn list(call: &mut Call, args: &Args) -> Outcome {
    if !args.operands.is_empty() {
        return Err(Failure::error("list option must be specified with no arguments"));
    }
    if args.is("quiet") || args.is("all-namespaces") || args.some_text("subresource").is_some() {
        return Err(Failure::error(
            "list option can't be specified with neither quiet, all-namespaces nor subresource options",
        ));
    }
    let spec = json!({ "namespace": namespace(call, args) });
    let answer = review(call, AUTHORIZATION, "SelfSubjectRulesReview", "", spec)?;
    let status = &answer["status"];
    if status["incomplete"] == true {
        let why = status["evaluationError"].as_str().filter(|why| !why.is_empty());
        call.io.err_line(match why {
            Some(why) => format!("Warning: the list may be incomplete: {why}"),
            None => "Warning: the list may be incomplete".into(),
        });
    }
    let both = ["resourceRules", "nonResourceRules"].iter().filter_map(|field| status[*field].as_array());
    let rules: Value = both.flatten().cloned().collect();
    let mut text = String::new();
    if !args.is("no-headers") {
        text.push_str("Resources\tNon-Resource URLs\tResource Names\tVerbs\n");
    }
    text.extend(rules::table(&rules).iter().map(|line| line.join("\t") + "\n"));
    let text = align(&text, 6, 3);
    call.io.out(&text);
    Ok(0)
}

/// Asks the server a question that it answers and forgets.
fn review(call: &mut Call, api_version: &str, kind: &str, namespace: &str, spec: Value) -> Result<Value, Failure> {
    let Some(row) = kinds::by_kind(api_version, kind) else {
        return Err(Failure::error(format!("no matches for kind {kind:?} in version {api_version:?}")));
    };
    let mut body = json!({ "apiVersion": api_version, "kind": kind });
    if !spec.is_null() {
        body["spec"] = spec;
    }
    let request = api::Request::of(Verb::Create, row.id, resource::scope(row, namespace), "").body(body);
    Ok(resource::expect_object(call.request(request)?)?.to_value())
}

pub(super) fn whoami(call: &mut Call, args: &Args) -> Outcome {
    let value = review(call, "authentication.k8s.io/v1", "SelfSubjectReview", "", Value::Null)?;
    if let Some(format) = Format::read(call, args, false)? {
        let text = match format {
            Format::Name => "selfsubjectreview.authentication.k8s.io/<unknown>\n".into(),
            format => format.typed_text(&value)?,
        };
        call.io.out(&text);
        return Ok(0);
    }
    let user = &value["status"]["userInfo"];
    let mut rows = vec![["ATTRIBUTE".to_owned(), "VALUE".to_owned()].to_vec()];
    for (title, field) in [("Username", "username"), ("UID", "uid")] {
        if let Some(text) = user[field].as_str().filter(|text| !text.is_empty()) {
            rows.push(vec![title.into(), text.into()]);
        }
    }
    if let Some(groups) = user["groups"].as_array().filter(|groups| !groups.is_empty()) {
        rows.push(vec!["Groups".into(), output::go_text(&Value::from(groups.clone()))]);
    }
    for (key, values) in user["extra"].as_object().into_iter().flatten() {
        rows.push(vec![format!("Extra: {key}"), output::go_text(values)]);
    }
    let text = plain_table(&rows, 6, 3);
    call.io.out(&text);
    Ok(0)
}
