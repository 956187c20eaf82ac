//! The kubelet of the recordings: bound Pods start, terminating ones go.

use api::PatchKind;
use serde_json::{Value, json};

use super::Trace;

impl Trace<'_> {
    pub fn tick(&mut self, options: &Value) {
        let ready = options["ready"].as_bool().unwrap_or(true);
        let fail = options["failImage"].as_str();
        let terminate = options["terminate"].as_bool().unwrap_or(true);
        let mut limit = options["limit"].as_u64().unwrap_or(u64::MAX);
        for pod in self.items("pods") {
            let name = text(&pod["metadata"]["name"]).to_owned();
            if options["only"].as_str().is_some_and(|part| !name.contains(part)) {
                continue;
            }
            let phase = text(&pod["status"]["phase"]);
            if pod["metadata"].get("deletionTimestamp").is_some() {
                if terminate {
                    self.remove(&pod, &name);
                }
                continue;
            }
            let bound = pod["spec"]["nodeName"].as_str().is_some_and(|node| !node.is_empty());
            if !bound || matches!(phase, "Succeeded" | "Failed") {
                continue;
            }
            if let Some(code) = options["exit"].as_i64() {
                self.finish(&pod, code);
                continue;
            }
            if limit == 0 || (phase == "Running" && is_ready(&pod) == ready) {
                continue;
            }
            if fail.is_some_and(|part| text(&pod["spec"]["containers"][0]["image"]).contains(part)) {
                self.fail_to_pull(&pod, &name);
                continue;
            }
            limit -= 1;
            self.start(&pod, &name, ready);
        }
    }

    fn remove(&mut self, pod: &Value, name: &str) {
        let finalizers = pod["metadata"]["finalizers"].as_array().into_iter().flatten();
        if finalizers.filter(|finalizer| !text(finalizer).contains("foreground")).count() > 0 {
            self.set_status(name, json!({ "phase": "Failed" }));
        }
        // A Pod that another tick has removed is what was asked for.
        let _ = self.delete("pods", name, "gracePeriodSeconds=0");
    }

    fn fail_to_pull(&mut self, pod: &Value, name: &str) {
        let waiting = json!({ "waiting": { "reason": "ErrImagePull" } });
        let status = json!({
            "phase": "Pending",
            "conditions": [{ "type": "Ready", "status": "False", "reason": "ContainersNotReady" }],
            "containerStatuses": containers(pod, |_| json!({ "imageID": "", "ready": false, "state": waiting })),
        });
        self.set_status(name, status);
    }

    fn start(&mut self, pod: &Value, name: &str, ready: bool) {
        self.next_address += 1;
        let now = self.stamp();
        let fresh = format!("10.200.0.{}", self.next_address);
        let address = pod["status"]["podIP"].as_str().unwrap_or(&fresh);
        let value = if ready { "True" } else { "False" };
        let condition =
            |type_: &str, status: &str| json!({ "type": type_, "status": status, "lastTransitionTime": now });
        let running = json!({ "running": { "startedAt": now } });
        let status = json!({
            "phase": "Running",
            "podIP": address,
            "podIPs": [{ "ip": address }],
            "startTime": now,
            "conditions": [
                condition("Initialized", "True"),
                condition("ContainersReady", value),
                condition("Ready", value),
            ],
            "containerStatuses": containers(pod, |_| {
                json!({ "imageID": "i", "ready": ready, "started": true, "state": running })
            }),
        });
        self.set_status(name, status);
    }

    pub fn fail_pods(&mut self, step: &Value) {
        let mut left = step["count"].as_u64().unwrap_or(1);
        let mut pods = self.items("pods");
        pods.sort_by_key(|pod| text(&pod["spec"]["nodeName"]).to_owned());
        for pod in pods {
            let index = &pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"];
            let gone = pod["metadata"].get("deletionTimestamp").is_some();
            let finished = matches!(text(&pod["status"]["phase"]), "Succeeded" | "Failed");
            if gone || finished || step.get("index").is_some_and(|wanted| wanted != index) {
                continue;
            }
            if left > 0 && !text(&pod["spec"]["nodeName"]).is_empty() {
                self.finish(&pod, step["exit"].as_i64().unwrap_or(1));
                left -= 1;
            }
        }
    }

    fn finish(&mut self, pod: &Value, code: i64) {
        let now = self.stamp();
        let (phase, reason) = if code == 0 { ("Succeeded", "PodCompleted") } else { ("Failed", "PodFailed") };
        let ended = json!({ "terminated": { "exitCode": code, "finishedAt": now, "startedAt": now } });
        let status = json!({
            "phase": phase,
            "conditions": [{ "type": "Ready", "status": "False", "reason": reason, "lastTransitionTime": now }],
            "containerStatuses": containers(pod, |_| json!({ "imageID": "i", "ready": false, "state": ended })),
        });
        self.set_status(text(&pod["metadata"]["name"]), status);
    }

    fn stamp(&self) -> Value {
        serde_json::to_value(api::time::stamp(self.local.now)).expect("a time has a JSON form")
    }

    fn set_status(&mut self, name: &str, status: Value) {
        let patched = self.patch("pods", name, "status", PatchKind::StrategicMerge, json!({ "status": status }));
        patched.expect("the kubelet may write a status");
    }
}

fn containers(pod: &Value, status: impl Fn(&Value) -> Value) -> Vec<Value> {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let statuses = containers.map(|container| {
        let mut status = status(container);
        status["name"] = container["name"].clone();
        status["image"] = container["image"].clone();
        status["restartCount"] = 0.into();
        status
    });
    statuses.collect()
}

fn is_ready(pod: &Value) -> bool {
    let mut conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
