//! A running process's view: its descriptors, its container, its siblings.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Descriptor, Effect, Host, Info, Kernel, NewProcess, Pid, PipeId, Program, SPAWN_NS};
use crate::vfs::{FsError, View};
use crate::{NetOp, NetReply, SimTime};

/// What a process passes around while it is stepped.
pub struct Task<'k, 'h, 'a> {
    pub kernel: &'k mut Kernel,
    pub host: &'h mut Host<'a>,
    pub pid: Pid,
}

/// What there is to read.
#[derive(Debug)]
pub enum Read {
    Text(String),
    End,
    /// Nothing yet.
    Blocked(PipeId),
}

impl Task<'_, '_, '_> {
    pub fn info(&self) -> &Info {
        &self.kernel.processes[&self.pid].0
    }

    pub fn info_mut(&mut self) -> &mut Info {
        let entry = self.kernel.processes.get_mut(&self.pid);
        &mut entry.expect("a process that is stepped is in the table").0
    }

    pub fn now(&self) -> SimTime {
        self.info().clock
    }

    pub fn view(&mut self) -> View<'_> {
        let now = self.now();
        self.host.view(now)
    }

    /// Makes a path absolute by the working directory.
    pub fn absolute(&self, path: &str) -> String {
        if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.info().cwd) }
    }

    /// Lets CPU time pass.
    pub fn charge(&mut self, ns: u64) {
        let limit = self.host.cpu_limit_milli;
        self.kernel.charge(self.pid, ns, limit);
    }

    /// The pipe behind a descriptor, when it is full.
    pub fn full_pipe(&self, fd: u32) -> Option<PipeId> {
        match self.info().files.get(&fd) {
            Some(Descriptor::PipeWrite(pipe)) if !self.kernel.writable(*pipe) => Some(*pipe),
            _ => None,
        }
    }

    /// Reads all that there is.
    pub fn read(&mut self, fd: u32) -> Read {
        match self.info().files.get(&fd).cloned() {
            Some(Descriptor::Reader(id)) => {
                let Some(reader) = self.kernel.readers.get_mut(&id) else { return Read::End };
                let rest = reader.text.get(reader.offset..).unwrap_or_default().to_owned();
                reader.offset = reader.text.len();
                if rest.is_empty() { Read::End } else { Read::Text(rest) }
            }
            Some(Descriptor::PipeRead(pipe)) => {
                let text = self.kernel.pipes.get_mut(&pipe).map(|p| std::mem::take(&mut p.text)).unwrap_or_default();
                if !text.is_empty() {
                    Read::Text(text)
                } else if self.kernel.readable(pipe) {
                    Read::End
                } else {
                    Read::Blocked(pipe)
                }
            }
            _ => Read::End,
        }
    }

    /// Reads one line with its line end; the last may have none.
    pub fn read_line(&mut self, fd: u32) -> Read {
        match self.info().files.get(&fd).cloned() {
            Some(Descriptor::Reader(id)) => {
                let Some(reader) = self.kernel.readers.get_mut(&id) else { return Read::End };
                let rest = reader.text.get(reader.offset..).unwrap_or_default();
                let line = rest.split_inclusive('\n').next().unwrap_or_default().to_owned();
                reader.offset += line.len();
                if line.is_empty() { Read::End } else { Read::Text(line) }
            }
            Some(Descriptor::PipeRead(pipe)) => {
                let open = self.kernel.has_writer(pipe);
                let Some(buffer) = self.kernel.pipes.get_mut(&pipe) else { return Read::End };
                let open = open || buffer.fed_from_outside;
                match buffer.text.find('\n') {
                    Some(end) => Read::Text(buffer.text.drain(..=end).collect()),
                    None if open => Read::Blocked(pipe),
                    None if buffer.text.is_empty() => Read::End,
                    None => Read::Text(std::mem::take(&mut buffer.text)),
                }
            }
            _ => Read::End,
        }
    }

    /// Writes to a descriptor. `Err` is the text of the failure, empty for a broken pipe.
    pub fn write(&mut self, fd: u32, text: &str) -> Result<(), String> {
        if text.is_empty() {
            return Ok(());
        }
        match self.info().files.get(&fd).cloned() {
            Some(Descriptor::PipeWrite(pipe)) => {
                if !self.kernel.has_reader(pipe) {
                    return Err(String::new());
                }
                if let Some(pipe) = self.kernel.pipes.get_mut(&pipe) {
                    pipe.text.push_str(text);
                }
                Ok(())
            }
            Some(Descriptor::Writer { path }) => {
                self.view().append(&path, text.as_bytes()).map_err(|error| format!("write error: {error}"))
            }
            Some(Descriptor::Terminal(sink, stream)) => {
                let at = self.now();
                self.host.effects.push(Effect::Output { sink, stream, text: text.to_owned(), at });
                Ok(())
            }
            Some(Descriptor::Full) => Err(format!("write error: {}", FsError::NoSpace)),
            Some(Descriptor::Null) => Ok(()),
            Some(Descriptor::Reader(_) | Descriptor::PipeRead(_)) | None => {
                Err("write error: Bad file descriptor".to_owned())
            }
        }
    }

    /// Opens a file for reading.
    pub fn open_read(&mut self, path: &str) -> Result<Descriptor, FsError> {
        let path = self.absolute(path);
        match device(&path) {
            Some(Device::Null) => return Ok(Descriptor::Null),
            Some(Device::Stdin) => return Ok(self.info().files.get(&0).cloned().unwrap_or(Descriptor::Null)),
            _ => {}
        }
        let content = self.view().read(&path)?;
        let text = String::from_utf8_lossy(&content);
        Ok(self.kernel.make_reader(&text))
    }

    /// Opens a file for writing, emptied unless `append`.
    pub fn open_write(&mut self, path: &str, append: bool) -> Result<Descriptor, FsError> {
        let mut path = self.absolute(path);
        if let Ok(crate::vfs::Node::Symlink(target)) = self.view().stat_link(&path)
            && target.starts_with("/dev/")
        {
            path = target.to_string();
        }
        let of_init = |fd| self.kernel.info(1).and_then(|info| info.files.get(&fd)).cloned();
        match device(&path) {
            Some(Device::Null) => return Ok(Descriptor::Null),
            Some(Device::Full) => return Ok(Descriptor::Full),
            Some(Device::Stdout(fd)) => return Ok(self.info().files.get(&fd).cloned().unwrap_or(Descriptor::Null)),
            Some(Device::InitOutput(fd)) => {
                let stream = if fd == 2 { crate::LogStream::Stderr } else { crate::LogStream::Stdout };
                return Ok(of_init(fd).unwrap_or(Descriptor::Terminal(super::Sink::Log, stream)));
            }
            Some(Device::Stdin) | None => {}
        }
        let mut view = self.view();
        if append {
            view.append(&path, b"")?;
        } else {
            view.write(&path, b"")?;
        }
        Ok(Descriptor::Writer { path: Arc::from(path) })
    }

    /// Starts a child process.
    pub fn spawn(
        &mut self,
        program: Program,
        argv: Vec<String>,
        files: BTreeMap<u32, Descriptor>,
        env: BTreeMap<Arc<str>, Arc<str>>,
    ) -> Option<Pid> {
        self.charge(SPAWN_NS);
        let info = self.info();
        let (cwd, ignored, session, at) = (info.cwd.clone(), info.ignored.clone(), info.session, info.clock);
        let service = matches!(program, Program::Service).then(|| argv.clone());
        let new = NewProcess { program, argv, parent: self.pid, files, cwd, env, ignored, session };
        let pid = self.kernel.spawn(new, at)?;
        if let Some(argv) = service {
            self.host.effects.push(Effect::ServiceStarted { pid, argv, at });
        }
        Some(pid)
    }

    /// Asks the network; wait with [`Wait::Net`](super::Wait::Net), then take the answer.
    pub fn ask_network(&mut self, op: NetOp) {
        let (pid, at) = (self.pid, self.now());
        self.info_mut().net_reply = None;
        self.host.effects.push(Effect::Net { pid, op, at });
    }

    pub fn take_net_reply(&mut self) -> Option<NetReply> {
        self.info_mut().net_reply.take()
    }

    /// The value of an environment variable.
    pub fn env(&self, name: &str) -> Option<&str> {
        self.info().env.get(name).map(|value| &**value)
    }
}

enum Device {
    Null,
    Full,
    Stdin,
    Stdout(u32),
    InitOutput(u32),
}

fn device(path: &str) -> Option<Device> {
    Some(match path {
        "/dev/null" | "/dev/zero" => Device::Null,
        "/dev/full" => Device::Full,
        "/dev/stdin" => Device::Stdin,
        "/dev/stdout" | "/dev/tty" | "/proc/self/fd/1" => Device::Stdout(1),
        "/dev/stderr" | "/proc/self/fd/2" => Device::Stdout(2),
        "/proc/1/fd/1" => Device::InitOutput(1),
        "/proc/1/fd/2" => Device::InitOutput(2),
        _ => return None,
    })
}
