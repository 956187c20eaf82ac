//! A component and the state of its process.

use std::collections::BTreeMap;

use api::request::WatchId;
use api::{Caller, SimTime};
use client::Component;
use controllers::ControllerManager;
use kubelet::Kubelet;
use network::{ClusterDns, IngressController, KubeProxy, LoadBalancers};
use scheduler::Scheduler;
use storage::Provisioner;

/// Which component it is. An enum and not a trait object, so that a cluster can be cloned and its parts be asked.
#[derive(Clone)]
pub(crate) enum Part {
    ControllerManager(Box<ControllerManager>),
    Scheduler(Box<Scheduler>),
    Kubelet(Box<Kubelet>),
    Proxy(Box<KubeProxy>),
    Dns(Box<ClusterDns>),
    Ingress(Box<IngressController>),
    LoadBalancers(Box<LoadBalancers>),
    Provisioner(Box<Provisioner>),
}

impl Part {
    pub fn component(&mut self) -> &mut dyn Component {
        match self {
            Part::ControllerManager(part) => &mut **part,
            Part::Scheduler(part) => &mut **part,
            Part::Kubelet(part) => &mut **part,
            Part::Proxy(part) => &mut **part,
            Part::Dns(part) => &mut **part,
            Part::Ingress(part) => &mut **part,
            Part::LoadBalancers(part) => &mut **part,
            Part::Provisioner(part) => &mut **part,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessState {
    Running,
    /// Stopped in its tracks: watches pile up, timers pass.
    Paused,
    /// Its node has no power.
    Off,
}

#[derive(Clone)]
pub(crate) struct Member {
    /// `kube-scheduler`, `kubelet/node-1`
    pub name: String,
    /// Empty off nodes.
    pub node: String,
    pub part: Part,
    pub state: ProcessState,
    pub caller: Caller,
    pub watches: Vec<WatchId>,
    /// When the event that wakes it is planned.
    pub wake: Option<SimTime>,
    pub busy_until: SimTime,
    /// Client-side rate limits, one for each controller.
    pub limits: BTreeMap<&'static str, TokenBucket>,
}

/// `flowcontrol.NewTokenBucketRateLimiter`
#[derive(Clone)]
pub(crate) struct TokenBucket {
    tokens: f64,
    at: SimTime,
}

impl TokenBucket {
    pub fn full(burst: f64, at: SimTime) -> TokenBucket {
        TokenBucket { tokens: burst, at }
    }

    /// Takes a token and returns the moment at which it is there.
    pub fn take(&mut self, now: SimTime, qps: f64, burst: f64) -> SimTime {
        const SECOND: f64 = api::time::SECOND as f64;
        let at = now.max(self.at);
        let earned = (at - self.at) as f64 / SECOND * qps;
        self.tokens = (self.tokens + earned).min(burst) - 1.0;
        self.at = at;
        if self.tokens >= 0.0 {
            return at;
        }
        let wait = (-self.tokens / qps * SECOND) as SimTime;
        self.tokens = 0.0;
        self.at = at + wait;
        self.at
    }
}
