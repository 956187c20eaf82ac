//! The interpreter: a stack of frames over a shared syntax tree.

use std::sync::Arc;

use super::ast::{Command, Script};
use super::frame::Frame;
use super::parser;
use super::scope::{Scope, TrapKey};
use crate::process::{Read, Step, Task, Wait};
use crate::tools;

/// Commands that one step runs at most.
const OPERATIONS_PER_STEP: usize = 1000;
const OPERATION_NS: u64 = 2_000;
/// How deep functions and compound commands may be nested at run time.
const FRAMES_MAX: usize = 2_000;

/// A shell process.
#[derive(Clone, Debug)]
pub struct Shell {
    pub(super) scope: Scope,
    pub(super) frames: Vec<Frame>,
    pub(super) source: Source,
    /// How many enclosing constructs look at the status, so that `set -e` does not end the shell.
    pub(super) guarded: usize,
    /// May give up its process to the last command.
    pub(super) replaceable: bool,
    pub(super) exiting: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Source {
    /// The frames are all there is.
    Given,
    /// Lines from standard input, with a prompt if interactive. Holds an incomplete command.
    Lines { interactive: bool, partial: String, prompted: bool },
}

impl Shell {
    /// A shell that runs a script, as `sh -c` does. One that does not parse makes it complain and end with 2.
    pub fn of_script(source: &str, arg0: &str, arguments: &[String]) -> Self {
        let mut shell = Self::with_source(Source::Given, arg0, arguments);
        shell.frames.push(match parser::parse(source) {
            Ok(script) => Frame::Run(script),
            Err(error) => Frame::Reject(format!("line {}: {}", error.line, error.message)),
        });
        shell
    }

    /// A shell that reads its commands from standard input.
    pub fn of_input(interactive: bool, arg0: &str, arguments: &[String]) -> Self {
        let source = Source::Lines { interactive, partial: String::new(), prompted: false };
        Self::with_source(source, arg0, arguments)
    }

    fn with_source(source: Source, arg0: &str, arguments: &[String]) -> Self {
        let mut scope = Scope { arg0: Arc::from(arg0), ..Scope::default() };
        scope.positional = arguments.iter().map(|argument| Arc::from(argument.as_str())).collect();
        Self { scope, frames: Vec::new(), source, guarded: 0, replaceable: true, exiting: false }
    }

    /// Options given on the command line or to `set`, such as `e` or `x`.
    pub fn set_option(&mut self, option: char, on: bool) {
        match option {
            'e' => self.scope.errexit = on,
            'u' => self.scope.nounset = on,
            'x' => self.scope.xtrace = on,
            'f' => self.scope.noglob = on,
            _ => {}
        }
    }

    /// Runs until it waits, ends, or has used up its share.
    pub fn step(&mut self, task: &mut Task<'_, '_, '_>) -> Step {
        if self.scope.shell_pid == 0 {
            self.begin(task);
        }
        for _ in 0..OPERATIONS_PER_STEP {
            task.charge(OPERATION_NS);
            self.take_signals(task);
            let outcome = match self.frames.pop() {
                Some(frame) => self.run_frame(frame, task),
                None => self.next_input(task),
            };
            if let Some(step) = outcome {
                return step;
            }
            if self.frames.len() > FRAMES_MAX {
                self.complain(task, "maximum function nesting level exceeded");
                return Step::Exit(2);
            }
        }
        Step::Ran
    }

    fn begin(&mut self, task: &mut Task<'_, '_, '_>) {
        self.scope.shell_pid = task.pid;
        for (name, value) in task.info().env.clone() {
            self.scope.export(&name, Some(&value));
        }
        let cwd = task.info().cwd.to_string();
        self.scope.set("PWD", &cwd);
    }

    fn take_signals(&mut self, task: &mut Task<'_, '_, '_>) {
        if task.info().pending.is_empty() {
            return;
        }
        let signal = task.info_mut().pending.remove(0);
        let Some(action) = self.scope.traps.get(&TrapKey::Signal(signal)).cloned() else { return };
        if matches!(self.frames.last(), Some(Frame::AwaitJobs { .. })) {
            self.frames.pop();
            self.scope.status = 128 + signal.number();
        }
        self.run_trap(&action, task);
    }

    fn run_trap(&mut self, action: &str, task: &mut Task<'_, '_, '_>) {
        match parser::parse(action) {
            Ok(script) => {
                self.frames.push(Frame::RestoreStatus(self.scope.status));
                self.frames.push(Frame::Run(script));
            }
            Err(error) => self.complain(task, &error.message),
        }
    }

