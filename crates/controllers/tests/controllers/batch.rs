//! CronJobs, what becomes of ended Jobs, and ReplicationControllers: no recordings exist of them.

use std::sync::Arc;

use crate::cluster::Cluster;
use api::request::Options;
use api::time;
use api::types::{CronJob, Event, Job, JobCondition, Pod, ReplicationController};
use api::{Body, Kinded, Object, Request, Verb};
use serde_json::{Value, json};

impl Cluster {
    fn create<T: Kinded>(&mut self, value: Value) {
        let request = Request::of(Verb::Create, T::ID, "default", "").body(Body::Json(value));
        self.local.client().call(request).unwrap();
    }

    fn list<T: Kinded + Object>(&mut self) -> Vec<Arc<T>> {
        self.local.client().list::<T>("default", Options::default()).unwrap()
    }

    fn reasons(&mut self) -> Vec<String> {
        self.list::<Event>().iter().filter_map(|event| event.reason.clone()).collect()
    }
}

fn template() -> Value {
    json!({ "metadata": { "labels": { "app": "a" } },
        "spec": { "restartPolicy": "Never", "containers": [{ "name": "c", "image": "busybox" }] } })
}

fn cron_job(policy: &str) -> Value {
    json!({
        "metadata": { "name": "tick", "namespace": "default" },
        "spec": { "schedule": "* * * * *", "concurrencyPolicy": policy,
            "jobTemplate": { "spec": { "template": template() } } },
    })
}

#[test]
fn a_cron_job_starts_a_job_each_time() {
    let mut cluster = Cluster::new();
    cluster.create::<CronJob>(cron_job("Allow"));
    cluster.run(130);
    let jobs = cluster.list::<Job>();
    assert_eq!(jobs.len(), 2);
    assert!(jobs.iter().all(|job| job.metadata.owner_references.as_ref().unwrap()[0].kind == "CronJob"));
    let cron = cluster.list::<CronJob>().remove(0);
    assert_eq!(cron.status.as_ref().unwrap().active.as_ref().unwrap().len(), 2);
}

#[test]
fn a_cron_job_may_wait_for_its_last_job() {
    let mut cluster = Cluster::new();
    cluster.create::<CronJob>(cron_job("Forbid"));
    cluster.run(130);
    assert_eq!(cluster.list::<Job>().len(), 1);
    assert!(cluster.reasons().contains(&"JobAlreadyActive".to_owned()));
}

#[test]
fn a_cron_job_may_replace_its_last_job() {
    let mut cluster = Cluster::new();
    cluster.create::<CronJob>(cron_job("Replace"));
    cluster.run(70);
    let first = cluster.list::<Job>().remove(0);
    cluster.run(60);
    let jobs = cluster.list::<Job>();
    assert_eq!(jobs.len(), 1);
    assert_ne!(jobs[0].metadata.uid, first.metadata.uid);
    assert_eq!(cluster.list::<Pod>().len(), 1, "the first Job's Pod is let go of");
}

#[test]
fn an_ended_job_goes_after_its_time() {
    let mut cluster = Cluster::new();
    cluster.create::<Job>(json!({
        "metadata": { "name": "once", "namespace": "default" },
        "spec": { "suspend": true, "ttlSecondsAfterFinished": 10, "template": template() },
    }));
    cluster.run(1);
    let now = time::stamp(cluster.local.now);
    let ended = |type_: &str| JobCondition {
        type_: type_.into(),
        status: "True".into(),
        last_transition_time: Some(now.clone()),
        ..JobCondition::default()
    };
    let mut job = (*cluster.local.client().get::<Job>("default", "once").unwrap()).clone();
    let status = job.status.get_or_insert_default();
    status.start_time = Some(now.clone());
    status.completion_time = Some(now.clone());
    status.conditions = Some(vec![ended("SuccessCriteriaMet"), ended("Complete")]);
    cluster.local.client().update_status(job).unwrap();
    cluster.run(8);
    assert_eq!(cluster.list::<Job>().len(), 1);
    cluster.run(5);
    assert_eq!(cluster.list::<Job>().len(), 0);
}

#[test]
fn a_replication_controller_keeps_its_pods() {
    let mut cluster = Cluster::new();
    let mut template = template();
    template["spec"]["restartPolicy"] = "Always".into();
    cluster.create::<ReplicationController>(json!({
        "metadata": { "name": "web", "namespace": "default" },
        "spec": { "replicas": 2, "selector": { "app": "a" }, "template": template },
    }));
    cluster.run(2);
    let pods = cluster.list::<Pod>();
    assert_eq!(pods.len(), 2);
    let name = pods[0].metadata.name.clone().unwrap();
    cluster.local.client().delete::<Pod>("default", &name, Default::default()).unwrap();
    cluster.run(2);
    assert_eq!(cluster.list::<Pod>().len(), 2);
    let status = cluster.list::<ReplicationController>().remove(0).status.clone().unwrap();
    assert_eq!((status.replicas, status.observed_generation), (2, Some(1)));
}
