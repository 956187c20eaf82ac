//! One case: its requests, in their order, against an API server of its own.

use api::time::SECOND;
use api::{CauseId, Response, SimTime, User};
use apiserver::authentication::Credentials;
use apiserver::route::{self, Answer, HttpRequest, Route};
use apiserver::{ApiServer, Context, discovery};
use serde_json::{Map, Value, json};

use super::normalize::{Normalizer, differences};

const NAMESPACE: &str = "oracle-ns";

struct Session {
    server: ApiServer,
    now: SimTime,
}

/// The bodies as they stand in the file: the order of their fields matters.
#[derive(serde::Deserialize)]
struct Bodies<'a> {
    #[serde(borrow)]
    requests: Vec<Body<'a>>,
}

#[derive(serde::Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    body: Option<&'a serde_json::value::RawValue>,
}

/// What differs from the recording; empty for a case that passes.
pub fn run(text: &str) -> Vec<String> {
    let case: Value = serde_json::from_str(text).expect("a recording is JSON");
    let bodies: Bodies = serde_json::from_str(text).expect("a recording has requests");
    let case = &case;
    let mut session = Session { server: ApiServer::new(1), now: SECOND };
    session.prepare(case);
    let requests = case["requests"].as_array().expect("a case has requests");
    let sent: Vec<Value> =
        requests.iter().map(|one| json!([one.get("path"), one.get("body"), one.get("rawBody")])).collect();
    let mut normalizer =
        Normalizer::new(&Value::from(sent).to_string(), case["unorderedCauses"] == true, case["managedFields"] == true);
    let mut answers: Vec<Value> = Vec::new();
    let mut found = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        let (answer, is_watch) = session.send(request, bodies.requests[index].body.map(|body| body.get()), &answers);
        let raw = serde_json::from_str(&answer.body).unwrap_or_else(|_| Value::from(answer.body.as_str()));
        let mut got = Map::new();
        got.insert("code".into(), answer.code.into());
        if !answer.warnings.is_empty() {
            let warnings = answer.warnings.iter().map(|text| normalizer.text(&format!("299 - {text:?}")));
            got.insert("headers".into(), json!({ "Warning": warnings.collect::<Value>() }));
        }
        got.insert("body".into(), normalizer.body(&answer.body, is_watch && answer.code == 200));
        let at = format!(
            "[{index}] {} {} ",
            request["method"].as_str().unwrap_or(""),
            request["path"].as_str().unwrap_or("")
        );
        let mut expected = request["response"].clone();
        normalizer.expected(&mut expected);
        differences(&expected, &Value::Object(got), &at, &mut found);
        answers.push(raw);
    }
    found
}

impl Session {
    /// The case's namespace with its service account.
    fn prepare(&mut self, case: &Value) {
        let labels = case.get("namespaceLabels").cloned().unwrap_or_else(|| json!({}));
        let namespace = json!({ "metadata": { "name": NAMESPACE, "labels": labels } }).to_string();
        let account = json!({ "metadata": { "name": "default" } }).to_string();
        let admin = User::admin();
        let credentials = Credentials { user: Some(&admin), ..Credentials::default() };
        for (path, body) in [
            ("/api/v1/namespaces".to_owned(), namespace),
            (format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts"), account),
        ] {
            let http = HttpRequest { method: "POST", path: &path, body: &body, credentials, ..HttpRequest::default() };
            self.serve(&http);
        }
    }

    fn send(&mut self, request: &Value, body: Option<&str>, answers: &[Value]) -> (Answer, bool) {
        let text = |value: Option<&Value>| match value {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        };
        let path = substituted(&text(request.get("path")), answers);
        let raw = text(request.get("rawBody"));
        let body = substituted(body.unwrap_or(&raw), answers);
        let header = |name: &str| text(request.get("headers").and_then(|headers| headers.get(name)));
        let (content_type, accept, user_agent) = (header("Content-Type"), header("Accept"), header("User-Agent"));
        let is_watch = path.contains("watch=") && !path.contains("watch=0");
        let authorization = substituted(&header("Authorization"), answers);
        let headers = request.get("headers").and_then(Value::as_object);
        let impersonate: Vec<(String, String)> = headers
            .into_iter()
            .flatten()
            .filter(|(name, _)| name.starts_with("Impersonate-"))
            .map(|(name, value)| (name.clone(), text(Some(value))))
            .collect();
        let admin = User::admin();
        let shows_admin = headers.is_none_or(|headers| !headers.contains_key("Authorization"));
        let user = shows_admin.then_some(&admin);
        let credentials = Credentials { user, authorization: &authorization, impersonate: &impersonate };
        let http = HttpRequest {
            method: request["method"].as_str().unwrap_or_default(),
            path: &path,
            content_type: &content_type,
            accept: &accept,
            user_agent: if user_agent.is_empty() { "oracle/1.0" } else { &user_agent },
            body: &body,
            credentials,
            audit_id: "",
        };
        (self.serve(&http), is_watch)
    }

    fn serve(&mut self, http: &HttpRequest) -> Answer {
        self.now += SECOND;
        let caller = match self.server.enter(self.now, 0, http).caller {
            Ok(caller) => caller,
            Err(answer) => return answer,
        };
        let (resource, request) = match route::parse(&self.server.kinds(), http) {
            Ok(Route::Resource(resource, request)) => (resource, *request),
            Ok(Route::Other(path)) => return discovery::serve(&self.server.kinds(), http.method, &path, http.accept),
            Err(answer) => return answer,
        };
        let context = Context::new(self.now, caller, CauseId::default());
        let result = self.server.handle_authorized(&context, request);
        let warnings = self.server.take_warnings();
        if let Ok(Response::Watch(id)) = &result {
            let lines: String = self
                .server
                .watch_events(*id)
                .iter()
                .map(|event| route::watch_line(event, &resource, self.now))
                .collect();
            self.server.close_watch(*id);
            return Answer { content_type: "application/json", warnings, ..Answer::text(lines) };
        }
        route::answer(&resource, result, self.server.was_created(), warnings, self.now)
    }
}

/// `${N:a.b.0.c}` is a value of an earlier answer.
fn substituted(text: &str, answers: &[Value]) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((reference, tail)) = after.split_once('}') else { break };
        let (number, path) = reference.split_once(':').unwrap_or((reference, ""));
        let mut value = number.parse().ok().and_then(|number: usize| answers.get(number)).unwrap_or(&Value::Null);
        for step in path.split('.').filter(|step| !step.is_empty()) {
            value = match step.parse::<usize>() {
                Ok(index) if value.is_array() => &value[index],
                _ => &value[step],
            };
        }
        result.push_str(before);
        match value {
            Value::String(text) => result.push_str(text),
            other => result.push_str(&other.to_string()),
        }
        rest = tail;
    }
    result + rest
}
