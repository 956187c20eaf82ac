//! The public face: one node's container runtime.

use std::collections::{BTreeMap, BTreeSet};

use super::container::{Container, Exec, Outbox};
use super::machine::Machine;
use super::root_files::image_tree;
use crate::images::{ImageStatus, ImageStore};
use crate::name_hash::mix;
use crate::process::{Pid, Sink};
use crate::service;
use crate::vfs::{FsError, Node, PinnedMount, Tree, View};
use crate::{
    ContainerConfig, ContainerId, ContainerState, ContainerStatus, ExecError, ExecId, ExecRequest, ExecResult, LogLine,
    LogOptions, MILLISECOND, NetCall, NetCallId, NetOp, NetReply, NetResult, Network, NodeConfig, Outcome, Pull,
    RegistryFault, Reply, Request, RuntimeError, RuntimeEvent, SandboxConfig, SandboxId, SandboxStatus, Signal,
    SimTime, Usage, VolumeId, Volumes,
};

/// One node's container runtime.
#[derive(Clone, Debug)]
pub struct Runtime {
    config: NodeConfig,
    volumes: Volumes,
    images: ImageStore,
    /// File trees of images that containers were made from, by image id.
    image_trees: BTreeMap<String, Node>,
    sandboxes: BTreeMap<SandboxId, SandboxStatus>,
    containers: BTreeMap<ContainerId, Box<Container>>,
    execs: BTreeMap<ExecId, Exec>,
    timers: BTreeSet<(SimTime, ContainerId)>,
    outbox: Outbox,
    net_calls: Vec<NetCall>,
    pending_net: BTreeMap<NetCallId, (ContainerId, Pid)>,
    /// Answers that come from inside the same sandbox, by when they arrive.
    local_answers: BTreeMap<(SimTime, NetCallId), NetReply>,
    seed: u64,
    last_serial: u64,
}

impl Runtime {
    /// `seed` varies ids and what programs draw at random.
    pub fn new(config: NodeConfig, seed: u64) -> Self {
        Self {
            volumes: Volumes::default(),
            images: ImageStore::new(config.hollow),
            config,
            image_trees: BTreeMap::new(),
            sandboxes: BTreeMap::new(),
            containers: BTreeMap::new(),
            execs: BTreeMap::new(),
            timers: BTreeSet::new(),
            outbox: Outbox::default(),
            net_calls: Vec::new(),
            pending_net: BTreeMap::new(),
            local_answers: BTreeMap::new(),
            seed,
            last_serial: 0,
        }
    }

    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    pub fn volumes(&self) -> &Volumes {
        &self.volumes
    }

    /// Where the kubelet makes, fills and removes volumes.
    pub fn volumes_mut(&mut self) -> &mut Volumes {
        &mut self.volumes
    }

    fn next_id(&mut self) -> u64 {
        self.last_serial += 1;
        mix(self.seed ^ mix(self.last_serial))
    }

    /// Makes every pull fail in a way, or work again.
    pub fn set_registry_fault(&mut self, fault: Option<RegistryFault>) {
        self.images.set_fault(fault);
    }

    /// Whether a reference or id names an image that is here.
    pub fn has_image(&self, now: SimTime, name: &str) -> bool {
        self.images.find(now, name).is_some()
    }

    /// The image, if the node has it at `now`. By reference, digest or id.
    pub fn image_status(&self, now: SimTime, image: &str) -> Option<ImageStatus> {
        self.images.status(now, image)
    }

    /// The images that the node has at `now`, by id.
    pub fn images(&self, now: SimTime) -> Vec<ImageStatus> {
        self.images.list(now)
    }

    /// Starts a pull. Its outcome is known at once; the image is present from `finished_at`.
    pub fn pull_image(&mut self, now: SimTime, image: &str) -> Pull {
        self.images.pull(now, image, &self.config)
    }

    /// Removes an image by id: whether it was there.
    pub fn remove_image(&mut self, id: &str) -> bool {
        self.image_trees.remove(id);
        self.images.remove(id)
    }

