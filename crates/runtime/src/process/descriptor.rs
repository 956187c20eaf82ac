use std::sync::Arc;

use crate::{ExecId, LogStream};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PipeId(pub u32);

/// Bytes on their way from writers to a reader. Ends when no process holds it open.
#[derive(Clone, Debug, Default)]
pub struct Pipe {
    pub text: String,
    /// A writer outside the container: the client of an interactive exec.
    pub fed_from_outside: bool,
}

/// A text that was read when it was opened, and how far it has been consumed.
#[derive(Clone, Debug)]
pub struct Reader {
    pub text: Arc<str>,
    pub offset: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReaderId(pub u32);

/// Where terminal output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    Log,
    Exec(ExecId),
}

/// What a file descriptor stands for.
#[derive(Clone, Debug)]
pub enum Descriptor {
    Null,
    PipeRead(PipeId),
    PipeWrite(PipeId),
    /// A file or here-document; who inherits the descriptor shares its position.
    Reader(ReaderId),
    /// Appends to the file at this absolute path.
    Writer {
        path: Arc<str>,
    },
    Terminal(Sink, LogStream),
    /// `/dev/full`.
    Full,
}
