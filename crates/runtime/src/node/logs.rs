//! A container's log: the last lines, with their times and streams.

use std::collections::VecDeque;

use super::types::{LogLine, LogOptions, LogStream};
use crate::SimTime;

/// The lines of one container.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    lines: VecDeque<LogLine>,
    /// How many lines were dropped from the front.
    dropped: u64,
    bytes: u64,
    partial: [String; 2],
}

impl Logs {
    /// Adds text; what follows the last line end waits for more.
    pub fn write(&mut self, at: SimTime, stream: LogStream, text: &str) {
        const PARTIAL_MAX: usize = 16 * 1024;
        let index = stream as usize;
        let mut rest = std::mem::take(&mut self.partial[index]);
        rest.push_str(text);
        while let Some(end) = rest.find('\n') {
            let tail = rest.split_off(end + 1);
            rest.truncate(end);
            self.push(at, stream, rest);
            rest = tail;
        }
        if rest.len() > PARTIAL_MAX {
            self.push(at, stream, rest);
            rest = String::new();
        }
        self.partial[index] = rest;
    }

    /// Ends unfinished lines, when the container has exited.
    pub fn flush(&mut self, at: SimTime) {
        for (index, stream) in [LogStream::Stdout, LogStream::Stderr].into_iter().enumerate() {
            let rest = std::mem::take(&mut self.partial[index]);
            if !rest.is_empty() {
                self.push(at, stream, rest);
            }
        }
    }

    /// Adds a whole line, given without its line end.
    pub fn push(&mut self, at: SimTime, stream: LogStream, text: String) {
        const LINES_MAX: usize = 5_000;
        self.bytes += text.len() as u64 + 1;
        self.lines.push_back(LogLine { at, stream, text });
        if self.lines.len() > LINES_MAX {
            self.lines.pop_front();
            self.dropped += 1;
        }
    }

    /// Bytes ever written.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lines ever written.
    pub fn serial(&self) -> u64 {
        self.dropped + self.lines.len() as u64
    }

    /// What was written since the last line end, for an attached terminal.
    pub fn unfinished(&self) -> &str {
        &self.partial[0]
    }

    /// Lines written up to `now` that the options choose.
    pub fn read(&self, now: SimTime, options: &LogOptions) -> Vec<LogLine> {
        let skip = options.after.map_or(0, |after| after.saturating_sub(self.dropped));
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let since = options.since.unwrap_or(0);
        let lines: Vec<&LogLine> =
            self.lines.iter().skip(skip).filter(|line| (since..=now).contains(&line.at)).collect();
        let start = options.tail.map_or(0, |tail| lines.len().saturating_sub(tail));
        let mut left = options.limit_bytes.unwrap_or(usize::MAX);
        let mut result = Vec::new();
        for line in &lines[start..] {
            if left == 0 {
                break;
            }
            let mut line = (*line).clone();
            if line.text.len() + 1 > left {
                let end = (0..=left.min(line.text.len())).rev().find(|at| line.text.is_char_boundary(*at)).unwrap_or(0);
                line.text.truncate(end);
            }
            left = left.saturating_sub(line.text.len() + 1);
            result.push(line);
        }
        result
    }
}