    /// Bytes of all images on the node.
    pub fn image_bytes(&self) -> u64 {
        self.images.bytes()
    }

    pub fn run_sandbox(&mut self, now: SimTime, config: SandboxConfig) -> SandboxId {
        let id = SandboxId(self.next_id());
        self.sandboxes.insert(id, SandboxStatus { id, config, created_at: now, ready: true });
        id
    }

    /// Tells a sandbox its address.
    pub fn set_sandbox_ip(&mut self, id: SandboxId, ip: Option<String>) -> Result<(), RuntimeError> {
        let sandbox = self.sandboxes.get_mut(&id).ok_or(RuntimeError::NoSuchSandbox(id))?;
        sandbox.config.ip = ip;
        Ok(())
    }

    /// Kills what still runs in a sandbox, which stays, not ready, until it is removed.
    pub fn stop_sandbox(&mut self, now: SimTime, id: SandboxId) -> Result<(), RuntimeError> {
        self.sandboxes.get_mut(&id).ok_or(RuntimeError::NoSuchSandbox(id))?.ready = false;
        for container in self.ids_of(id) {
            self.with_container(container, now, |machine| machine.kill(now))?;
        }
        Ok(())
    }

    /// Removes a sandbox with its containers.
    pub fn remove_sandbox(&mut self, id: SandboxId) -> Result<(), RuntimeError> {
        self.sandboxes.remove(&id).ok_or(RuntimeError::NoSuchSandbox(id))?;
        for container in self.ids_of(id) {
            self.remove_container(container)?;
        }
        Ok(())
    }

    pub fn sandbox(&self, id: SandboxId) -> Option<SandboxStatus> {
        self.sandboxes.get(&id).cloned()
    }

    /// Sandboxes by id.
    pub fn sandboxes(&self) -> Vec<SandboxStatus> {
        self.sandboxes.values().cloned().collect()
    }

    fn ids_of(&self, sandbox: SandboxId) -> Vec<ContainerId> {
        self.containers.values().filter(|c| c.sandbox == sandbox).map(|c| c.id).collect()
    }

    /// Makes a container from an image that the node has.
    ///
    /// # Errors
    ///
    /// No such sandbox or image, or a volume that does not exist.
    pub fn create_container(
        &mut self,
        now: SimTime,
        sandbox: SandboxId,
        config: ContainerConfig,
    ) -> Result<ContainerId, RuntimeError> {
        if !self.sandboxes.contains_key(&sandbox) {
            return Err(RuntimeError::NoSuchSandbox(sandbox));
        }
        let image = self.images.find(now, &config.image);
        let image = image.ok_or_else(|| RuntimeError::NoSuchImage(config.image.clone()))?;
        self.images.touch(&image.id, now);
        let mut mounts = Vec::with_capacity(config.mounts.len());
        for mount in &config.mounts {
            let bound = PinnedMount::bind(mount, &mut self.volumes, now).map_err(|error| {
                let VolumeId(name) = &mount.volume;
                RuntimeError::CreateFailed(format!(
                    "failed to generate container spec: failed to mount volume \"{name}\" to \"{}\": {error}",
                    mount.path
                ))
            })?;
            mounts.push(bound);
        }
        let id = ContainerId(self.next_id());
        let root = match self.image_trees.get(&*image.id) {
            Some(root) => root.clone(),
            None => {
                let root = image_tree(&image).root().clone();
                self.image_trees.insert(image.id.to_string(), root.clone());
                root
            }
        };
        let mut container = Container::new(id, sandbox, config, image, Tree::new(root));
        container.created_at = now;
        container.mounts = mounts;
        self.containers.insert(id, Box::new(container));
        Ok(id)
    }

