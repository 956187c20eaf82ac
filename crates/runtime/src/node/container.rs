//! A container and what happens in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::logs::Logs;
use super::types::{
    ContainerConfig, ContainerId, ContainerState, ContainerStatus, ExecId, ExecResult, LogStream, NodeConfig,
    RuntimeEvent, SandboxConfig, SandboxId, Usage,
};
use crate::images::Image;
use crate::process::{Descriptor, Effect, Host, Kernel, NewProcess, Pid, PipeId, Program, Sink, Task};
use crate::service::{Service, Surroundings};
use crate::tools::{self, Missing};
use crate::vfs::{PinnedMount, Tree, View};
use crate::{MILLISECOND, NetOp, Outcome, Reply, Request, SECOND, Signal, SimTime, Volumes};

/// One container.
#[derive(Clone, Debug)]
pub struct Container {
    pub id: ContainerId,
    pub sandbox: SandboxId,
    pub config: Arc<ContainerConfig>,
    pub image: Image,
    pub state: ContainerState,
    pub created_at: SimTime,
    pub started_at: Option<SimTime>,
    pub finished_at: Option<SimTime>,
    pub exit_code: i32,
    pub reason: &'static str,
    pub message: String,
    pub cpu_limit_milli: Option<u64>,
    pub memory_limit_bytes: Option<u64>,
    pub root: Tree,
    pub mounts: Vec<PinnedMount>,
    pub logs: Logs,
    /// Where [`super::Runtime`] has it in its timers.
    pub deadline: Option<SimTime>,
    kernel: Option<Box<Kernel>>,
    service: Option<(Pid, Service)>,
    input: Option<PipeId>,
    kill_at: Option<SimTime>,
    out_of_memory_at: Option<SimTime>,
    held_memory: BTreeMap<Pid, u64>,
    random: u64,
    meter: CpuMeter,
}

/// CPU use in the last 15 seconds or so.
#[derive(Clone, Copy, Debug, Default)]
struct CpuMeter {
    since: SimTime,
    ns: u64,
    last_milli: u64,
    total_ns: u64,
}

impl CpuMeter {
    const WINDOW_NS: SimTime = 15 * SECOND;

    fn add(&mut self, now: SimTime, ns: u64) {
        let age = now.saturating_sub(self.since);
        if age >= Self::WINDOW_NS {
            self.last_milli = self.ns * 1000 / age;
            self.since = now;
            self.ns = 0;
        }
        self.ns += ns;
        self.total_ns += ns;
    }

    fn milli(&self, now: SimTime) -> u64 {
        let age = now.saturating_sub(self.since);
        if age >= SECOND { self.ns * 1000 / age } else { self.last_milli }
    }
}

/// A command that runs in a container.
#[derive(Clone, Debug)]
pub struct Exec {
    pub container: ContainerId,
    pub pid: Pid,
    pub result: ExecResult,
    pub kill_at: Option<SimTime>,
    pub input: Option<PipeId>,
    /// How much of the output has been taken.
    pub taken: (usize, usize),
}

/// What a container does beyond itself, for the runtime to pass on.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    pub events: Vec<RuntimeEvent>,
    pub net: Vec<(ContainerId, Pid, NetOp, SimTime)>,
}

impl Container {
    pub fn new(id: ContainerId, sandbox: SandboxId, config: ContainerConfig, image: Image, root: Tree) -> Self {
        Self {
            id,
            sandbox,
            cpu_limit_milli: config.cpu_limit_milli,
            memory_limit_bytes: config.memory_limit_bytes,
            config: Arc::new(config),
            image,
            state: ContainerState::Created,
            created_at: 0,
            started_at: None,
            finished_at: None,
            exit_code: 0,
            reason: "",
            message: String::new(),
            root,
            mounts: Vec::new(),
            logs: Logs::default(),
            deadline: None,
            kernel: None,
            service: None,
            input: None,
            kill_at: None,
            out_of_memory_at: None,
            held_memory: BTreeMap::new(),
            random: id.0,
            meter: CpuMeter::default(),
        }
    }

