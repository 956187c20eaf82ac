//! The scheduler: which process runs next, and what became of those that ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Descriptor, Effect, Host, Pid, Pipe, PipeId, Reader, ReaderId, Sink, Task};
use crate::shell::Shell;
use crate::tools::ToolRun;
use crate::{NetReply, SECOND, Signal, SimTime};

/// Virtual time to start a process.
pub const SPAWN_NS: u64 = 400_000;
const PROCESSES_MAX: usize = 256;
/// The parent of a process whose parent has ended: nobody waits for it.
const ORPHANED: Pid = Pid::MAX;
/// Steps in one call of [`Kernel::run`]; what is left runs at the next call.
const STEPS_MAX: usize = 20_000;

/// A process's code and state.
#[derive(Clone, Debug)]
pub enum Program {
    Shell(Box<Shell>),
    Tool(Box<ToolRun>),
    /// A server that the runtime models; here it only exists.
    Service,
    /// The program is being stepped.
    Running,
}

/// What one step of a program came to.
#[derive(Debug)]
pub enum Step {
    Ran,
    Wait(Wait),
    Exit(i32),
    /// `exec`: go on as another program.
    Become(Program, Vec<String>),
}

/// What a process waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    Ready,
    Until(SimTime),
    Readable(PipeId),
    /// A whole line, or the end.
    ReadableLine(PipeId),
    Writable(PipeId),
    /// All of these children have ended. Trapped signals stay pending meanwhile.
    Children(Vec<Pid>),
    /// As [`Wait::Children`], for the `wait` built-in: a trapped signal ends it.
    Jobs(Vec<Pid>),
    Net,
    Forever,
}

/// A process but for its program.
#[derive(Clone, Debug)]
pub struct Info {
    pub pid: Pid,
    pub parent: Pid,
    pub argv: Vec<String>,
    pub files: BTreeMap<u32, Descriptor>,
    /// Descriptors that come back after a redirection; they keep their pipes open meanwhile.
    pub saved_files: Vec<BTreeMap<u32, Descriptor>>,
    pub cwd: Arc<str>,
    pub env: BTreeMap<Arc<str>, Arc<str>>,
    /// The process's own time: the moment that its next step begins.
    pub clock: SimTime,
    pub wait: Wait,
    pub pending: Vec<Signal>,
    pub ignored: BTreeSet<Signal>,
    pub trapped: BTreeSet<Signal>,
    pub exit_code: Option<i32>,
    pub net_reply: Option<NetReply>,
    pub session: Sink,
    pub started_at: SimTime,
}

impl Info {
    fn descriptors(&self) -> impl Iterator<Item = &Descriptor> {
        self.files.values().chain(self.saved_files.iter().flat_map(BTreeMap::values))
    }
}

/// What a process starts with.
pub struct NewProcess {
    pub program: Program,
    pub argv: Vec<String>,
    pub parent: Pid,
    pub files: BTreeMap<u32, Descriptor>,
    pub cwd: Arc<str>,
    pub env: BTreeMap<Arc<str>, Arc<str>>,
    pub ignored: BTreeSet<Signal>,
    pub session: Sink,
}

/// All processes of a container.
#[derive(Clone, Debug, Default)]
pub struct Kernel {
    pub(super) processes: BTreeMap<Pid, (Info, Program)>,
    pub(super) pipes: BTreeMap<PipeId, Pipe>,
    pub(super) readers: BTreeMap<ReaderId, Reader>,
    last_pid: Pid,
    last_pipe: u32,
    last_reader: u32,
    /// Since when some process has had work to do all the time.
    busy_since: Option<SimTime>,
    moment: SimTime,
    /// CPU time of all processes in nanoseconds.
    pub cpu_ns: u64,
}

impl Kernel {
    /// Starts a process, or refuses when there are too many.
    pub fn spawn(&mut self, new: NewProcess, at: SimTime) -> Option<Pid> {
        if self.processes.len() >= PROCESSES_MAX {
            return None;
        }
        self.last_pid += 1;
        let pid = self.last_pid;
        let info = Info {
            pid,
            parent: new.parent,
            argv: new.argv,
            files: new.files,
            saved_files: Vec::new(),
            cwd: new.cwd,
            env: new.env,
            clock: at,
            wait: if matches!(new.program, Program::Service) { Wait::Forever } else { Wait::Ready },
            pending: Vec::new(),
            ignored: new.ignored,
            trapped: BTreeSet::new(),
            exit_code: None,
            net_reply: None,
            session: new.session,
            started_at: at,
        };
        self.processes.insert(pid, (info, new.program));
        Some(pid)
    }

    /// Gives a process that was just spawned its program.
    pub fn install(&mut self, pid: Pid, program: Program) {
        if let Some((info, slot)) = self.processes.get_mut(&pid) {
            if matches!(program, Program::Service) {
                info.wait = Wait::Forever;
            }
            *slot = program;
        }
    }

    pub fn make_pipe(&mut self, fed_from_outside: bool) -> PipeId {
        self.last_pipe += 1;
        let id = PipeId(self.last_pipe);
        self.pipes.insert(id, Pipe { text: String::new(), fed_from_outside });
        id
    }