    /// Starts a created container.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::StartFailed`] when its program does not exist; it is then `Exited` with reason `StartError`.
    pub fn start_container(&mut self, now: SimTime, id: ContainerId) -> Result<(), RuntimeError> {
        let state = self.containers.get(&id).ok_or(RuntimeError::NoSuchContainer(id))?.state;
        if state != ContainerState::Created {
            return Err(RuntimeError::WrongState(format!("container is in {state:?} state")));
        }
        let started = self.with_container(id, now, |machine| {
            let started = machine.start(now);
            if let Err((code, message)) = &started {
                let container = &mut *machine.container;
                container.state = ContainerState::Exited;
                container.started_at = None;
                container.finished_at = Some(now);
                container.exit_code = *code;
                container.reason = "StartError";
                container.message = message.clone();
            }
            started
        })?;
        started.map_err(|(code, message)| RuntimeError::StartFailed(code, message))
    }

    /// Sends SIGTERM, and SIGKILL after `grace_ns`. The exit comes as an event.
    pub fn stop_container(&mut self, now: SimTime, id: ContainerId, grace_ns: u64) -> Result<(), RuntimeError> {
        self.with_container(id, now, |machine| machine.stop(grace_ns, now))
    }

    /// Sends a signal to the main process.
    pub fn signal_container(&mut self, now: SimTime, id: ContainerId, signal: Signal) -> Result<(), RuntimeError> {
        self.with_container(id, now, |machine| machine.signal(signal, now))
    }

    /// Kills a container as the kernel's OOM killer does: exit code 137, reason `OOMKilled`.
    pub fn oom_kill_container(&mut self, now: SimTime, id: ContainerId) -> Result<(), RuntimeError> {
        self.with_container(id, now, |machine| machine.kill_for_memory(now))
    }

    /// Removes a container with its log and its own files.
    pub fn remove_container(&mut self, id: ContainerId) -> Result<(), RuntimeError> {
        let container = self.containers.remove(&id).ok_or(RuntimeError::NoSuchContainer(id))?;
        if let Some(deadline) = container.deadline {
            self.timers.remove(&(deadline, id));
        }
        self.execs.retain(|_, exec| exec.container != id);
        self.pending_net.retain(|_, (container, _)| *container != id);
        Ok(())
    }

    pub fn container(&self, id: ContainerId) -> Option<ContainerStatus> {
        self.containers.get(&id).map(|container| container.status())
    }

    /// Containers by id.
    pub fn containers(&self) -> Vec<ContainerStatus> {
        self.containers.values().map(|container| container.status()).collect()
    }

    pub fn containers_of(&self, sandbox: SandboxId) -> Vec<ContainerStatus> {
        self.containers.values().filter(|c| c.sandbox == sandbox).map(|c| c.status()).collect()
    }

    pub fn usage(&self, now: SimTime, id: ContainerId) -> Option<Usage> {
        self.containers.get(&id).map(|container| container.usage(now))
    }

    /// Sets new limits, as an in-place resize does. Memory in use above the limit brings the OOM killer.
    pub fn update_resources(
        &mut self,
        now: SimTime,
        id: ContainerId,
        cpu_limit_milli: Option<u64>,
        memory_limit_bytes: Option<u64>,
    ) -> Result<(), RuntimeError> {
        self.with_container(id, now, |machine| machine.update_limits(cpu_limit_milli, memory_limit_bytes, now))
    }

    /// A file of a container, running or exited: for termination messages and `kubectl cp`.
    pub fn read_file(&self, id: ContainerId, path: &str) -> Option<Vec<u8>> {
        let container = self.containers.get(&id)?;
        let (mut root, mut mounts) = (container.root.clone(), container.mounts.clone());
        let mut volumes = self.volumes.clone();
        let mut view = View { root: &mut root, mounts: &mut mounts, volumes: &mut volumes, now: 0, read_only: true };
        view.read(path).ok()
    }

    /// Writes a file into a container: for `kubectl cp`.
    pub fn write_file(&mut self, now: SimTime, id: ContainerId, path: &str, content: &[u8]) -> Result<(), FsError> {
        let container = self.containers.get_mut(&id).ok_or(FsError::NotFound)?;
        let mut view = View {
            read_only: container.config.read_only_root,
            root: &mut container.root,
            mounts: &mut container.mounts,
            volumes: &mut self.volumes,
            now,
        };
        view.write(path, content)
    }

