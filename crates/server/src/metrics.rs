//! `/metrics`: what the server knows of itself, under upstream's names, as Prometheus reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use api::{Kind, Request, Subresource, Verb, kinds};
use tabernetes::Cluster;

use crate::flow_control;

/// Upper bounds in seconds, upstream's.
const BUCKETS: [f64; 10] = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 2.0];

/// What has been asked since the server started.
pub struct Metrics {
    started: SystemTime,
    requests: BTreeMap<(Labels, u16), u64>,
    durations: BTreeMap<Labels, Durations>,
}

/// What most of the request metrics are told apart by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels {
    verb: &'static str,
    group: &'static str,
    version: &'static str,
    resource: &'static str,
    subresource: &'static str,
    scope: &'static str,
}

#[derive(Default)]
struct Durations {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum: Duration,
}

impl Labels {
    pub fn new(kind: &'static Kind, request: &Request) -> Labels {
        use Subresource::{Attach, Exec, PortForward, Proxy};
        let verb = match (request.verb, request.subresource) {
            (_, Exec | Attach | PortForward | Proxy) => "CONNECT",
            (Verb::Get, _) => "GET",
            (Verb::List, _) => "LIST",
            (Verb::Watch, _) => "WATCH",
            (Verb::Create, _) => "POST",
            (Verb::Update, _) => "PUT",
            (Verb::Patch, _) => "PATCH",
            (Verb::Delete, _) => "DELETE",
            (Verb::DeleteCollection, _) => "DELETECOLLECTION",
        };
        let scope = match (request.name.is_empty(), request.namespace.is_empty()) {
            (false, _) => "resource",
            (true, false) => "namespace",
            (true, true) => "cluster",
        };
        let (group, version, resource) = (kind.group, kind.version, kind.plural);
        Labels { verb, group, version, resource, subresource: request.subresource.as_str(), scope }
    }

    /// A request for a path that names no resource.
    pub fn other(method: &str) -> Labels {
        let verb = match method {
            "GET" => "GET",
            "HEAD" => "HEAD",
            "POST" => "POST",
            _ => "other",
        };
        Labels { verb, group: "", version: "", resource: "", subresource: "", scope: "" }
    }

    fn write(&self) -> String {
        let Labels { verb, group, version, resource, subresource, scope } = self;
        format!(
            "component=\"apiserver\",dry_run=\"\",group=\"{group}\",resource=\"{resource}\",scope=\"{scope}\",\
             subresource=\"{subresource}\",verb=\"{verb}\",version=\"{version}\""
        )
    }
}

impl Metrics {
    pub fn new() -> Metrics {
        Metrics { started: SystemTime::now(), requests: BTreeMap::new(), durations: BTreeMap::new() }
    }

    pub fn count(&mut self, labels: Labels, code: u16, took: Duration) {
        let durations = self.durations.entry(labels.clone()).or_default();
        for (count, bound) in durations.buckets.iter_mut().zip(BUCKETS) {
            *count += u64::from(took.as_secs_f64() <= bound);
        }
        durations.count += 1;
        durations.sum += took;
        *self.requests.entry((labels, code)).or_default() += 1;
    }

    /// `open` is how many watches, followed logs and sessions clients listen to.
    pub fn text(&self, cluster: &Cluster, open: usize) -> String {
        let mut text = String::new();
        metric(&mut text, "apiserver_request_total", "counter", "Requests that were answered.");
        for ((labels, code), count) in &self.requests {
            let _ = writeln!(text, "apiserver_request_total{{code=\"{code}\",{}}} {count}", labels.write());
        }
        let name = "apiserver_request_duration_seconds";
        metric(&mut text, name, "histogram", "How long answers took, in seconds.");
        for (labels, durations) in &self.durations {
            let Durations { buckets, count, sum } = durations;
            let labels = labels.write();
            for (bound, count) in BUCKETS.iter().zip(buckets) {
                let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}");
            }
            let _ = writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
            let _ = writeln!(text, "{name}_sum{{{labels}}} {}", sum.as_secs_f64());
            let _ = writeln!(text, "{name}_count{{{labels}}} {count}");
        }
        // Requests are served one by one: the one in flight is this one.
        metric(&mut text, "apiserver_current_inflight_requests", "gauge", "Requests being served.");
        text += "apiserver_current_inflight_requests{request_kind=\"mutating\"} 0\n";
        text += "apiserver_current_inflight_requests{request_kind=\"readOnly\"} 1\n";
        flow_control::metrics(&mut text, cluster);
        gauge(&mut text, "apiserver_longrunning_requests", "Watches, followed logs and sessions.", open as f64);
        metric(&mut text, "apiserver_storage_objects", "gauge", "Objects in the store.");
        for kind in kinds::stored() {
            let count = cluster.server().objects_of(kind);
            let _ = writeln!(text, "apiserver_storage_objects{{resource=\"{}\"}} {count}", kind.group_resource());
        }
        gauge(&mut text, "etcd_debugging_mvcc_current_revision", "The store's revision.", revision(cluster));
        let seconds = cluster.now() as f64 / api::time::SECOND as f64;
        gauge(&mut text, "tabernetes_virtual_time_seconds", "The cluster's age in its own time.", seconds);
        metric(&mut text, "kubernetes_build_info", "gauge", "What is simulated.");
        text += "kubernetes_build_info{git_version=\"v1.36.2\",major=\"1\",minor=\"36\"} 1\n";
        let started = self.started.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        gauge(&mut text, "process_start_time_seconds", "When the process started, since 1970.", started);
        if let Some(bytes) = resident_bytes() {
            gauge(&mut text, "process_resident_memory_bytes", "Memory that the process holds.", bytes as f64);
        }
        text
    }
}

fn revision(cluster: &Cluster) -> f64 {
    cluster.server().revision() as f64
}

pub fn metric(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn gauge(text: &mut String, name: &str, help: &str, value: f64) {
    metric(text, name, "gauge", help);
    let _ = writeln!(text, "{name} {value}");
}

/// As Linux tells it.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
