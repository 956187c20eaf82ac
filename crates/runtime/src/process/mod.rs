//! The processes of one container: scheduling in virtual time, pipes, signals.
//!
//! A process is a state machine ([`Program`]) that runs in short steps, each of which costs virtual time. Nothing here
//! blocks: a process that waits says what for ([`Wait`]) and is stepped again when that has come.

mod descriptor;
mod host;
mod kernel;
mod task;

pub use descriptor::{Descriptor, Pipe, PipeId, Reader, ReaderId, Sink};
pub use host::{Effect, Host};
pub use kernel::{Info, Kernel, NewProcess, Program, SPAWN_NS, Step, Wait};
pub use task::{Read, Task};

/// Number of a process in its container; the main process has 1.
pub type Pid = u32;
