//! An API server that holds an object of every kind, and what must be true of it whatever it is asked.

use std::collections::BTreeMap;

use api::time::SECOND;
use api::{Caller, CauseId, FieldValidation, Kind, SimTime};
use apiserver::route::{self, Answer, HttpRequest, Route};
use apiserver::{ApiServer, Context, discovery};
use serde_json::Value;

use crate::manifests::SAMPLES;
use crate::runner::Outcome;

/// What an API server may answer with.
const CODES: &[u16] = &[200, 201, 202, 400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 422, 429, 500, 503, 504];
/// Refusals with a 500 that upstream has as well.
const UPSTREAM_500: &[&str] = &[
    "resourceVersion should not be set on objects to be created",
    "target.kind: Unsupported value: ",
    "target.name: Required value",
    "couldn't get version/kind; json parse error: ",
    "failed to create typed patch object (",
    "unknown patch type: ",
    "strconv.ParseUint: parsing ",
    "into Go struct field DeleteOptions.",
    "does not contain declared merge key: ",
    "The order in patch list:",
    "merging lists cannot yet be specified in the patch",
];

/// One request over HTTP, without the connection.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub content_type: String,
    pub accept: String,
    pub body: String,
}

#[derive(Clone)]
pub struct World {
    server: ApiServer,
    now: SimTime,
}

impl World {
    /// With every sample in its place.
    pub fn new() -> World {
        let mut world = World { server: ApiServer::new(1), now: SECOND };
        let account = r#"{"metadata": {"name": "default"}}"#.to_owned();
        let accounts = "/api/v1/namespaces/default/serviceaccounts".to_owned();
        world.create(Call { path: accounts, body: account, ..Call::default() });
        for sample in SAMPLES.iter() {
            let kind = world.kind_of(sample);
            if kind.kind != "Binding" {
                world.create(Call { path: path(kind, "default", ""), body: sample.to_string(), ..Call::default() });
            }
        }
        world
    }

    fn create(&mut self, call: Call) {
        let call = Call { method: "POST".into(), content_type: "application/json".into(), ..call };
        let answer = self.send(&call);
        assert!(answer.code < 300, "a sample is refused: {call:?} {answer:?}");
    }

