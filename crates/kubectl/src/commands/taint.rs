//! `kubectl taint`

use api::request::Verb;
use api::types::{Node, Taint};
use api::validate::{label_value, qualified_name};
use api::{Kinded, Patch, PatchKind, Request};
use serde_json::{Value, json};

use super::apply::DryRun;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, switch, text};
use crate::resource::{self, Info};
use crate::task::Call;

pub(super) static FLAGS: &[Flag] = &[
    text("selector", 'l', "Label selector"),
    switch("all", ' ', "All nodes"),
    switch("overwrite", ' ', "Allow taints to be changed"),
    text("dry-run", ' ', "none, server or client").or("none").alone("unchanged"),
    text("validate", ' ', "strict, warn or ignore").or("strict").alone("strict"),
    text("field-manager", ' ', "Name of the manager of the fields").or("kubectl-taint"),
];

/// What a line asks for.
#[derive(Default)]
struct Changes {
    added: Vec<Taint>,
    /// Keys and effects; an empty effect removes all of a key.
    removed: Vec<(String, String)>,
}

impl Changes {
    fn read(words: &[String]) -> Result<Changes, Failure> {
        let refuse = |why: String| Failure::usage("kubectl taint", why);
        let mut changes = Changes::default();
        for word in words {
            if let Some(removed) = word.strip_suffix('-') {
                let taint = parse(removed).map_err(refuse)?;
                changes.removed.push((taint.key, taint.effect));
                continue;
            }
            let taint = parse(word).map_err(refuse)?;
            if taint.effect.is_empty() {
                return Err(refuse(format!("invalid taint spec: {word}")));
            }
            if changes.added.iter().any(|known| known.key == taint.key && known.effect == taint.effect) {
                let value = taint.value.as_deref().unwrap_or_default();
                return Err(refuse(format!(
                    "duplicated taints with the same key and effect: {{{} {value} {} <nil>}}",
                    taint.key, taint.effect
                )));
            }
            changes.added.push(taint);
        }
        Ok(changes)
    }

    fn check(&self) -> Result<(), Failure> {
        let mut both = Vec::new();
        for added in &self.added {
            let same =
                |(key, effect): &&(String, String)| *key == added.key && (effect.is_empty() || *effect == added.effect);
            both.extend(self.removed.iter().filter(same).map(|(key, effect)| format!("{key}={effect}")));
        }
        if !both.is_empty() {
            return Err(Failure::error(format!(
                "can not both modify and remove the following taint(s) in the same command: {}",
                both.join(", ")
            )));
        }
        Ok(())
    }
}

