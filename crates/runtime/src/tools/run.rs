//! A tool as a process: started, fed, waited for.

use super::Tool;
use super::awk::Awk;
use super::grep::Grep;
use super::net::NetTool;
use super::sed::Sed;
use super::text::LineTool;
use crate::SimTime;
use crate::process::{Effect, Read, Step, Task, Wait};

/// What a tool's function leaves to be done.
pub enum After {
    Exit(i32),
    /// Call again with all of standard input.
    NeedInput,
    /// Pass each line of standard input through this.
    Filter(Filter),
    /// Write what there is, then end with this status at that time.
    Delay(SimTime, i32),
    /// Print what is appended to the file at this absolute path, from this offset.
    Follow {
        path: String,
        offset: usize,
    },
    /// Print this line for ever.
    Repeat(String),
    /// Talk to the network.
    Net(NetTool),
    /// Hold this much memory and, when given, use the CPU until then.
    Load {
        memory_bytes: u64,
        until: Option<SimTime>,
    },
}

pub type Function = fn(&mut Call<'_, '_, '_, '_>) -> After;

/// One call of a tool's function.
pub struct Call<'t, 'k, 'h, 'a> {
    pub task: &'t mut Task<'k, 'h, 'a>,
    /// The first is the tool's name.
    pub args: &'t [String],
    /// All of standard input, once asked for.
    pub input: Option<String>,
    pub out: String,
    pub err: String,
}

impl Call<'_, '_, '_, '_> {
    /// The tool's name.
    pub fn name(&self) -> &str {
        super::base_name(&self.args[0])
    }

    /// Complains on standard error with the tool's name before.
    pub fn complain(&mut self, message: &str) {
        let line = format!("{}: {message}\n", self.name());
        self.err.push_str(&line);
    }

    pub fn read_file(&mut self, path: &str) -> Option<String> {
        let absolute = self.task.absolute(path);
        if absolute == "/dev/null" {
            return Some(String::new());
        }
        if let Some(text) = super::system::proc_file(self.task, &absolute) {
            return Some(text);
        }
        match self.task.view().read(&absolute) {
            Ok(content) => Some(String::from_utf8_lossy(&content).into_owned()),
            Err(error) => {
                let busybox = !self.task.host.image.base.has_dash();
                let message = match (busybox, self.name()) {
                    (true, "cat" | "head" | "tail") => format!("can't open '{path}': {error}"),
                    _ => format!("{path}: {error}"),
                };
                self.complain(&message);
                None
            }
        }
    }

    /// Flags that stand alone, joined, and the other words. `with_value` flags take the next word.
    pub fn flags(&self, with_value: &str) -> (String, Vec<(char, String)>, Vec<String>) {
        let (mut flags, mut values, mut rest) = (String::new(), Vec::new(), Vec::new());
        let mut words = self.args[1..].iter();
        while let Some(word) = words.next() {
            if word == "--" {
                rest.extend(words.by_ref().cloned());
                break;
            }
            if word.len() < 2 || !word.starts_with('-') || word.starts_with("--") {
                rest.push(word.clone());
                continue;
            }
            for (index, flag) in word.char_indices().skip(1) {
                if with_value.contains(flag) {
                    let tail = &word[index + flag.len_utf8()..];
                    let value = if tail.is_empty() { words.next().cloned().unwrap_or_default() } else { tail.into() };
                    values.push((flag, value));
                    break;
                }
                flags.push(flag);
            }
        }
        (flags, values, rest)
    }

    /// Passes files through a filter, or standard input when there are none.
    pub fn filter(&mut self, mut filter: Filter, paths: &[String]) -> After {
        if paths.is_empty() || paths == ["-"] {
            return After::Filter(filter);
        }
        let mut failed = false;
        for path in paths {
            filter.begin_file(path, paths.len() > 1);
            match self.read_file(path) {
                Some(text) => {
                    for line in text.split_inclusive('\n') {
                        if filter.line(line, &mut self.out) {
                            break;
                        }
                    }
                }
                None => failed = true,
            }
        }
        let status = filter.end(&mut self.out);
        After::Exit(if failed { status.max(if matches!(filter, Filter::Grep(_)) { 2 } else { 1 }) } else { status })
    }
}

