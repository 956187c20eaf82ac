//! How each kind of command runs.

use std::sync::Arc;

use super::ast::{Command, Connector, Redirect, RedirectKind, Script};
use super::builtins::{self, Flow};
use super::expand::{ExpandError, Expander};
use super::frame::{Collecting, Expanded, Files, Frame};
use super::machine::{Shell, Source};
use super::pattern;
use super::scope::TrapKey;
use crate::process::{Descriptor, Pid, Program, Read, Step, Task, Wait};
use crate::tools;

/// Descriptors from here on are the shell's own and not for its children.
const PRIVATE_FD: u32 = 100;

impl Shell {
    pub(super) fn run_command(&mut self, script: Script, task: &mut Task<'_, '_, '_>) -> Option<Step> {
        match &*script {
            Command::Simple(_) | Command::For { .. } | Command::Case { .. } | Command::Redirected { .. } => {
                self.frames.push(Frame::Expand { node: script, outputs: Vec::new(), collecting: None });
            }
            Command::Pipeline { negated, stages } => {
                if *negated {
                    self.guarded += 1;
                    self.frames.push(Frame::Unguard);
                    self.frames.push(Frame::Negate);
                }
                if let [only] = stages.as_slice() {
                    self.frames.push(Frame::Run(only.clone()));
                } else {
                    self.run_pipeline(stages, task);
                }
            }
            Command::AndOr { first, .. } => {
                let first = first.clone();
                self.frames.push(Frame::AndOrNext { node: script, index: 0 });
                self.guard(first);
            }
            Command::List(_) => self.frames.push(Frame::ListNext { list: script, index: 0 }),
            Command::If { arms, .. } => {
                let condition = arms[0].0.clone();
                self.frames.push(Frame::IfNext { node: script, arm: 0 });
                self.guard(condition);
            }
            Command::Loop { .. } => {
                self.scope.status = 0;
                self.frames.push(Frame::LoopTest { node: script });
            }
            Command::Subshell(body) => {
                let files = child_files(task);
                match self.fork(body.clone(), files, task) {
                    Some(pid) => self.frames.push(Frame::Await { pids: vec![pid] }),
                    None => return self.fork_failed(task),
                }
            }
            Command::Function { name, body } => {
                self.scope.functions.insert(Arc::from(name.as_str()), body.clone());
                self.scope.status = 0;
            }
        }
        None
    }

    pub(super) fn list_next(&mut self, list: Script, index: usize, task: &mut Task<'_, '_, '_>) -> Option<Step> {
        let Command::List(items) = &*list else { return None };
        let item = items.get(index)?;
        let (command, background) = (item.command.clone(), item.background);
        if index + 1 < items.len() {
            self.frames.push(Frame::ListNext { list: list.clone(), index: index + 1 });
        }
        if !background {
            self.frames.push(Frame::Run(command));
            return None;
        }
        let mut files = child_files(task);
        files.insert(0, Descriptor::Null);
        match self.fork(command, files, task) {
            Some(pid) => {
                self.scope.last_background = Some(pid);
                self.scope.status = 0;
                None
            }
            None => self.fork_failed(task),
        }
    }

    pub(super) fn and_or_next(&mut self, node: Script, index: usize) {
        let Command::AndOr { rest, .. } = &*node else { return };
        let succeeded = self.scope.status == 0;
        let next = rest.iter().enumerate().skip(index).find(|(_, (c, _))| (*c == Connector::And) == succeeded);
        let Some((at, (_, command))) = next else { return };
        let command = command.clone();
        if at + 1 == rest.len() {
            self.frames.push(Frame::Run(command));
        } else {
            self.frames.push(Frame::AndOrNext { node, index: at + 1 });
            self.guard(command);
        }
    }

    pub(super) fn if_next(&mut self, node: Script, arm: usize) {
        let Command::If { arms, otherwise } = &*node else { return };
        if self.scope.status == 0 {
            let body = arms[arm].1.clone();
            self.frames.push(Frame::Run(body));
        } else if let Some((condition, _)) = arms.get(arm + 1) {
            let condition = condition.clone();
            self.frames.push(Frame::IfNext { node, arm: arm + 1 });
            self.guard(condition);
        } else {
            self.scope.status = 0;
            self.frames.extend(otherwise.clone().map(Frame::Run));
        }
    }