    /// A container's log up to `now`. It stays readable after the exit until the container is removed.
    pub fn logs(&self, now: SimTime, id: ContainerId, options: &LogOptions) -> Vec<LogLine> {
        self.containers.get(&id).map(|container| container.logs.read(now, options)).unwrap_or_default()
    }

    /// The serial number of the last line, for [`LogOptions::after`].
    pub fn log_serial(&self, id: ContainerId) -> u64 {
        self.containers.get(&id).map_or(0, |container| container.logs.serial())
    }

    /// What the main process wrote after the last line end, such as a prompt.
    pub fn unfinished_line(&self, id: ContainerId) -> &str {
        self.containers.get(&id).map_or("", |container| container.logs.unfinished())
    }

    /// Standard input for a container with [`ContainerConfig::stdin`] (text with its line end), or its end.
    pub fn feed_container(&mut self, now: SimTime, id: ContainerId, input: Option<&str>) -> Result<(), RuntimeError> {
        self.with_container(id, now, |machine| machine.feed(input, now))
    }

    /// Runs a command. Short commands have finished when this returns: look at [`Runtime::exec_result`] first.
    ///
    /// # Errors
    ///
    /// No such container, not running, or no such command.
    pub fn exec(&mut self, now: SimTime, id: ContainerId, request: ExecRequest) -> Result<ExecId, ExecError> {
        let container = self.containers.get(&id).ok_or(ExecError::NoSuchContainer(id))?;
        if container.state != ContainerState::Running {
            return Err(ExecError::NotRunning(id));
        }
        let is_hollow = container.is_hollow();
        let exec_id = ExecId(self.next_id());
        let kill_at = request.timeout_ns.map(|timeout| now.saturating_add(timeout));
        let exec = Exec { container: id, pid: 0, result: ExecResult::default(), kill_at, input: None, taken: (0, 0) };
        self.execs.insert(exec_id, exec);
        if is_hollow {
            let result = ExecResult { exit_code: Some(0), finished_at: Some(now), ..ExecResult::default() };
            self.execs.entry(exec_id).and_modify(|exec| exec.result = result);
            return Ok(exec_id);
        }
        let started = self.with_container(id, now, |machine| {
            machine.start_exec(exec_id, &request.command, &request.stdin, request.interactive, now)
        });
        match started {
            Ok(Ok((pid, input))) => {
                if let Some(exec) = self.execs.get_mut(&exec_id) {
                    exec.pid = pid;
                    exec.input = input;
                }
                self.hurry(now, exec_id);
                Ok(exec_id)
            }
            Ok(Err(message)) => {
                self.execs.remove(&exec_id);
                Err(ExecError::StartFailed(message))
            }
            Err(_) => Err(ExecError::NoSuchContainer(id)),
        }
    }

    /// Lets an exec run a little ahead of `now`, so that what needs only CPU time answers at once.
    fn hurry(&mut self, now: SimTime, id: ExecId) {
        const AHEAD_NS: u64 = 20 * MILLISECOND;
        const ROUNDS_MAX: usize = 16;
        let Some(container) = self.execs.get(&id).map(|exec| exec.container) else { return };
        for _ in 0..ROUNDS_MAX {
            let ran = self.with_container(container, now, |machine| machine.run(now + AHEAD_NS, Some(Sink::Exec(id))));
            let due = self.local_answers.first_key_value().is_some_and(|((at, _), _)| *at <= now + AHEAD_NS);
            if ran.is_err() || !due {
                return;
            }
            self.deliver_local_answers(now + AHEAD_NS);
        }
    }

    pub fn exec_result(&self, id: ExecId) -> Option<&ExecResult> {
        self.execs.get(&id).map(|exec| &exec.result)
    }

