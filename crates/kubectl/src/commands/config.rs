//! `kubectl config`: one context, whose namespace can be set.

use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, switch, text};
use crate::output::{self, Format, plain_table};
use crate::task::Call;

pub(super) static VIEW_FLAGS: &[Flag] = &[
    switch("minify", ' ', "Only what the current context uses"),
    switch("raw", ' ', "Show certificates and secrets"),
    switch("flatten", ' ', "Make the file self-contained"),
    text("output", 'o', "yaml, json, jsonpath=…").or("yaml"),
];
pub(super) static SET_FLAGS: &[Flag] = &[switch("current", ' ', "Change the current context")];
pub(super) static CONTEXTS_FLAGS: &[Flag] =
    &[switch("no-headers", ' ', "Do not print headers"), text("output", 'o', "name")];

pub(super) fn view(call: &mut Call, args: &Args) -> Outcome {
    super::refuse_operands(args, "kubectl config view")?;
    let known = call.state.context.clone();
    let mut context = json!({ "cluster": known.cluster, "user": known.user });
    if call.state.namespace != "default" {
        context["namespace"] = call.state.namespace.clone().into();
    }
    let value = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "clusters": [{
            "name": known.cluster,
            "cluster": { "certificate-authority-data": "DATA+OMITTED", "server": known.server },
        }],
        "contexts": [{ "name": known.name, "context": context }],
        "current-context": known.name,
        "users": [{
            "name": known.user,
            "user": { "client-certificate-data": "DATA+OMITTED", "client-key-data": "DATA+OMITTED" },
        }],
    });
    let format = Format::read(call, args, false)?.unwrap_or(Format::Yaml);
    let text = match format {
        Format::Yaml => output::yaml(&value),
        other => other.text(&value)?,
    };
    call.io.out(&text);
    Ok(0)
}

pub(super) fn current_context(call: &mut Call, _: &Args) -> Outcome {
    let context = call.state.context.name.clone();
    call.io.line(context);
    Ok(0)
}

pub(super) fn set_context(call: &mut Call, args: &Args) -> Outcome {
    let named = args.operands.first().cloned();
    if named.is_none() && !args.is("current") {
        return Err(Failure::error("you must specify a non-empty context name or --current"));
    }
    if let Some(name) = named.filter(|name| *name != call.state.context.name) {
        return Err(Failure::error(format!(
            "this terminal has one context, {:?}, not {name:?}",
            call.state.context.name
        )));
    }
    if args.given("namespace") {
        call.state.namespace = args.some_text("namespace").unwrap_or("default").into();
    }
    let context = call.state.context.name.clone();
    call.io.line(format!("Context {context:?} modified."));
    Ok(0)
}

pub(super) fn use_context(call: &mut Call, args: &Args) -> Outcome {
    let name = args.operands.first().cloned().unwrap_or_default();
    if name != call.state.context.name {
        return Err(Failure::error(format!("no context exists with the name: {name:?}")));
    }
    call.io.line(format!("Switched to context {name:?}."));
    Ok(0)
}

pub(super) fn get_contexts(call: &mut Call, args: &Args) -> Outcome {
    let known = call.state.context.clone();
    if args.text("output") == "name" {
        call.io.line(known.name);
        return Ok(0);
    }
    let namespace = Some(call.state.namespace.clone()).filter(|name| name != "default").unwrap_or_default();
    let mut rows: Vec<Vec<String>> = Vec::new();
    if !args.is("no-headers") {
        rows.push(["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"].map(str::to_owned).to_vec());
    }
    rows.push(vec!["*".into(), known.name, known.cluster, known.user, namespace]);
    let text = plain_table(&rows, 6, 3);
    call.io.out(&text);
    Ok(0)
}

pub(super) fn get_clusters(call: &mut Call, _: &Args) -> Outcome {
    let text = format!("NAME\n{}\n", call.state.context.cluster);
    call.io.out(&text);
    Ok(0)
}

pub(super) fn get_users(call: &mut Call, _: &Args) -> Outcome {
    let text = format!("NAME\n{}\n", call.state.context.user);
    call.io.out(&text);
    Ok(0)
}
