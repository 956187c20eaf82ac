//! Commands that run beside a container's main process.

use std::collections::BTreeMap;

use super::machine::Machine;
use super::types::{ExecId, LogStream};
use crate::process::{Descriptor, Pid, PipeId, Sink};
use crate::{Signal, SimTime};

impl Machine<'_> {
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

    pub(super) fn time_out_execs(&mut self, now: SimTime) {
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
}
