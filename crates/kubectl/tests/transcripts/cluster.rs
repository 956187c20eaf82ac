//! A cluster in process: API server, controllers, scheduler, and kubelets whose containers start at once.

use std::collections::BTreeSet;

use api::SimTime;
use api::request::WatchKind;
use api::time::{self, MILLISECOND, SECOND};
use api::types::*;
use apiserver::local::Local;
use client::{Change, Client, Component, DeleteOptions, Watch};
use controllers::ControllerManager;
use kubectl::{Running, Session};
use scheduler::Scheduler;
use serde_json::json;

pub struct Cluster {
    pub local: Local,
    controllers: ControllerManager,
    scheduler: Scheduler,
    kubelet: FakeKubelet,
}

/// A command may take this long.
const COMMAND_MAX: SimTime = 120 * SECOND;
/// A person needs this long for the next line.
const PAUSE: SimTime = 300 * MILLISECOND;

impl Cluster {
    pub fn new() -> Cluster {
        let names = vec!["*".into(), "-node-lifecycle-controller".into(), "-nodelifecycle".into()];
        let mut cluster = Cluster {
            local: Local::new(1),
            controllers: ControllerManager::new(&controllers::Config { controllers: names, ..Default::default() }),
            scheduler: Scheduler::new(scheduler::Config::default()),
            kubelet: FakeKubelet::default(),
        };
        for number in 1..=3 {
            cluster.add_node(number);
        }
        cluster.run_for(SECOND);
        cluster
    }

    fn add_node(&mut self, number: u32) {
        let name = format!("node-{number}");
        let amounts = json!({ "cpu": "1", "memory": "3840Mi", "pods": "110" });
        let node: Node = serde_json::from_value(json!({
            "metadata": { "name": name, "labels": {
                "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
            } },
            "status": {
                "capacity": amounts, "allocatable": amounts,
                "addresses": [{ "type": "InternalIP", "address": format!("192.0.2.{number}") }],
                "nodeInfo": { "kubeletVersion": "v1.36.2" },
                "conditions": [{ "type": "Ready", "status": "True" }],
            },
        }))
        .expect("a node");
        let mut client = self.local.client();
        let made = client.create(node.clone()).expect("a node is created");
        let mut update = (*made).clone();
        update.status = node.status;
        let made = client.update_status(update).expect("its status is written");
        let mut update = (*made).clone();
        if let Some(spec) = &mut update.spec {
            spec.taints = None;
            let _ = client.update(update);
        }
    }

    pub fn run_for(&mut self, duration: SimTime) {
        let until = self.local.now + duration;
        let mut components: [&mut dyn Component; 3] = [&mut self.controllers, &mut self.scheduler, &mut self.kubelet];
        self.local.run_until(&mut components, until);
    }

    /// Runs a line to its end: stdout, stderr, exit code.
    pub fn line(&mut self, session: &mut Session, line: &str) -> (String, String, i32) {
        let mut running: Running = session.start(line);
        let (mut stdout, mut stderr) = (String::new(), String::new());
        let deadline = self.local.now + COMMAND_MAX;
        loop {
            let progress = running.poll(&mut self.local.client());
            stdout.push_str(&progress.stdout());
            stderr.push_str(&progress.stderr());
            if let Some(code) = progress.exit {
                self.run_for(PAUSE);
                return (stdout, stderr, code);
            }
            if let Some(edit) = progress.edit {
                running.edited(Some(edit.text));
                continue;
            }
            if self.local.now > deadline {
                running.interrupt();
            }
            let wake = progress.wake.unwrap_or(self.local.now).max(self.local.now + MILLISECOND);
            self.run_for(wake - self.local.now);
        }
    }
}

/// Kubelets of all nodes: what is bound runs, what is to be deleted is gone.
#[derive(Default)]
struct FakeKubelet {
    waiting: BTreeSet<String>,
    addresses: u32,
}