    /// Opens a text for reading.
    pub fn make_reader(&mut self, text: &str) -> Descriptor {
        self.last_reader += 1;
        let id = ReaderId(self.last_reader);
        self.readers.insert(id, Reader { text: Arc::from(text), offset: 0 });
        Descriptor::Reader(id)
    }

    /// Text from outside for a pipe, or its end.
    pub fn feed(&mut self, id: PipeId, text: Option<&str>, at: SimTime) {
        self.moment = self.moment.max(at);
        let Some(pipe) = self.pipes.get_mut(&id) else { return };
        match text {
            Some(text) => pipe.text.push_str(text),
            None => pipe.fed_from_outside = false,
        }
    }

    pub fn info(&self, pid: Pid) -> Option<&Info> {
        self.processes.get(&pid).map(|(info, _)| info)
    }

    /// Processes by number, the ended ones that nobody has waited for included.
    pub fn infos(&self) -> impl Iterator<Item = &Info> {
        self.processes.values().map(|(info, _)| info)
    }

    pub(super) fn info_mut(&mut self, pid: Pid) -> Option<&mut Info> {
        self.processes.get_mut(&pid).map(|(info, _)| info)
    }

    /// When [`Kernel::run`] has something to do; `None` while all wait for others.
    pub fn next_time(&self) -> Option<SimTime> {
        self.processes.keys().filter_map(|pid| self.ready_at(*pid)).min()
    }

    /// Steps processes whose time has come, those of one session only if given.
    pub fn run(&mut self, until: SimTime, session: Option<Sink>, host: &mut Host<'_>) {
        for _ in 0..STEPS_MAX {
            let candidates = self.processes.values().filter(|(info, _)| session.is_none_or(|s| s == info.session));
            let next = candidates.filter_map(|(info, _)| Some((self.ready_at(info.pid)?, info.pid))).min();
            match next {
                Some((at, pid)) if at <= until => self.step(pid, at, host),
                _ => break,
            }
        }
        let busy = self.infos().any(|info| info.exit_code.is_none() && info.wait == Wait::Ready);
        if !busy {
            self.busy_since = None;
        }
    }

    fn ready_at(&self, pid: Pid) -> Option<SimTime> {
        let info = self.info(pid)?;
        if info.exit_code.is_some() {
            return None;
        }
        let interrupted = !info.pending.is_empty() && !matches!(info.wait, Wait::Children(_));
        let woken = info.clock.max(self.moment);
        match &info.wait {
            Wait::Ready => Some(info.clock),
            _ if interrupted => Some(woken),
            Wait::Until(time) => Some(*time),
            Wait::Readable(pipe) => self.readable(*pipe).then_some(woken),
            Wait::ReadableLine(pipe) => self.has_line(*pipe).then_some(woken),
            Wait::Writable(pipe) => self.writable(*pipe).then_some(woken),
            Wait::Children(pids) | Wait::Jobs(pids) => pids.iter().all(|pid| self.ended(*pid)).then_some(woken),
            Wait::Net => info.net_reply.is_some().then_some(woken),
            Wait::Forever => None,
        }
    }

    fn step(&mut self, pid: Pid, at: SimTime, host: &mut Host<'_>) {
        self.moment = at;
        let Some((info, program)) = self.processes.get_mut(&pid) else { return };
        info.clock = at;
        info.wait = Wait::Ready;
        let mut program = std::mem::replace(program, Program::Running);
        let mut task = Task { kernel: self, host, pid };
        let step = match &mut program {
            Program::Shell(shell) => shell.step(&mut task),
            Program::Tool(tool) => tool.step(&mut task),
            Program::Service | Program::Running => Step::Wait(Wait::Forever),
        };
        let Some((info, slot)) = self.processes.get_mut(&pid) else { return };
        *slot = program;
        self.moment = self.moment.max(info.clock.min(at + SPAWN_NS));
        match step {
            Step::Ran => {}
            Step::Wait(wait) => info.wait = wait,
            Step::Exit(code) => {
                self.end(pid, code, host);
            }
            Step::Become(next, argv) => {
                info.argv = argv;
                info.trapped.clear();
                if matches!(next, Program::Service) {
                    info.wait = Wait::Forever;
                    let (argv, at) = (info.argv.clone(), info.clock);
                    host.effects.push(Effect::ServiceStarted { pid, argv, at });
                }
                *slot = next;
            }
        }
    }

    /// Sends a signal as `kill` does. Process 1 takes only what it has a handler for, and `KILL` from outside.
    pub fn signal(&mut self, pid: Pid, signal: Signal, from_outside: bool, at: SimTime, host: &mut Host<'_>) -> bool {
        self.moment = self.moment.max(at);
        let Some((info, program)) = self.processes.get_mut(&pid) else { return false };
        if info.exit_code.is_some() || (info.ignored.contains(&signal) && signal != Signal::Kill) {
            return true;
        }
        if signal != Signal::Kill {
            if info.trapped.contains(&signal) {
                info.pending.push(signal);
                return true;
            }
            if matches!(program, Program::Service) {
                host.effects.push(Effect::ServiceSignalled { pid, signal, at });
                return true;
            }
        }
        let shielded = pid == 1 && !(signal == Signal::Kill && from_outside);
        if !shielded {
            info.clock = info.clock.max(at);
            self.end(pid, 128 + signal.number(), host);
        }
        true
    }

