//! Many watchers of one kind: what a write costs with them, and what the events cost that it makes.

use api::Response;
use apiserver::route::Lines;

use crate::door::{Door, JSON};
use crate::{Parameters, Run};

const PATH: &str = "/api/v1/namespaces/default/configmaps";

pub fn prepare(parameters: &mut Parameters) -> Result<Run, String> {
    let watchers: usize = parameters.take("watchers", 1000)?;
    let writes: usize = parameters.take("writes", 200)?;
    let mut door = Door::new(1);
    let watch = format!("{PATH}?watch=1&resourceVersion={}", door.server.revision());
    let mut shown = None;
    for _ in 0..watchers {
        match door.ask("GET", &watch, "", "") {
            (resource, Ok(Response::Watch(_))) => shown = Some(resource),
            (_, other) => return Err(format!("no watch: {other:?}")),
        }
    }
    let resource = shown.ok_or("without watchers there is nothing to measure")?;
    Ok(Box::new(move || {
        let (mut events, mut bytes, mut lines) = (0, 0, Lines::default());
        for number in 0..writes {
            let map = serde_json::json!({ "metadata": { "name": format!("map-{number}") }, "data": { "a": "x".repeat(500) } });
            door.send("POST", PATH, JSON, &map.to_string());
            lines.clear();
            for watch in door.server.take_stirred() {
                for event in door.server.watch_events(watch) {
                    events += 1;
                    bytes += lines.line(&event, &resource, door.now).len();
                }
            }
        }
        format!(" events={events} bytes={bytes}")
    }))
}