    fn run_pipeline(&mut self, stages: &[Script], task: &mut Task<'_, '_, '_>) {
        let mut pids = Vec::new();
        let mut input = None;
        for (index, stage) in stages.iter().enumerate() {
            let mut files = child_files(task);
            if let Some(pipe) = input.take() {
                files.insert(0, Descriptor::PipeRead(pipe));
            }
            if index + 1 < stages.len() {
                let pipe = task.kernel.make_pipe(false);
                files.insert(1, Descriptor::PipeWrite(pipe));
                input = Some(pipe);
            }
            match self.fork(stage.clone(), files, task) {
                Some(pid) => pids.push(pid),
                None => {
                    self.fork_failed(task);
                    break;
                }
            }
        }
        self.frames.push(Frame::Await { pids });
    }

    fn fork(&mut self, body: Script, files: Files, task: &mut Task<'_, '_, '_>) -> Option<Pid> {
        let mut scope = self.scope.clone();
        scope.traps.retain(|_, action| action.is_empty());
        let child = Shell {
            scope,
            frames: vec![Frame::Run(body)],
            source: Source::Given,
            guarded: 0,
            replaceable: true,
            exiting: false,
        };
        let argv = task.info().argv.clone();
        let env = task.info().env.clone();
        task.spawn(Program::Shell(Box::new(child)), argv, files, env)
    }

    fn fork_failed(&mut self, task: &mut Task<'_, '_, '_>) -> Option<Step> {
        self.complain(task, "can't fork: Resource temporarily unavailable");
        self.exit(2)
    }

    pub(super) fn exit(&mut self, status: i32) -> Option<Step> {
        self.scope.status = status;
        self.frames.clear();
        self.source = Source::Given;
        self.exiting = true;
        None
    }

    /// Ends the shell when a command failed under `set -e`.
    fn settle(&mut self, status: i32) -> Option<Step> {
        self.scope.status = status;
        if status != 0 && self.scope.errexit && self.guarded == 0 { self.exit(status) } else { None }
    }

    pub(super) fn await_children(&mut self, pids: Vec<Pid>, task: &mut Task<'_, '_, '_>) -> Option<Step> {
        if pids.iter().any(|pid| task.kernel.info(*pid).is_some_and(|info| info.exit_code.is_none())) {
            self.frames.push(Frame::Await { pids: pids.clone() });
            return Some(Step::Wait(Wait::Children(pids)));
        }
        let codes: Vec<i32> = pids.iter().map(|pid| task.kernel.reap(*pid).unwrap_or(0)).collect();
        let failed = codes.iter().rev().find(|code| **code != 0).copied();
        let last = codes.last().copied().unwrap_or(0);
        self.settle(if self.scope.pipefail { failed.unwrap_or(0) } else { last })
    }

    pub(super) fn expand(
        &mut self,
        node: Script,
        mut outputs: Vec<String>,
        collecting: Option<Collecting>,
        task: &mut Task<'_, '_, '_>,
    ) -> Option<Step> {
        if let Some(mut collecting) = collecting {
            loop {
                match task.read(collecting.pipe_fd) {
                    Read::Text(text) if collecting.text.len() < 4 << 20 => collecting.text.push_str(&text),
                    Read::Text(_) => {}
                    Read::Blocked(pipe) => {
                        self.frames.push(Frame::Expand { node, outputs, collecting: Some(collecting) });
                        return Some(Step::Wait(Wait::Readable(pipe)));
                    }
                    Read::End => break,
                }
            }
            if task.kernel.info(collecting.child).is_some_and(|info| info.exit_code.is_none()) {
                let wait = Wait::Children(vec![collecting.child]);
                self.frames.push(Frame::Expand { node, outputs, collecting: Some(collecting) });
                return Some(Step::Wait(wait));
            }
            self.scope.status = task.kernel.reap(collecting.child).unwrap_or(0);
            task.info_mut().files.remove(&collecting.pipe_fd);
            outputs.push(collecting.text);
        }
        match self.expand_node(&node, &outputs, task) {
            Ok(expanded) => self.perform(node, expanded, task),
            Err(ExpandError::Needs(script)) => {
                let pipe = task.kernel.make_pipe(false);
                let mut files = child_files(task);
                files.insert(1, Descriptor::PipeWrite(pipe));
                let used = task.info().files.keys().filter(|fd| **fd >= PRIVATE_FD).max();
                let pipe_fd = used.map_or(PRIVATE_FD, |fd| fd + 1);
                task.info_mut().files.insert(pipe_fd, Descriptor::PipeRead(pipe));
                let Some(child) = self.fork(script, files, task) else { return self.fork_failed(task) };
                let collecting = Some(Collecting { pipe_fd, child, text: String::new() });
                self.frames.push(Frame::Expand { node, outputs, collecting });
                None
            }
            Err(ExpandError::Message(message)) => {
                self.complain(task, &message);
                if matches!(self.source, Source::Lines { interactive: true, .. }) {
                    self.frames.clear();
                    self.scope.status = 2;
                    return None;
                }
                self.exit(2)
            }
        }
    }

