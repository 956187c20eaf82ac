//! Readiness, liveness and startup probes: upstream's `prober` and its results managers.
//!
//! Each probe has a ticker that starts when the Pod is first synced. Nothing ticks while there is nothing to probe: the
//! next tick is worked out when a container is seen running.

use api::SimTime;
use api::time::SECOND;
use api::types::{Container, Probe};
use client::{Client, EventType};
use runtime::{ContainerId, ExecId, ExecRequest, Outcome, Protocol, Request};

use crate::format;
use crate::host::{ExecOwner, Host, PodId, Timer};
use crate::lifecycle::{self, failure};
use crate::pod_worker::{PodWorker, Stage};
use crate::timers::Timers;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeKind {
    Startup,
    Readiness,
    Liveness,
}

impl ProbeKind {
    pub const ALL: [ProbeKind; 3] = [ProbeKind::Startup, ProbeKind::Readiness, ProbeKind::Liveness];

    pub fn of(self, container: &Container) -> Option<&Probe> {
        match self {
            ProbeKind::Startup => container.startup_probe.as_ref(),
            ProbeKind::Readiness => container.readiness_probe.as_ref(),
            ProbeKind::Liveness => container.liveness_probe.as_ref(),
        }
    }

    fn title(self) -> &'static str {
        match self {
            ProbeKind::Startup => "Startup",
            ProbeKind::Readiness => "Readiness",
            ProbeKind::Liveness => "Liveness",
        }
    }

    /// What counts until the first probe: not ready, alive, not known.
    fn initial(self) -> Option<bool> {
        match self {
            ProbeKind::Startup => None,
            ProbeKind::Readiness => Some(false),
            ProbeKind::Liveness => Some(true),
        }
    }
}

/// The probes of one container.
#[derive(Clone, Default)]
pub struct Probes {
    workers: [Option<Box<ProbeWorker>>; 3],
}

#[derive(Clone)]
struct ProbeWorker {
    /// Its ticks are this moment plus whole periods.
    since: SimTime,
    /// Past the thresholds.
    result: Option<bool>,
    last: Option<bool>,
    /// How often the last result has come in a row.
    run: i32,
    /// The container failed and is not probed again until it is another one.
    on_hold: bool,
    flight: Option<Flight>,
    /// Newest last, at most [`HISTORY`].
    history: Vec<bool>,
}

const HISTORY: usize = 4;

/// A probe that has been sent.
#[derive(Clone)]
struct Flight {
    container: ContainerId,
    answer: Answer,
}

#[derive(Clone)]
enum Answer {
    Exec(ExecId),
    Known(Result<String, String>),
}

impl Probes {
    fn get(&self, kind: ProbeKind) -> Option<&ProbeWorker> {
        self.workers[kind as usize].as_deref()
    }

    fn get_mut(&mut self, kind: ProbeKind) -> Option<&mut ProbeWorker> {
        self.workers[kind as usize].as_deref_mut()
    }

    pub fn has_failed(&self, kind: ProbeKind) -> bool {
        self.get(kind).is_some_and(|worker| worker.result == Some(false))
    }

    /// The startup probe has passed, or there is none.
    pub fn has_started(&self) -> bool {
        self.get(ProbeKind::Startup).is_none_or(|worker| worker.result == Some(true))
    }

    pub fn is_ready(&self) -> bool {
        self.get(ProbeKind::Readiness).is_none_or(|worker| worker.result == Some(true))
    }

    pub fn readiness_history(&self) -> &[bool] {
        self.get(ProbeKind::Readiness).map(|worker| worker.history.as_slice()).unwrap_or_default()
    }

    /// Another container runs under the name: nothing is known of it.
    pub fn reset(&mut self, timers: &mut Timers<Timer>, pod: PodId, number: u16) {
        for kind in ProbeKind::ALL {
            let Some(worker) = self.get_mut(kind) else { continue };
            worker.result = kind.initial();
            (worker.last, worker.run, worker.on_hold, worker.flight) = (None, 0, false, None);
            timers.cancel(Timer::Probe(pod, number, kind));
            timers.cancel(Timer::ProbeEnd(pod, number, kind));
        }
    }
}

