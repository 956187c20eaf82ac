//! `kubectl set`

pub(super) mod account;

use api::Request;
use api::request::Verb;
use serde_json::{Map, Value, json};

use super::apply::DryRun;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, array, switch, text};
use crate::output::base64_decode;
use crate::resource::{self, Info, Rules};
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    text("selector", 'l', "Label selector"),
    switch("all", ' ', "All objects of the kind"),
    switch("local", ' ', "Do not ask the server"),
    text("dry-run", ' ', "none, server or client").or("none").alone("unchanged"),
    text("field-manager", ' ', "Name of the manager of the fields").or("kubectl-set"),
    crate::flags::RECORD,
];
pub(super) static ENV_FLAGS: &[Flag] = &[
    text("containers", 'c', "The containers to change, * for all").or("*"),
    array("env", 'e', "NAME=value"),
    text("from", ' ', "configmap/NAME or secret/NAME"),
    switch("list", ' ', "Print the variables"),
    text("prefix", ' ', "Prefix of the variables' names"),
    crate::flags::on_by_default("overwrite", "Allow values to be changed"),
    switch("resolve", ' ', "Show the values that references lead to"),
    crate::flags::list("keys", ' ', "Keys to import"),
];
pub(super) static RESOURCES_FLAGS: &[Flag] = &[
    text("containers", 'c', "The containers to change, * for all").or("*"),
    text("requests", ' ', "cpu=100m,memory=256Mi"),
    text("limits", ' ', "cpu=200m,memory=512Mi"),
];

/// Operands with `=` or a trailing `-` are changes, the rest names objects.
fn split(args: &Args) -> (Args, Vec<String>) {
    let mut named = args.clone();
    let is_change = |word: &&String| {
        let named = word.contains('=') && !word.starts_with('=');
        named || word.ends_with('-')
    };
    let changes = args.operands.iter().filter(is_change).cloned().collect();
    named.operands.retain(|word| !is_change(&word));
    (named, changes)
}

fn pod_spec_path(info: &Info) -> &'static str {
    match info.kind.kind {
        "Pod" => "/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        _ => "/spec/template/spec",
    }
}

/// The failure, unless the objects cannot be found: upstream looks for them first.
fn unless_missing(call: &mut Call, args: &Args, failure: Failure) -> Failure {
    match resource::pick(call, args, Rules::default()) {
        Ok(picked) => Failure::all(picked.failures).unwrap_or(failure),
        Err(missing) => missing,
    }
}

/// Changes the Pod spec of each object; `change` says whether it has changed anything.
fn change_all(
    call: &mut Call,
    args: &Args,
    named: &Args,
    done: &str,
    mut change: impl FnMut(&Info, &mut Value) -> Result<bool, Failure>,
) -> Outcome {
    change_objects(call, args, named, done, |info, object| {
        match object.pointer_mut(pod_spec_path(info)).filter(|spec| spec.is_object()) {
            Some(spec) => change(info, spec),
            None => Err(about(
                info,
                &format!(
                    "the object is not a pod or does not have a pod template: *{}.{}",
                    info.kind.version, info.kind.kind
                ),
            )),
        }
    })
}

/// Changes each object; `change` says whether it has changed anything.
fn change_objects(
    call: &mut Call,
    args: &Args,
    named: &Args,
    done: &str,
    mut change: impl FnMut(&Info, &mut Value) -> Result<bool, Failure>,
) -> Outcome {
    let dry_run = DryRun::read(args)?;
    let picked = resource::pick(call, named, Rules::default())?;
    let mut failures = picked.failures;
    for info in &picked.infos {
        let mut step = || -> Result<(), Failure> {
            let before = api::wire::form(&*info.object);
            let mut after = before.clone();
            if !change(info, &mut after)? {
                return Ok(());
            }
            super::record(args, &mut after);
            let object = if dry_run == DryRun::Client || args.is("local") {
                super::as_typed(after)
            } else {
                let patch = crate::apply::three_way(info.kind, &before, &after, &before)?;
                let mut request = Request::of(Verb::Patch, info.kind.id, &info.namespace, &info.name).body(patch);
                request.options.dry_run = dry_run == DryRun::Server;
                request.options.field_manager = args.text("field-manager").into();
                let object = call.request(request).and_then(resource::expect_object);
                api::wire::form(&*object.map_err(|status| refused(done, status))?)
            };
            super::print_typed(call, args, info, object, done, dry_run)
        };
        if let Err(failure) = step() {
            failures.push(failure);
        }
    }
    Failure::all(failures).map_or(Ok(0), Err)
}