    /// Ends a process from outside its own code: a service that exits, an exec that is closed.
    pub fn end(&mut self, pid: Pid, code: i32, host: &mut Host<'_>) {
        let Some((info, program)) = self.processes.get_mut(&pid) else { return };
        if info.exit_code.is_some() {
            return;
        }
        info.exit_code = Some(code);
        info.files.clear();
        info.saved_files.clear();
        if matches!(program, Program::Service) {
            host.effects.push(Effect::ServiceEnded { pid });
        }
        let orphaned = info.parent == ORPHANED;
        let orphans: Vec<Pid> = self.infos().filter(|info| info.parent == pid).map(|info| info.pid).collect();
        for orphan in orphans {
            if self.ended(orphan) {
                self.processes.remove(&orphan);
            } else if let Some(info) = self.info_mut(orphan) {
                info.parent = ORPHANED;
            }
        }
        if orphaned {
            self.processes.remove(&pid);
        }
        self.drop_unused();
    }

    /// Takes an ended process away: its exit code.
    pub fn reap(&mut self, pid: Pid) -> Option<i32> {
        let code = self.info(pid)?.exit_code?;
        self.processes.remove(&pid);
        Some(code)
    }

    /// The processes of a session that still run.
    pub fn living(&self, session: Sink) -> Vec<Pid> {
        self.infos().filter(|i| i.session == session && i.exit_code.is_none()).map(|i| i.pid).collect()
    }

    /// The answer to a process's network operation.
    pub fn answer(&mut self, pid: Pid, reply: NetReply, at: SimTime) {
        self.moment = self.moment.max(at);
        if let Some(info) = self.info_mut(pid) {
            info.clock = info.clock.max(at);
            info.net_reply = Some(reply);
        }
    }

    pub(super) fn ended(&self, pid: Pid) -> bool {
        self.info(pid).is_none_or(|info| info.exit_code.is_some())
    }

    pub(super) fn readable(&self, id: PipeId) -> bool {
        self.pipes.get(&id).is_none_or(|pipe| !pipe.text.is_empty() || !(pipe.fed_from_outside || self.has_writer(id)))
    }

    fn has_line(&self, id: PipeId) -> bool {
        let ended = |pipe: &Pipe| !(pipe.fed_from_outside || self.has_writer(id));
        self.pipes.get(&id).is_none_or(|pipe| pipe.text.contains('\n') || ended(pipe))
    }

    pub(super) fn writable(&self, id: PipeId) -> bool {
        const PIPE_BYTES: usize = 65_536;
        self.pipes.get(&id).is_none_or(|pipe| pipe.text.len() < PIPE_BYTES) || !self.has_reader(id)
    }

    pub(super) fn has_writer(&self, id: PipeId) -> bool {
        self.infos().flat_map(Info::descriptors).any(|file| matches!(file, Descriptor::PipeWrite(p) if *p == id))
    }

    pub(super) fn has_reader(&self, id: PipeId) -> bool {
        self.infos().flat_map(Info::descriptors).any(|file| matches!(file, Descriptor::PipeRead(p) if *p == id))
    }

    fn drop_unused(&mut self) {
        let used: BTreeSet<ReaderId> = self
            .infos()
            .flat_map(Info::descriptors)
            .filter_map(|file| if let Descriptor::Reader(id) = file { Some(*id) } else { None })
            .collect();
        self.readers.retain(|id, _| used.contains(id));
        let unused: Vec<PipeId> = self
            .pipes
            .iter()
            .filter(|(id, pipe)| !pipe.fed_from_outside && !self.has_reader(**id) && !self.has_writer(**id))
            .map(|(id, _)| *id)
            .collect();
        for id in unused {
            self.pipes.remove(&id);
        }
    }

    /// Makes a process's CPU time pass. Time is stretched by a CPU limit below one core, and when the container has
    /// been busy for long, so that an endless loop takes few steps a virtual second.
    pub(super) fn charge(&mut self, pid: Pid, ns: u64, cpu_limit_milli: Option<u64>) {
        let Some(clock) = self.info(pid).map(|info| info.clock) else { return };
        let since = *self.busy_since.get_or_insert(clock);
        let coarse = match clock.saturating_sub(since) {
            0..=SECOND => 1,
            time if time <= 10 * SECOND => 10,
            _ => 100,
        };
        let cpu = ns * coarse;
        let limit = cpu_limit_milli.unwrap_or(1000).clamp(1, 1000);
        self.cpu_ns += cpu;
        if let Some(info) = self.info_mut(pid) {
            info.clock += cpu * 1000 / limit;
        }
    }
}
