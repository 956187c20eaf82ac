//! A cluster behind its HTTP router, as its administrator meets it.

use api::CauseId;
use api::time::SECOND;
use api::{SimTime, User};
use apiserver::authentication::Credentials;
use apiserver::route::{self, Answer, HttpRequest, Route};
use apiserver::{ApiServer, Context, discovery};
use serde_json::Value;

pub struct Cluster {
    server: ApiServer,
    now: SimTime,
}

/// What was answered.
pub struct Answered {
    pub code: u16,
    pub text: String,
    pub body: Value,
    pub warnings: Vec<String>,
}

impl Cluster {
    pub fn new() -> Cluster {
        Cluster { server: ApiServer::new(1), now: SECOND }
    }

    /// Sends a request of which only the method, the path, the body and its headers matter.
    pub fn send(&mut self, http: HttpRequest) -> Answered {
        self.now += SECOND;
        let admin = User::admin();
        let credentials = Credentials { user: Some(&admin), ..Credentials::default() };
        let http = HttpRequest { credentials, ..http };
        let answer = self.answer(&http);
        let body = serde_json::from_str(&answer.body).unwrap_or_default();
        let Answer { code, body: text, warnings, .. } = answer;
        Answered { code, text, body, warnings }
    }

    fn answer(&mut self, http: &HttpRequest) -> Answer {
        let caller = match self.server.enter(self.now, 0, http).caller {
            Ok(caller) => caller,
            Err(answer) => return answer,
        };
        match route::parse(&self.server.kinds(), http) {
            Err(answer) => answer,
            Ok(Route::Other(path)) => discovery::serve(&self.server.kinds(), http.method, &path, ""),
            Ok(Route::Resource(resource, request)) => {
                let context = Context::new(self.now, caller, CauseId(self.now));
                let result = self.server.handle_authorized(&context, *request);
                let warnings = self.server.take_warnings();
                route::answer(&resource, result, self.server.was_created(), warnings, self.now)
            }
        }
    }

    pub fn ask(&mut self, method: &str, path: &str, body: Value) -> Answered {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(HttpRequest { method, path, body: &body, ..HttpRequest::default() })
    }

    /// Makes an object that is known to be sound.
    pub fn create(&mut self, path: &str, body: Value) -> Value {
        let answer = self.ask("POST", path, body);
        assert_eq!(answer.code, 201, "{}", answer.text);
        answer.body
    }

    /// The code and the message of a refusal.
    pub fn refused(&mut self, method: &str, path: &str, body: Value) -> String {
        let answer = self.ask(method, path, body);
        assert!(answer.code >= 400, "{}", answer.text);
        let message = answer.body["message"].as_str().unwrap_or(answer.text.trim());
        format!("{} {message}", answer.code)
    }
}
