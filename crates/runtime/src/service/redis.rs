//! redis: a few commands over strings, saved under `/data`.

use std::collections::BTreeMap;

use super::{Service, Surroundings};
use crate::images::spec::Behaviour;
use crate::tools::format_date;
use crate::{Outcome, Protocol, Request};

const DUMP: &str = "/data/dump.rdb";

/// Logs the start and loads what was saved.
pub fn start(service: &mut Service, around: &mut Surroundings<'_>) {
    let date = format_date(around.node, service.started_at, "%d %b %Y %H:%M:%S.000");
    around.log(format!("1:C {date} * oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo"));
    around.log(format!("1:M {date} * Running mode=standalone, port=6379."));
    around.log(format!("1:M {date} * Server initialized"));
    if let Ok(content) = around.view.read(DUMP) {
        for line in String::from_utf8_lossy(&content).lines() {
            if let Some((key, value)) = line.split_once('\t') {
                service.values.insert(key.to_owned(), value.to_owned());
            }
        }
    }
    service.ready_lines.push(format!("1:M {date} * Ready to accept connections tcp"));
}

/// Writes the values to the data directory; only redis has any there.
pub fn save(values: &BTreeMap<String, String>, around: &mut Surroundings<'_>) {
    if !matches!(around.image.spec.behaviour, Behaviour::Redis) || values.is_empty() {
        return;
    }
    let text: String = values.iter().map(|(key, value)| format!("{key}\t{}\n", value.replace('\n', " "))).collect();
    let _ = around.view.make_dir_all("/data").and_then(|()| around.view.write(DUMP, text.as_bytes()));
}

/// Runs a command and answers as `redis-cli` prints it.
pub fn serve(values: &mut BTreeMap<String, String>, request: &Request, around: &mut Surroundings<'_>) -> Outcome {
    if request.protocol != Protocol::Tcp {
        return Outcome::Reset;
    }
    let words: Vec<&str> = request.body.split_whitespace().collect();
    let Some(command) = words.first().map(|word| word.to_ascii_uppercase()) else {
        return Outcome::answer(200, "");
    };
    let key = words.get(1).copied().unwrap_or_default().to_owned();
    let rest = words.get(2..).unwrap_or_default().join(" ");
    let wrong = format!("ERR wrong number of arguments for '{}' command", command.to_lowercase());
    let nil = || String::new();
    let text = match (command.as_str(), words.len()) {
        ("PING", 1) => "PONG".to_owned(),
        ("PING" | "ECHO", _) => words[1..].join(" "),
        ("SET", 3..) => {
            values.insert(key, rest.trim_matches('"').to_owned());
            save(values, around);
            "OK".to_owned()
        }
        ("GET", 2) => values.get(&key).cloned().unwrap_or_else(nil),
        ("INCR" | "DECR" | "INCRBY" | "DECRBY", 2..) => {
            let step = rest.parse().unwrap_or(1_i64);
            let step = if command.starts_with("DECR") { -step } else { step };
            match values.get(&key).map_or(Ok(0), |value| value.parse::<i64>()) {
                Ok(number) => {
                    let number = number.saturating_add(step);
                    values.insert(key, number.to_string());
                    save(values, around);
                    number.to_string()
                }
                Err(_) => "ERR value is not an integer or out of range".to_owned(),
            }
        }
        ("DEL", 2..) => {
            let removed = words[1..].iter().filter(|key| values.remove(**key).is_some()).count();
            save(values, around);
            removed.to_string()
        }
        ("EXISTS", 2..) => words[1..].iter().filter(|key| values.contains_key(**key)).count().to_string(),
        ("APPEND", 3..) => {
            let value = values.entry(key).or_default();
            value.push_str(&rest);
            value.len().to_string()
        }
        ("RPUSH" | "LPUSH", 3..) => {
            let value = values.entry(key).or_default();
            let joined = if value.is_empty() { rest } else { format!("{value},{rest}") };
            *value = joined;
            value.split(',').count().to_string()
        }
        ("LRANGE", _) => values.get(&key).map_or_else(nil, |value| value.replace(',', "\n")),
        ("KEYS", 2) => {
            let keys = values.keys().filter(|name| crate::shell::pattern::matches_text(&key, name));
            keys.cloned().collect::<Vec<_>>().join("\n")
        }
        ("DBSIZE", _) => values.len().to_string(),
        ("FLUSHALL" | "FLUSHDB", _) => {
            values.clear();
            "OK".to_owned()
        }
        ("SAVE" | "BGSAVE" | "AUTH" | "SELECT", _) => {
            save(values, around);
            "OK".to_owned()
        }
        ("CONFIG", _) => {
            let name = words.get(2).copied().unwrap_or_default();
            format!("{name}\n{}", if name == "maxmemory" { "0" } else { "" })
        }
        ("INFO", _) => "# Server\nredis_version:7.4.0\nrole:master\nloading:0\n".to_owned(),
        ("ROLE", _) => "master\n0".to_owned(),
        ("SET" | "GET" | "INCR" | "DEL" | "EXISTS" | "KEYS", _) => wrong,
        _ => format!("ERR unknown command '{}'", words[0]),
    };
    Outcome::answer(200, text)
}