impl Component for FakeKubelet {
    fn name(&self) -> &'static str {
        "kubelet"
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::all::<Pod>()]
    }

    fn observe(&mut self, _: SimTime, _: usize, change: &Change) {
        let Some(pod) = change.object.downcast_ref::<Pod>() else { return };
        let bound = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
        let running = pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running");
        if change.kind != WatchKind::Deleted && bound && (!running || pod.metadata.deletion_timestamp.is_some()) {
            self.waiting.insert(api::meta::key(&pod.metadata));
        }
    }

    fn next_work(&self) -> Option<SimTime> {
        (!self.waiting.is_empty()).then_some(0)
    }

    fn work(&mut self, client: &mut Client) {
        let Some(key) = self.waiting.pop_first() else { return };
        let (namespace, name) = api::meta::split_key(&key);
        let Ok(pod) = client.get::<Pod>(namespace, name) else { return };
        if pod.metadata.deletion_timestamp.is_some() {
            let now = DeleteOptions { grace_period: Some(0), ..DeleteOptions::default() };
            let _ = client.delete::<Pod>(namespace, name, now);
            return;
        }
        self.addresses += 1;
        let mut pod = (*pod).clone();
        start(&mut pod, client.now(), self.addresses);
        let _ = client.update_status(pod);
    }
}

fn mounted(mount: &VolumeMount) -> VolumeMountStatus {
    VolumeMountStatus {
        name: mount.name.clone(),
        mount_path: mount.mount_path.clone(),
        read_only: mount.read_only,
        recursive_read_only: (mount.read_only == Some(true)).then(|| "Disabled".into()),
        ..VolumeMountStatus::default()
    }
}

fn start(pod: &mut Pod, now: SimTime, number: u32) {
    let stamp = time::stamp(now);
    let spec = pod.spec.clone().unwrap_or_default();
    let uid = pod.metadata.uid.clone().unwrap_or_default();
    let status = pod.status.get_or_insert_default();
    status.phase = Some("Running".into());
    status.start_time = Some(stamp.clone());
    let ip = format!("10.244.0.{}", number % 250 + 2);
    status.pod_ip = Some(ip.clone());
    status.pod_ips = Some(vec![PodIP { ip }]);
    let node: u32 = spec.node_name.as_deref().and_then(|name| name.rsplit('-').next()?.parse().ok()).unwrap_or(1);
    let host = format!("192.0.2.{node}");
    status.observed_generation = pod.metadata.generation;
    status.resources = Some(ResourceRequirements::default());
    status.host_ip = Some(host.clone());
    status.host_ips = Some(vec![HostIP { ip: host }]);
    let scheduled = status.conditions.clone().unwrap_or_default();
    let generation = pod.metadata.generation;
    let condition = |kind: &str| PodCondition {
        type_: kind.into(),
        status: "True".into(),
        last_transition_time: Some(stamp.clone()),
        observed_generation: generation,
        ..PodCondition::default()
    };
    let mut conditions: Vec<PodCondition> =
        ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"].into_iter().map(condition).collect();
    match scheduled.into_iter().find(|known| known.type_ == "PodScheduled") {
        Some(known) => conditions.push(PodCondition { observed_generation: generation, ..known }),
        None => conditions.push(condition("PodScheduled")),
    }
    status.conditions = Some(conditions);
    let statuses = spec.containers.iter().map(|container| ContainerStatus {
        name: container.name.clone(),
        image: container.image.clone().unwrap_or_default(),
        image_id: container.image.clone().unwrap_or_default(),
        container_id: Some(format!("fakeRuntime://{uid}_{}", container.name)),
        ready: true,
        started: None,
        resources: Some(ResourceRequirements::default()),
        volume_mounts: container.volume_mounts.as_ref().map(|mounts| mounts.iter().map(mounted).collect()),
        state: Some(ContainerState {
            running: Some(ContainerStateRunning { started_at: Some(stamp.clone()) }),
            ..ContainerState::default()
        }),
        ..ContainerStatus::default()
    });
    status.container_statuses = Some(statuses.collect());
}
