//! `kubectl auth reconcile`: roles and bindings get what a manifest says and they lack. Upstream:
//! `component-helpers/auth/rbac/reconciliation`.

use api::request::Verb;
use api::{Kind, Request};
use serde_json::{Value, json};

use super::apply::{DryRun, need_files};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, switch, text};
use crate::manifest::{self, Manifest};
use crate::resource::{self, Info};
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    switch("remove-extra-permissions", ' ', "Remove permissions that the manifest does not give"),
    switch("remove-extra-subjects", ' ', "Remove subjects that the manifest does not name"),
    text("dry-run", ' ', "none, server or client").or("none").alone("unchanged"),
];

/// An object with this annotation set to `false` wants to stay as it is.
const AUTO_UPDATE: &str = "rbac.authorization.kubernetes.io/autoupdate";

/// What has to be done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    None,
    Create,
    Update,
    Recreate,
}

/// How an object is brought to where its manifest wants it.
struct Plan {
    object: Value,
    operation: Operation,
    missing: Vec<Value>,
    extra: Vec<Value>,
    /// The object has opted out.
    is_protected: bool,
}

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    need_files(args)?;
    if !args.operands.is_empty() {
        return Err(Failure::error("no arguments are allowed"));
    }
    let dry_run = DryRun::read(args)?;
    if dry_run == DryRun::Server {
        return Err(Failure::error("--dry-run=server for command reconcile is not supported yet"));
    }
    // Upstream leaves objects in the namespace that they name themselves, be it none.
    let mut reading = args.clone();
    reading.put("local", "true".into());
    let (manifests, mut failures) = manifest::read_all(call, &reading)?;
    for manifest in manifests.iter().filter(|manifest| manifest.kind.group == "rbac.authorization.k8s.io") {
        if let Err(failure) = reconcile(call, args, manifest, dry_run) {
            failures.push(failure);
        }
    }
    Failure::all(failures).map_or(Ok(0), Err)
}