/// A tool that works line by line and so can be in the middle of an endless pipeline.
#[derive(Clone, Debug)]
pub enum Filter {
    Lines(LineTool),
    Grep(Grep),
    Sed(Sed),
    Awk(Box<Awk>),
}

impl Filter {
    fn begin_file(&mut self, path: &str, many: bool) {
        if let Self::Grep(grep) = self {
            grep.begin_file(path, many);
        }
    }

    /// Takes a line with its line end; true when it wants no more.
    fn line(&mut self, line: &str, out: &mut String) -> bool {
        match self {
            Self::Lines(tool) => tool.line(line, out),
            Self::Grep(grep) => grep.line(line, out),
            Self::Sed(sed) => sed.line(line, out),
            Self::Awk(awk) => awk.line(line, out),
        }
    }

    fn end(&mut self, out: &mut String) -> i32 {
        match self {
            Self::Lines(_) | Self::Sed(_) => 0,
            Self::Grep(grep) => grep.end(out),
            Self::Awk(awk) => awk.end(out),
        }
    }
}

/// A tool's process.
#[derive(Clone, Debug)]
pub struct ToolRun {
    tool: &'static Tool,
    args: Vec<String>,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    Start,
    Collect(String),
    Filter { filter: Filter, partial: String },
    End(i32),
    EndAt(SimTime, i32),
    Follow { path: String, offset: usize },
    Repeat(String),
    Net(NetTool),
    Load { until: SimTime },
    Idle,
}

impl ToolRun {
    pub fn new(tool: &'static Tool, args: Vec<String>) -> Self {
        Self { tool, args, stage: Stage::Start }
    }