    /// What the command has written to its outputs since the last call, for an interactive session.
    pub fn take_exec_output(&mut self, id: ExecId) -> (String, String) {
        let Some(exec) = self.execs.get_mut(&id) else { return Default::default() };
        let (out, err) = (&exec.result.stdout, &exec.result.stderr);
        let fresh = (out[exec.taken.0..].to_owned(), err[exec.taken.1..].to_owned());
        exec.taken = (out.len(), err.len());
        fresh
    }

    /// Standard input for an interactive exec (text with its line end), or its end with `None`.
    pub fn feed_exec(&mut self, now: SimTime, id: ExecId, input: Option<&str>) {
        let Some(exec) = self.execs.get(&id) else { return };
        let (container, pipe) = (exec.container, exec.input);
        if let Some(pipe) = pipe
            && self.with_container(container, now, |machine| machine.feed_exec(pipe, input, now)).is_ok()
        {
            self.hurry(now, id);
        }
    }

    /// Sends a signal to the exec's processes; `Int` is what Ctrl-C sends.
    pub fn signal_exec(&mut self, now: SimTime, id: ExecId, signal: Signal) {
        let container = self.execs.get(&id).map(|exec| exec.container);
        if let Some(container) = container {
            // A container that is gone has no processes left to signal.
            let _gone = self.with_container(container, now, |machine| machine.signal_exec(id, signal, now));
        }
    }

    /// Kills the command if it runs, and forgets it.
    pub fn close_exec(&mut self, now: SimTime, id: ExecId) {
        self.signal_exec(now, id, Signal::Kill);
        self.execs.remove(&id);
    }

    /// The container of a sandbox that listens on a port.
    pub fn listener(&self, now: SimTime, sandbox: SandboxId, port: u16) -> Option<ContainerId> {
        self.containers.values().find(|c| c.sandbox == sandbox && c.listens(now, port)).map(|c| c.id)
    }

    /// Delivers a request to a sandbox: `Refused` when nothing listens on the port.
    pub fn serve(&mut self, now: SimTime, sandbox: SandboxId, request: &Request) -> Reply {
        let refused = || Reply::at_once(Outcome::Refused, 0);
        let Some(id) = self.listener(now, sandbox, request.port) else { return refused() };
        self.with_container(id, now, |machine| machine.serve(now, request)).unwrap_or_else(|_| refused())
    }

    /// The final reply to a request that had downstream calls, whose outcomes are given in order.
    pub fn complete(
        &self,
        now: SimTime,
        sandbox: SandboxId,
        request: &Request,
        reply: Reply,
        outcomes: &[Outcome],
    ) -> Reply {
        match self.listener(now, sandbox, request.port).and_then(|id| self.containers.get(&id)) {
            Some(container) => service::complete(&container.image, request, reply, outcomes),
            None => Reply::at_once(Outcome::Reset, reply.latency_ns),
        }
    }

    /// When [`Runtime::advance`] must be called next.
    pub fn poll_timeout(&self) -> Option<SimTime> {
        let timer = self.timers.first().map(|(at, _)| *at);
        let answer = self.local_answers.first_key_value().map(|((at, _), _)| *at);
        timer.into_iter().chain(answer).min()
    }

    /// Does all that is due by `now`, in order of time.
    pub fn advance(&mut self, now: SimTime) {
        const ROUNDS_MAX: usize = 100_000;
        for _ in 0..ROUNDS_MAX {
            let Some(at) = self.poll_timeout().filter(|at| *at <= now) else { return };
            self.deliver_local_answers(at);
            let Some(&(due, id)) = self.timers.first() else { continue };
            if due <= at {
                let moved = self.with_container(id, at, |machine| machine.advance(at));
                if moved.is_err() {
                    self.timers.remove(&(due, id));
                }
            }
        }
    }

    fn deliver_local_answers(&mut self, until: SimTime) {
        while let Some((&(at, id), _)) = self.local_answers.first_key_value()
            && at <= until
        {
            if let Some(reply) = self.local_answers.remove(&(at, id)) {
                self.answer_net_call(at, id, reply);
            }
        }
    }

