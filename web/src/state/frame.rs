//! The page around the cluster: what is open, which panes show, which notices stand.

use std::rc::Rc;

use protocol::Problem;
use protocol::scenario::{File, Text};
use protocol::view::Example;

use super::work::Origin;

#[derive(Default)]
pub struct Frame {
    pub phase: Phase,
    pub simulates: String,
    pub examples: Rc<Vec<Example>>,
    pub title: Text,
    pub description: Text,
    /// What is open, or was asked for.
    pub origin: Option<Origin>,
    pub dialog: Option<Dialog>,
    pub notice: Option<Notice>,
    pub share: ShareLink,
    pub editor_open: Option<bool>,
    pub inspector_hidden: bool,
    pub dock_closed: bool,
    pub dock_tall: bool,
    pub dock_tab: DockTab,
    /// The one pane that a narrow window shows.
    pub pane: Pane,
    pub namespace: String,
    pub filter: String,
    pub filtering: bool,
    pub zoom: f64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub enum Phase {
    #[default]
    Loading,
    Running,
    /// What was to be opened cannot be; a running cluster stays underneath.
    Problem(Problem),
    Fault(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialog {
    Share,
    Help,
    Go,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// The tab was hidden at this moment of virtual time.
    Hidden(u64),
    /// The editor shows the visitor's own edits of what was opened; these are the files as opened.
    Edited(Rc<Vec<File>>),
    /// A link was opened while the visitor has work of their own.
    Link,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareLink {
    /// The moment that the link opens at.
    pub at: u64,
    pub paused: bool,
    pub selection: bool,
    pub fragment: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DockTab {
    #[default]
    Terminal,
    Events,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    #[default]
    Map,
    Yaml,
    Terminal,
    Events,
}
