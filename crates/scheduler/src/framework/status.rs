//! What a plugin says about a Pod or a node: upstream's `fwk.Status`.

use std::fmt;
use std::sync::Arc;

use super::PluginName;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    Success,
    /// An internal failure: the Pod is retried after a backoff.
    Error,
    /// Preemption may help.
    Unschedulable,
    /// Preemption cannot help.
    UnschedulableAndUnresolvable,
    /// The plugin has nothing to do for this Pod.
    Skip,
    /// The Pod waits for something outside, such as an API object, and shall be retried at once when it comes.
    Pending,
}

/// One reason of a refusal. Most are fixed texts, so that refusing thousands of nodes builds no strings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    Static(&'static str),
    Text(Arc<str>),
}

impl Reason {
    pub fn as_str(&self) -> &str {
        match self {
            Reason::Static(text) => text,
            Reason::Text(text) => text,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&'static str> for Reason {
    fn from(text: &'static str) -> Reason {
        Reason::Static(text)
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Reason {
        Reason::Text(text.into())
    }
}

#[derive(Clone, Debug)]
pub struct Status {
    pub code: Code,
    pub reasons: Vec<Reason>,
    /// The plugin that says so; set by the framework.
    pub plugin: Option<PluginName>,
}

impl Status {
    pub const SUCCESS: Status = Status { code: Code::Success, reasons: Vec::new(), plugin: None };
    pub const SKIP: Status = Status { code: Code::Skip, reasons: Vec::new(), plugin: None };

    fn of(code: Code, reason: impl Into<Reason>) -> Status {
        Status { code, reasons: vec![reason.into()], plugin: None }
    }

    pub fn unschedulable(reason: impl Into<Reason>) -> Status {
        Status::of(Code::Unschedulable, reason)
    }

    pub fn unresolvable(reason: impl Into<Reason>) -> Status {
        Status::of(Code::UnschedulableAndUnresolvable, reason)
    }

    pub fn error(reason: impl Into<Reason>) -> Status {
        Status::of(Code::Error, reason)
    }

    pub fn with_plugin(mut self, plugin: PluginName) -> Status {
        self.plugin = Some(plugin);
        self
    }

    pub fn is_success(&self) -> bool {
        self.code == Code::Success
    }

    pub fn is_skip(&self) -> bool {
        self.code == Code::Skip
    }

    /// Refused for the Pod's or the cluster's sake, not because something broke.
    pub fn is_rejected(&self) -> bool {
        matches!(self.code, Code::Unschedulable | Code::UnschedulableAndUnresolvable | Code::Pending)
    }

    pub fn message(&self) -> String {
        let texts: Vec<&str> = self.reasons.iter().map(Reason::as_str).collect();
        texts.join(", ")
    }
}