/// Reads `key[=value][:effect]`.
fn parse(text: &str) -> Result<Taint, String> {
    const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    let invalid = |why: String| format!("invalid taint spec: {text}{why}");
    let (key, value, effect) = match text.split(':').collect::<Vec<_>>().as_slice() {
        [key] => (*key, None, ""),
        [pair, effect] => {
            if !EFFECTS.contains(effect) {
                return Err(format!("invalid taint effect: {effect}, unsupported taint effect"));
            }
            match pair.split('=').collect::<Vec<_>>().as_slice() {
                [key] => (*key, None, *effect),
                [key, value] => (*key, Some(*value), *effect),
                _ => return Err(invalid(String::new())),
            }
        }
        _ => return Err(invalid(String::new())),
    };
    let complaints = value.map(label_value).filter(|complaints| !complaints.is_empty());
    let complaints = complaints.unwrap_or_else(|| qualified_name(key));
    match complaints.is_empty() {
        true => Ok(Taint { key: key.into(), value: value.map(str::to_owned), effect: effect.into(), time_added: None }),
        false => Err(invalid(format!(", {}", complaints.join("; ")))),
    }
}

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    let is_change = |word: &&String| word.contains(['=', ':']) || (word.len() > 1 && word.ends_with('-'));
    let resources: Vec<String> = args.operands.iter().take_while(|word| !is_change(word)).cloned().collect();
    let words = &args.operands[resources.len()..];
    if let Some(word) = words.iter().find(|word| !is_change(word)) {
        return Err(Failure::error(format!("all resources must be specified before taint changes: {word}")));
    }
    let Some((kind_word, names)) = resources.split_first() else {
        return Err(Failure::error("one or more resources must be specified as <resource> <name>"));
    };
    let changes = Changes::read(words)?;
    if !matches!(kind_word.to_lowercase().as_str(), "node" | "nodes" | "no") {
        resource::find_kind(call.client, kind_word).map_err(Failure::without_prefix)?;
        return Err(Failure::error(format!("invalid resource type {kind_word}, only node types are supported")));
    }
    changes.check()?;
    if words.is_empty() {
        return Err(Failure::error("at least one taint update is required"));
    }
    if args.is("all") && args.some_text("selector").is_some() {
        return Err(Failure::error("setting 'all' parameter with a non empty selector is prohibited"));
    }
    let kind = Node::row();
    let mut failures: Vec<Failure> = Vec::new();
    let mut infos = Vec::new();
    if args.is("all") || args.some_text("selector").is_some() {
        let (nodes, _) = resource::list(call, kind, "", resource::selectors(args))?;
        infos.extend(nodes.into_iter().map(|node| resource::info(kind, node)));
    }
    for name in names {
        match resource::get(call, kind, "", name) {
            Ok(node) => infos.push(resource::info(kind, node)),
            Err(status) => failures.push(status.into()),
        }
    }
    for info in infos {
        if let Err(failure) = taint(call, args, &info, &changes) {
            failures.push(failure);
        }
    }
    Failure::all(failures).map_or(Ok(0), Err)
}

fn taint(call: &mut Call, args: &Args, info: &Info, changes: &Changes) -> Result<(), Failure> {
    let node: Option<&Node> = info.object.downcast_ref();
    let before = node.and_then(|node| node.spec.as_ref()?.taints.clone()).unwrap_or_default();
    let mut taints = before.clone();
    let (mut added, mut removed, mut modified) = (false, false, false);
    for wanted in &changes.added {
        let same = |taint: &Taint| taint.key == wanted.key && taint.effect == wanted.effect;
        match taints.iter().position(same) {
            Some(_) if !args.is("overwrite") => {
                return Err(Failure::error(format!(
                    "node {} already has {} taint(s) with same effect(s) and --overwrite is false",
                    info.name, wanted.key
                )));
            }
            Some(at) => {
                taints.remove(at);
                taints.insert(0, wanted.clone());
                modified = true;
            }
            None => {
                taints.insert(0, wanted.clone());
                added = true;
            }
        }
    }
    for (key, effect) in &changes.removed {
        let length = taints.len();
        taints.retain(|taint| taint.key != *key || !(effect.is_empty() || taint.effect == *effect));
        if taints.len() == length {
            let named = if effect.is_empty() {
                format!("taint {key:?} not found")
            } else {
                format!("taint \"{key}:{effect}\" not found")
            };
            return Err(Failure::error(named));
        }
        removed = true;
    }
    let done = match (added || modified, removed) {
        _ if args.is("overwrite") => "modified",
        (true, true) => "modified",
        (true, false) if modified => "modified",
        (true, false) => "tainted",
        _ => "untainted",
    };
    let dry_run = DryRun::read(args)?;
    let list: Value = if taints.is_empty() { Value::Null } else { json!(taints) };
    // The list is replaced as a whole: a merge would keep taints of other effects.
    let value = json!({ "spec": { "taints": list } });
    let object = if dry_run == DryRun::Client {
        api::patch::merge(api::wire::form(&*info.object), value)
    } else {
        let patch = Patch { kind: PatchKind::Merge, value };
        let mut request = Request::new::<Node>(Verb::Patch, "", &info.name).body(patch);
        request.options.dry_run = dry_run == DryRun::Server;
        request.options.field_manager = args.text("field-manager").into();
        api::wire::form(&*resource::expect_object(call.request(request)?)?)
    };
    // Upstream does not say here that it was only tried.
    super::print_changed(call, args, info, object, done, DryRun::None)
}
