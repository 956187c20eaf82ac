//! What a kubelet answers at its own port, as `nodes/NAME/proxy/…` shows it: health, its Pods, what they use, metrics.
//! Upstream: `pkg/kubelet/server`.

use std::fmt::Write as _;

use api::types::{Node, Pod};
use api::{Kinded, Status, time};
use kubelet::Kubelet;
use runtime::{Outcome, Request, Usage};
use serde_json::{Value, json};

use crate::cluster::Cluster;

const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Cluster {
    /// A node's kubelet answers. `Err`: there is no such node.
    pub(crate) fn ask_kubelet(&self, node: &str, request: &Request) -> Result<Outcome, Status> {
        let object = self.server.peek::<Node>("", node).ok_or_else(|| Status::not_found(Node::row(), node))?;
        let Some(kubelet) = self.kubelet(node).filter(|kubelet| kubelet.is_powered_on()) else {
            return Ok(Outcome::TimedOut);
        };
        let path = request.path.split('?').next().unwrap_or_default().trim_end_matches('/');
        let boots = object.metadata.creation_timestamp.as_ref();
        Ok(match path {
            "/healthz" | "/healthz/ping" | "/healthz/log" | "/healthz/syncloop" => answered(200, TEXT, "ok".into()),
            "/pods" => {
                let items: Vec<Value> = self.pods_of(node).map(|pod| api::wire::form(pod)).collect();
                let list = json!({ "kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items });
                answered(200, "application/json", list.to_string())
            }
            "/stats/summary" => {
                let pods: Vec<Value> = self.pods_of(node).map(|pod| self.pod_summary(kubelet, pod)).collect();
                let mut summary = self.summary(kubelet.node_usage(self.now));
                summary["nodeName"] = node.into();
                summary["startTime"] = json!(boots);
                answered(200, "application/json", json!({ "node": summary, "pods": pods }).to_string())
            }
            "/metrics" => answered(200, METRICS, self.kubelet_metrics(kubelet, node)),
            "/metrics/resource" => answered(200, METRICS, self.resource_metrics(kubelet, node)),
            _ => answered(404, TEXT, "404 page not found\n".into()),
        })
    }

    /// The Pods that a kubelet has taken on.
    fn pods_of<'a>(&'a self, node: &'a str) -> impl Iterator<Item = &'a Pod> {
        let is_here = move |pod: &&Pod| {
            pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).is_some_and(|name| name == node)
        };
        self.server.peek_all::<Pod>().filter(is_here)
    }

    fn pod_summary(&self, kubelet: &Kubelet, pod: &Pod) -> Value {
        let containers = kubelet.pod_usage(self.now, &api::meta::key(&pod.metadata)).unwrap_or_default().containers;
        let mut total = Usage::default();
        let containers: Vec<Value> = containers
            .into_iter()
            .map(|(name, usage)| {
                add(&mut total, &usage);
                let mut summary = self.summary(usage);
                summary["name"] = name.into();
                summary
            })
            .collect();
        let mut summary = self.summary(total);
        let meta = &pod.metadata;
        summary["podRef"] = json!({ "name": meta.name, "namespace": meta.namespace, "uid": meta.uid });
        summary["startTime"] = json!(pod.status.as_ref().and_then(|status| status.start_time.as_ref()));
        summary["containers"] = containers.into();
        summary
    }

    /// `cpu` and `memory` of a summary.
    fn summary(&self, usage: Usage) -> Value {
        let now = time::stamp(self.now);
        json!({
            "cpu": {
                "time": now,
                "usageNanoCores": usage.cpu_milli * 1_000_000,
                "usageCoreNanoSeconds": usage.cpu_total_ns,
            },
            "memory": { "time": now, "usageBytes": usage.memory_bytes, "workingSetBytes": usage.memory_bytes },
        })
    }

    fn kubelet_metrics(&self, kubelet: &Kubelet, node: &str) -> String {
        let running: Vec<usize> = self
            .pods_of(node)
            .filter_map(|pod| kubelet.pod_usage(self.now, &api::meta::key(&pod.metadata)))
            .map(|usage| usage.containers.len())
            .filter(|containers| *containers > 0)
            .collect();
        let mut text = String::new();
        let containers: usize = running.iter().sum();
        metric(&mut text, "kubelet_node_name", "The node's name. The count is always 1.");
        let _ = writeln!(text, "kubelet_node_name{{node=\"{node}\"}} 1");
        metric(&mut text, "kubelet_running_containers", "Number of containers currently running");
        let _ = writeln!(text, "kubelet_running_containers{{container_state=\"running\"}} {containers}");
        metric(&mut text, "kubelet_running_pods", "Number of pods that have a running pod sandbox");
        let _ = writeln!(text, "kubelet_running_pods {}", running.len());
        text
    }

    fn resource_metrics(&self, kubelet: &Kubelet, node: &str) -> String {
        let mut text = String::new();
        let usage = kubelet.node_usage(self.now);
        metric(&mut text, "node_memory_working_set_bytes", "Current working set of the node in bytes");
        let _ = writeln!(text, "node_memory_working_set_bytes {}", usage.memory_bytes);
        metric(&mut text, "container_memory_working_set_bytes", "Current working set of the container in bytes");
        for pod in self.pods_of(node) {
            let (name, namespace) = (pod.metadata.name.as_deref(), pod.metadata.namespace.as_deref());
            let (name, namespace) = (name.unwrap_or_default(), namespace.unwrap_or_default());
            let usage = kubelet.pod_usage(self.now, &api::meta::key(&pod.metadata)).unwrap_or_default();
            for (container, usage) in usage.containers {
                let labels = format!("container=\"{container}\",namespace=\"{namespace}\",pod=\"{name}\"");
                let _ = writeln!(text, "container_memory_working_set_bytes{{{labels}}} {}", usage.memory_bytes);
            }
        }
        text
    }
}

fn add(total: &mut Usage, usage: &Usage) {
    total.cpu_milli += usage.cpu_milli;
    total.cpu_total_ns += usage.cpu_total_ns;
    total.memory_bytes += usage.memory_bytes;
}

fn metric(text: &mut String, name: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
}

fn answered(status: u16, content_type: &str, body: String) -> Outcome {
    Outcome::Answered { status, headers: vec![("Content-Type".into(), content_type.into())], body }
}
