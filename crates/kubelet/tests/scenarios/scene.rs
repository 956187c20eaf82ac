//! One node, an API server, and a diary of what happens to Pods.

use std::collections::BTreeMap;

use api::request::{LogOptions, WatchId, WatchKind};
use api::time::{MILLISECOND, SECOND};
use api::types::{ContainerState, ContainerStatus, Event, Pod};
use api::{Caller, CauseId, FieldValidation, Kinded, Request, Response, SimTime, Verb, decode, object};
use apiserver::Context;
use apiserver::local::Local;
use client::{Component, DeleteOptions};
use kubelet::{DiskMove, Kubelet, NodeConfig};
use runtime::vfs::Tree;

pub struct Scene {
    pub local: Local,
    pub kubelet: Kubelet,
    /// Disks that are not on the node.
    pub disks: BTreeMap<String, Tree>,
    diary: String,
    pods: WatchId,
    events: WatchId,
    told: BTreeMap<String, String>,
    /// Diary times count from here.
    began: SimTime,
}

impl Scene {
    /// A node that has been ready for a while, and what a namespace's Pods need.
    pub fn new() -> Scene {
        let config = NodeConfig { pod_cidr: "10.244.1.0/24".into(), ..NodeConfig::default() };
        let mut scene = Scene::with(config);
        scene.apply(
            "
apiVersion: v1
kind: ServiceAccount
metadata: { name: default, namespace: default }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: kube-root-ca.crt, namespace: default }
data: { ca.crt: simulated }
",
        );
        scene.run(5);
        scene.begin();
        scene
    }

    /// A node that has just been started.
    pub fn with(config: NodeConfig) -> Scene {
        let mut local = Local::new(1);
        let mut watch = |kind| {
            let context = Context::new(0, Caller::admin("test"), CauseId::default());
            match local.server.handle(&context, Request::of(Verb::Watch, kind, "", "")) {
                Ok(Response::Watch(id)) => id,
                other => panic!("the watch was refused: {other:?}"),
            }
        };
        let (pods, events) = (watch(Pod::ID), watch(Event::ID));
        Scene {
            local,
            kubelet: Kubelet::new(config),
            disks: BTreeMap::new(),
            diary: String::new(),
            pods,
            events,
            told: BTreeMap::new(),
            began: 0,
        }
    }

    /// Starts a new diary, whose times count from now.
    pub fn begin(&mut self) {
        self.diary.clear();
        self.began = self.local.now;
    }

    pub fn apply(&mut self, manifests: &str) {
        for document in api::yaml::parse_documents(manifests).expect("the test's YAML is YAML") {
            let text = |name: &str| document.value[name].as_str().unwrap_or_default().to_owned();
            let kind = api::kinds::by_kind(&text("apiVersion"), &text("kind")).expect("a kind of the table");
            let (object, _) = decode::decode(kind, document.value, FieldValidation::Strict).expect("a valid manifest");
            let namespace = object
                .meta()
                .namespace
                .clone()
                .unwrap_or_else(|| if kind.namespaced { "default".into() } else { String::new() });
            let mut request = Request::of(Verb::Create, kind.id, &namespace, "");
            request.body = api::Body::Typed(object);
            let mut client = self.local.client();
            client.call(request).unwrap_or_else(|status| panic!("{status}"));
        }
    }

    /// A Pod `web` on the node with one container `web` of this specification.
    pub fn pod(&mut self, container: &str) {
        self.pod_with("", container);
    }

    /// The same with more fields of the Pod's specification.
    pub fn pod_with(&mut self, spec: &str, container: &str) {
        let indent = |text: &str, by: usize| {
            text.trim_matches('\n').lines().map(|line| format!("{}{line}\n", " ".repeat(by))).collect::<String>()
        };
        self.apply(&format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ name: web, namespace: default }}\nspec:\n  nodeName: node-1\n{}  \
             containers:\n  - name: web\n{}",
            indent(spec, 2),
            indent(container, 4),
        ));
    }

    pub fn delete(&mut self, pod: &str) {
        let mut client = self.local.client();
        client.delete::<Pod>("default", pod, DeleteOptions::default()).expect("the Pod exists");
    }

    pub fn run(&mut self, seconds: u64) {
        self.run_until(self.local.now + seconds * SECOND);
    }

    fn run_until(&mut self, until: SimTime) {
        loop {
            let now = self.local.now;
            self.local.run_until(&mut [&mut self.kubelet], now);
            self.carry_disks();
            self.write_diary();
            match self.kubelet.next_work() {
                Some(at) if at <= until => self.local.now = at.max(now),
                _ => break,
            }
        }
        self.local.now = until;
    }

    fn carry_disks(&mut self) {
        for step in self.kubelet.take_disk_moves() {
            match step {
                DiskMove::Mount { volume } => {
                    let tree = self.disks.remove(&volume).unwrap_or_default();
                    self.kubelet.mount_disk(self.local.now, &volume, tree);
                }
                DiskMove::Unmount { volume, tree } => {
                    self.disks.insert(volume, tree);
                }
            }
        }
    }

    fn write_diary(&mut self) {
        let millis = (self.local.now - self.began) / MILLISECOND;
        let time = format!("+{}.{:03}", millis / 1000, millis % 1000);
        for change in self.local.server.watch_events(self.events) {
            let Some(event) = object::typed::<Event>(&change.object) else { continue };
            let about = &event.involved_object;
            let count = event.count.filter(|&count| count > 1).map(|count| format!(" (x{count})")).unwrap_or_default();
            let path = about.field_path.as_deref().map(|path| format!(" {path}")).unwrap_or_default();
            let message = without_ids(event.message.as_deref().unwrap_or_default());
            let mark = if event.type_.as_deref() == Some("Warning") { "!" } else { " " };
            let reason = event.reason.as_deref().unwrap_or_default();
            let line = format!("{time} {mark} {reason}{count}{path}: {message}\n");
            self.diary.push_str(&line);
        }
        for change in self.local.server.watch_events(self.pods) {
            let Some(pod) = object::typed::<Pod>(&change.object) else { continue };
            let name = pod.metadata.name.clone().unwrap_or_default();
            let told = if change.kind == WatchKind::Deleted { "gone".into() } else { summary(&pod) };
            if self.told.insert(name.clone(), told.clone()) != Some(told.clone()) {
                self.diary.push_str(&format!("{time}   {name} = {}\n", without_ids(&told)));
            }
        }
    }

    /// What has been written since [`Scene::begin`] or the last time.
    pub fn diary(&mut self) -> String {
        std::mem::take(&mut self.diary)
    }

    pub fn logs(&self, pod: &str, previous: bool) -> String {
        let options = LogOptions { previous, ..LogOptions::default() };
        match self.kubelet.logs(self.local.now, &format!("default/{pod}"), &options) {
            Ok(text) => text,
            Err(status) => format!("error: {status}\n"),
        }
    }

    /// Output of a command in the Pod's first container.
    pub fn exec(&mut self, pod: &str, command: &str) -> String {
        let options = api::request::ExecOptions {
            command: vec!["sh".into(), "-c".into(), command.into()],
            ..api::request::ExecOptions::default()
        };
        let now = self.local.now;
        let session = match self.kubelet.exec_start(now, &format!("default/{pod}"), &options) {
            Ok(session) => session,
            Err(status) => return format!("error: {status}\n"),
        };
        self.run(1);
        let output = self.kubelet.exec_read(self.local.now, session);
        self.kubelet.exec_close(self.local.now, session);
        output.stdout + &output.stderr
    }
}

