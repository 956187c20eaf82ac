//! What the page and the core's worker say to each other: plain data, no behaviour.
//!
//! The page sends [`Command`]s and the worker answers with [`Report`]s, each as one JSON text in a `postMessage`.
//! The page never sees a Kubernetes type: the worker boils the cluster down to the [`view`] that the page draws,
//! sends it whole once ([`view::View`]) and afterwards as deltas, at most one a frame.
//!
//! What is said sixty times a second is tagged from outside (`{"view": {…}}`): serde reads that without a copy, and in
//! half of the code. Only what people write in scenario files has its tag inside.

mod command;
mod report;
pub mod scenario;
pub mod view;

pub use command::{Act, Command, Source, Speed};
pub use report::{
    Applied, AppliedObject, Cause, CauseMark, Completion, Deed, EventLine, Inspection, Outcome, Phase, Problem,
    ProblemKind, Report, TerminalOutput,
};