impl ProbeWorker {
    fn next_tick(&self, now: SimTime, period: SimTime) -> SimTime {
        self.since + (now.saturating_sub(self.since) / period + 1) * period
    }
}

fn seconds(value: Option<i32>, default: u64) -> SimTime {
    value.filter(|&value| value > 0).map_or(default, |value| value as u64) * SECOND
}

impl PodWorker {
    /// Makes a worker for each probe of the Pod, once.
    pub fn add_probes(&mut self, now: SimTime) {
        let pod = self.pod.clone();
        for record in &mut self.containers {
            let Some(container) = record.spec(&pod) else { continue };
            for kind in ProbeKind::ALL {
                if kind.of(container).is_some() && record.probes.get(kind).is_none() {
                    record.probes.workers[kind as usize] = Some(Box::new(ProbeWorker {
                        since: now,
                        result: kind.initial(),
                        last: None,
                        run: 0,
                        on_hold: false,
                        flight: None,
                        history: Vec::new(),
                    }));
                }
            }
        }
    }

    pub fn remove_probes(&mut self, host: &mut Host, number: usize, kinds: &[ProbeKind]) {
        for &kind in kinds {
            host.timers.cancel(Timer::Probe(self.id, number as u16, kind));
            host.timers.cancel(Timer::ProbeEnd(self.id, number as u16, kind));
            if kind == ProbeKind::Readiness {
                // Its last results stay for whoever looks at the Pod.
                if let Some(worker) = self.containers[number].probes.get_mut(kind) {
                    worker.result = Some(false);
                    worker.on_hold = true;
                }
            } else {
                self.containers[number].probes.workers[kind as usize] = None;
            }
        }
    }

    /// Plans the probes of containers that a status has shown running: upstream asks for a readiness probe at once when it
    /// reports a container that is not ready yet; the others wait for their tick.
    pub fn trigger_readiness_probes(&mut self, host: &mut Host, now: SimTime) {
        for number in 0..self.containers.len() {
            if !self.containers[number].is_running() {
                continue;
            }
            for kind in ProbeKind::ALL {
                let record = &self.containers[number];
                let Some(worker) = record.probes.get(kind) else { continue };
                let period = record
                    .spec(&self.pod)
                    .and_then(|spec| kind.of(spec))
                    .map(|probe| seconds(probe.period_seconds, 10));
                let Some(period) = period else { continue };
                if worker.flight.is_some() || worker.on_hold {
                    continue;
                }
                let at_once = kind == ProbeKind::Readiness && record.started && worker.result != Some(true);
                let at = if at_once { now } else { worker.next_tick(now, period) };
                host.timers.set_earlier(Timer::Probe(self.id, number as u16, kind), at);
            }
        }
    }