/// `Running ready=False [web: running]`
fn summary(pod: &Pod) -> String {
    let Some(status) = &pod.status else { return "no status".into() };
    let is = |kind: &str| status.conditions.iter().flatten().any(|known| known.type_ == kind && known.status == "True");
    let mut text = status.phase.clone().unwrap_or_default();
    if pod.metadata.deletion_timestamp.is_some() {
        text.push_str(" terminating");
    }
    for (kind, word) in [("PodReadyToStartContainers", "sandbox"), ("Ready", "ready")] {
        if is(kind) {
            text.push_str(&format!(" {word}"));
        }
    }
    if let Some(reason) = &status.reason {
        text.push_str(&format!(" {reason}: {}", status.message.as_deref().unwrap_or_default()));
    }
    let containers = status.init_container_statuses.iter().flatten().chain(status.container_statuses.iter().flatten());
    for container in containers {
        text.push_str(&format!(" [{}]", container_summary(container)));
    }
    text
}

fn container_summary(container: &ContainerStatus) -> String {
    let mut text = format!("{} {}", container.name, container.state.as_ref().map(state).unwrap_or_default());
    if container.ready {
        text.push_str(" ready");
    }
    if container.restart_count > 0 {
        text.push_str(&format!(" restarts={}", container.restart_count));
    }
    if let Some(last) = container.last_state.as_ref().filter(|last| last.terminated.is_some()) {
        text.push_str(&format!(" last={}", state(last)));
    }
    text
}

fn state(state: &ContainerState) -> String {
    if let Some(waiting) = &state.waiting {
        let message = waiting.message.as_deref().map(|message| format!(" ({message})")).unwrap_or_default();
        return format!("{}{message}", waiting.reason.as_deref().unwrap_or_default());
    }
    if let Some(ended) = &state.terminated {
        let message = ended.message.as_deref().map(|message| format!(" ({})", message.trim_end())).unwrap_or_default();
        return format!("{}:{}{message}", ended.reason.as_deref().unwrap_or_default(), ended.exit_code);
    }
    if state.running.is_some() { "running".into() } else { "nothing".into() }
}

/// Leaves out uids, which differ from seed to seed.
fn without_ids(text: &str) -> String {
    match text.split_once("_default(") {
        Some((head, tail)) => {
            let tail = tail.split_once(')').map_or("", |(_, tail)| tail);
            format!("{head}_default(UID){}", without_ids(tail))
        }
        None => text.to_owned(),
    }
}
