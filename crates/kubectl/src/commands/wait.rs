//! `kubectl wait`

use api::SimTime;
use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, duration, switch, text};
use crate::output::Path;
use crate::resource::{self, Info, Rules};
use crate::task::Cx;

pub(super) static FLAGS: &[Flag] = &[
    text("for", ' ', "delete, create, condition=NAME[=VALUE] or jsonpath='{PATH}'[=VALUE]"),
    duration("timeout", "30s", "How long to wait; negative waits for a week"),
    text("selector", 'l', "Label selector"),
    text("field-selector", ' ', "Field selector"),
    switch("all", ' ', "All objects of the kind"),
    switch("all-namespaces", 'A', "In all namespaces"),
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
            if rest[end..].starts_with('=') && value.as_deref() == Some("") {
                return Err(Failure::error(
                    "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
                ));
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

    fn is_met(&self, object: &Value) -> bool {
        match self {
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
                    (_, None) => true,
                    ([only], Some(value)) => match only {
                        Value::String(text) => text == value,
                        Value::Array(_) | Value::Object(_) => false,
                        other => other.to_string() == *value,
                    },
                    _ => false,
                }
            }
        }
    }
}

/// How often an object is looked at.
const POLL_INTERVAL: SimTime = 50 * api::time::MILLISECOND;

pub(super) async fn run(cx: Cx, args: Args) -> Outcome {
    let wanted = Wanted::read(args.text("for"))?;
    let timeout = api::time::parse_duration(args.text("timeout")).unwrap_or_default();
    let timeout = if timeout < 0 { 7 * 24 * 3600 * api::time::SECOND } else { timeout as SimTime };
    let deadline = cx.now().await + timeout;
    let infos = match find(&cx, &args, &wanted, deadline).await? {
        Some(infos) => infos,
        None => return Ok(0),
    };
    let mut failures = Vec::new();
    for info in infos {
        if let Err(failure) = wait_for(&cx, &info, &wanted, deadline, args.text("output") == "name").await {
            failures.push(failure);
        }
    }
    Failure::all(failures).map_or(Ok(0), Err)
}

/// The objects to wait for. Waiting for a creation waits for them to be there first; `None` when there is nothing to do.
async fn find(cx: &Cx, args: &Args, wanted: &Wanted, deadline: SimTime) -> Result<Option<Vec<Info>>, Failure> {
    loop {
        let picking = args.clone();
        let mut picked = cx.with(move |call| resource::pick(call, &picking, Rules::default())).await?;
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
        if let Some(failure) = Failure::all(picked.failures) {
            return Err(failure);
        }
        if picked.infos.is_empty() {
            return match wanted {
                Wanted::Deletion => Ok(None),
                _ => Err(Failure::error("no matching resources found")),
            };
        }
        return Ok(Some(picked.infos));
    }
}

async fn wait_for(cx: &Cx, info: &Info, wanted: &Wanted, deadline: SimTime, names: bool) -> Result<(), Failure> {
    let (kind, uid) = (info.kind, info.object.uid().to_owned());
    loop {
        let (space, name) = (info.namespace.clone(), info.name.clone());
        let found = cx.with(move |call| resource::get(call, kind, &space, &name)).await;
        let met = match (&found, wanted) {
            (Err(status), Wanted::Deletion) if status.is_not_found() => true,
            (Ok(object), Wanted::Deletion) => object.uid() != uid,
            (Ok(object), wanted) => wanted.is_met(&object.to_value()),
            (Err(status), _) => return Err(status.clone().into()),
        };
        if met {
            let line = match wanted {
                _ if names => format!("{}\n", info.full_name()),
                Wanted::Deletion => return Ok(()),
                _ => format!("{} condition met\n", info.full_name()),
            };
            cx.out(line).await;
            return Ok(());
        }
        if cx.now().await >= deadline {
            let resource = format!("{}/{}", kind.plural, info.name);
            return Err(Failure::error(format!("timed out waiting for the condition on {resource}")));
        }
        cx.pause(Some((cx.now().await + POLL_INTERVAL).min(deadline))).await;
    }
}
