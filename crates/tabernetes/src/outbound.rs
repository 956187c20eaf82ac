//! The API server's own requests, to webhooks, through the simulated network.
//!
//! The API server waits for them in the middle of a call, which takes place at one moment of virtual time: a webhook answers
//! as it is at the moment of the call, and the time that it takes is added to the call's.

use std::cell::RefCell;

use api::request::{WatchEvent, WatchId};
use api::{Caller, CauseId, Request, Response, SimTime, Status};
use apiserver::outside::{Answer, Failure, Outside, Post};
use apiserver::{ApiServer, Context};
use runtime::{Outcome, Protocol};

use crate::cluster::Cluster;
use crate::traffic::Origin;

/// What one call to the API server has sent on.
#[derive(Default)]
pub(crate) struct Errands {
    /// How long the answers took.
    pub waited: SimTime,
    /// What was asked of whom, and what came of it.
    pub notes: Vec<String>,
}

/// The API server's place in the network, while the server itself is at work.
struct Outbound<'a>(RefCell<(&'a mut Cluster, &'a mut Errands)>);

impl Outside for Outbound<'_> {
    fn post(&self, requests: &[Post]) -> Vec<Result<Answer, Failure>> {
        let (cluster, errands) = &mut *self.0.borrow_mut();
        let sent = requests.iter().map(|request| cluster.post(request));
        let (outcomes, took): (Vec<Result<Answer, Failure>>, Vec<SimTime>) = sent.unzip();
        errands.waited += took.into_iter().max().unwrap_or(0);
        errands.notes.extend(requests.iter().zip(&outcomes).map(|(request, outcome)| note(request, outcome)));
        outcomes
    }
}

fn note(request: &Post, outcome: &Result<Answer, Failure>) -> String {
    let came = match outcome {
        Ok(answer) => answer.status.to_string(),
        Err(failure) => format!("{failure:?}"),
    };
    format!("https://{}:{}{}: {came}", request.host, request.port, request.path)
}

impl Cluster {
    /// Serves a request whose caller is known to be allowed, with a network if the API server may need it.
    pub(crate) fn ask_server(
        &mut self,
        context: &Context,
        request: Request,
        errands: &mut Errands,
    ) -> Result<Response, Status> {
        if !self.server.may_call_out() {
            return self.server.handle_authorized(context, request);
        }
        self.with_network(context, errands, |server, context| server.handle_authorized(context, request))
    }

    /// Lets the API server refuse a connection that it would pass on.
    pub(crate) fn admit_connection(
        &mut self,
        context: &Context,
        request: &Request,
        errands: &mut Errands,
    ) -> Result<(), Status> {
        if !self.server.may_call_out() {
            return self.server.admit_connection(context, request);
        }
        self.with_network(context, errands, |server, context| server.admit_connection(context, request))
    }

    /// What a watch has brought since it was last asked.
    pub(crate) fn fetch(&mut self, watch: WatchId) -> Vec<WatchEvent> {
        if !self.server.may_call_out() {
            return self.server.watch_events(watch);
        }
        let context = Context::new(self.now, Caller::admin("kube-apiserver"), CauseId::default());
        let mut errands = Errands::default();
        self.with_network(&context, &mut errands, |server, context| server.watch_events_with(context, watch))
    }

    /// Lets the API server work while the rest of the cluster is its network.
    fn with_network<R>(
        &mut self,
        context: &Context,
        errands: &mut Errands,
        work: impl FnOnce(&mut ApiServer, &Context) -> R,
    ) -> R {
        let mut server = std::mem::take(&mut self.server);
        let outbound = Outbound(RefCell::new((&mut *self, errands)));
        let result = work(&mut server, &Context { outside: Some(&outbound), ..context.clone() });
        self.server = server;
        result
    }

    fn post(&mut self, request: &Post) -> (Result<Answer, Failure>, SimTime) {
        if request.host.parse::<std::net::Ipv4Addr>().is_err() {
            return (Err(Failure::UnknownHost), self.config.cost.hop_remote);
        }
        let mut http = runtime::Request::new(Protocol::Https, &request.host, request.port);
        http.method = "POST".into();
        http.path.clone_from(&request.path);
        http.headers.push(("Content-Type".into(), "application/json".into()));
        http.body.clone_from(&request.body);
        let node = self.any_node();
        let origin = Origin { end: "kube-apiserver".into(), node: &node, namespace: "", ip: ADDRESS };
        let ended = self.send(&origin, http, 0);
        let outcome = match ended.outcome {
            Outcome::TimedOut => Err(Failure::TimedOut),
            _ if ended.took > request.timeout => Err(Failure::TimedOut),
            Outcome::Answered { status, body, .. } => Ok(Answer { status, body }),
            Outcome::Refused => Err(Failure::Refused),
            Outcome::Unreachable => Err(Failure::Unreachable),
            Outcome::UnknownHost => Err(Failure::UnknownHost),
            Outcome::Reset => Err(Failure::Closed),
        };
        let took = if matches!(outcome, Err(Failure::TimedOut)) { request.timeout } else { ended.took };
        (outcome, took)
    }
}

/// Where the control plane is.
const ADDRESS: &str = "192.168.0.10";
