//! `kubectl wait`

use api::SimTime;
use serde_json::Value;

use super::apply::DryRun;
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, duration, switch, text};
use crate::output::Path;
use crate::resource::{self, Info, Rules};
use crate::task::{Call, Cx};

pub(super) static FLAGS: &[Flag] = &[
    text("for", ' ', "delete, create, condition=NAME[=VALUE] or jsonpath='{PATH}'[=VALUE]"),
    duration("timeout", "30s", "How long to wait; negative waits for a week"),
    text("selector", 'l', "Label selector"),
    text("field-selector", ' ', "Field selector"),
    switch("all", ' ', "All objects of the kind"),
    switch("all-namespaces", 'A', "In all namespaces"),
    switch("local", ' ', "Do not ask the server"),
];

/// What is waited for.
enum Wanted {
    Deletion,
    Creation,
    Condition { name: String, value: String },
    Path { path: Path, value: Option<String> },
}

impl Wanted {
    fn read(text: &str) -> Result<Wanted, Failure> {
        if let Some(rest) = text.strip_prefix("condition=") {
            let (name, value) = rest.split_once('=').unwrap_or((rest, "true"));
            return Ok(Wanted::Condition { name: name.into(), value: value.into() });
        }
        if let Some(rest) = text.strip_prefix("jsonpath=") {
            let end = match (rest.rfind('}'), rest.contains('{')) {
                (Some(at), _) => at + 1,
                (None, false) => rest.find('=').unwrap_or(rest.len()),
                (None, true) => {
                    return Err(Failure::error(
                        "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or \
                         '{.name1.name2}'",
                    ));
                }
            };
            let value = rest[end..].strip_prefix('=').map(str::to_owned);
            if value.as_ref().is_some_and(|value| value.contains('=')) {
                return Err(Failure::error(
                    "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or \
                     --for=jsonpath='{.status.readyReplicas}'",
                ));
            }
            if rest[end..].starts_with('=') && value.as_deref() == Some("") {
                return Err(Failure::error(
                    "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
                ));
            }
            if rest[..end].is_empty() {
                return Err(Failure::error("jsonpath expression cannot be empty"));
            }
            let path = Path::relaxed(&rest[..end]).map_err(Failure::error)?;
            return Ok(Wanted::Path { path, value });
        }
        match text.to_lowercase().as_str() {
            "delete" => Ok(Wanted::Deletion),
            "create" => Ok(Wanted::Creation),
            _ => Err(Failure::error(format!("unrecognized condition: {text:?}"))),
        }
    }

    fn is_met(&self, object: &Value) -> Result<bool, Failure> {
        Ok(match self {
            Wanted::Deletion => false,
            Wanted::Creation => true,
            Wanted::Condition { name, value } => {
                let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
                let mut named = conditions.filter(|condition| {
                    condition["type"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(name))
                });
                named.next().is_some_and(|condition| {
                    // A condition that is older than the object's last change does not count.
                    let generation = object["metadata"]["generation"].as_i64().unwrap_or_default();
                    let observed = condition["observedGeneration"]
                        .as_i64()
                        .or(object["status"]["observedGeneration"].as_i64())
                        .unwrap_or(generation);
                    let status = condition["status"].as_str().unwrap_or_default();
                    observed >= generation && status.eq_ignore_ascii_case(value)
                })
            }
            Wanted::Path { path, value } => {
                let found = path.find(object).unwrap_or_default();
                match (found.as_slice(), value) {
                    ([], _) => false,
                    ([_], None) => true,
                    ([only], Some(value)) => match only {
                        Value::String(text) => text.trim() == value.trim(),
                        Value::Array(_) | Value::Object(_) => {
                            return Err(Failure::error(
                                "jsonpath leads to a nested object or list which is not supported",
                            ));
                        }
                        other => crate::output::go_text(other) == value.trim(),
                    },
                    _ => return Err(Failure::error("given jsonpath expression matches more than one value")),
                }
            }
        })
    }
}