    /// A tick: probes the container unless it is too early. `doProbe` upstream.
    pub fn probe(&mut self, host: &mut Host, client: &mut Client, number: usize, kind: ProbeKind) {
        let now = client.now();
        let pod = self.pod.clone();
        let id = self.id;
        let Some(record) = self.containers.get_mut(number) else { return };
        let Some(container) = record.spec(&pod) else { return };
        let Some(probe) = kind.of(container) else { return };
        let (running, started, has_started) = (record.is_running(), record.started, record.probes.has_started());
        let Some(instance) = record.current.clone().filter(|_| running) else { return };
        let Some(worker) = record.probes.get_mut(kind) else { return };
        if worker.on_hold || worker.flight.is_some() || kind == ProbeKind::Startup && started && has_started {
            return;
        }
        let timer = Timer::Probe(id, number as u16, kind);
        let next = worker.next_tick(now, seconds(probe.period_seconds, 10));
        host.timers.set(timer, next);
        let ran = now.saturating_sub(instance.started_at.unwrap_or(now));
        if ran < seconds(probe.initial_delay_seconds, 0) || kind != ProbeKind::Startup && !started {
            return;
        }
        let Some(sandbox) = self.sandbox.as_ref() else { return };
        let (sandbox, ip) = (sandbox.id, sandbox.ip.clone());
        let timeout = seconds(probe.timeout_seconds, 1);
        if let Some(exec) = &probe.exec {
            let command = exec.command.clone().unwrap_or_default();
            let request = ExecRequest { command, timeout_ns: Some(timeout), ..ExecRequest::default() };
            let answer = match host.runtime.exec(now, instance.id, request) {
                Ok(exec) => {
                    host.execs.insert(exec, ExecOwner::Probe(id, number as u16, kind));
                    Answer::Exec(exec)
                }
                Err(error) => Answer::Known(Err(error.to_string())),
            };
            let Some(worker) = self.containers[number].probes.get_mut(kind) else { return };
            let ended = match &answer {
                Answer::Exec(exec) => host.runtime.exec_result(*exec).is_none_or(|result| result.exit_code.is_some()),
                Answer::Known(_) => true,
            };
            worker.flight = Some(Flight { container: instance.id, answer });
            host.collect(now);
            if ended {
                host.timers.set(Timer::ProbeEnd(id, number as u16, kind), now);
            }
            return;
        }
        let Some(request) = request_of(probe, container, &ip) else { return };
        let reply = host.runtime.serve(now, sandbox, &request);
        host.collect(now);
        // A server that calls others first is healthy if it would answer: what it calls has its own probes.
        let reply = if reply.downstream.is_empty() {
            reply
        } else {
            let outcomes: Vec<Outcome> = reply.downstream.iter().map(|_| Outcome::answer(200, "")).collect();
            host.runtime.complete(now, sandbox, &request, reply, &outcomes)
        };
        let in_time = reply.latency_ns <= timeout;
        let outcome = if in_time { reply.outcome } else { Outcome::TimedOut };
        let answer = Answer::Known(verdict(&request, &outcome, timeout));
        let Some(worker) = self.containers[number].probes.get_mut(kind) else { return };
        worker.flight = Some(Flight { container: instance.id, answer });
        host.timers.set(Timer::ProbeEnd(id, number as u16, kind), now + reply.latency_ns.min(timeout));
    }

    /// The answer to a probe is there. Whether the Pod is to be synced.
    pub fn probe_ended(&mut self, host: &mut Host, client: &mut Client, number: usize, kind: ProbeKind) -> bool {
        let now = client.now();
        let pod = self.pod.clone();
        let Some(record) = self.containers.get_mut(number) else { return false };
        let Some(probe) = record.spec(&pod).and_then(|spec| kind.of(spec)) else { return false };
        let current = record.current.as_ref().map(|instance| instance.id);
        let running = record.is_running();
        let Some(worker) = record.probes.get_mut(kind) else { return false };
        let Some(flight) = worker.flight.take() else { return false };
        let verdict = match flight.answer {
            Answer::Known(verdict) => verdict,
            Answer::Exec(exec) => {
                let Some(result) = host.runtime.exec_result(exec).cloned() else { return false };
                if result.exit_code.is_none() && !result.timed_out {
                    worker.flight = Some(Flight { answer: Answer::Exec(exec), ..flight });
                    return false;
                }
                host.execs.remove(&exec);
                host.runtime.close_exec(now, exec);
                exec_verdict(&result, probe)
            }
        };
        if current != Some(flight.container) || !running {
            return false;
        }
        let passed = verdict.is_ok();
        worker.history.push(passed);
        if worker.history.len() > HISTORY {
            worker.history.remove(0);
        }
        worker.run = if worker.last == Some(passed) { worker.run.saturating_add(1) } else { 1 };
        worker.last = Some(passed);
        let threshold =
            if passed { probe.success_threshold.unwrap_or(1) } else { probe.failure_threshold.unwrap_or(3) };
        let counts = worker.run >= threshold.max(1);
        let changed = counts && worker.result != Some(passed);
        if counts {
            worker.result = Some(passed);
            if !passed && kind != ProbeKind::Readiness {
                // Upstream stops probing a container that is about to be killed.
                worker.on_hold = true;
                worker.run = 0;
                host.timers.cancel(Timer::Probe(self.id, number as u16, kind));
            }
        }
        if changed || !passed {
            self.cause = client.begin("probe", "Pod", &self.key, self.cause);
            let text = match &verdict {
                Ok(text) => format!("{} probe of {} passed: {text}", kind.title(), self.containers[number].name),
                Err(text) => format!("{} probe of {} failed: {text}", kind.title(), self.containers[number].name),
            };
            client.note("probe", text);
        }
        if let Err(text) = verdict {
            let message = format!("{} probe failed: {text}", kind.title());
            self.container_event(host, client, number, EventType::Warning, "Unhealthy", message);
        }
        changed && (kind != ProbeKind::Liveness || !passed) && self.stage <= Stage::Terminating
    }
}