    pub fn status(&self) -> ContainerStatus {
        ContainerStatus {
            id: self.id,
            sandbox: self.sandbox,
            name: self.config.name.clone(),
            attempt: self.config.attempt,
            image: self.image.reference.to_string(),
            image_id: self.image.repository_digest.to_string(),
            state: self.state,
            created_at: self.created_at,
            started_at: self.started_at,
            finished_at: self.finished_at,
            exit_code: self.exit_code,
            reason: self.reason.to_owned(),
            message: self.message.clone(),
        }
    }

    pub fn usage(&self, now: SimTime) -> Usage {
        let disk_bytes = self.root.used_bytes();
        let log_bytes = self.logs.bytes();
        if self.state != ContainerState::Running {
            return Usage { disk_bytes, log_bytes, ..Usage::default() };
        }
        let idle = self.service.as_ref().map_or(0, |(_, service)| service.idle_cpu_milli);
        let cap = self.cpu_limit_milli.unwrap_or(u64::MAX);
        let age = now.saturating_sub(self.started_at.unwrap_or(now));
        let shell_bytes = if self.kernel.is_some() { 700 << 10 } else { 0 };
        let cpu_milli = self.config.settings.cpu_milli.unwrap_or_else(|| idle + self.meter.milli(now)).min(cap);
        let base_milli = self.config.settings.cpu_milli.unwrap_or(idle).min(cap);
        Usage {
            cpu_milli,
            cpu_total_ns: self.meter.total_ns + (u128::from(age) * u128::from(base_milli) / 1000) as u64,
            memory_bytes: shell_bytes + self.memory_bytes(),
            disk_bytes,
            log_bytes,
        }
    }

    fn memory_bytes(&self) -> u64 {
        let service = self.service.as_ref().map_or(0, |(_, service)| service.memory_bytes);
        let held: u64 = self.held_memory.values().sum();
        match (&self.service, self.config.settings.memory_bytes) {
            (None, Some(bytes)) => bytes,
            _ => service + held,
        }
    }

    /// Whether a request to that port would reach a listener.
    pub fn listens(&self, now: SimTime, port: u16) -> bool {
        self.state == ContainerState::Running
            && self.service.as_ref().is_some_and(|(_, s)| s.ports.contains(&port) && now >= s.listening_from)
    }

    /// The command line: entry point and arguments, by the rules of `command` and `args`.
    fn command_line(&self) -> Vec<String> {
        let spec = self.image.spec;
        let owned = |words: &[&str]| words.iter().map(|word| word.to_string()).collect::<Vec<_>>();
        let (entrypoint, arguments) = match (self.config.command.is_empty(), self.config.args.is_empty()) {
            (true, true) => (owned(spec.entrypoint), owned(spec.cmd)),
            (true, false) => (owned(spec.entrypoint), self.config.args.clone()),
            (false, _) => (self.config.command.clone(), self.config.args.clone()),
        };
        entrypoint.into_iter().chain(arguments).collect()
    }

    fn environment(&self, sandbox: &SandboxConfig) -> BTreeMap<Arc<str>, Arc<str>> {
        const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let home = if self.uid() == 0 { "/root" } else { "/" };
        let base = [("PATH", PATH), ("HOME", home), ("HOSTNAME", sandbox.hostname.as_str())];
        let version = self.image.tag.split('-').next().unwrap_or_default();
        let of_image = self.image.spec.env.iter().map(|(n, v)| (*n, if *v == "{version}" { version } else { *v }));
        let own = self.config.env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        base.into_iter().chain(of_image).chain(own).map(|(n, v)| (Arc::from(n), Arc::from(v))).collect()
    }

