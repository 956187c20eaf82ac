//! What flow control tells of itself: metrics under upstream's names, and the tables of `/debug/api_priority_and_fairness/`.

use std::fmt::Write as _;

use apiserver::flow_control::{FlowSchema, Level, Refusal, WAITS};
use tabernetes::Cluster;

use crate::metrics::metric;

const PREFIX: &str = "apiserver_flowcontrol_";
const DEBUG: &str = "/debug/api_priority_and_fairness/";

/// `None`: the path is none of the tables'.
pub fn dump(cluster: &Cluster, path: &str) -> Option<String> {
    let (flow, now) = (cluster.server().flow_control(), cluster.now());
    let rows: Vec<Vec<String>> = match path.strip_prefix(DEBUG)? {
        "dump_priority_levels" => {
            let titles =
                ["PriorityLevelName", "ActiveQueues", "IsIdle", "IsQuiescing", "WaitingRequests", "ExecutingRequests"];
            let row = |level: &Level| {
                let (waiting, (executing, _)) = (level.waiting(None, now), level.executing(None, now));
                let is_idle = waiting == 0 && executing == 0;
                let numbers = [waiting.to_string(), executing.to_string()];
                let states = [level.active_queues(now).to_string(), is_idle.to_string(), "false".into()];
                [level.name.clone()].into_iter().chain(states).chain(numbers).collect()
            };
            [titles.map(str::to_owned).to_vec()].into_iter().chain(flow.levels().iter().map(row)).collect()
        }
        _ => return None,
    };
    Some(aligned(&rows))
}

/// As Go's `tabwriter` lines up cells that end in a comma.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].len() + 2).max().unwrap_or(0).max(8);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (cell, width) in row.iter().zip(&widths).take(columns - 1) {
            let _ = write!(text, "{:width$}", format!("{cell},"));
        }
        let _ = writeln!(text, "{}", row[columns - 1]);
    }
    text
}

pub fn metrics(text: &mut String, cluster: &Cluster) {
    let (flow, now) = (cluster.server().flow_control(), cluster.now());
    let by_level = |text: &mut String, name: &str, help: &str, value: &dyn Fn(usize, &Level) -> u64| {
        metric(text, &format!("{PREFIX}{name}"), "gauge", help);
        for (index, level) in flow.levels().iter().enumerate() {
            let value = value(index, level);
            let _ = writeln!(text, "{PREFIX}{name}{{priority_level=\"{}\"}} {value}", level.name);
        }
    };
    let limit = "seats that a priority level may fill";
    by_level(text, "nominal_limit_seats", &format!("Nominal number of {limit}."), &|_, level| level.limits().nominal);
    by_level(text, "lower_limit_seats", &format!("Least number of {limit}."), &|_, level| level.limits().lower);
    by_level(text, "upper_limit_seats", &format!("Greatest number of {limit}."), &|_, level| level.limits().upper);
    by_level(text, "current_limit_seats", &format!("Current number of {limit}."), &|index, _| flow.limit(index));

    let labels = |schema: &FlowSchema| {
        let level = &flow.levels()[schema.level].name;
        format!("flow_schema=\"{}\",priority_level=\"{level}\"", schema.name)
    };
    let by_schema =
        |text: &mut String, name: &str, kind: &str, help: &str, value: &dyn Fn(usize, &FlowSchema) -> u64| {
            metric(text, &format!("{PREFIX}{name}"), kind, help);
            for (index, schema) in flow.schemas().iter().enumerate() {
                let value = value(index, schema);
                let _ = writeln!(text, "{PREFIX}{name}{{{}}} {value}", labels(schema));
            }
        };
    let level = |schema: &FlowSchema| &flow.levels()[schema.level];
    by_schema(text, "current_executing_requests", "gauge", "Requests being served.", &|index, schema| {
        level(schema).executing(Some(index), now).0
    });
    by_schema(text, "current_executing_seats", "gauge", "Seats that they hold.", &|index, schema| {
        level(schema).executing(Some(index), now).1
    });
    by_schema(text, "current_inqueue_requests", "gauge", "Requests that wait in queues.", &|index, schema| {
        level(schema).waiting(Some(index), now)
    });
    by_schema(text, "dispatched_requests_total", "counter", "Requests that were let in.", &|_, schema| {
        schema.counts.dispatched
    });

    let name = format!("{PREFIX}rejected_requests_total");
    metric(text, &name, "counter", "Requests that were refused.");
    for schema in flow.schemas() {
        for (refusal, count) in Refusal::ALL.iter().zip(schema.counts.rejected).filter(|(_, count)| *count > 0) {
            let _ = writeln!(text, "{name}{{{},reason=\"{}\"}} {count}", labels(schema), refusal.as_str());
        }
    }
    let name = format!("{PREFIX}request_wait_duration_seconds");
    metric(text, &name, "histogram", "How long requests that were let in waited, in virtual seconds.");
    for schema in flow.schemas().iter().filter(|schema| schema.counts.dispatched > 0) {
        let labels = format!("execute=\"true\",{}", labels(schema));
        let counts = &schema.counts;
        for (bound, count) in WAITS.iter().zip(counts.waited) {
            let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{}\"}} {count}", seconds(*bound));
        }
        let _ = writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", counts.dispatched);
        let _ = writeln!(text, "{name}_sum{{{labels}}} {}", seconds(counts.waited_in_all));
        let _ = writeln!(text, "{name}_count{{{labels}}} {}", counts.dispatched);
    }
}

fn seconds(duration: api::SimTime) -> f64 {
    duration as f64 / api::time::SECOND as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_lined_up_as_go_does() {
        let rows = [
            vec!["PriorityLevelName".to_owned(), "IsIdle".into(), "N".into()],
            vec!["a".into(), "true".into(), "0".into()],
        ];
        assert_eq!(aligned(&rows), "PriorityLevelName, IsIdle, N\na,                 true,   0\n");
    }
}
