//! What is done to a container: start, run, signal, serve.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::container::{Container, Exec, Outbox};
use super::types::{ContainerState, ExecId, LogStream, NodeConfig, RuntimeEvent, SandboxConfig};
use crate::images::Image;
use crate::images::spec::Behaviour;
use crate::process::{Descriptor, Effect, Host, Kernel, NewProcess, Pid, Program, Sink, Task};
use crate::service::{Service, Surroundings, interpreter_output};
use crate::tools::{self, Missing};
use crate::vfs::View;
use crate::{MILLISECOND, Outcome, Reply, Request, Signal, SimTime, Volumes};

/// A container with what it can reach, while something is done to it.
pub struct Machine<'a> {
    pub container: &'a mut Container,
    pub volumes: &'a mut Volumes,
    pub sandbox: &'a SandboxConfig,
    pub node: &'a NodeConfig,
    pub execs: &'a mut BTreeMap<ExecId, Exec>,
    pub outbox: &'a mut Outbox,
}

impl Machine<'_> {
    /// Starts the main process; the error is runc's.
    pub fn start(&mut self, now: SimTime) -> Result<(), (i32, String)> {
        let argv = self.container.command_line();
        if argv.is_empty() {
            return Err((128, "no command specified".to_owned()));
        }
        self.container.started_at = Some(now);
        self.container.state = ContainerState::Running;
        self.container.meter.since = now;
        let words = without_wrappers(&self.container.image, &argv);
        let own_service = words.first().is_some_and(|name| {
            let known = self.container.image.spec.runs(tools::base_name(name));
            known && !name.contains("./")
        });
        if own_service {
            self.start_service(1, words.into(), now);
        } else {
            self.start_process(words, now)?;
        }
        self.plan_memory(now);
        Ok(())
    }

    fn start_process(&mut self, argv: Vec<String>, now: SimTime) -> Result<(), (i32, String)> {
        self.prepare_files(now);
        let env = self.container.environment(self.sandbox);
        let mut files: BTreeMap<u32, Descriptor> = [
            (0, Descriptor::Null),
            (1, Descriptor::Terminal(Sink::Log, LogStream::Stdout)),
            (2, Descriptor::Terminal(Sink::Log, LogStream::Stderr)),
        ]
        .into();
        let mut kernel = Box::<Kernel>::default();
        if self.container.config.stdin {
            let pipe = kernel.make_pipe(true);
            self.container.input = Some(pipe);
            files.insert(0, Descriptor::PipeRead(pipe));
        }
        self.container.kernel = Some(kernel);
        let interactive = self.container.config.stdin && self.container.config.tty;
        self.spawn(argv.clone(), env, files, Sink::Log, interactive, now)
            .map_err(|missing| (128, start_error(&missing, &argv[0])))
            .map(drop)
    }

    /// Starts a process as runc does: the program must exist.
    pub(super) fn spawn(
        &mut self,
        argv: Vec<String>,
        env: BTreeMap<Arc<str>, Arc<str>>,
        files: BTreeMap<u32, Descriptor>,
        session: Sink,
        interactive: bool,
        now: SimTime,
    ) -> Result<Pid, Missing> {
        let cwd = self.container.config.working_dir.clone();
        let cwd = cwd.unwrap_or_else(|| self.container.image.spec.working_dir.to_owned());
        let spawned = self.with_kernel(now, interactive, |kernel, host| {
            let new = NewProcess {
                program: Program::Running,
                argv: argv.clone(),
                parent: 0,
                files,
                cwd: Arc::from(cwd),
                env: env.clone(),
                ignored: Default::default(),
                session,
            };
            let pid = kernel.spawn(new, now).ok_or(Missing::Denied)?;
            let mut task = Task { kernel, host, pid };
            match tools::find_program(&mut task, &argv) {
                Ok(program) => {
                    if matches!(program, Program::Service) {
                        let at = now;
                        host.effects.push(Effect::ServiceStarted { pid, argv, at });
                    }
                    kernel.install(pid, program);
                    Ok(pid)
                }
                Err(missing) => {
                    kernel.end(pid, 127, host);
                    kernel.reap(pid);
                    Err(missing)
                }
            }
        });
        spawned.unwrap_or(Err(Missing::NotFound))
    }

    /// Runs processes up to a time; only those of one exec if given.
    pub fn run(&mut self, until: SimTime, session: Option<Sink>) {
        if self.container.kernel.is_some() {
            let interactive = self.container.config.tty || session.is_some_and(|s| self.is_interactive(s));
            self.with_kernel(until, interactive, |kernel, host| kernel.run(until, session, host));
        }
        self.collect_exits(until);
    }

    fn is_interactive(&self, session: Sink) -> bool {
        matches!(session, Sink::Exec(id) if self.execs.get(&id).is_some_and(|exec| exec.input.is_some()))
    }

    /// Does what is due by `now`.
    pub fn advance(&mut self, now: SimTime) {
        if self.container.state != ContainerState::Running {
            return;
        }
        if let Some((_, service)) = &mut self.container.service
            && now >= service.listening_from
        {
            for line in std::mem::take(&mut service.ready_lines) {
                self.container.logs.push(service.listening_from, LogStream::Stdout, line);
            }
        }
        self.run(now, None);
        self.time_out_execs(now);
        if self.container.out_of_memory_at.is_some_and(|at| at <= now) {
            self.finish(now, 137, "OOMKilled");
            return;
        }
        if self.container.kill_at.is_some_and(|at| at <= now) {
            self.kill(now);
            return;
        }
        let ends = self.container.service.as_ref().and_then(|(pid, service)| Some((*pid, service.ends_at?)));
        if let Some((pid, (at, code))) = ends
            && at <= now
        {
            self.container.service = None;
            if self.container.kernel.is_some() {
                self.with_kernel(now, false, |kernel, host| kernel.end(pid, code, host));
                self.run(now, None);
            }
            if pid == 1 && self.container.state == ContainerState::Running {
                self.finish(at, code, reason_of(code));
            }
        }
    }

    /// When [`Machine::advance`] is due next.
    pub fn next_deadline(&self) -> Option<SimTime> {
        if self.container.state != ContainerState::Running {
            return None;
        }
        let service = self.container.service.as_ref().map(|(_, service)| service);
        let ready = service.filter(|service| !service.ready_lines.is_empty()).map(|service| service.listening_from);
        let execs = self.execs.values().filter(|e| e.container == self.container.id && e.result.exit_code.is_none());
        [
            self.container.kernel.as_ref().and_then(|kernel| kernel.next_time()),
            service.and_then(|service| service.ends_at).map(|(at, _)| at),
            ready,
            self.container.kill_at,
            self.container.out_of_memory_at,
            if self.container.kernel.is_some() { execs.filter_map(|exec| exec.kill_at).min() } else { None },
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Sends a signal to the main process.
    pub fn signal(&mut self, signal: Signal, now: SimTime) {
        if signal == Signal::Kill {
            self.kill(now);
            return;
        }
        if self.container.kernel.is_some() {
            self.with_kernel(now, false, |kernel, host| {
                kernel.signal(1, signal, true, now, host);
            });
            self.collect_exits(now);
        } else {
            self.signal_service(signal, now);
        }
    }

    /// Asks the main process to end, and kills it after the grace period.
    pub fn stop(&mut self, grace_ns: u64, now: SimTime) {
        if self.container.state != ContainerState::Running {
            return;
        }
        if grace_ns == 0 {
            self.kill(now);
            return;
        }
        self.container.kill_at = Some(now.saturating_add(grace_ns));
        self.signal(Signal::Term, now);
    }

    pub fn kill(&mut self, now: SimTime) {
        if self.container.state == ContainerState::Running {
            self.finish(now, 137, "Error");
        }
    }

    pub fn kill_for_memory(&mut self, now: SimTime) {
        if self.container.state == ContainerState::Running {
            self.finish(now, 137, "OOMKilled");
        }
    }

    /// Text for the main process's standard input, or its end.
    pub fn feed(&mut self, text: Option<&str>, now: SimTime) {
        if let (Some(pipe), Some(kernel)) = (self.container.input, &mut self.container.kernel) {
            kernel.feed(pipe, text, now);
        }
        self.run(now, None);
    }

    pub fn answer(&mut self, pid: Pid, reply: crate::NetReply, now: SimTime) {
        if let Some(kernel) = &mut self.container.kernel {
            kernel.answer(pid, reply, now);
        }
    }

    pub fn serve(&mut self, now: SimTime, request: &Request) -> Reply {
        let Some((pid, mut service)) = self.container.service.take() else {
            return Reply::at_once(Outcome::Refused, 0);
        };
        let before = service.request_cpu_ns;
        let mut reply = self.with_surroundings(now, |around| service.serve(now, request, around));
        let used = service.request_cpu_ns - before;
        reply.latency_ns += self.queueing_ns(now, used);
        self.container.meter.add(now, used);
        self.container.service = Some((pid, service));
        reply
    }

    /// A busy server answers late: requests wait when the CPU that they need is not there.
    fn queueing_ns(&self, now: SimTime, cpu_ns: u64) -> u64 {
        let limit = self.container.cpu_limit_milli.unwrap_or(self.node.cpu_milli).max(1);
        let throttled = cpu_ns * 1000 / limit.min(1000) - cpu_ns;
        let load = self.container.meter.milli(now) * 100 / limit;
        let waiting = match load {
            0..=70 => 0,
            71..=95 => cpu_ns * 3,
            _ => cpu_ns * 20,
        };
        throttled + waiting
    }

    fn start_service(&mut self, pid: Pid, argv: Arc<[String]>, now: SimTime) {
        let service = self.with_surroundings(now, |around| Service::start(argv, now, around));
        self.container.service = Some((pid, service));
        self.plan_memory(now);
    }

    /// A program of the image beside its service, as in `kubectl exec`: one line for the interpreter, or a server
    /// that finds its port taken.
    fn run_second_service(&mut self, pid: Pid, argv: &[String], at: SimTime) {
        let is_interpreter = matches!(self.container.image.spec.behaviour, Behaviour::Interpreter { .. });
        let output = if is_interpreter { interpreter_output(argv) } else { None };
        self.with_kernel(at, false, |kernel, host| {
            let mut task = Task { kernel, host, pid };
            // Nobody reads a pipe whose reader has ended; the program ends all the same.
            let (code, _written) = match output {
                Some(Some(text)) => (0, task.write(1, &format!("{text}\n"))),
                Some(None) => (0, Ok(())),
                None => (1, task.write(2, "bind() failed (98: Address already in use)\n")),
            };
            kernel.end(pid, code, host);
        });
    }

    fn signal_service(&mut self, signal: Signal, now: SimTime) {
        let Some((pid, mut service)) = self.container.service.take() else { return };
        let end = self.with_surroundings(now, |around| service.signal(signal, now, around));
        let sooner = |old: SimTime| end.is_some_and(|(at, _)| at < old);
        if service.ends_at.is_none_or(|(old, _)| sooner(old)) {
            service.ends_at = end.or(service.ends_at);
        }
        self.container.service = Some((pid, service));
    }

    fn with_surroundings<R>(&mut self, now: SimTime, apply: impl FnOnce(&mut Surroundings<'_>) -> R) -> R {
        let mut log = Vec::new();
        let container = &mut *self.container;
        container.random = container.random.wrapping_add(1);
        let config = container.config.clone();
        let image = container.image.clone();
        let of_image = image.spec.env;
        let env = |name: &str| {
            let own = config.env.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value.clone());
            own.or_else(|| of_image.iter().find(|(n, _)| *n == name).map(|(_, value)| value.to_string()))
        };
        let view = View {
            root: &mut container.root,
            mounts: &mut container.mounts,
            volumes: self.volumes,
            now,
            read_only: config.read_only_root,
        };
        let mut around = Surroundings {
            image: &image,
            settings: &config.settings,
            sandbox: self.sandbox,
            node: self.node,
            env: &env,
            declared_ports: &config.ports,
            view,
            random: crate::name_hash::mix(container.random),
            log: &mut log,
        };
        let result = apply(&mut around);
        for (stream, line) in log {
            self.container.logs.push(now, stream, line);
        }
        result
    }

    /// Plans the OOM killer's visit when the memory in use is above the limit.
    fn plan_memory(&mut self, now: SimTime) {
        const FILLING_NS: u64 = 300 * MILLISECOND;
        let limit = self.container.memory_limit_bytes;
        let above = limit.is_some_and(|limit| self.container.memory_bytes() > limit);
        self.container.out_of_memory_at =
            if above { self.container.out_of_memory_at.or(Some(now + FILLING_NS)) } else { None };
    }

    /// New limits for a running container.
    pub fn update_limits(&mut self, cpu_milli: Option<u64>, memory_bytes: Option<u64>, now: SimTime) {
        self.container.cpu_limit_milli = cpu_milli;
        self.container.memory_limit_bytes = memory_bytes;
        if self.container.state == ContainerState::Running {
            self.plan_memory(now);
        }
    }

    pub(super) fn with_kernel<R>(
        &mut self,
        now: SimTime,
        interactive: bool,
        apply: impl FnOnce(&mut Kernel, &mut Host<'_>) -> R,
    ) -> Option<R> {
        let mut kernel = self.container.kernel.take()?;
        let mut effects = Vec::new();
        let before = kernel.cpu_ns;
        let container = &mut *self.container;
        let uid = container.uid();
        let result = {
            let mut host = Host {
                root: &mut container.root,
                mounts: &mut container.mounts,
                volumes: self.volumes,
                read_only_root: container.config.read_only_root,
                image: container.image.spec,
                node: self.node,
                sandbox: self.sandbox,
                uid,
                cpu_limit_milli: container.cpu_limit_milli,
                memory_limit_bytes: container.memory_limit_bytes,
                random: &mut container.random,
                interactive,
                effects: &mut effects,
            };
            apply(&mut kernel, &mut host)
        };
        container.meter.add(now, kernel.cpu_ns - before);
        container.kernel = Some(kernel);
        self.follow(effects);
        Some(result)
    }

    fn follow(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Output { sink: Sink::Log, stream, text, at } => self.container.logs.write(at, stream, &text),
                Effect::Output { sink: Sink::Exec(id), stream, text, .. } => {
                    const OUTPUT_MAX: usize = 8 << 20;
                    if let Some(exec) = self.execs.get_mut(&id) {
                        let buffer = match stream {
                            LogStream::Stdout => &mut exec.result.stdout,
                            LogStream::Stderr => &mut exec.result.stderr,
                        };
                        if buffer.len() < OUTPUT_MAX {
                            buffer.push_str(&text);
                        }
                    }
                }
                Effect::Net { pid, op, at } => self.outbox.net.push((self.container.id, pid, op, at)),
                Effect::ServiceStarted { pid, argv, at } if self.container.service.is_some() => {
                    self.run_second_service(pid, &argv, at);
                }
                Effect::ServiceStarted { pid, argv, at } => self.start_service(pid, argv.into(), at),
                Effect::ServiceSignalled { pid, signal, at } => {
                    if self.container.service.as_ref().is_some_and(|(own, _)| *own == pid) {
                        self.signal_service(signal, at);
                    }
                }
                Effect::ServiceEnded { pid } => {
                    if self.container.service.as_ref().is_some_and(|(own, _)| *own == pid) {
                        self.container.service = None;
                    }
                }
                Effect::MemoryUsed { pid, bytes, at } => {
                    self.container.held_memory.insert(pid, bytes);
                    self.plan_memory(at);
                }
            }
        }
    }

    /// Passes on which processes have ended: execs, and the main process.
    pub(super) fn collect_exits(&mut self, now: SimTime) {
        let Some(kernel) = &mut self.container.kernel else { return };
        let own =
            self.execs.iter_mut().filter(|(_, e)| e.container == self.container.id && e.result.exit_code.is_none());
        for (id, exec) in own {
            let Some(info) = kernel.info(exec.pid) else { continue };
            let at = info.clock;
            if let Some(code) = kernel.reap(exec.pid) {
                exec.result.exit_code = Some(if exec.result.timed_out { 137 } else { code });
                exec.result.finished_at = Some(at);
                self.outbox.events.push(RuntimeEvent::ExecFinished { id: *id, at });
            }
        }
        if self.container.state == ContainerState::Running
            && let Some((code, at)) = kernel.info(1).and_then(|info| Some((info.exit_code?, info.clock)))
        {
            self.finish(at.max(now.min(at)), code, reason_of(code));
        }
    }

    fn finish(&mut self, at: SimTime, code: i32, reason: &'static str) {
        let container = &mut *self.container;
        container.state = ContainerState::Exited;
        container.finished_at = Some(at);
        container.exit_code = code;
        container.reason = reason;
        container.kernel = None;
        container.service = None;
        container.kill_at = None;
        container.out_of_memory_at = None;
        container.held_memory.clear();
        container.logs.flush(at);
        for (id, exec) in self.execs.iter_mut().filter(|(_, exec)| exec.container == container.id) {
            if exec.result.exit_code.is_none() {
                exec.result.exit_code = Some(137);
                exec.result.finished_at = Some(at);
                self.outbox.events.push(RuntimeEvent::ExecFinished { id: *id, at });
            }
        }
        self.outbox.events.push(RuntimeEvent::ContainerExited { id: container.id, at });
    }

    /// Gives a plain server a process table, for an exec.
    pub(super) fn ensure_kernel(&mut self, now: SimTime) {
        if self.container.kernel.is_some() {
            return;
        }
        self.prepare_files(now);
        let mut kernel = Box::<Kernel>::default();
        let argv = self.container.service.as_ref().map(|(_, service)| service.argv.to_vec()).unwrap_or_default();
        let main = NewProcess {
            program: Program::Service,
            argv,
            parent: 0,
            files: BTreeMap::new(),
            cwd: Arc::from("/"),
            env: BTreeMap::new(),
            ignored: Default::default(),
            session: Sink::Log,
        };
        kernel.spawn(main, self.container.started_at.unwrap_or(now));
        self.container.kernel = Some(kernel);
    }
}

fn reason_of(code: i32) -> &'static str {
    if code == 0 { "Completed" } else { "Error" }
}

fn start_error(missing: &Missing, name: &str) -> String {
    format!(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: \
         unable to start container process: error during container init: {}",
        missing.runc_message(name)
    )
}

/// The command line behind entry points that only run it; they put their program before bare flags.
fn without_wrappers(image: &Image, argv: &[String]) -> Vec<String> {
    let mut words = argv;
    while let [wrapper, rest @ ..] = words
        && !rest.is_empty()
        && image.spec.wrappers.contains(&tools::base_name(wrapper))
    {
        words = rest;
        while let [flag, rest @ ..] = words
            && flag == "--"
        {
            words = rest;
        }
        if words.first().is_some_and(|word| word.starts_with('-')) {
            let program = image.spec.programs.first().map(|name| name.to_string());
            return program.into_iter().chain(words.iter().cloned()).collect();
        }
    }
    words.to_vec()
}
