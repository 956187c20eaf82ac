//! What a kubelet knows of one container of a Pod: the instance that runs or ran last, the one before, failures.

use api::SimTime;
use api::types::{Container, Pod, PodSpec};
use runtime::ContainerId;

use crate::backoff::Backoff;
use crate::lifecycle::Hook;
use crate::prober::Probes;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerKind {
    Init,
    /// An init container with `restartPolicy: Always`.
    Sidecar,
    Regular,
}

/// One container of the specification, through all its restarts.
#[derive(Clone)]
pub struct ContainerRecord {
    pub name: String,
    pub kind: ContainerKind,
    /// Position in `spec.initContainers` or `spec.containers`.
    pub index: usize,
    pub current: Option<Instance>,
    /// The one before: kept for `logs --previous` and `lastState`.
    pub previous: Option<Instance>,
    pub restarts: i32,
    /// Why the last attempt to start it failed: reason and message of its waiting state.
    pub failure: Option<(&'static str, String)>,
    pub backoff: Backoff,
    pub kill: Option<Kill>,
    pub probes: Probes,
    /// As last reported.
    pub started: bool,
    pub ready: bool,
    /// A pull for it has ended: the error, if it failed.
    pub pulled: Option<Result<(), String>>,
    pub pulling: bool,
}

/// One container of the runtime.
#[derive(Clone, Debug)]
pub struct Instance {
    pub id: ContainerId,
    /// The number of the sandbox that it belongs to.
    pub attempt: u32,
    /// As the runtime reports them: `docker.io/library/nginx:1.27` and its digest.
    pub image: String,
    pub image_id: String,
    pub started_at: Option<SimTime>,
    /// As the PLEG has seen it.
    pub exit: Option<Exit>,
}

#[derive(Clone, Debug)]
pub struct Exit {
    pub code: i32,
    pub reason: String,
    pub message: String,
    pub finished_at: SimTime,
}

/// A container that is being stopped.
#[derive(Clone)]
pub struct Kill {
    pub began: SimTime,
    pub grace: SimTime,
    pub stage: KillStage,
}

#[derive(Clone)]
pub enum KillStage {
    /// Its preStop hook runs.
    Hook(Hook),
    /// A sidecar whose turn has not come.
    Waiting,
    /// It has got its signal.
    Stopping,
}

impl ContainerRecord {
    /// The records of a Pod: init containers first.
    pub fn all_of(spec: &PodSpec) -> Vec<ContainerRecord> {
        let init = spec.init_containers.iter().flatten().enumerate().map(|(index, container)| {
            let sidecar = container.restart_policy.as_deref() == Some("Always");
            let kind = if sidecar { ContainerKind::Sidecar } else { ContainerKind::Init };
            ContainerRecord::new(container, kind, index)
        });
        let regular = spec
            .containers
            .iter()
            .enumerate()
            .map(|(index, container)| ContainerRecord::new(container, ContainerKind::Regular, index));
        init.chain(regular).collect()
    }

    fn new(container: &Container, kind: ContainerKind, index: usize) -> ContainerRecord {
        ContainerRecord {
            name: container.name.clone(),
            kind,
            index,
            current: None,
            previous: None,
            restarts: 0,
            failure: None,
            backoff: Backoff::default(),
            kill: None,
            probes: Probes::default(),
            started: false,
            ready: false,
            pulled: None,
            pulling: false,
        }
    }

    pub fn is_init(&self) -> bool {
        self.kind != ContainerKind::Regular
    }

    /// Its part of the specification. A Pod's containers never change, only what is in them.
    pub fn spec<'a>(&self, pod: &'a Pod) -> Option<&'a Container> {
        let spec = pod.spec.as_ref()?;
        if self.is_init() { spec.init_containers.as_ref()?.get(self.index) } else { spec.containers.get(self.index) }
    }

    /// `spec.containers{web}`, as events name it.
    pub fn field_path(&self) -> String {
        let list = if self.is_init() { "initContainers" } else { "containers" };
        format!("spec.{list}{{{}}}", self.name)
    }

    pub fn is_running(&self) -> bool {
        self.current.as_ref().is_some_and(|instance| instance.started_at.is_some() && instance.exit.is_none())
    }

    pub fn exit(&self) -> Option<&Exit> {
        self.current.as_ref()?.exit.as_ref()
    }
}
