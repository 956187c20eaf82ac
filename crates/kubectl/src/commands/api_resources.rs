//! `kubectl api-resources`, `api-versions`, and `--raw`.

use api::{Kind, kinds};

use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, list, on_by_default, switch, text};
use crate::output::plain_table;
use crate::resource;
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    text("api-group", ' ', "Only this group"),
    on_by_default("namespaced", "Only namespaced kinds, or only others"),
    text("output", 'o', "wide or name"),
    list("verbs", ' ', "Only kinds that support these verbs"),
    list("categories", ' ', "Only kinds of these categories"),
    text("sort-by", ' ', "name or kind"),
    switch("no-headers", ' ', "Do not print headers"),
    switch("cached", ' ', "Use the cached list"),
];

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    super::refuse_operands(args, "kubectl api-resources")?;
    let output = args.text("output");
    if !matches!(output, "" | "wide" | "name") {
        return Err(Failure::error(format!("--output {output} is not available")));
    }
    if !matches!(args.text("sort-by"), "" | "name" | "kind") {
        return Err(Failure::error("--sort-by accepts only name or kind"));
    }
    let has_verbs = |kind: &&Kind| args.all("verbs").iter().all(|wanted| verbs(kind).any(|verb| verb == wanted));
    // Of a resource in several versions, the preferred one.
    let preferred = |kind: &&Kind| kind.view.is_none_or(|view| kinds::row(view.stored).group != kind.group);
    // Of a custom resource the preferred version comes first.
    let mut custom = resource::custom_kinds(call.client);
    custom.dedup_by_key(|kind| (kind.group, kind.plural));
    let mut rows: Vec<&'static Kind> = kinds::KINDS
        .iter()
        .filter(preferred)
        .chain(custom)
        .filter(|kind| !args.given("api-group") || kind.group == args.text("api-group"))
        .filter(|kind| !args.given("namespaced") || kind.namespaced == args.is("namespaced"))
        .filter(|kind| args.all("categories").iter().all(|wanted| kind.categories.contains(&wanted.as_str())))
        .filter(has_verbs)
        .collect();
    match args.text("sort-by") {
        "name" => rows.sort_by_key(|kind| kind.plural),
        "kind" => rows.sort_by_key(|kind| kind.kind),
        _ => rows.sort_by_key(|kind| (kind.group, kind.plural)),
    }
    if output == "name" {
        for kind in rows {
            call.io.line(kind.group_resource());
        }
        return Ok(0);
    }
    let mut lines: Vec<Vec<String>> = Vec::new();
    if !args.is("no-headers") {
        let mut headers = vec!["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"];
        if output == "wide" {
            headers.extend(["VERBS", "CATEGORIES"]);
        }
        lines.push(headers.into_iter().map(str::to_owned).collect());
    }
    for kind in rows {
        let mut line = vec![
            kind.plural.into(),
            kind.short_names.join(","),
            kind.api_version(),
            kind.namespaced.to_string(),
            kind.kind.into(),
        ];
        if output == "wide" {
            line.extend([verbs(kind).collect::<Vec<_>>().join(","), kind.categories.join(",")]);
        }
        lines.push(line);
    }
    let text = plain_table(&lines, 6, 3);
    call.io.out(&text);
    Ok(0)
}

fn verbs(kind: &Kind) -> impl Iterator<Item = &'static str> {
    kind.verbs().iter().map(|verb| verb.as_str())
}

pub(super) fn versions(call: &mut Call, args: &Args) -> Outcome {
    super::refuse_operands(args, "kubectl api-versions")?;
    let custom = resource::custom_kinds(call.client);
    let mut versions: Vec<String> = kinds::KINDS.iter().chain(custom).map(Kind::api_version).collect();
    versions.sort();
    versions.dedup();
    for version in versions {
        call.io.line(version);
    }
    Ok(0)
}

/// `--raw PATH`: whatever an HTTP server answers; else what can be read of the objects of the table, and the health checks.
pub(super) fn raw(call: &mut Call, method: &'static str, path: &str, body: String) -> Outcome {
    if !path.starts_with('/') {
        return Err(Failure::error(format!("--raw must be a valid URL path: parse {path:?}: invalid URI for request")));
    }
    if let Some(answer) = call.client.raw(method, path, body) {
        call.io.out(&answer?);
        return Ok(0);
    }
    let unknown = || Failure::from(resource::no_such_path());
    if method != "GET" {
        return Err(Failure::error(format!("{method} of a path is not simulated in this page")));
    }
    let bare = path.split('?').next().unwrap_or_default();
    if matches!(bare, "/healthz" | "/livez" | "/readyz") {
        call.io.out("ok");
        return Ok(0);
    }
    let parts: Vec<&str> = bare.trim_matches('/').split('/').collect();
    let (group, version, rest) = match parts.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return Err(unknown()),
    };
    let (namespace, plural, name) = match rest {
        ["namespaces", namespace, plural, name] => (*namespace, *plural, *name),
        ["namespaces", namespace, plural] => (*namespace, *plural, ""),
        [plural, name] => ("", *plural, *name),
        [plural] => ("", *plural, ""),
        _ => return Err(unknown()),
    };
    let custom = || {
        let of = |kind: &&Kind| kind.plural == plural && kind.group == group && kind.version == version;
        resource::custom_kinds(call.client).into_iter().find(of)
    };
    let kind = kinds::by_resource(group, version, plural).or_else(custom).ok_or_else(unknown)?;
    let text = if name.is_empty() {
        let (items, revision) = crate::resource::list(call, kind, namespace, api::Options::default())?;
        let items: Vec<_> = items.iter().map(|item| item.to_value()).collect();
        serde_json::json!({
            "kind": kind.list_kind, "apiVersion": kind.api_version(),
            "metadata": { "resourceVersion": revision.to_string() }, "items": items,
        })
        .to_string()
    } else {
        crate::resource::get(call, kind, namespace, name)?.to_value().to_string()
    };
    call.io.line(text);
    Ok(0)
}
