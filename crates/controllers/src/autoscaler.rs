//! The HorizontalPodAutoscaler controller of a cluster without a metrics server: it keeps workloads between the least and
//! the most replicas, and says that it cannot tell more. Upstream's `pkg/controller/podautoscaler`.

use api::kinds::{self, Kind};
use api::time::{self, SECOND};
use api::types::{
    HorizontalPodAutoscaler, HorizontalPodAutoscalerCondition, HorizontalPodAutoscalerStatus, MetricSpec,
};
use api::{Body, Request, Response, SimTime, Status, Subresource, Verb, meta};
use client::{Client, EventType, Recorder};
use serde_json::Value;

use crate::caches::{Caches, Seen};
use crate::controller::{Event, Queue, Reconciler};
use crate::replicaset::non_zero;

const PERIOD: SimTime = 15 * SECOND;
const ABLE: &str = "AbleToScale";
const ACTIVE: &str = "ScalingActive";
const NO_METRICS: &str = "unable to fetch metrics from resource metrics API: the server could not find the requested \
     resource (get pods.metrics.k8s.io)";

#[derive(Clone)]
pub struct AutoscalerController {
    recorder: Recorder,
}

impl Default for AutoscalerController {
    fn default() -> Self {
        AutoscalerController { recorder: Recorder::new("horizontal-pod-autoscaler", "") }
    }
}

impl Reconciler for AutoscalerController {
    type Key = String;
    const NAME: &'static str = "horizontal-pod-autoscaler-controller";
    const KIND: &'static str = "HorizontalPodAutoscaler";
    const WORKERS: usize = 5;

    fn observe(&mut self, event: &Event, _: &Caches, queue: &mut Queue<String>) {
        if let Seen::HorizontalPodAutoscaler(None, Some(autoscaler)) = &event.seen {
            queue.add_after(meta::key(&autoscaler.metadata), PERIOD);
        }
    }

    fn reconcile(
        &mut self,
        key: &String,
        caches: &Caches,
        client: &mut Client,
        queue: &mut Queue<String>,
    ) -> Result<(), Status> {
        let Some(autoscaler) = caches.autoscalers.get(key).cloned() else { return Ok(()) };
        queue.add_at(key.clone(), client.now() + PERIOD);
        let status = autoscaler.status.clone().unwrap_or_default();
        let mut sync = Sync { autoscaler: &autoscaler, status, client, recorder: &mut self.recorder };
        sync.run();
        let status = Some(sync.status);
        if status == autoscaler.status {
            return Ok(());
        }
        client.update_status(HorizontalPodAutoscaler { status, ..(*autoscaler).clone() }).map(drop)
    }
}

struct Sync<'a, 'c> {
    autoscaler: &'a HorizontalPodAutoscaler,
    status: HorizontalPodAutoscalerStatus,
    client: &'a mut Client<'c>,
    recorder: &'a mut Recorder,
}

impl Sync<'_, '_> {
    fn run(&mut self) {
        let scale = match self.scale(Verb::Get, None) {
            Ok(scale) => scale,
            Err(status) => {
                self.event(EventType::Warning, "FailedGetScale", status.message.clone());
                let message =
                    format!("the HPA controller was unable to get the target's current scale: {}", status.message);
                self.set(ABLE, false, "FailedGetScale", message);
                return;
            }
        };
        let message = "the HPA controller was able to get the target's current scale";
        self.set(ABLE, true, "SucceededGetScale", message.into());
        let replicas = |pointer: &str| scale.pointer(pointer).and_then(Value::as_i64).unwrap_or(0) as i32;
        let (current, actual) = (replicas("/spec/replicas"), replicas("/status/replicas"));
        let spec = &self.autoscaler.spec;
        let (least, most) = (spec.min_replicas.unwrap_or(1), spec.max_replicas);
        self.status.current_replicas = non_zero(actual);
        if current == 0 && least != 0 {
            self.status.desired_replicas = 0;
            let message = "scaling is disabled since the replica count of the target is zero";
            self.set(ACTIVE, false, "ScalingDisabled", message.into());
        } else if current > most {
            self.rescale(scale, most, "Current number of replicas above Spec.MaxReplicas");
        } else if current < least {
            self.rescale(scale, least, "Current number of replicas below Spec.MinReplicas");
        } else {
            self.tell_of_missing_metrics();
        }
    }

    fn event(&mut self, kind: EventType, reason: &str, message: String) {
        self.recorder.event(self.client, self.autoscaler, kind, reason, message);
    }