fn reconcile(call: &mut Call, args: &Args, manifest: &Manifest, dry_run: DryRun) -> Result<(), Failure> {
    let (kind, wanted) = (manifest.kind, &manifest.value);
    let space = wanted["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
    let has_no_space = kind.namespaced && space.is_empty();
    let known = match has_no_space {
        true => None,
        false => match resource::get(call, kind, &space, &manifest.name) {
            Ok(object) => Some(api::wire::form(&*object)),
            Err(status) if status.is_not_found() => None,
            Err(status) => return Err(status.into()),
        },
    };
    let is_role = matches!(kind.kind, "Role" | "ClusterRole");
    let mut plan = match known {
        None => Plan {
            object: wanted.clone(),
            operation: Operation::Create,
            missing: items(&wanted[if is_role { "rules" } else { "subjects" }]),
            extra: Vec::new(),
            is_protected: false,
        },
        Some(known) if is_role => plan_role(&known, wanted, args.is("remove-extra-permissions")),
        Some(known) => plan_binding(&known, wanted, args.is("remove-extra-subjects")),
    };
    if dry_run == DryRun::None && !plan.is_protected && plan.operation != Operation::None {
        if has_no_space {
            return Err(Failure::error("resource name may not be empty"));
        }
        plan.object = carry_out(call, kind, &space, &manifest.name, &plan)?;
    }
    let object = (kind.decode)(kind, plan.object.clone()).map_err(|error| Failure::error(error.to_string()))?.share();
    let info = Info { kind, namespace: space, name: manifest.name.clone(), object };
    super::print_typed(call, args, &info, plan.object.clone(), "reconciled", dry_run)?;
    explain(call, args, &plan, is_role);
    Ok(())
}

fn carry_out(call: &mut Call, kind: &Kind, space: &str, name: &str, plan: &Plan) -> Result<Value, Failure> {
    if plan.operation == Operation::Recreate {
        call.request(Request::of(Verb::Delete, kind.id, space, name))?;
    }
    let request = match plan.operation {
        Operation::Update => Request::of(Verb::Update, kind.id, space, name),
        _ => Request::of(Verb::Create, kind.id, space, ""),
    };
    let object = call.request(request.body(plan.object.clone())).and_then(resource::expect_object)?;
    Ok(api::wire::form(&*object))
}

/// Says on standard error what was to do.
fn explain(call: &mut Call, args: &Args, plan: &Plan, is_role: bool) {
    let verb = match plan.operation {
        Operation::None => return,
        Operation::Create => "create",
        Operation::Update => "update",
        Operation::Recreate => "recreate",
    };
    let caveat =
        if plan.is_protected { format!(", but object opted out ({AUTO_UPDATE}: false)") } else { String::new() };
    call.io.err_line(format!("\treconciliation required {verb}{caveat}"));
    let (what, write, removes): (_, fn(&Value) -> String, _) = match is_role {
        true => ("rules", rule_text, args.is("remove-extra-permissions")),
        false => ("subjects", subject_text, args.is("remove-extra-subjects")),
    };
    let shown_extra = if removes { plan.extra.as_slice() } else { &[] };
    for (title, list) in [("missing", plan.missing.as_slice()), ("extra", shown_extra)] {
        if !list.is_empty() {
            let done = if title == "missing" { "added" } else { "removed" };
            call.io.err_line(format!("\t{title} {what} {done}:"));
            list.iter().for_each(|one| call.io.err_line(format!("\t\t{}", write(one))));
        }
    }
}

fn items(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// The object as it is with the labels and annotations that it shall have; whether they are new.
fn with_metadata(known: &Value, wanted: &Value) -> (Value, bool) {
    let mut object = known.clone();
    for map in ["labels", "annotations"] {
        for (key, value) in wanted["metadata"][map].as_object().into_iter().flatten() {
            object["metadata"][map][key] = value.clone();
        }
    }
    let is_new = object["metadata"] != known["metadata"];
    (object, is_new)
}

fn is_protected(known: &Value) -> bool {
    known["metadata"]["annotations"][AUTO_UPDATE] == "false"
}

fn plan_role(known: &Value, wanted: &Value, removes: bool) -> Plan {
    let (mut object, is_new) = with_metadata(known, wanted);
    let (known_rules, wanted_rules) = (items(&known["rules"]), items(&wanted["rules"]));
    let (missing, extra) = (uncovered(&known_rules, &wanted_rules), uncovered(&wanted_rules, &known_rules));
    let changes = if removes { !missing.is_empty() || !extra.is_empty() } else { !missing.is_empty() };
    if changes {
        object["rules"] = if removes { wanted_rules } else { [known_rules, missing.clone()].concat() }.into();
    }
    let operation = if changes || is_new { Operation::Update } else { Operation::None };
    Plan { object, operation, missing, extra, is_protected: is_protected(known) }
}

fn plan_binding(known: &Value, wanted: &Value, removes: bool) -> Plan {
    if known["roleRef"] != wanted["roleRef"] {
        let (object, operation) = (wanted.clone(), Operation::Recreate);
        return Plan { object, operation, missing: vec![], extra: vec![], is_protected: is_protected(known) };
    }
    let (mut object, is_new) = with_metadata(known, wanted);
    let (known_subjects, wanted_subjects) = (items(&known["subjects"]), items(&wanted["subjects"]));
    let only = |these: &[Value], those: &[Value]| -> Vec<Value> {
        these
            .iter()
            .filter(|subject| !those.iter().any(|other| subject_text(other) == subject_text(subject)))
            .cloned()
            .collect()
    };
    let (missing, extra) = (only(&wanted_subjects, &known_subjects), only(&known_subjects, &wanted_subjects));
    let changes = if removes { !missing.is_empty() || !extra.is_empty() } else { !missing.is_empty() };
    if changes {
        object["subjects"] = if removes { wanted_subjects } else { [known_subjects, missing.clone()].concat() }.into();
    }
    let operation = if changes || is_new { Operation::Update } else { Operation::None };
    Plan { object, operation, missing, extra, is_protected: is_protected(known) }
}

/// What of some rules no other rule gives, each as a rule of one verb and one resource or path.
fn uncovered(owned: &[Value], wanted: &[Value]) -> Vec<Value> {
    wanted.iter().flat_map(atoms).filter(|atom| !owned.iter().any(|rule| covers(rule, atom))).collect()
}

fn texts<'a>(rule: &'a Value, field: &str) -> impl Iterator<Item = &'a str> {
    rule[field].as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn atoms(rule: &Value) -> Vec<Value> {
    let mut atoms = Vec::new();
    for group in texts(rule, "apiGroups") {
        for resource in texts(rule, "resources") {
            for verb in texts(rule, "verbs") {
                let atom = json!({ "verbs": [verb], "apiGroups": [group], "resources": [resource] });
                let names: Vec<&str> = texts(rule, "resourceNames").collect();
                if names.is_empty() {
                    atoms.push(atom);
                    continue;
                }
                atoms.extend(names.into_iter().map(|name| {
                    let mut named = atom.clone();
                    named["resourceNames"] = json!([name]);
                    named
                }));
            }
        }
    }
    for path in texts(rule, "nonResourceURLs") {
        atoms.extend(texts(rule, "verbs").map(|verb| json!({ "verbs": [verb], "nonResourceURLs": [path] })));
    }
    atoms
}

fn covers(rule: &Value, atom: &Value) -> bool {
    let allows = |field: &str, fits: fn(&str, &str) -> bool| {
        texts(atom, field).all(|wanted| texts(rule, field).any(|own| own == "*" || own == wanted || fits(own, wanted)))
    };
    let never = |_: &str, _: &str| false;
    let of_subresource = |own: &str, wanted: &str| {
        own.strip_prefix("*/").is_some_and(|sub| wanted.split_once('/').is_some_and(|(_, part)| part == sub))
    };
    let below = |own: &str, wanted: &str| own.strip_suffix('*').is_some_and(|prefix| wanted.starts_with(prefix));
    let all_names = texts(rule, "resourceNames").next().is_none();
    let names = all_names || (texts(atom, "resourceNames").next().is_some() && allows("resourceNames", never));
    allows("verbs", never)
        && allows("apiGroups", never)
        && allows("resources", of_subresource)
        && allows("nonResourceURLs", below)
        && names
}

/// A rule as Go's `%+v` prints it.
fn rule_text(rule: &Value) -> String {
    let list = |field: &str| texts(rule, field).collect::<Vec<_>>().join(" ");
    format!(
        "{{Verbs:[{}] APIGroups:[{}] Resources:[{}] ResourceNames:[{}] NonResourceURLs:[{}]}}",
        list("verbs"),
        list("apiGroups"),
        list("resources"),
        list("resourceNames"),
        list("nonResourceURLs")
    )
}

/// A subject as Go's `%+v` prints it.
fn subject_text(subject: &Value) -> String {
    let text = |field: &str| subject[field].as_str().unwrap_or_default();
    let (kind, group, name) = (text("kind"), text("apiGroup"), text("name"));
    format!("{{Kind:{kind} APIGroup:{group} Name:{name} Namespace:{}}}", text("namespace"))
}