/// What the server says of a changed Pod template, in upstream's words for each command.
fn refused(done: &str, status: api::Status) -> Failure {
    match done {
        "image updated" => Failure::error(format!("failed to patch image update to pod template: {}", status.message)),
        "resource requirements updated" => {
            Failure::error(format!("failed to patch resources update to pod template {}", status.message))
        }
        _ => status.into(),
    }
}

/// A mistake with the object that it is about.
fn about(info: &Info, text: &str) -> Failure {
    Failure::error(format!("{}/{} {text}", info.kind.plural, info.name))
}

fn containers(spec: &mut Value) -> impl Iterator<Item = &mut Value> {
    let mut all = Vec::new();
    if let Some(fields) = spec.as_object_mut() {
        for (name, value) in fields.iter_mut() {
            if name == "containers" || name == "initContainers" {
                all.extend(value.as_array_mut().into_iter().flatten());
            }
        }
    }
    all.into_iter()
}

fn name_of(container: &Value) -> &str {
    container["name"].as_str().unwrap_or_default()
}

pub(super) fn image(call: &mut Call, args: &Args) -> Outcome {
    let (named, changes) = super::meta_update::pairs(args, "image")?;
    if named.operands.is_empty() && !resource::names_files(&named) {
        return Err(resource::no_resources());
    }
    if changes.is_empty() {
        // Upstream looks for the object first.
        let picked = resource::pick(call, &named, Rules::default())?;
        return Err(
            Failure::all(picked.failures).unwrap_or_else(|| Failure::error("at least one image update is required"))
        );
    }
    let mut missing = Vec::new();
    let outcome = change_all(call, args, &named, "image updated", |_, spec| {
        let mut changed = false;
        for change in &changes {
            let (wanted, image) = change.split_once('=').unwrap_or((change, ""));
            let mut found = false;
            for container in containers(spec) {
                if wanted == "*" || name_of(container) == wanted {
                    found = true;
                    if container["image"] != image {
                        container["image"] = image.into();
                        changed = true;
                    }
                }
            }
            if !found {
                missing.push(Failure::error(format!("unable to find container named {wanted:?}")));
            }
        }
        Ok(changed)
    });
    missing.extend(outcome.err());
    Failure::all(missing).map_or(Ok(0), Err)
}

/// `--containers` as a pattern: a name, `*`, or a name with a `*` at its end.
fn selects(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => pattern == name,
    }
}

