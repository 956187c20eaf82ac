//! What an interpreter has yet to do.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::{RedirectKind, Script};
use super::scope::Variable;
use crate::process::{Descriptor, Pid};

pub type Files = BTreeMap<u32, Descriptor>;

#[derive(Clone, Debug)]
pub enum Frame {
    Run(Script),
    ListNext {
        list: Script,
        index: usize,
    },
    AndOrNext {
        node: Script,
        index: usize,
    },
    IfNext {
        node: Script,
        arm: usize,
    },
    LoopTest {
        node: Script,
    },
    LoopBody {
        node: Script,
    },
    ForNext {
        node: Script,
        fields: Arc<[String]>,
        index: usize,
    },
    /// Expand the words of the node, then do it.
    Expand {
        node: Script,
        outputs: Vec<String>,
        collecting: Option<Collecting>,
    },
    Negate,
    /// Children have ended: the status is that of the last, or with `pipefail` of the last that failed.
    Await {
        pids: Vec<Pid>,
    },
    AwaitJobs {
        pids: Vec<Pid>,
    },
    /// `read`: fill these variables with the next line.
    ReadLine {
        names: Vec<String>,
        raw: bool,
    },
    /// End of a function or a sourced file.
    Return {
        positional: Option<Vec<Arc<str>>>,
        locals: Vec<(Arc<str>, Option<Variable>)>,
    },
    RestoreFiles,
    Unguard,
    /// Complain about the script's syntax and end.
    Reject(String),
    RestoreStatus(i32),
}

#[derive(Clone, Debug)]
pub struct Collecting {
    pub pipe_fd: u32,
    pub child: Pid,
    pub text: String,
}

pub struct Expanded {
    pub assigns: Vec<(String, String)>,
    pub fields: Vec<String>,
    pub redirects: Vec<(u32, RedirectKind, String)>,
    pub case_arm: Option<usize>,
    pub had_substitution: bool,
}
