//! What the kubelet serves to the API server: logs, exec, attach. Pods are named `namespace/name`.

use api::request::{ExecOptions, StreamOutput};
use api::time::SECOND;
use api::{LogOptions, SimTime, Status};
use runtime::{ContainerId, ExecId, ExecRequest, LogLine, Signal};

use crate::container::{ContainerRecord, Instance};
use crate::kubelet::{ExecSession, Kubelet};

/// One exec or attach session.
#[derive(Clone)]
pub(crate) struct Session {
    kind: SessionKind,
}

#[derive(Clone)]
enum SessionKind {
    Exec(ExecId),
    Attach { container: ContainerId, serial: u64, tty: bool },
}

impl Kubelet {
    /// The log as `kubectl logs` gets it, all of it so far.
    pub fn logs(&self, now: SimTime, pod: &str, options: &LogOptions) -> Result<String, Status> {
        let id = self.log_container(pod, options)?;
        let lines = self.host.runtime.logs(now, id, &log_options(now, options, None));
        let mut text = log_text(&lines, options.timestamps);
        if let Some(limit) = options.limit_bytes {
            let mut end = usize::try_from(limit).unwrap_or(0).min(text.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
        }
        Ok(text)
    }

    /// For `logs -f`: what was logged after `serial` (0 for everything that the options ask for), the next serial, and
    /// whether the container has ended.
    pub fn follow_logs(
        &self,
        now: SimTime,
        pod: &str,
        options: &LogOptions,
        serial: u64,
    ) -> Result<(String, u64, bool), Status> {
        let id = self.log_container(pod, options)?;
        let after = (serial > 0).then_some(serial);
        let lines = self.host.runtime.logs(now, id, &log_options(now, options, after));
        let ended = self.host.runtime.container(id).is_none_or(|status| status.finished_at.is_some());
        Ok((log_text(&lines, options.timestamps), self.host.runtime.log_serial(id), ended))
    }

    fn log_container(&self, pod: &str, options: &LogOptions) -> Result<ContainerId, Status> {
        let worker = self.worker(pod).ok_or_else(|| pod_not_found(pod))?;
        let (_, pod_name) = api::meta::split_key(pod);
        let record = find(&worker.containers, &options.container).ok_or_else(|| {
            Status::bad_request(format!("container {:?} in pod {pod_name:?} is not available", options.container))
        })?;
        let name = &record.name;
        if options.previous {
            // Between a crash and the restart the dead container is still the current one.
            let dead = record.current.as_ref().filter(|instance| instance.exit.is_some() && record.failure.is_some());
            let instance = dead.or(record.previous.as_ref()).ok_or_else(|| {
                Status::bad_request(format!("previous terminated container {name:?} in pod {pod_name:?} not found"))
            })?;
            return Ok(instance.id);
        }
        match &record.current {
            Some(Instance { id, started_at, exit, .. }) if started_at.is_some() || exit.is_some() => Ok(*id),
            _ => {
                let reason = record.failure.as_ref().map_or_else(
                    || {
                        let has_init = worker.containers.first().is_some_and(ContainerRecord::is_init);
                        if has_init { "PodInitializing" } else { "ContainerCreating" }
                    },
                    |(reason, _)| reason,
                );
                let trying = match reason {
                    "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull" | "InvalidImageName" => {
                        "trying and failing to pull image".to_owned()
                    }
                    _ => reason.to_owned(),
                };
                Err(Status::bad_request(format!(
                    "container {name:?} in pod {pod_name:?} is waiting to start: {trying}"
                )))
            }
        }
    }

    /// Starts a command in a container.
    pub fn exec_start(&mut self, now: SimTime, pod: &str, options: &ExecOptions) -> Result<ExecSession, Status> {
        let container = self.running_container(pod, &options.container)?;
        let request = ExecRequest {
            command: options.command.clone(),
            timeout_ns: None,
            stdin: String::new(),
            interactive: options.stdin,
        };
        let started = self.host.runtime.exec(now, container, request);
        self.host.collect(now);
        let id = started.map_err(|error| Status::internal(format!("error executing command in container: {error}")))?;
        Ok(self.open_session(SessionKind::Exec(id)))
    }

    /// Attaches to a container's output from now on.
    pub fn attach_start(&mut self, pod: &str, options: &ExecOptions) -> Result<ExecSession, Status> {
        let container = self.running_container(pod, &options.container)?;
        let serial = self.host.runtime.log_serial(container);
        Ok(self.open_session(SessionKind::Attach { container, serial, tty: options.tty }))
    }

    fn open_session(&mut self, kind: SessionKind) -> ExecSession {
        self.sessions_opened += 1;
        let id = ExecSession(self.sessions_opened);
        self.sessions.insert(id, Session { kind });
        id
    }

    fn running_container(&self, pod: &str, name: &str) -> Result<ContainerId, Status> {
        let worker = self.worker(pod).ok_or_else(|| pod_not_found(pod))?;
        let record = find(&worker.containers, name).filter(|record| record.is_running());
        let record = record
            .ok_or_else(|| Status::internal(format!("unable to upgrade connection: container not found ({name:?})")))?;
        let instance = record.current.as_ref().map(|instance| instance.id);
        instance
            .ok_or_else(|| Status::internal(format!("unable to upgrade connection: container not found ({name:?})")))
    }

    /// Text for the session's standard input, or Ctrl-C with `None`.
    pub fn exec_write(&mut self, now: SimTime, session: ExecSession, text: Option<&str>) {
        let Some(Session { kind }) = self.sessions.get(&session) else { return };
        let runtime = &mut self.host.runtime;
        match (kind, text) {
            (SessionKind::Exec(id), Some(text)) => runtime.feed_exec(now, *id, Some(text)),
            (SessionKind::Exec(id), None) => runtime.signal_exec(now, *id, Signal::Int),
            // A container that reads no input, or has ended, does not hear what is typed.
            (SessionKind::Attach { container, .. }, Some(text)) => {
                let _deaf = runtime.feed_container(now, *container, Some(text));
            }
            // Ctrl-C reaches the process through its terminal only.
            (SessionKind::Attach { container, tty: true, .. }, None) => {
                let _deaf = runtime.signal_container(now, *container, Signal::Int);
            }
            (SessionKind::Attach { .. }, None) => {}
        }
        self.host.collect(now);
    }

    /// End of the session's standard input.
    pub fn exec_close_input(&mut self, now: SimTime, session: ExecSession) {
        match self.sessions.get(&session).map(|session| &session.kind) {
            Some(SessionKind::Exec(id)) => self.host.runtime.feed_exec(now, *id, None),
            Some(SessionKind::Attach { container, .. }) => {
                let _deaf = self.host.runtime.feed_container(now, *container, None);
            }
            None => return,
        }
        self.host.collect(now);
    }

    /// What the session has brought since it was last asked. It must be closed after its end.
    pub fn exec_read(&mut self, now: SimTime, session: ExecSession) -> StreamOutput {
        let runtime = &mut self.host.runtime;
        let Some(Session { kind }) = self.sessions.get_mut(&session) else {
            return StreamOutput {
                end: Some(Err(Status::internal("the session is closed"))),
                ..StreamOutput::default()
            };
        };
        match kind {
            SessionKind::Exec(id) => {
                let (stdout, stderr) = runtime.take_exec_output(*id);
                let end = match runtime.exec_result(*id) {
                    Some(result) => result.exit_code.map(Ok),
                    None => Some(Ok(137)),
                };
                StreamOutput { stdout, stderr, end }
            }
            SessionKind::Attach { container, serial, .. } => {
                let options = runtime::LogOptions { after: Some(*serial), ..runtime::LogOptions::default() };
                let lines = runtime.logs(now, *container, &options);
                *serial = runtime.log_serial(*container);
                let ended = runtime.container(*container).is_none_or(|status| status.finished_at.is_some());
                StreamOutput { stdout: log_text(&lines, false), stderr: String::new(), end: ended.then_some(Ok(0)) }
            }
        }
    }

    pub fn exec_close(&mut self, now: SimTime, session: ExecSession) {
        if let Some(Session { kind: SessionKind::Exec(id) }) = self.sessions.remove(&session) {
            self.host.runtime.close_exec(now, id);
            self.host.collect(now);
        }
    }
}

/// A container by name; the first regular one when there is none.
fn find<'a>(records: &'a [ContainerRecord], name: &str) -> Option<&'a ContainerRecord> {
    if name.is_empty() {
        records.iter().find(|record| !record.is_init())
    } else {
        records.iter().find(|record| record.name == name)
    }
}

fn pod_not_found(pod: &str) -> Status {
    let (_, name) = api::meta::split_key(pod);
    Status::new(404, api::Reason::NotFound, format!("pod {name:?} not found"))
}

fn log_options(now: SimTime, options: &LogOptions, after: Option<u64>) -> runtime::LogOptions {
    let since = options.since_seconds.map(|seconds| now.saturating_sub(seconds.max(0) as u64 * SECOND));
    let tail = options.tail_lines.filter(|_| after.is_none()).map(|lines| lines.max(0) as usize);
    runtime::LogOptions { since, tail, after, limit_bytes: None }
}

fn log_text(lines: &[LogLine], timestamps: bool) -> String {
    let mut text = String::new();
    for line in lines {
        if timestamps {
            let api::types::Time(stamp) = api::time::stamp(line.at);
            let whole = stamp.to_string();
            let whole = whole.trim_end_matches('Z');
            text.push_str(&format!("{}.{:09}Z ", whole.split('.').next().unwrap_or(whole), line.at % SECOND));
        }
        text.push_str(&line.text);
        text.push('\n');
    }
    text
}
