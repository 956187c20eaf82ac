//! From the page to the worker.

use serde::{Deserialize, Serialize};

use crate::scenario::Scenario;
use crate::view::ObjectRef;

/// One thing that the page asks of the core.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub enum Command {
    /// Drop the running cluster and start the one that the source describes. A source that cannot be read is answered
    /// with [`crate::Report::Problem`] and leaves the running cluster as it is.
    Open {
        source: Source,
    },
    /// Apply every document of the manifest, as `kubectl apply -f` does.
    Apply {
        file: String,
        text: String,
    },
    /// The same as a server-side dry run. `request` comes back in the answer, so that a late answer can be dropped.
    DryRun {
        request: u32,
        text: String,
    },
    /// One line typed into the terminal.
    Terminal {
        line: String,
    },
    /// Ctrl-C in the terminal: ends a watch or `logs -f`.
    Interrupt,
    /// What may follow the cursor in the terminal's line.
    Complete {
        request: u32,
        line: String,
        cursor: usize,
    },
    /// Run or pause virtual time.
    Run {
        running: bool,
    },
    Speed {
        speed: Speed,
    },
    /// Advance to the next event that changes the cluster, then pause.
    Step,
    /// What the inspector shows; `None` closes it.
    Select {
        object: Option<ObjectRef>,
    },
    /// A way to act on the cluster other than through its API: break it, mend it.
    Act {
        act: Act,
    },
    /// Put the scenario so far into a link. The page adds its own address in front of the fragment.
    Share {
        view: crate::scenario::SavedView,
    },
    /// The scenario so far, as a file to keep.
    Export {
        view: crate::scenario::SavedView,
    },
    /// The browser hid or showed the tab.
    Hidden {
        hidden: bool,
    },
}

/// Where a cluster comes from.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", tag = "from")]
pub enum Source {
    /// One of the built-in examples, by [`crate::view::Example::id`].
    Example {
        id: String,
    },
    /// The URL fragment without its `#`: `v1.<codec>.<payload>`.
    Link {
        fragment: String,
    },
    /// The text of a scenario file, or of plain manifests dropped on the page.
    File {
        name: String,
        text: String,
    },
    Scenario {
        scenario: Box<Scenario>,
    },
}

/// How much virtual time passes in a second of the wall clock.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Speed {
    Times {
        factor: f64,
    },
    /// As fast as the machine goes until nothing is left to do but periodic work.
    UntilSettled,
}

/// Faults and repairs. Each is a flag on the timeline and a step of the scenario.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", tag = "do")]
pub enum Act {
    /// `component` as in [`crate::view::Component::name`]: `kube-scheduler`, `kube-controller-manager`, `kubelet/node-1`.
    Pause {
        component: String,
    },
    Resume {
        component: String,
    },
    /// The node loses power: its kubelet, containers and network stop at once.
    PowerOff {
        node: String,
    },
    PowerOn {
        node: String,
    },
}
