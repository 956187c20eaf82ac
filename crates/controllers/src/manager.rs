//! The component that runs the controllers.

use api::kinds;
use api::types::{Event as EventObject, ReplicaSet, ReplicationController};
use api::{KindId, Kinded, SimTime};
use client::{Change, Client, Component, Watch};

use crate::autoscaler::AutoscalerController;
use crate::caches::Caches;
use crate::certificates::{Approver, Cleaner, RequestController, Signer, SigningKey};
use crate::clusterrole_aggregation::ClusterRoleAggregationController;
use crate::controller::{Controller, ControllerStatus, Event, Reconciler, Running};
use crate::cron_job::CronJobController;
use crate::daemonset::DaemonSetController;
use crate::deployment::DeploymentController;
use crate::disruption::DisruptionController;
use crate::endpoint_slice::EndpointSliceController;
use crate::endpoints::EndpointsController;
use crate::garbage_collector::GarbageCollector;
use crate::job::{JobController, OrphanedPodsController, TtlAfterFinishedController};
use crate::namespace::NamespaceController;
use crate::node_ipam::NodeIpamController;
use crate::node_lifecycle::NodeLifecycleController;
use crate::pod_gc::PodGarbageCollector;
use crate::protection::{ClaimProtectionController, VolumeProtectionController};
use crate::replicaset::ReplicaSetController;
use crate::resource_quota::ResourceQuotaController;
use crate::root_ca::RootCaPublisher;
use crate::service_account::ServiceAccountController;
use crate::statefulset::StatefulSetController;
use crate::taint_eviction::TaintEvictionController;
use crate::volume::PersistentVolumeController;

/// The flags of kube-controller-manager that the simulation knows.
#[derive(Clone, Debug)]
pub struct Config {
    /// `--controllers`: names to run, `*` for all, `-name` to leave one out.
    pub controllers: Vec<String>,
    /// `--cluster-signing-key-file`
    pub signing_key: SigningKey,
    /// `--root-ca-file`, in PEM; the certificate of the signing key where there is none.
    pub root_certificate: Option<String>,
}

impl Default for Config {
    fn default() -> Config {
        Config { controllers: vec!["*".into()], signing_key: [1; 32], root_certificate: None }
    }
}

impl Config {
    pub fn runs(&self, name: &str) -> bool {
        let without = |entry: &String| entry.strip_prefix('-') == Some(name);
        !self.controllers.iter().any(without) && self.controllers.iter().any(|entry| entry == "*" || entry == name)
    }
}

/// kube-controller-manager.
#[derive(Clone)]
pub struct ControllerManager {
    caches: Caches,
    controllers: Vec<Box<dyn Controller>>,
}

impl ControllerManager {
    pub fn new(config: &Config) -> ControllerManager {
        let controllers: Vec<Box<dyn Controller>> = vec![
            running::<NamespaceController>(),
            running::<ServiceAccountController>(),
            Box::new(Running::new(RootCaPublisher::new(config))),
            running::<ClusterRoleAggregationController>(),
            running::<GarbageCollector>(),
            running::<NodeIpamController>(),
            running::<NodeLifecycleController>(),
            running::<TaintEvictionController>(),
            running::<PodGarbageCollector>(),
            running::<DeploymentController>(),
            running::<ReplicaSetController<ReplicaSet>>(),
            running::<ReplicaSetController<ReplicationController>>(),
            running::<StatefulSetController>(),
            running::<DaemonSetController>(),
            running::<JobController>(),
            running::<OrphanedPodsController>(),
            running::<CronJobController>(),
            running::<TtlAfterFinishedController>(),
            running::<ResourceQuotaController>(),
            running::<AutoscalerController>(),
            running::<EndpointsController>(),
            running::<DisruptionController>(),
            running::<PersistentVolumeController>(),
            running::<ClaimProtectionController>(),
            running::<VolumeProtectionController>(),
            running::<EndpointSliceController>(),
            Box::new(Running::new(RequestController::new(Approver))),
            Box::new(Running::new(RequestController::new(Signer::new(&config.signing_key)))),
            Box::new(Running::new(RequestController::new(Cleaner))),
        ];
        let controllers = controllers.into_iter().filter(|controller| config.runs(controller.status().name)).collect();
        ControllerManager { caches: Caches::default(), controllers }
    }

    /// What each controller has to do and did last.
    pub fn status(&self) -> Vec<ControllerStatus> {
        self.controllers.iter().map(|controller| controller.status()).collect()
    }
}

fn running<R: Reconciler + Default>() -> Box<dyn Controller> {
    Box::new(Running::new(R::default()))
}

impl Component for ControllerManager {
    fn name(&self) -> &'static str {
        "kube-controller-manager"
    }

    /// All kinds but events: the garbage collector follows owners of any kind.
    fn watches(&self) -> Vec<Watch> {
        let kinds = kinds::stored().filter(|kind| kind.id != EventObject::ID);
        let ids = kinds.map(|kind| kind.id).chain([KindId::ANY_CUSTOM]);
        ids.map(|kind| Watch { kind: Some(kind), ..Watch::default() }).collect()
    }

    fn observe(&mut self, now: SimTime, _watch: usize, change: &Change) {
        let event = Event { seen: self.caches.apply(change), change };
        for controller in &mut self.controllers {
            controller.observe(now, &event, &self.caches);
        }
    }

    fn is_concurrent(&self) -> bool {
        true
    }

    fn next_work(&self) -> Option<SimTime> {
        self.controllers.iter().filter_map(|controller| controller.next_work()).min()
    }

    fn work(&mut self, client: &mut Client) {
        let due = self.controllers.iter_mut().filter_map(|controller| Some((controller.next_work()?, controller)));
        if let Some((_, controller)) = due.min_by_key(|(at, _)| *at) {
            controller.work(&self.caches, client);
        }
    }
}