    fn kind_of(&self, sample: &Value) -> &'static Kind {
        let own = |kind: &&'static Kind| kind.api_version() == sample["apiVersion"] && kind.kind == sample["kind"];
        self.server.kinds().into_iter().find(own).unwrap_or_else(|| panic!("no kind for {sample}"))
    }

    pub fn kinds(&self) -> Vec<&'static Kind> {
        self.server.kinds()
    }

    pub fn send(&mut self, call: &Call) -> Answer {
        self.now += SECOND;
        let http = HttpRequest {
            method: &call.method,
            path: &call.path,
            content_type: &call.content_type,
            accept: &call.accept,
            user_agent: "fuzz/1.0",
            body: &call.body,
            ..HttpRequest::default()
        };
        let context = Context::new(self.now, Caller::admin("fuzz"), CauseId::default());
        match route::parse(&self.server.kinds(), &http) {
            Ok(Route::Resource(resource, request)) => {
                let result = self.server.handle(&context, *request);
                let (created, warnings) = (self.server.was_created(), self.server.take_warnings());
                if let Ok(api::Response::Watch(watch)) = &result {
                    let events = self.server.watch_events(*watch);
                    let body = events.iter().map(|event| route::watch_line(event, &resource, self.now)).collect();
                    return Answer { body, ..route::answer(&resource, result, created, warnings, self.now) };
                }
                route::answer(&resource, result, created, warnings, self.now)
            }
            Ok(Route::Other(path)) => discovery::serve(&self.server.kinds(), http.method, &path, http.accept),
            Err(answer) => answer,
        }
    }

    /// Sends a request and looks at its answer, and at what it has left behind.
    pub fn probe(&mut self, call: &Call) -> Outcome {
        let before = self.server.revision();
        let answer = self.send(call);
        check_answer(&answer)?;
        let grown = self.server.revision() > before;
        if grown && (answer.code >= 300 || matches!(call.method.as_str(), "GET" | "HEAD")) {
            return Err(format!("the store has grown by a {} with {}: {}", call.method, answer.code, answer.body));
        }
        // Of a deletion, the body stands for the whole query.
        let has_options = call.method == "DELETE" && !call.body.is_empty();
        if grown && call.path.contains("dryRun=All") && !has_options {
            return Err("the store has grown by a dry run".into());
        }
        if grown { self.check_store(before) } else { Ok(()) }
    }

    /// What was written after a revision can be read, decodes strictly, and can be put back as it is.
    fn check_store(&mut self, after: u64) -> Outcome {
        for kind in self.server.kinds() {
            if !kind.is_stored() {
                continue;
            }
            let list = self.send(&Call { method: "GET".into(), path: path(kind, "", ""), ..Call::default() });
            let list: Value = serde_json::from_str(&list.body).map_err(|why| format!("{why}: {}", list.body))?;
            for item in list["items"].as_array().into_iter().flatten() {
                let revision = item["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok());
                if revision.is_none_or(|revision: u64| revision > after) {
                    self.check_object(kind, item).map_err(|why| format!("{}: {why}\n{item}", kind.kind))?;
                }
            }
        }
        Ok(())
    }

    fn check_object(&mut self, kind: &'static Kind, item: &Value) -> Outcome {
        let text = |name: &str| item["metadata"][name].as_str().unwrap_or_default();
        let path = path(kind, text("namespace"), text("name"));
        let get =
            |accept: &str| Call { method: "GET".into(), path: path.clone(), accept: accept.into(), ..Call::default() };
        for accept in ["application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;as=PartialObjectMetadata;v=v1"]
        {
            let answer = self.send(&get(accept));
            if answer.code != 200 {
                return Err(format!("cannot be shown as {accept}: {}", answer.body));
            }
        }
        let stored = self.send(&get("application/json"));
        let yaml = self.send(&get("application/yaml"));
        let stored_value: Value = serde_json::from_str(&stored.body).map_err(|why| format!("{path}: {why}"))?;
        if api::yaml::parse_documents(&yaml.body).map_err(|why| format!("its YAML: {why}"))?[0].value != stored_value {
            return Err(format!("its YAML says something else:\n{}", yaml.body));
        }
        if !kind.id.is_custom() {
            let decoded = api::decode::decode(kind, stored_value.clone(), FieldValidation::Strict);
            decoded.map_err(|status| format!("does not decode strictly: {}", status.message))?;
        }
        let revision = self.server.revision();
        let again = Call {
            method: "PUT".into(),
            path: path.clone() + "?fieldManager=fuzz-again&fieldValidation=Strict",
            content_type: "application/json".into(),
            body: stored.body,
            ..Call::default()
        };
        let answer = self.send(&again);
        // A binding may name a node that no Pod could be updated with, and a status bring any finalizers, upstream too.
        let passed_over = ["spec.nodeName", "metadata.finalizers"].map(|field| answer.body.contains(field));
        if answer.code != 200 && !(answer.code == 422 && passed_over.contains(&true)) {
            return Err(format!("cannot be put back: {}", answer.body));
        }
        let after: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        if self.server.revision() != revision {
            return Err(format!("changes when it is put back:\n{after}"));
        }
        Ok(())
    }
}

/// An answer is known, and well-formed.
fn check_answer(answer: &Answer) -> Outcome {
    if !CODES.contains(&answer.code) {
        return Err(format!("an unknown code: {answer:?}"));
    }
    if answer.content_type != "application/json" || answer.body.is_empty() {
        return Ok(());
    }
    if answer.code < 400 {
        return Ok(());
    }
    let status: Value = serde_json::from_str(&answer.body).map_err(|why| format!("{why}: {}", answer.body))?;
    let is_status = status["kind"] == "Status" && status["apiVersion"] == "v1" && status["status"] == "Failure";
    if !is_status || status["code"] != answer.code || status["message"].as_str().is_none_or(str::is_empty) {
        return Err(format!("no Status of a failure: {}", answer.body));
    }
    let message = status["message"].as_str().unwrap_or_default();
    if answer.code == 500 && !UPSTREAM_500.iter().any(|known| message.contains(known)) {
        return Err(format!("an internal error: {message}"));
    }
    Ok(())
}

/// Where objects of a kind, or one of them, are.
pub fn path(kind: &Kind, namespace: &str, name: &str) -> String {
    let mut path = if kind.group.is_empty() { "/api/v1".into() } else { format!("/apis/{}", kind.api_version()) };
    if kind.namespaced && !namespace.is_empty() {
        path += &format!("/namespaces/{namespace}");
    }
    path += &format!("/{}", kind.plural);
    if !name.is_empty() {
        path += &format!("/{name}");
    }
    path
}

/// The names of the samples, by their kind.
pub fn names() -> BTreeMap<String, String> {
    let named =
        |sample: &Value| Some((sample["kind"].as_str()?.to_owned(), sample["metadata"]["name"].as_str()?.to_owned()));
    SAMPLES.iter().filter_map(named).collect()
}