    /// What happened since the last call.
    pub fn take_events(&mut self) -> Vec<RuntimeEvent> {
        std::mem::take(&mut self.outbox.events)
    }

    /// What processes have asked the network since the last call.
    pub fn take_net_calls(&mut self) -> Vec<NetCall> {
        std::mem::take(&mut self.net_calls)
    }

    /// Answers a call, at the time when the answer arrives. `took_ns` only shows in what `ping` and `curl` print.
    pub fn answer_net_call(&mut self, now: SimTime, id: NetCallId, reply: NetReply) {
        let Some((container, pid)) = self.pending_net.remove(&id) else { return };
        // The container may have been removed while the call was under way.
        let _gone = self.with_container(container, now, |machine| machine.answer(pid, reply, now));
    }

    /// Asks `network` for all waiting calls; the answers arrive as their times come, without further ado.
    pub fn pump(&mut self, now: SimTime, network: &mut dyn Network) {
        for call in self.take_net_calls() {
            let reply = network.call(now, &call);
            self.local_answers.insert((call.at.max(now) + reply.took_ns, call.id), reply);
        }
    }

    /// Lends a container out with its surroundings, then sees to its timer and what it sent.
    fn with_container<R>(
        &mut self,
        id: ContainerId,
        now: SimTime,
        apply: impl FnOnce(&mut Machine<'_>) -> R,
    ) -> Result<R, RuntimeError> {
        let container = self.containers.get_mut(&id).ok_or(RuntimeError::NoSuchContainer(id))?;
        let sandbox = container.sandbox;
        let sandbox = self.sandboxes.get(&sandbox).ok_or(RuntimeError::NoSuchSandbox(sandbox))?;
        let mut machine = Machine {
            container,
            volumes: &mut self.volumes,
            sandbox: &sandbox.config,
            node: &self.config,
            execs: &mut self.execs,
            outbox: &mut self.outbox,
        };
        let result = apply(&mut machine);
        let deadline = machine.next_deadline();
        if deadline != container.deadline {
            if let Some(old) = container.deadline {
                self.timers.remove(&(old, id));
            }
            self.timers.extend(deadline.map(|at| (at, id)));
            container.deadline = deadline;
        }
        self.send_net_calls(now);
        Ok(result)
    }

    fn send_net_calls(&mut self, now: SimTime) {
        for (container, pid, op, at) in std::mem::take(&mut self.outbox.net) {
            self.last_serial += 1;
            let id = NetCallId(self.last_serial);
            self.pending_net.insert(id, (container, pid));
            let call = NetCall { id, container, at, op };
            match self.answer_inside(&call, at.max(now)) {
                Some(reply) => {
                    self.local_answers.insert((at + reply.took_ns, id), reply);
                }
                None => self.net_calls.push(call),
            }
        }
    }

    /// Answers what a process asks its own Pod; a server that itself calls others needs the network.
    fn answer_inside(&mut self, call: &NetCall, now: SimTime) -> Option<NetReply> {
        let NetOp::Request { request, .. } = &call.op else { return None };
        let sandbox = self.sandboxes.get(&self.containers.get(&call.container)?.sandbox)?;
        let own_ip = sandbox.config.ip.as_deref() == Some(request.host.as_str());
        let own_name = request.host == sandbox.config.hostname;
        if !own_ip && !own_name && !matches!(request.host.as_str(), "localhost" | "127.0.0.1" | "::1" | "0.0.0.0") {
            return None;
        }
        let ip = if own_ip { request.host.clone() } else { "127.0.0.1".to_owned() };
        let request = Request { client_ip: ip.clone(), ..request.clone() };
        let reply = self.serve(now, sandbox.id, &request);
        if !reply.downstream.is_empty() {
            return None;
        }
        let result = NetResult::Finished { ip: Some(ip), outcome: reply.outcome };
        Some(NetReply { result, took_ns: reply.latency_ns })
    }
}
