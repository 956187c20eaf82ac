//! `kubectl auth can-i`, `kubectl auth whoami`

use api::kinds;
use api::request::Verb;
use serde_json::json;

use super::namespace;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, switch, text};
use crate::output::plain_table;
use crate::resource;
use crate::task::Call;

pub(super) static CAN_I_FLAGS: &[Flag] = &[
    switch("list", ' ', "List all that is allowed"),
    switch("quiet", 'q', "Answer only by the exit code"),
    switch("all-namespaces", 'A', "In all namespaces"),
    text("subresource", ' ', "A subresource"),
    switch("no-headers", ' ', "Do not print headers"),
];

pub(super) fn can_i(call: &mut Call, args: &Args) -> Outcome {
    let [verb, what, rest @ ..] = args.operands.as_slice() else {
        return Err(Failure::error(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.",
        ));
    };
    let attributes = if what.starts_with('/') {
        json!({ "nonResourceAttributes": { "path": what, "verb": verb } })
    } else {
        let (word, name) = what.split_once('/').map_or((what.as_str(), ""), |(word, name)| (word, name));
        let name = rest.first().map_or(name, String::as_str);
        let (group, plural) = match resource::kind_of(word) {
            Some(kind) => (kind.group, kind.plural),
            None => {
                if word != "*" {
                    call.io.err_line(format!("Warning: the server doesn't have a resource type '{word}'"));
                }
                (if word == "*" { "*" } else { "" }, word)
            }
        };
        let space = if args.is("all-namespaces") { String::new() } else { namespace(call, args) };
        json!({ "resourceAttributes": {
            "namespace": space, "verb": verb, "group": group, "resource": plural, "name": name,
            "subresource": args.text("subresource"),
        } })
    };
    let allowed = match kinds::by_kind("authorization.k8s.io/v1", "SelfSubjectAccessReview") {
        Some(kind) => {
            let body = json!({
                "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": attributes,
            });
            let request = api::Request::of(Verb::Create, kind.id, "", "").body(body);
            let review = resource::expect_object(call.request(request)?)?.to_value();
            review["status"]["allowed"].as_bool().unwrap_or_default()
        }
        // Whoever holds the admin's credentials may do everything.
        None => true,
    };
    if !args.is("quiet") {
        call.io.line(if allowed { "yes" } else { "no" });
    }
    if allowed { Ok(0) } else { Err(Failure::Exit(1)) }
}

pub(super) fn whoami(call: &mut Call, _: &Args) -> Outcome {
    let rows =
        [["ATTRIBUTE", "VALUE"], ["Username", "kubernetes-admin"], ["Groups", "[system:masters system:authenticated]"]];
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
    let text = plain_table(&rows, 6, 3);
    call.io.out(&text);
    Ok(0)
}