    fn next_input(&mut self, task: &mut Task<'_, '_, '_>) -> Option<Step> {
        let Source::Lines { interactive, partial, prompted } = &mut self.source else {
            return self.finish(task);
        };
        if self.exiting {
            return self.finish(task);
        }
        if *interactive && !*prompted {
            *prompted = true;
            let prompt = if partial.is_empty() { prompt(task) } else { "> ".to_owned() };
            let _ = task.write(1, &prompt);
        }
        match task.read_line(0) {
            Read::Blocked(pipe) => return Some(Step::Wait(Wait::ReadableLine(pipe))),
            Read::End if partial.is_empty() => {
                self.exiting = true;
                return None;
            }
            Read::End => {}
            Read::Text(line) => partial.push_str(&line),
        }
        *prompted = false;
        match parser::parse(partial) {
            Ok(script) => {
                partial.clear();
                self.replaceable = false;
                self.frames.push(Frame::Run(script));
            }
            Err(error) if error.incomplete && partial.ends_with('\n') => {}
            Err(error) => {
                partial.clear();
                self.scope.status = 2;
                self.complain(task, &error.message);
            }
        }
        None
    }

    fn finish(&mut self, task: &mut Task<'_, '_, '_>) -> Option<Step> {
        match self.scope.traps.remove(&TrapKey::Exit) {
            Some(action) => {
                self.exiting = true;
                self.run_trap(&action, task);
                None
            }
            None => Some(Step::Exit(self.scope.status & 255)),
        }
    }

    pub(super) fn complain(&self, task: &mut Task<'_, '_, '_>, message: &str) {
        let name = tools::base_name(&self.scope.arg0).to_owned();
        let _ = task.write(2, &format!("{name}: {message}\n"));
    }

    pub(super) fn run_frame(&mut self, frame: Frame, task: &mut Task<'_, '_, '_>) -> Option<Step> {
        match frame {
            Frame::Run(script) => return self.run_command(script, task),
            Frame::ListNext { list, index } => return self.list_next(list, index, task),
            Frame::AndOrNext { node, index } => self.and_or_next(node, index),
            Frame::IfNext { node, arm } => self.if_next(node, arm),
            Frame::LoopTest { node } => {
                let Command::Loop { condition, .. } = &*node else { return None };
                let condition = condition.clone();
                self.frames.push(Frame::LoopBody { node });
                self.guard(condition);
            }
            Frame::LoopBody { node } => {
                let Command::Loop { until, body, .. } = &*node else { return None };
                if (self.scope.status == 0) == *until {
                    self.scope.status = 0;
                    return None;
                }
                let body = body.clone();
                self.frames.push(Frame::LoopTest { node });
                self.frames.push(Frame::Run(body));
            }
            Frame::ForNext { node, fields, index } => {
                let Command::For { name, body, .. } = &*node else { return None };
                let value = fields.get(index)?;
                self.scope.set(name, value);
                let body = body.clone();
                self.frames.push(Frame::ForNext { node, fields, index: index + 1 });
                self.frames.push(Frame::Run(body));
            }
            Frame::Expand { node, outputs, collecting } => return self.expand(node, outputs, collecting, task),
            Frame::Negate => self.scope.status = i32::from(self.scope.status == 0),
            Frame::Await { pids } => return self.await_children(pids, task),
            Frame::AwaitJobs { pids } => {
                if pids.iter().any(|pid| task.kernel.info(*pid).is_some_and(|info| info.exit_code.is_none())) {
                    self.frames.push(Frame::AwaitJobs { pids: pids.clone() });
                    return Some(Step::Wait(Wait::Jobs(pids)));
                }
                self.scope.status = pids.iter().filter_map(|pid| task.kernel.reap(*pid)).last().unwrap_or(0);
            }
            Frame::ReadLine { names, raw } => return self.read_line(names, raw, task),
            Frame::Return { positional, locals } => {
                if let Some(positional) = positional {
                    self.scope.positional = positional;
                }
                for (name, old) in locals.into_iter().rev() {
                    match old {
                        Some(variable) => self.scope.variables.insert(name, variable),
                        None => self.scope.variables.remove(&name),
                    };
                }
            }
            Frame::RestoreFiles => {
                let info = task.info_mut();
                if let Some(files) = info.saved_files.pop() {
                    info.files = files;
                }
            }
            Frame::Reject(message) => {
                self.complain(task, &message);
                return self.exit(2);
            }
            Frame::Unguard => self.guarded = self.guarded.saturating_sub(1),
            Frame::RestoreStatus(status) => self.scope.status = status,
        }
        None
    }

    /// Runs a command whose status is looked at.
    pub(super) fn guard(&mut self, script: Script) {
        self.guarded += 1;
        self.frames.push(Frame::Unguard);
        self.frames.push(Frame::Run(script));
    }
}

/// The prompt of the image's usual shell.
fn prompt(task: &Task<'_, '_, '_>) -> String {
    let info = task.info();
    let mark = if task.host.uid == 0 { '#' } else { '$' };
    let cwd = if info.cwd.is_empty() { "/" } else { &info.cwd };
    match tools::base_name(info.argv.first().map_or("sh", String::as_str)) {
        "bash" => {
            let user = if task.host.uid == 0 { "root".to_owned() } else { "I have no name!".to_owned() };
            format!("{user}@{}:{cwd}{mark} ", task.host.sandbox.hostname)
        }
        _ if task.host.image.base.has_dash() => format!("{mark} "),
        _ => format!("{cwd} {mark} "),
    }
}