fn request_of(probe: &Probe, container: &Container, ip: &str) -> Option<Request> {
    if let Some(http) = &probe.http_get {
        let mut request = lifecycle::http_request(http, container, ip)?;
        request.headers.push(("User-Agent".into(), "kube-probe/1.36".into()));
        return Some(request);
    }
    if let Some(tcp) = &probe.tcp_socket {
        let host = tcp.host.as_deref().filter(|host| !host.is_empty()).unwrap_or(ip);
        return Some(Request::connect(host, lifecycle::port(&tcp.port, container)?));
    }
    let grpc = probe.grpc.as_ref()?;
    Some(Request::new(Protocol::Grpc, ip, u16::try_from(grpc.port).ok()?))
}

/// What a probe makes of an answer: what the trace says, or the event's text.
fn verdict(request: &Request, outcome: &Outcome, timeout: SimTime) -> Result<String, String> {
    let address = format!("{}:{}", request.host, request.port);
    match (request.protocol, outcome) {
        (Protocol::Http | Protocol::Https, Outcome::Answered { status, .. }) if (200..400).contains(status) => {
            Ok(format!("GET {} {status}", request.path))
        }
        (Protocol::Http | Protocol::Https, Outcome::Answered { status, .. }) => {
            Err(format!("HTTP probe failed with statuscode: {status}"))
        }
        (Protocol::Grpc, Outcome::Answered { status: 200, .. }) => Ok("SERVING".into()),
        (Protocol::Grpc, Outcome::Answered { .. }) => {
            Err("service unhealthy (responded with \"NOT_SERVING\")".to_owned())
        }
        (Protocol::Grpc, _) => {
            let timeout = format::duration(timeout);
            Err(format!("timeout: failed to connect service {address:?} within {timeout}: context deadline exceeded"))
        }
        (_, Outcome::Answered { .. }) => Ok(format!("{address} accepts connections")),
        (Protocol::Connect, Outcome::TimedOut) => Err(format!("dial tcp {address}: i/o timeout")),
        _ => Err(failure(outcome, request).unwrap_or_default()),
    }
}

fn exec_verdict(result: &runtime::ExecResult, probe: &Probe) -> Result<String, String> {
    if result.timed_out {
        let command = probe.exec.as_ref().and_then(|exec| exec.command.as_ref()).map(|words| words.join(" "));
        let timeout = format::duration(seconds(probe.timeout_seconds, 1));
        return Err(format!("command timed out: {:?} timed out after {timeout}", command.unwrap_or_default()));
    }
    let output = [result.stdout.as_str(), &result.stderr].concat();
    match result.exit_code {
        Some(0) => Ok("the command exited with 0".into()),
        _ => Err(output),
    }
}
