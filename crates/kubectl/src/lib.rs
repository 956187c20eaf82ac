//! The command line, as a library over [`client::Client`]: what upstream keeps in `k8s.io/kubectl`.
//!
//! A [`Session`] is a terminal: a current namespace and the files that the page has. [`Session::start`] takes a line and
//! gives a [`Running`], which the page polls in virtual time until it has an exit code. A command never blocks: those that
//! wait (`get -w`, `rollout status`, `delete`, `logs -f`) are `async` functions that this crate polls itself, without an
//! executor and without a thread. [`apply_manifest`] is `kubectl apply -f` for an editor beside the terminal.
//!
//! Reading order: [`session`], `task` (how a command waits), `shell` (lines, pipes, the few tools of a terminal),
//! `flags`, `commands` (the table of commands, one module each), `resource` (from arguments to objects), `output` (what
//! `-o` can do) and `describe`.
//!
//! Known differences: the printer columns are computed here from the objects instead of by the API server, with the same
//! code (`api::table`), and the `--help` texts are our own and short.

mod apply;
mod commands;
mod complete;
mod describe;
mod failure;
mod files;
mod flags;
mod kustomize;
mod manifest;
mod output;
mod resource;
mod server_side;
pub mod session;
mod shell;
mod task;

pub use apply::{AppliedDoc, Outcome, apply_manifest};
pub use commands::global_flags;
pub use complete::Completion;
pub use files::Disk;
pub use session::{Comparison, Context, EditRequest, Errand, Forward, Piece, Progress, Proxy, Running, Session};
pub use shell::is_incomplete;
