//! Clients of the catalogue's databases.

use super::net::NetTool;
use super::run::{After, Call};
use crate::Outcome;

type ToolCall<'t, 'k, 'h, 'a> = Call<'t, 'k, 'h, 'a>;

/// Host, port and the words that are neither.
fn target(
    call: &ToolCall<'_, '_, '_, '_>,
    with_value: &str,
    port: u16,
) -> (String, u16, Vec<(char, String)>, Vec<String>) {
    let (_, values, words) = call.flags(with_value);
    let value = |flags: &[char]| values.iter().find(|v| flags.contains(&v.0)).map(|v| v.1.clone());
    let host = value(&['h']).unwrap_or_else(|| "127.0.0.1".to_owned());
    let port = value(&['p', 'P']).and_then(|text| text.parse().ok()).unwrap_or(port);
    (host, port, values, words)
}

fn answered(call: &mut ToolCall<'_, '_, '_, '_>, outcome: &Outcome, failure: &str) -> i32 {
    match outcome {
        Outcome::Answered { status, body, .. } => {
            let text = if body.is_empty() || body.ends_with('\n') { body.clone() } else { format!("{body}\n") };
            if *status < 400 {
                call.out.push_str(&text)
            } else {
                call.err.push_str(&text)
            }
            i32::from(*status >= 400)
        }
        _ => {
            call.err.push_str(failure);
            1
        }
    }
}

pub fn redis_cli(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (host, port, _, words) = target(call, "hpan", 6379);
    let mut command = words.iter().filter(|w| !w.starts_with("--")).cloned().collect::<Vec<_>>().join(" ");
    if command.is_empty() {
        let Some(input) = call.input.take() else { return After::NeedInput };
        command = input.lines().next().unwrap_or("PING").to_owned();
    }
    After::Net(NetTool::client(&host, port, &command, |call, outcome| {
        let (host, port, _, _) = target(call, "hpan", 6379);
        let reason = match outcome {
            Outcome::UnknownHost => "Name does not resolve",
            Outcome::TimedOut => "Operation timed out",
            _ => "Connection refused",
        };
        answered(call, outcome, &format!("Could not connect to Redis at {host}:{port}: {reason}\n"))
    }))
}

/// The text after `-e` or `--execute=`.
fn statement(call: &ToolCall<'_, '_, '_, '_>, flag: char) -> Option<String> {
    let short = format!("-{flag}");
    let at = call.args.iter().position(|word| *word == short)?;
    call.args.get(at + 1).cloned()
}

pub fn mysql(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (host, port, values, _) = target(call, "hPue", 3306);
    let _ = values;
    let Some(sql) = statement(call, 'e').or(call.input.take()) else { return After::NeedInput };
    After::Net(NetTool::client(&host, port, &sql, |call, outcome| {
        let (host, _, _, _) = target(call, "hPue", 3306);
        let text = match outcome {
            Outcome::UnknownHost => format!("ERROR 2005 (HY000): Unknown MySQL server host '{host}' (-2)\n"),
            _ => format!("ERROR 2003 (HY000): Can't connect to MySQL server on '{host}:3306' (111)\n"),
        };
        answered(call, outcome, &text)
    }))
}

pub fn mysqladmin(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (host, port, _, _) = target(call, "hPu", 3306);
    After::Net(NetTool::client(&host, port, "PING", |call, outcome| {
        if outcome.is_success() {
            call.out.push_str("mysqld is alive\n");
            return 0;
        }
        let name = call.name().to_owned();
        call.err.push_str(&format!(
            "{name}: connect to server at '127.0.0.1' failed\nerror: 'Can't connect to MySQL server on '127.0.0.1:3306' (111)'\nCheck that mysqld is running on 127.0.0.1 and that the port is 3306.\n"
        ));
        1
    }))
}

pub fn pg_isready(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (host, port, _, _) = target(call, "hpUd", 5432);
    After::Net(NetTool::client(&host, port, "PING", |call, outcome| {
        let (host, port, values, _) = target(call, "hpUd", 5432);
        let given = values.iter().any(|value| value.0 == 'h');
        let place = if given { format!("{host}:{port}") } else { format!("/var/run/postgresql:{port}") };
        let (text, code) = match outcome {
            Outcome::Answered { status, .. } if *status < 400 => ("accepting connections", 0),
            Outcome::Answered { .. } => ("rejecting connections", 1),
            _ => ("no response", 2),
        };
        call.out.push_str(&format!("{place} - {text}\n"));
        code
    }))
}

pub fn psql(call: &mut ToolCall<'_, '_, '_, '_>) -> After {
    let (host, port, _, _) = target(call, "hpUdc", 5432);
    let Some(sql) = statement(call, 'c').or(call.input.take()) else { return After::NeedInput };
    After::Net(NetTool::client(&host, port, &sql, |call, outcome| {
        let (host, port, _, _) = target(call, "hpUdc", 5432);
        let text = format!(
            "psql: error: connection to server at \"{host}\", port {port} failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n"
        );
        let code = answered(call, outcome, &text);
        if code == 0 { 0 } else { 2 }
    }))
}

pub fn mongosh(_: &mut ToolCall<'_, '_, '_, '_>) -> After {
    After::Net(NetTool::client("127.0.0.1", 27017, "PING", |call, outcome| {
        if outcome.is_success() {
            call.out.push_str("{ ok: 1 }\n");
            return 0;
        }
        call.err.push_str("MongoNetworkError: connect ECONNREFUSED 127.0.0.1:27017\n");
        1
    }))
}