    fn expand_node(
        &mut self,
        node: &Command,
        outputs: &[String],
        task: &mut Task<'_, '_, '_>,
    ) -> Result<Expanded, ExpandError> {
        let cwd = task.info().cwd.clone();
        let random = task.host.draw();
        let mut view = task.view();
        let mut list = |path: &str| {
            let path = if path.starts_with('/') { path.to_owned() } else { format!("{cwd}/{path}") };
            view.list(&path).unwrap_or_default()
        };
        let mut expander = Expander {
            scope: &self.scope,
            assigned: Vec::new(),
            outputs,
            outputs_used: 0,
            random,
            list_directory: &mut list,
        };
        let mut expanded = Expanded {
            assigns: Vec::new(),
            fields: Vec::new(),
            redirects: Vec::new(),
            case_arm: None,
            had_substitution: !outputs.is_empty(),
        };
        let mut redirects: &[Redirect] = &[];
        match node {
            Command::Simple(simple) => {
                expanded.fields = expander.fields(&simple.words)?;
                for (name, word) in &simple.assigns {
                    let value = expander.text(word)?;
                    expander.assigned.push((name.clone(), value.clone()));
                    expanded.assigns.push((name.clone(), value));
                }
                if !simple.words.is_empty() {
                    let own = expanded.assigns.len();
                    let kept = expander.assigned.len() - own;
                    expander.assigned.truncate(kept);
                }
                redirects = &simple.redirects;
            }
            Command::For { words: Some(words), .. } => expanded.fields = expander.fields(words)?,
            Command::For { words: None, .. } => {
                expanded.fields = self.scope.positional.iter().map(|value| value.to_string()).collect();
            }
            Command::Case { subject, arms } => {
                let subject: Vec<char> = expander.text(subject)?.chars().collect();
                'arms: for (index, (patterns, _)) in arms.iter().enumerate() {
                    for word in patterns {
                        if pattern::matches(&expander.pattern(word)?, &subject) {
                            expanded.case_arm = Some(index);
                            break 'arms;
                        }
                    }
                }
            }
            Command::Redirected { redirects: of_compound, .. } => redirects = of_compound,
            _ => {}
        }
        for redirect in redirects {
            expanded.redirects.push((redirect.fd, redirect.kind, expander.text(&redirect.target)?));
        }
        for (name, value) in expander.assigned {
            self.scope.set(&name, &value);
        }
        Ok(expanded)
    }

    fn perform(&mut self, node: Script, expanded: Expanded, task: &mut Task<'_, '_, '_>) -> Option<Step> {
        match &*node {
            Command::For { .. } => {
                self.scope.status = 0;
                self.frames.push(Frame::ForNext { node, fields: expanded.fields.into(), index: 0 });
                None
            }
            Command::Case { arms, .. } => {
                self.scope.status = 0;
                let body = expanded.case_arm.and_then(|arm| arms.get(arm)).map(|(_, body)| body.clone());
                self.frames.extend(body.map(Frame::Run));
                None
            }
            Command::Redirected { command, .. } => {
                match redirect(task.info().files.clone(), &expanded.redirects, task) {
                    Ok(files) => {
                        let command = command.clone();
                        self.use_files(files, task);
                        self.frames.push(Frame::Run(command));
                        None
                    }
                    Err(message) => {
                        self.complain(task, &message);
                        self.settle(1)
                    }
                }
            }
            _ => self.perform_simple(expanded, task),
        }
    }

    fn perform_simple(&mut self, expanded: Expanded, task: &mut Task<'_, '_, '_>) -> Option<Step> {
        let files = match redirect(task.info().files.clone(), &expanded.redirects, task) {
            Ok(files) => files,
            Err(message) => {
                self.complain(task, &message);
                return self.settle(1);
            }
        };
        if self.scope.xtrace && !expanded.fields.is_empty() {
            let _ = task.write(2, &format!("+ {}\n", expanded.fields.join(" ")));
        }
        let Some(name) = expanded.fields.first().cloned() else {
            let status = if expanded.had_substitution { self.scope.status } else { 0 };
            return self.settle(status);
        };
        if let Some(body) = self.scope.functions.get(name.as_str()).cloned() {
            self.use_files(files, task);
            let arguments = expanded.fields[1..].iter().map(|field| Arc::from(field.as_str())).collect();
            let positional = Some(std::mem::replace(&mut self.scope.positional, arguments));
            self.frames.push(Frame::Return { positional, locals: Vec::new() });
            self.frames.push(Frame::Run(body));
            return None;
        }
        if let Some(builtin) = builtins::find(&name) {
            if name == "exec" && expanded.fields.len() == 1 {
                task.info_mut().files = files;
            } else if !expanded.redirects.is_empty() {
                self.use_files(files, task);
            }
            if !expanded.assigns.is_empty() {
                let saved = |(name, _): &(String, String)| {
                    (Arc::from(name.as_str()), self.scope.variables.get(name.as_str()).cloned())
                };
                let locals = expanded.assigns.iter().map(saved).collect();
                self.frames.push(Frame::Return { positional: None, locals });
                for (name, value) in &expanded.assigns {
                    self.scope.set(name, value);
                }
            }
            let flow = builtin(self, task, &expanded.fields);
            return self.follow(flow, task);
        }
        self.run_external(expanded, files, task)
    }

    /// Uses other descriptors until the frame that this pushes.
    fn use_files(&mut self, files: Files, task: &mut Task<'_, '_, '_>) {
        let info = task.info_mut();
        let before = std::mem::replace(&mut info.files, files);
        info.saved_files.push(before);
        self.frames.push(Frame::RestoreFiles);
    }

    fn run_external(&mut self, expanded: Expanded, files: Files, task: &mut Task<'_, '_, '_>) -> Option<Step> {
        let mut env = self.scope.environment();
        env.extend(expanded.assigns.iter().map(|(n, v)| (Arc::from(n.as_str()), Arc::from(v.as_str()))));
        let argv = expanded.fields;
        let program = match tools::find_program(task, &argv) {
            Ok(program) => program,
            Err(missing) => {
                let message = missing.shell_message(&self.scope.arg0, &argv[0], task.host.image.base);
                let outer = std::mem::replace(&mut task.info_mut().files, files);
                let _ = task.write(2, &message);
                task.info_mut().files = outer;
                return self.settle(missing.exit_code());
            }
        };
        let last = self.frames.is_empty() && self.replaceable && !self.exiting;
        if last && self.scope.traps.values().all(|action| action.is_empty()) {
            let info = task.info_mut();
            info.files = files.into_iter().filter(|(fd, _)| *fd < PRIVATE_FD).collect();
            info.env = env;
            task.charge(crate::process::SPAWN_NS);
            return Some(Step::Become(program, argv));
        }
        let files = files.into_iter().filter(|(fd, _)| *fd < PRIVATE_FD).collect();
        match task.spawn(program, argv, files, env) {
            Some(pid) => {
                self.frames.push(Frame::Await { pids: vec![pid] });
                None
            }
            None => self.fork_failed(task),
        }
    }

    fn follow(&mut self, flow: Flow, task: &mut Task<'_, '_, '_>) -> Option<Step> {
        match flow {
            Flow::Status(status) => self.settle(status),
            Flow::Exit(status) => self.exit(status),
            Flow::Return(status) => {
                while let Some(frame) = self.frames.pop() {
                    let is_end = matches!(frame, Frame::Return { positional: Some(_), .. });
                    self.unwind(frame, task);
                    if is_end {
                        self.scope.status = status;
                        return None;
                    }
                }
                self.exit(status)
            }
            Flow::Loop { levels, again } => {
                self.leave_loops(levels, again, task);
                None
            }
            Flow::AwaitJobs(pids) => {
                self.frames.push(Frame::AwaitJobs { pids });
                None
            }
            Flow::ReadLine { names, raw } => {
                self.frames.push(Frame::ReadLine { names, raw });
                None
            }
            Flow::Run(script) => {
                self.frames.push(Frame::Run(script));
                None
            }
            Flow::Source(script, arguments) => {
                let positional = if arguments.is_empty() { self.scope.positional.clone() } else { arguments };
                let positional = Some(std::mem::replace(&mut self.scope.positional, positional));
                self.frames.push(Frame::Return { positional, locals: Vec::new() });
                self.frames.push(Frame::Run(script));
                None
            }
            Flow::Become(argv) => {
                let env = self.scope.environment();
                match tools::find_program(task, &argv) {
                    Ok(program) => {
                        task.info_mut().env = env;
                        Some(Step::Become(program, argv))
                    }
                    Err(missing) => {
                        let message = missing.shell_message(&self.scope.arg0, &argv[0], task.host.image.base);
                        let _ = task.write(2, &message);
                        self.exit(missing.exit_code())
                    }
                }
            }
        }
    }

    fn unwind(&mut self, frame: Frame, task: &mut Task<'_, '_, '_>) {
        if matches!(frame, Frame::RestoreFiles | Frame::Unguard | Frame::Return { .. }) {
            self.run_frame(frame, task);
        }
    }

    fn leave_loops(&mut self, levels: usize, again: bool, task: &mut Task<'_, '_, '_>) {
        let is_loop =
            |frame: &Frame| matches!(frame, Frame::LoopTest { .. } | Frame::LoopBody { .. } | Frame::ForNext { .. });
        let inside = |frame: &&Frame| !matches!(frame, Frame::Return { positional: Some(_), .. });
        let mut left = levels.min(self.frames.iter().rev().take_while(inside).filter(|f| is_loop(f)).count());
        self.scope.status = 0;
        while left > 0 {
            let Some(frame) = self.frames.pop() else { return };
            if !is_loop(&frame) {
                self.unwind(frame, task);
                continue;
            }
            left -= 1;
            if left == 0 && again {
                let frame = if let Frame::LoopBody { node } = frame { Frame::LoopTest { node } } else { frame };
                self.frames.push(frame);
            }
        }
    }

    pub(super) fn read_line(&mut self, names: Vec<String>, raw: bool, task: &mut Task<'_, '_, '_>) -> Option<Step> {
        let line = match task.read_line(0) {
            Read::Blocked(pipe) => {
                self.frames.push(Frame::ReadLine { names, raw });
                return Some(Step::Wait(Wait::ReadableLine(pipe)));
            }
            Read::End => String::new(),
            Read::Text(line) => line,
        };
        let status = i32::from(!line.ends_with('\n'));
        let line =
            if raw { line.trim_end_matches('\n').to_owned() } else { line.replace("\\\n", "").replace('\\', "") };
        let line = line.trim_end_matches('\n');
        let separators = self.scope.get("IFS").unwrap_or_else(|| " \t\n".to_owned());
        let is_space = |c: char| separators.contains(c) && c.is_whitespace();
        let mut rest = line.trim_matches(is_space);
        for (index, name) in names.iter().enumerate() {
            if index + 1 == names.len() {
                self.scope.set(name, rest);
                break;
            }
            let end = rest.find(|c| separators.contains(c)).unwrap_or(rest.len());
            self.scope.set(name, &rest[..end]);
            let separator = rest[end..].chars().next().map_or(0, char::len_utf8);
            rest = rest[end + separator..].trim_start_matches(is_space);
        }
        self.scope.status = status;
        None
    }

    pub(super) fn set_trap(&mut self, key: TrapKey, action: Option<&str>, task: &mut Task<'_, '_, '_>) {
        match action {
            Some(action) => self.scope.traps.insert(key, Arc::from(action)),
            None => self.scope.traps.remove(&key),
        };
        let TrapKey::Signal(signal) = key else { return };
        let info = task.info_mut();
        info.trapped.remove(&signal);
        info.ignored.remove(&signal);
        match action {
            Some("") => info.ignored.insert(signal),
            Some(_) => info.trapped.insert(signal),
            None => false,
        };
    }
}

