//! An API server that is asked as over HTTP, but without a connection: what reads, serves and writes is the same.

use api::time::MILLISECOND;
use api::{Caller, CauseId, Response, SimTime, Status};
use apiserver::route::{self, HttpRequest, Resource, Route};
use apiserver::{ApiServer, Context};

pub const JSON: &str = "application/json";

pub struct Door {
    pub server: ApiServer,
    pub now: SimTime,
    caller: Caller,
}

impl Door {
    pub fn new(seed: u64) -> Door {
        Door { server: ApiServer::new(seed), now: MILLISECOND, caller: Caller::admin("bench") }
    }

    /// The body of the answer to a request, which must succeed.
    pub fn send(&mut self, method: &str, path: &str, content_type: &str, body: &str) -> String {
        let (resource, result) = self.ask(method, path, content_type, body);
        let answer = route::answer(&resource, result, self.server.was_created(), Vec::new(), self.now);
        assert!(answer.code < 300, "{method} {path}: {}", answer.body);
        answer.body
    }

    /// The same before it becomes text.
    pub fn ask(
        &mut self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &str,
    ) -> (Resource, Result<Response, Status>) {
        self.now += MILLISECOND;
        let http = HttpRequest { method, path, content_type, body, user_agent: "bench/1", ..HttpRequest::default() };
        let context = Context::new(self.now, self.caller.clone(), CauseId::default());
        match route::parse(&self.server.kinds(), &http) {
            Ok(Route::Resource(resource, request)) => (resource, self.server.handle(&context, *request)),
            Ok(Route::Other(path)) => panic!("{path} names no resource"),
            Err(answer) => panic!("{method} {path}: {}", answer.body),
        }
    }
}

/// A Deployment of an everyday size, as JSON.
pub fn deployment(name: &str, revision: usize) -> String {
    serde_json::json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": name, "labels": { "app": name }, "annotations": { "revision": revision.to_string() } },
        "spec": {
            "replicas": 3,
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": { "containers": [{
                    "name": "web",
                    "image": format!("nginx:1.{revision}"),
                    "ports": [{ "containerPort": 80 }],
                    "env": [{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }],
                    "resources": { "requests": { "cpu": "10m", "memory": "10Mi" } },
                    "readinessProbe": { "httpGet": { "path": "/", "port": 80 } },
                }] },
            },
        },
    })
    .to_string()
}
