//! Groups that other servers serve: whether such a server can be reached, and what is said in its place. Upstream:
//! `kube-aggregator/pkg/apiserver` and its `controllers/status`.
//!
//! Differs: no Pod of the simulation is an API server, so that none passes the last check.

use api::object::Tree;
use api::types::{Endpoint, EndpointSlice, Service};
use api::{Body, Caller, Kind, KindId, Kinded, ObjectRef, Request, Subresource, Verb, kinds, time};
use serde_json::{Value, json};

use crate::route::Answer;
use crate::{ApiServer, Context};

fn row() -> &'static Kind {
    kinds::by_kind("apiregistration.k8s.io/v1", "APIService").expect("APIService is in the table")
}

fn is_remote(service: &Tree) -> bool {
    service.at("/spec/service").is_some_and(|service| !service.is_null())
}

impl ApiServer {
    /// A write to such a kind may change what can be reached.
    pub(crate) fn concerns_aggregation(&self, kind: KindId) -> bool {
        kind == row().id || (self.is_aggregated && (kind == Service::ID || kind == EndpointSlice::ID))
    }

    /// The answer to a request for a group's version that another server serves.
    pub fn aggregated(&self, path: &str) -> Option<Answer> {
        let path = path.split('?').next().unwrap_or_default();
        let (group, rest) = path.strip_prefix("/apis/")?.split_once('/')?;
        let version = rest.split('/').next().unwrap_or_default();
        let service = self.storage.get(row(), "", &format!("{version}.{group}"))?.downcast_ref::<Tree>()?;
        is_remote(service).then(|| Answer { code: 503, ..Answer::text("service unavailable\n") })
    }

    /// Says of every server how it can be reached, after a write to what that depends on.
    pub(crate) fn settle_aggregation(&mut self, context: &Context) {
        let services: Vec<ObjectRef> = self.storage.range(row(), "").into_iter().cloned().collect();
        self.is_aggregated = services.iter().any(|service| service.downcast_ref().is_some_and(is_remote));
        for object in services {
            let Some(service) = object.downcast_ref::<Tree>() else { continue };
            let [status, reason, message] = &self.availability(service);
            let known = service.at("/status/conditions/0");
            let is_known = |field: &str, value: &str| known.is_some_and(|known| known[field] == value);
            if is_known("status", status) && is_known("reason", reason) && is_known("message", message) {
                continue;
            }
            let since = known.filter(|_| is_known("status", status)).map(|known| known["lastTransitionTime"].clone());
            let condition = json!({
                "type": "Available",
                "status": status,
                "lastTransitionTime": since.unwrap_or_else(|| json!(time::stamp(context.now))),
                "reason": reason,
                "message": message,
            });
            let mut new = service.clone();
            new.set("status", Some(json!({ "conditions": [condition] })));
            let mut request = Request::of(Verb::Update, row().id, "", object.name()).on(Subresource::Status);
            request.body = Body::from(new);
            request.options.field_manager = "kube-apiserver".into();
            let caller = Caller::new("system:apiserver", &["system:masters"], "kube-apiserver");
            let context = Context { caller, ..context.clone() };
            // The write is the server's own: it follows from the state that was just read.
            self.update(&context, row(), request).expect("nothing wrote in between");
        }
    }

    /// Status, reason and message.
    fn availability(&self, service: &Tree) -> [String; 3] {
        let says = |reason: &str, message: String| ["False".to_owned(), reason.to_owned(), message];
        let Some(at) = service.at("/spec/service").filter(|service| !service.is_null()) else {
            return ["True".into(), "Local".into(), "Local APIServices are always available".into()];
        };
        let text = |field: &str| at.get(field).and_then(Value::as_str).unwrap_or_default();
        let (namespace, name) = (text("namespace"), text("name"));
        let port = at.get("port").and_then(Value::as_i64).unwrap_or(443);
        let Some(found) = self.storage.find::<Service>(namespace, name).and_then(|service| service.spec.as_ref())
        else {
            return says("ServiceNotFound", format!("service/{name} in {namespace:?} is not present"));
        };
        if found.type_.as_deref() == Some("ClusterIP") {
            let mut ports = found.ports.iter().flatten();
            let Some(open) = ports.find(|open| i64::from(open.port) == port) else {
                let message = format!("service/{name} in {namespace:?} is not listening on port {port}");
                return says("ServicePortError", message);
            };
            let port_name = open.name.as_deref().unwrap_or_default();
            let is_its =
                |slice: &&EndpointSlice| api::meta::label(&slice.metadata, "kubernetes.io/service-name") == Some(name);
            let slices: Vec<&EndpointSlice> = self.storage.within(namespace).filter(is_its).collect();
            if slices.is_empty() {
                let message = format!("cannot find endpointslices for service/{name} in {namespace:?}");
                return says("EndpointsNotFound", message);
            }
            let is_ready = |endpoint: &Endpoint| {
                endpoint.conditions.as_ref().and_then(|conditions| conditions.ready) != Some(false)
            };
            let is_active = |slice: &&EndpointSlice| {
                let mut ports = slice.ports.iter().flatten();
                ports.any(|port| port.name.as_deref().unwrap_or_default() == port_name)
                    && slice.endpoints.iter().flatten().any(is_ready)
            };
            if !slices.iter().any(is_active) {
                let message = format!(
                    "endpoints for service/{name} in {namespace:?} have no addresses with port name {port_name:?}"
                );
                return says("MissingEndpoints", message);
            }
        }
        let (group, version) = (service.text("/spec/group"), service.text("/spec/version"));
        let host = found.cluster_ip.as_deref().unwrap_or_default();
        let url = format!("https://{host}:{port}/apis/{group}/{version}");
        let message = format!(
            "failing or missing response from {url}: Get {url:?}: dial tcp {host}:{port}: connect: connection refused"
        );
        says("FailedDiscoveryCheck", message)
    }
}