    fn uid(&self) -> u32 {
        self.config.run_as_user.unwrap_or(self.image.spec.uid)
    }
}

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
    fn spawn(
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
            match tools::find_program(&mut task, &argv, &env) {
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

    /// Starts a command: its process, and the pipe to it when interactive.
    pub fn start_exec(
        &mut self,
        exec: ExecId,
        command: &[String],
        stdin: &str,
        interactive: bool,
        now: SimTime,
    ) -> Result<(Pid, Option<PipeId>), String> {
        self.ensure_kernel(now);
        let env = self.container.environment(self.sandbox);
        let mut files: BTreeMap<u32, Descriptor> = [
            (0, Descriptor::Null),
            (1, Descriptor::Terminal(Sink::Exec(exec), LogStream::Stdout)),
            (2, Descriptor::Terminal(Sink::Exec(exec), LogStream::Stderr)),
        ]
        .into();
        let mut input = None;
        if !stdin.is_empty()
            && !interactive
            && let Some(kernel) = &mut self.container.kernel
        {
            files.insert(0, kernel.make_reader(stdin));
        }
        if interactive && let Some(kernel) = &mut self.container.kernel {
            let pipe = kernel.make_pipe(true);
            kernel.feed(pipe, Some(stdin), now);
            input = Some(pipe);
            files.insert(0, Descriptor::PipeRead(pipe));
        }
        let name = command.first().cloned().unwrap_or_default();
        let pid = self.spawn(command.to_vec(), env, files, Sink::Exec(exec), interactive, now).map_err(|missing| {
            format!(
                "OCI runtime exec failed: exec failed: unable to start container process: {}",
                missing.runc_message(&name)
            )
        })?;
        Ok((pid, input))
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
                self.container.logs.write(service.listening_from, LogStream::Stdout, &format!("{line}\n"));
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

    pub fn feed_exec(&mut self, pipe: PipeId, text: Option<&str>, now: SimTime) {
        if let Some(kernel) = &mut self.container.kernel {
            kernel.feed(pipe, text, now);
        }
    }

    pub fn signal_exec(&mut self, exec: ExecId, signal: Signal, now: SimTime) {
        if self.container.kernel.is_none() {
            return;
        }
        self.with_kernel(now, false, |kernel, host| {
            for pid in kernel.living(Sink::Exec(exec)) {
                kernel.signal(pid, signal, true, now, host);
            }
        });
        self.collect_exits(now);
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
            self.container.logs.write(now, stream, &(line + "\n"));
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

    fn with_kernel<R>(
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
    fn collect_exits(&mut self, now: SimTime) {
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

    fn time_out_execs(&mut self, now: SimTime) {
        let id = self.container.id;
        let late: Vec<ExecId> = self
            .execs
            .iter_mut()
            .filter(|(_, e)| e.container == id && e.result.exit_code.is_none() && e.kill_at.is_some_and(|at| at <= now))
            .map(|(id, exec)| {
                exec.result.timed_out = true;
                exec.kill_at = None;
                *id
            })
            .collect();
        for exec in late {
            self.signal_exec(exec, Signal::Kill, now);
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
    fn ensure_kernel(&mut self, now: SimTime) {
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

    /// Writes what the runtime puts into every container: host name, hosts, name servers, mount points.
    fn prepare_files(&mut self, now: SimTime) {
        let sandbox = self.sandbox;
        let mut hosts = String::from("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n");
        if let Some(ip) = &sandbox.ip {
            hosts.push_str(&format!("{ip}\t{}\n", sandbox.hostname));
        }
        if !sandbox.hosts.is_empty() {
            hosts.push_str("\n# Entries added by HostAliases.\n");
        }
        for (ip, names) in &sandbox.hosts {
            hosts.push_str(&format!("{ip}\t{}\n", names.join("\t")));
        }
        let mut resolv = String::new();
        if !sandbox.dns.searches.is_empty() {
            resolv.push_str(&format!("search {}\n", sandbox.dns.searches.join(" ")));
        }
        for server in &sandbox.dns.servers {
            resolv.push_str(&format!("nameserver {server}\n"));
        }
        if !sandbox.dns.options.is_empty() {
            resolv.push_str(&format!("options {}\n", sandbox.dns.options.join(" ")));
        }
        let container = &mut *self.container;
        let mut tree = Tree::new(container.root.root().clone());
        let host_name = format!("{}\n", sandbox.hostname);
        for (path, text) in [("/etc/hosts", &hosts), ("/etc/resolv.conf", &resolv), ("/etc/hostname", &host_name)] {
            let _ = tree.write_all(path, text.as_bytes(), 0o644, now);
        }
        for mount in &container.mounts {
            let path = &mount.mount().path;
            if tree.get(&crate::vfs::path_names(path)).is_err() {
                let _ = tree.make_dir_all(path, now);
            }
        }
        if let Some(directory) = &container.config.working_dir {
            let _ = tree.make_dir_all(directory, now);
        }
        container.root.adopt(tree);
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
