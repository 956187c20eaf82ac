//! A large list, read in chunks as clients do.

use crate::door::{Door, JSON};
use crate::{Parameters, Run};

const PATH: &str = "/api/v1/namespaces/default/configmaps";

pub fn prepare(parameters: &mut Parameters) -> Result<Run, String> {
    let objects: usize = parameters.take("objects", 100_000)?;
    let chunk: usize = parameters.take("chunk", 500)?;
    let mut door = Door::new(1);
    for number in 0..objects {
        let map =
            serde_json::json!({ "metadata": { "name": format!("map-{number}") }, "data": { "a": "1", "b": "2" } });
        door.send("POST", PATH, JSON, &map.to_string());
    }
    Ok(Box::new(move || {
        let (mut bytes, mut chunks, mut token) = (0, 0, String::new());
        loop {
            let body = door.send("GET", &format!("{PATH}?limit={chunk}&continue={token}"), "", "");
            bytes += body.len();
            chunks += 1;
            token = continued(&body);
            if token.is_empty() {
                return format!(" chunks={chunks} bytes={bytes}");
            }
        }
    }))
}

/// The token of the next chunk, found without reading the whole of this one.
fn continued(body: &str) -> String {
    let token = body.split_once("\"continue\":\"").and_then(|(_, rest)| rest.split('"').next());
    token.unwrap_or_default().to_owned()
}