pub(super) fn env(call: &mut Call, args: &Args) -> Outcome {
    let (named, mut changes) = split(args);
    changes.extend(args.all("env").iter().cloned());
    if changes.iter().any(|change| change == "-") {
        // Standard input has more of them, one a line.
        let text = call.io.stdin.take().unwrap_or_default();
        changes.retain(|change| change != "-");
        changes.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
    }
    let overwrite = args.is("overwrite");
    if named.operands.is_empty() && !resource::names_files(&named) {
        return Err(Failure::error(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    if args.is("local") && !resource::names_files(&named) {
        return Err(resource::no_resources());
    }
    if args.is("list") && args.some_text("output").is_some() {
        return Err(Failure::error("--list and --output may not be specified together"));
    }
    if !args.all("keys").is_empty() && args.some_text("from").is_none() {
        return Err(Failure::error("when specifying --keys, a configmap or secret must be provided with --from"));
    }
    let from = args.some_text("from").map(|from| env_from(call, args, from)).transpose()?;
    if args.is("list") {
        return list_env(call, &named, args);
    }
    let mut added: Vec<(String, Value)> = Vec::new();
    let mut removed: Vec<String> = Vec::new();
    for change in &changes {
        match change.split_once('=') {
            Some((name, value)) => {
                super::create::config::check_variable(name)?;
                added.push((name.into(), json!({ "name": name, "value": value })));
            }
            None => removed.push(change.trim_end_matches('-').into()),
        }
    }
    added.extend(from.unwrap_or_default());
    if added.iter().any(|(name, _)| removed.contains(name)) {
        return Err(Failure::error("can not both modify and remove the same environment variable in the same command"));
    }
    let pattern = args.text("containers").to_owned();
    let mut unmatched = Vec::new();
    let outcome = change_all(call, args, &named, "env updated", |info, spec| {
        let before = spec.clone();
        let mut any = false;
        for container in containers(spec).filter(|container| selects(&pattern, name_of(container))) {
            any = true;
            let mut list = container["env"].as_array().cloned().unwrap_or_default();
            list.retain(|entry| !removed.iter().any(|name| entry["name"] == name.as_str()));
            for (name, value) in added.iter().filter(|_| !overwrite) {
                let is_other = |entry: &&Value| entry["name"] == name.as_str() && entry["value"] != value["value"];
                if let Some(known) = list.iter().find(is_other) {
                    let value = known["value"].as_str().unwrap_or_default();
                    let text = format!("'{name}' already has a value ({value}), and --overwrite is false");
                    return Err(about(info, &text));
                }
            }
            for (name, value) in &added {
                match list.iter_mut().find(|entry| entry["name"] == name.as_str()) {
                    Some(entry) => *entry = value.clone(),
                    None => list.push(value.clone()),
                }
            }
            match list.is_empty() {
                true => drop(container.as_object_mut().map(|fields| fields.remove("env"))),
                false => container["env"] = list.into(),
            }
        }
        if !any {
            unmatched.push(format!("{}/{}", info.kind.kind, info.name));
        }
        Ok(before != *spec)
    });
    for name in unmatched {
        call.io.err_line(format!("Warning: {name} does not have any containers matching {pattern:?}"));
    }
    outcome
}

fn env_from(call: &mut Call, args: &Args, from: &str) -> Result<Vec<(String, Value)>, Failure> {
    let (word, name) = from.split_once('/').unwrap_or((from, ""));
    let kind = resource::find_kind(call.client, word)?;
    if !matches!(kind.kind, "ConfigMap" | "Secret") {
        return Err(Failure::error("unsupported resource specified in --from"));
    }
    let namespace = super::namespace(call, args);
    let value = resource::get(call, kind, &namespace, name)?.to_value();
    let source = if kind.kind == "Secret" { "secretKeyRef" } else { "configMapKeyRef" };
    let wanted = |key: &&String| args.all("keys").is_empty() || args.all("keys").contains(key);
    let keys = value["data"].as_object().into_iter().flat_map(|data| data.keys()).filter(wanted);
    Ok(keys
        .map(|key| {
            let clean: String =
                key.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
            if clean != *key {
                call.io.err_line(format!("Warning: key {key} transferred to {clean}"));
            }
            let variable = format!("{}{clean}", args.text("prefix"));
            let entry = json!({ "name": variable, "valueFrom": { source: { "key": key, "name": name } } });
            (variable, entry)
        })
        .collect())
}

fn list_env(call: &mut Call, named: &Args, args: &Args) -> Outcome {
    let picked = resource::pick(call, named, Rules::default())?;
    for info in &picked.infos {
        let mut value = info.object.to_value();
        let Some(spec) = value.pointer_mut(pod_spec_path(info)) else { continue };
        for container in containers(spec).filter(|container| selects(args.text("containers"), name_of(container))) {
            call.io.line(format!("# {} {}, container {}", info.kind.kind, info.name, name_of(container)));
            for entry in container["env"].as_array().into_iter().flatten() {
                let name = entry["name"].as_str().unwrap_or_default();
                let resolved = if args.is("resolve") { resolved(call, info, &entry["valueFrom"]) } else { None };
                match entry["value"].as_str().map(str::to_owned).or(resolved) {
                    Some(value) => call.io.line(format!("{name}={value}")),
                    None if entry["valueFrom"].is_null() => call.io.line(format!("{name}=")),
                    None => call.io.line(format!("# {name} from {}", source_of(&entry["valueFrom"]))),
                }
            }
        }
    }
    Failure::all(picked.failures).map_or(Ok(0), Err)
}

/// The value that a reference to a ConfigMap or a Secret leads to.
fn resolved(call: &mut Call, info: &Info, from: &Value) -> Option<String> {
    let (field, word) = [("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")]
        .into_iter()
        .find(|(field, _)| from[field].is_object())?;
    let kind = resource::kind_of(call.client, word)?;
    let object = resource::get(call, kind, &info.namespace, from[field]["name"].as_str()?).ok()?.to_value();
    let text = object["data"][from[field]["key"].as_str()?].as_str()?;
    match word {
        "secrets" => String::from_utf8(base64_decode(text)?).ok(),
        _ => Some(text.to_owned()),
    }
}

/// Where a variable's value comes from.
fn source_of(from: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for (field, kind) in [("configMapKeyRef", "configmap"), ("secretKeyRef", "secret")] {
        if from[field].is_object() {
            return format!("{kind} {}, key {}", text(&from[field]["name"]), text(&from[field]["key"]));
        }
    }
    if from["fieldRef"].is_object() {
        return format!("field path {}", text(&from["fieldRef"]["fieldPath"]));
    }
    let amount = &from["resourceFieldRef"];
    if !amount.is_object() {
        return "invalid valueFrom".into();
    }
    let container = amount["containerName"].as_str().map(|name| format!("{name}/")).unwrap_or_default();
    format!("resource field {container}{}", text(&amount["resource"]))
}

/// What is said of text that is no quantity.
pub(super) const NO_QUANTITY: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

fn quantities(text: &str) -> Result<Map<String, Value>, Failure> {
    let mut map = Map::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (name, quantity) = part
            .split_once('=')
            .ok_or_else(|| Failure::error(format!("Invalid argument syntax {part}, expected <resource>=<value>")))?;
        if api::quantity::parse(quantity).is_none() {
            return Err(Failure::error(NO_QUANTITY));
        }
        map.insert(name.into(), quantity.into());
    }
    Ok(map)
}

pub(super) fn resources(call: &mut Call, args: &Args) -> Outcome {
    if args.operands.is_empty() && !resource::names_files(args) {
        return Err(resource::no_resources());
    }
    let (requests, limits) = (quantities(args.text("requests"))?, quantities(args.text("limits"))?);
    if requests.is_empty() && limits.is_empty() {
        let why = "you must specify an update to requests or limits (in the form of --requests/--limits)";
        return Err(unless_missing(call, args, Failure::error(why)));
    }
    let pattern = args.text("containers").to_owned();
    change_all(call, args, args, "resource requirements updated", |_, spec| {
        let before = spec.clone();
        let mut chosen = containers(spec).filter(|container| selects(&pattern, name_of(container))).peekable();
        if chosen.peek().is_none() {
            return Err(Failure::error(format!("unable to find container named {pattern}")));
        }
        for container in chosen {
            for (field, wanted) in [("requests", &requests), ("limits", &limits)] {
                for (name, quantity) in wanted {
                    container["resources"][field][name] = quantity.clone();
                }
            }
        }
        Ok(before != *spec)
    })
}
