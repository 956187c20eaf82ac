//! From the worker to the page.

use serde::{Deserialize, Serialize};

use crate::scenario::{File, SavedView, Text};
use crate::view::{Example, ObjectRef, View};

/// One thing that the worker tells the page.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub enum Report {
    /// The core is up; these examples are built in.
    Ready {
        version: String,
        simulates: String,
        examples: Vec<Example>,
    },
    /// A cluster was opened: what the editor and the page's frame show. A `View` with `reset` follows.
    Opened {
        title: Text,
        description: Text,
        files: Vec<File>,
        view: SavedView,
        seed: u64,
    },
    View {
        view: Box<View>,
    },
    Applied {
        applied: Applied,
    },
    DryRun {
        request: u32,
        applied: Applied,
    },
    Terminal {
        output: TerminalOutput,
    },
    Completions {
        request: u32,
        completions: Vec<Completion>,
    },
    Inspection {
        inspection: Box<Inspection>,
    },
    /// The fragment of a share link, without its `#`.
    Link {
        fragment: String,
    },
    /// A scenario file to download.
    File {
        name: String,
        text: String,
    },
    Problem {
        problem: Problem,
    },
}

/// What became of a manifest, document by document.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    pub file: String,
    pub objects: Vec<AppliedObject>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct AppliedObject {
    /// `None` where the document could not be read far enough to tell.
    pub object: Option<ObjectRef>,
    pub outcome: Outcome,
    /// No component acts upon objects of this kind.
    pub is_only_stored: bool,
    /// Line of the editor, from 1: of the field that is refused, else of the document's start.
    pub line: u32,
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    Created,
    Configured,
    #[default]
    Unchanged,
    /// The API server's own words. Code 0: the text could not be read as YAML and never reached it.
    Refused {
        code: u16,
        reason: String,
        message: String,
    },
}

/// Text for the terminal, with `\n` line ends and no control codes. `done` brings the prompt back.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TerminalOutput {
    pub text: String,
    pub error: bool,
    pub done: bool,
    /// The session's shell prompt has changed, e.g. inside `kubectl exec -it`.
    pub prompt: Option<String>,
    /// `kubectl edit` and the like: open this in the editor.
    pub open: Option<File>,
    pub clear: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Completion {
    /// Replaces the word under the cursor.
    pub text: String,
    /// A few words beside it: a Pod's status, a flag's meaning.
    pub note: String,
}

/// Everything that the inspector shows of one object.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    pub object: ObjectRef,
    /// Virtual time of its deletion; its last state stays.
    pub deleted: Option<u64>,
    pub owner: Option<ObjectRef>,
    /// Label and value, in order.
    pub facts: Vec<(String, String)>,
    /// Longer sections of the summary: containers, conditions, ports …: title and rows.
    pub sections: Vec<(String, Vec<(String, String)>)>,
    pub yaml: String,
    pub events: Vec<EventLine>,
    /// Oldest first: from what somebody did to how the object is now.
    pub why: Vec<Cause>,
    /// What the object has led to since.
    pub effects: Vec<Cause>,
    /// The phases from creation to Ready, and their nanoseconds.
    pub phases: Vec<(Phase, u64)>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    pub at: u64,
    pub mark: CauseMark,
    pub deed: Deed,
    /// The component that did it.
    pub by: String,
    /// etcd's, if it changed what is stored.
    pub revision: Option<u64>,
    /// In the component's own words: `score 461, node-3 had 438`.
    pub detail: String,
    /// What it was done to.
    pub object: Option<ObjectRef>,
}

/// What was done, for the page to say in its visitor's language.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub enum Deed {
    /// Somebody did this.
    Ran {
        what: String,
    },
    Created,
    #[default]
    Changed,
    Scaled,
    Bound,
    Evicted,
    Deleted,
    /// The Pod became ready: Services send it traffic from now on.
    Ready,
    /// A component's step, by the name that it gives it: `scheduled`, `image`, `back-off`.
    Step {
        name: String,
    },
}

/// Where a Pod's time goes until it is ready.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    Scheduling,
    Volumes,
    Sandbox,
    ImagePull,
    Start,
    Readiness,
}

/// How a line of the causal chain is marked.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum CauseMark {
    /// Somebody did it.
    Action,
    #[default]
    Step,
    Ready,
    Trouble,
    Leaving,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EventLine {
    pub at: u64,
    pub warning: bool,
    pub reason: String,
    pub object: ObjectRef,
    pub message: String,
    pub source: String,
    pub count: u32,
}

/// Something that the page tells in a place of its own, with a way on.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    pub kind: ProblemKind,
    /// What is wrong, in English: one sentence for a person.
    pub message: String,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum ProblemKind {
    /// The link ends before its payload does.
    LinkCutShort,
    /// The link's payload does not decode.
    LinkCorrupt,
    /// The link or file was made by a newer version, or with a codec that this one does not know.
    TooNew,
    /// The file is no scenario and no manifest.
    FileUnreadable,
    /// A fault of the core: the simulation stopped.
    CoreFault,
}