const RULES: Rules = Rules { all_of_type: false, all_may_select: true };

/// How often an object is looked at.
const POLL_INTERVAL: SimTime = 50 * api::time::MILLISECOND;

pub(super) async fn run(cx: Cx, args: Args) -> Outcome {
    let wanted = Wanted::read(args.text("for"))?;
    let timeout = api::time::parse_duration(args.text("timeout")).unwrap_or_default();
    let timeout = if timeout < 0 { 7 * 24 * 3600 * api::time::SECOND } else { timeout as SimTime };
    let deadline = cx.now().await + timeout;
    let picked = find(&cx, &args, &wanted, deadline).await?;
    let mut failures = Vec::new();
    for info in picked.infos {
        let waiting = Waiting { info: &info, wanted: &wanted, args: &args, deadline, has_time: timeout > 0 };
        if let Err(failure) = wait_for(&cx, waiting).await {
            failures.push(failure);
        }
    }
    failures.extend(picked.failures);
    Failure::all(failures).map_or(Ok(0), Err)
}

/// The objects to wait for. Waiting for a creation waits for them to be there first.
async fn find(cx: &Cx, args: &Args, wanted: &Wanted, deadline: SimTime) -> Result<resource::Picked, Failure> {
    loop {
        let picking = args.clone();
        let mut picked = cx.with(move |call| resource::pick(call, &picking, RULES)).await?;
        let absent = |failure: &Failure| matches!(failure, Failure::Status(status) if status.is_not_found());
        match wanted {
            Wanted::Deletion => picked.failures.retain(|failure| !absent(failure)),
            Wanted::Creation if picked.infos.is_empty() && picked.failures.iter().all(absent) => {
                if cx.now().await >= deadline {
                    return Err(Failure::error("timed out waiting for the condition"));
                }
                cx.pause(Some((cx.now().await + POLL_INTERVAL).min(deadline))).await;
                continue;
            }
            _ => {}
        }
        if picked.infos.is_empty() && picked.failures.is_empty() && !matches!(wanted, Wanted::Deletion) {
            return Err(Failure::error("no matching resources found"));
        }
        return Ok(picked);
    }
}

/// One object, and what is to become of it.
struct Waiting<'a> {
    info: &'a Info,
    wanted: &'a Wanted,
    args: &'a Args,
    deadline: SimTime,
    /// Without time the object is looked at once.
    has_time: bool,
}

async fn wait_for(cx: &Cx, waiting: Waiting<'_>) -> Result<(), Failure> {
    let Waiting { info, wanted, args, deadline, has_time } = waiting;
    let (kind, uid) = (info.kind, info.object.uid().to_owned());
    loop {
        let (space, name) = (info.namespace.clone(), info.name.clone());
        let found = cx.with(move |call| resource::get(call, kind, &space, &name)).await;
        let met = match (&found, wanted) {
            (Err(status), Wanted::Deletion) if status.is_not_found() => true,
            (Ok(object), Wanted::Deletion) => object.uid() != uid,
            (Ok(object), wanted) => wanted.is_met(&object.to_value())?,
            (Err(status), _) => return Err(status.clone().into()),
        };
        if met {
            let last = found.unwrap_or_else(|_| info.object.clone());
            let (args, info) = (args.clone(), info.clone());
            let print = move |call: &mut Call| {
                let value = api::wire::form(&*last);
                super::print_changed(call, &args, &info, value, "condition met", DryRun::None)
            };
            return cx.with(print).await;
        }
        if cx.now().await >= deadline {
            let resource = format!("{}/{}", kind.plural, info.name);
            if !has_time {
                return Err(Failure::error(format!("condition not met for {resource}")));
            }
            return Err(Failure::error(format!("timed out waiting for the condition on {resource}")));
        }
        cx.pause(Some((cx.now().await + POLL_INTERVAL).min(deadline))).await;
    }
}