    /// Reads or writes the target's scale.
    fn scale(&mut self, verb: Verb, body: Option<Value>) -> Result<Value, Status> {
        let target = &self.autoscaler.spec.scale_target_ref;
        let version = target.api_version.as_deref().unwrap_or_default();
        let kind: &Kind = kinds::by_kind(version, &target.kind).ok_or_else(|| {
            let group = version.split_once('/').map_or("", |(group, _)| group);
            Status::bad_request(format!("no matches for kind {:?} in group {group:?}", target.kind))
        })?;
        let namespace = self.autoscaler.metadata.namespace.as_deref().unwrap_or_default();
        let mut request = Request::of(verb, kind.id, namespace, &target.name).on(Subresource::Scale);
        if let Some(body) = body {
            request = request.body(Body::Json(body));
        }
        match self.client.call(request)? {
            Response::Object(object) => Ok(object.to_value()),
            _ => Err(Status::internal("a scale is an object")),
        }
    }

    fn rescale(&mut self, mut scale: Value, replicas: i32, reason: &str) {
        scale["spec"]["replicas"] = replicas.into();
        match self.scale(Verb::Update, Some(scale)) {
            Ok(_) => {
                let message = format!("the HPA controller was able to update the target scale to {replicas}");
                self.set(ABLE, true, "SucceededRescale", message);
                let message = format!("New size: {replicas}; reason: {reason}");
                self.event(EventType::Normal, "SuccessfulRescale", message);
                self.status.desired_replicas = replicas;
                self.status.last_scale_time = Some(time::stamp(self.client.now()));
            }
            Err(status) => {
                let message = format!("New size: {replicas}; reason: {reason}; error: {}", status.message);
                self.event(EventType::Warning, "FailedRescale", message);
                let message = format!("the HPA controller was unable to update the target scale: {}", status.message);
                self.set(ABLE, false, "FailedUpdateScale", message);
            }
        }
    }

    fn tell_of_missing_metrics(&mut self) {
        let metrics = self.autoscaler.spec.metrics.as_deref().unwrap_or_default();
        let mut first = None;
        for metric in metrics {
            let (reason, why, outer) = missing(metric);
            self.event(EventType::Warning, reason, why.clone());
            first.get_or_insert((reason, why, outer));
        }
        let Some((reason, why, outer)) = first else { return };
        self.set(ACTIVE, false, reason, format!("the HPA was unable to compute the replica count: {why}"));
        let count = metrics.len();
        let message = format!("invalid metrics ({count} invalid out of {count}), first error is: {outer}: {why}");
        self.event(EventType::Warning, "FailedComputeMetricsReplicas", message);
    }

    fn set(&mut self, type_: &str, value: bool, reason: &str, message: String) {
        let value = if value { "True" } else { "False" };
        let now = time::stamp(self.client.now());
        let conditions = self.status.conditions.get_or_insert_default();
        let position = conditions.iter().position(|condition| condition.type_ == type_).unwrap_or(conditions.len());
        if position == conditions.len() {
            conditions.push(HorizontalPodAutoscalerCondition { type_: type_.into(), ..Default::default() });
        }
        let condition = &mut conditions[position];
        if condition.status != value {
            condition.status = value.into();
            condition.last_transition_time = Some(now);
        }
        condition.reason = Some(reason.into());
        condition.message = Some(message);
    }
}

/// Reason, error and what the error is about, for a metric that nobody serves.
fn missing(metric: &MetricSpec) -> (&'static str, String, String) {
    let no_api = |api: &str| format!("no {api} metrics API ({api}.metrics.k8s.io) registered");
    let resource =
        metric.resource.as_ref().map(|source| (&source.name, &source.target, "resource", "FailedGetResourceMetric"));
    let container = metric.container_resource.as_ref();
    let container = container
        .map(|source| (&source.name, &source.target, "container resource", "FailedGetContainerResourceMetric"));
    if let Some((name, target, what, reason)) = resource.or(container) {
        let amount = if target.average_utilization.is_some() { "utilization" } else { "usage" };
        let why = format!("failed to get {name} {amount}: unable to get metrics for resource {name}: {NO_METRICS}");
        return (reason, why, format!("failed to get {name} {what} metric value"));
    }
    let custom = |name: &str| {
        let why = no_api("custom");
        format!("unable to get metric {name}: unable to fetch metrics from custom metrics API: {why}")
    };
    if let Some(source) = &metric.pods {
        return ("FailedGetPodsMetric", custom(&source.metric.name), "failed to get pods metric value".into());
    }
    if let Some(source) = &metric.object {
        return ("FailedGetObjectMetric", custom(&source.metric.name), "failed to get object metric value".into());
    }
    let name = metric.external.as_ref().map(|source| source.metric.name.as_str()).unwrap_or_default();
    let why = format!(
        "unable to get external metric {name}: unable to fetch metrics from external metrics API: {}",
        no_api("external")
    );
    ("FailedGetExternalMetric", why, "failed to get external metric value".into())
}