    /// Goes on with what it does.
    pub fn step(&mut self, task: &mut Task<'_, '_, '_>) -> Step {
        const STEP_NS: u64 = 100_000;
        task.charge(STEP_NS);
        if let Some(pipe) = task.full_pipe(1) {
            return Step::Wait(Wait::Writable(pipe));
        }
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Start => self.call(None, task),
            Stage::Collect(text) => self.collect(text, task),
            Stage::Filter { filter, partial } => self.feed(filter, partial, task),
            Stage::End(code) => Step::Exit(code),
            Stage::EndAt(at, code) => {
                if task.now() >= at {
                    return Step::Exit(code);
                }
                self.stage = Stage::EndAt(at, code);
                Step::Wait(Wait::Until(at))
            }
            Stage::Follow { path, offset } => self.follow(path, offset, task),
            Stage::Repeat(line) => {
                let text = line.repeat(4096 / line.len().max(1));
                self.stage = Stage::Repeat(line);
                if task.write(1, &text).is_err() { Step::Exit(141) } else { Step::Ran }
            }
            Stage::Net(mut tool) => {
                let reply = task.take_net_reply();
                let after = self.with_call(None, task, |call| tool.resume(call, reply));
                match after {
                    Ok(None) => {
                        self.stage = Stage::Net(tool);
                        Step::Wait(Wait::Net)
                    }
                    Ok(Some(After::Delay(at, code))) if code < 0 => {
                        self.stage = Stage::Net(tool);
                        Step::Wait(Wait::Until(at))
                    }
                    Ok(Some(after)) => self.continue_with(after, task),
                    Err(step) => step,
                }
            }
            Stage::Load { until } => {
                const BUSY_NS: u64 = 100_000_000;
                if task.now() >= until {
                    return Step::Exit(0);
                }
                task.charge(BUSY_NS);
                self.stage = Stage::Load { until };
                Step::Ran
            }
            Stage::Idle => Step::Wait(Wait::Forever),
        }
    }

    fn call(&mut self, input: Option<String>, task: &mut Task<'_, '_, '_>) -> Step {
        let run = self.tool.run;
        match self.with_call(input, task, run) {
            Ok(after) => self.continue_with(after, task),
            Err(step) => step,
        }
    }

    fn with_call<R>(
        &self,
        input: Option<String>,
        task: &mut Task<'_, '_, '_>,
        run: impl FnOnce(&mut Call<'_, '_, '_, '_>) -> R,
    ) -> Result<R, Step> {
        let mut call = Call { task, args: &self.args, input, out: String::new(), err: String::new() };
        let after = run(&mut call);
        let (out, err) = (call.out, call.err);
        let _ = task.write(2, &err);
        match task.write(1, &out) {
            Ok(()) => Ok(after),
            Err(message) if message.is_empty() => Err(Step::Exit(141)),
            Err(message) => {
                let _ = task.write(2, &format!("{}: {message}\n", self.tool.name));
                Err(Step::Exit(1))
            }
        }
    }

    fn continue_with(&mut self, after: After, task: &mut Task<'_, '_, '_>) -> Step {
        self.stage = match after {
            After::Exit(code) => return Step::Exit(code),
            After::NeedInput => Stage::Collect(String::new()),
            After::Filter(filter) => Stage::Filter { filter, partial: String::new() },
            After::Delay(at, code) => Stage::EndAt(at, code),
            After::Follow { path, offset } => Stage::Follow { path, offset },
            After::Repeat(line) => Stage::Repeat(line),
            After::Net(mut tool) => match self.with_call(None, task, |call| tool.begin(call)) {
                Ok(None) => {
                    self.stage = Stage::Net(tool);
                    return Step::Wait(Wait::Net);
                }
                Ok(Some(after)) => return self.continue_with(after, task),
                Err(step) => return step,
            },
            After::Load { memory_bytes, until } => {
                let (pid, at) = (task.pid, task.now());
                task.host.effects.push(Effect::MemoryUsed { pid, bytes: memory_bytes, at });
                match until {
                    Some(until) => Stage::Load { until },
                    None => return Step::Wait(Wait::Forever),
                }
            }
        };
        Step::Ran
    }

    fn collect(&mut self, mut text: String, task: &mut Task<'_, '_, '_>) -> Step {
        const INPUT_MAX: usize = 16 << 20;
        match task.read(0) {
            Read::Text(more) => {
                if text.len() < INPUT_MAX {
                    text.push_str(&more);
                }
                self.stage = Stage::Collect(text);
                Step::Ran
            }
            Read::Blocked(pipe) => {
                self.stage = Stage::Collect(text);
                Step::Wait(Wait::Readable(pipe))
            }
            Read::End => self.call(Some(text), task),
        }
    }

    fn feed(&mut self, mut filter: Filter, mut partial: String, task: &mut Task<'_, '_, '_>) -> Step {
        let mut out = String::new();
        let mut code = None;
        match task.read(0) {
            Read::Blocked(pipe) => {
                self.stage = Stage::Filter { filter, partial };
                return Step::Wait(Wait::Readable(pipe));
            }
            Read::Text(text) => {
                partial.push_str(&text);
                let complete = partial.rfind('\n').map_or(0, |end| end + 1);
                let lines: String = partial.drain(..complete).collect();
                let stopped = lines.split_inclusive('\n').any(|line| filter.line(line, &mut out));
                if stopped {
                    code = Some(filter.end(&mut out));
                }
            }
            Read::End => {
                if !partial.is_empty() {
                    filter.line(&partial, &mut out);
                }
                code = Some(filter.end(&mut out));
            }
        }
        if let Filter::Lines(LineTool::Tee { paths }) = &filter {
            for path in paths.clone() {
                let _ = task.view().append(&path, out.as_bytes());
            }
        }
        if let Err(message) = task.write(1, &out) {
            return Step::Exit(if message.is_empty() { 141 } else { 1 });
        }
        self.stage = match code {
            Some(code) => Stage::End(code),
            None => Stage::Filter { filter, partial },
        };
        Step::Ran
    }

    fn follow(&mut self, path: String, offset: usize, task: &mut Task<'_, '_, '_>) -> Step {
        const POLL_NS: u64 = crate::SECOND;
        if path == "/dev/null" {
            return Step::Wait(Wait::Forever);
        }
        let content = task.view().read(&path).unwrap_or_default();
        let start = if content.len() < offset { 0 } else { offset };
        let text = String::from_utf8_lossy(&content[start..]).into_owned();
        if task.write(1, &text).is_err() {
            return Step::Exit(141);
        }
        self.stage = Stage::Follow { path, offset: content.len() };
        Step::Wait(Wait::Until(task.now() + POLL_NS))
    }
}