fn child_files(task: &Task<'_, '_, '_>) -> Files {
    let files = task.info().files.iter().filter(|(fd, _)| **fd < PRIVATE_FD);
    files.map(|(fd, file)| (*fd, file.clone())).collect()
}

/// Opens the targets in order.
fn redirect(
    mut files: Files,
    redirects: &[(u32, RedirectKind, String)],
    task: &mut Task<'_, '_, '_>,
) -> Result<Files, String> {
    for (fd, kind, target) in redirects {
        let opened = match kind {
            RedirectKind::Read => task.open_read(target).map_err(|error| format!("can't open {target}: {error}")),
            RedirectKind::Write | RedirectKind::Append => task
                .open_write(target, *kind == RedirectKind::Append)
                .map_err(|error| format!("can't create {target}: {error}")),
            RedirectKind::HereDocument => Ok(task.kernel.make_reader(target)),
            RedirectKind::Duplicate if target == "-" => Ok(Descriptor::Null),
            RedirectKind::Duplicate => {
                let source = target.parse().ok().and_then(|source: u32| files.get(&source)).cloned();
                source.ok_or_else(|| format!("{target}: Bad file descriptor"))
            }
        }
        .map_err(|message| message.replace("No such file or directory", not_found_text(*kind)))?;
        if *fd == u32::MAX {
            files.insert(1, opened.clone());
            files.insert(2, opened);
        } else {
            files.insert(*fd, opened);
        }
    }
    Ok(files)
}

/// How `sh` words a missing file.
fn not_found_text(kind: RedirectKind) -> &'static str {
    if kind == RedirectKind::Read { "no such file" } else { "nonexistent directory" }
}
