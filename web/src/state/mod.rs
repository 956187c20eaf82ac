//! What the page knows: several small stores, each watched by the components that draw it.

pub mod cluster;
pub mod desk;
pub mod frame;
pub mod prefs;
pub mod timeline;
pub mod work;

use protocol::view::{Clock, ObjectRef};
use protocol::{EventLine, Inspection};

use crate::store::{Row, Store};

pub use cluster::Cluster;
pub use desk::Desk;
pub use frame::{Dialog, Frame, Notice, Phase};
pub use prefs::Prefs;
pub use timeline::Timeline;

#[derive(Default)]
pub struct State {
    pub cluster: Store<Cluster>,
    pub clock: Store<Clock>,
    pub timeline: Store<Timeline>,
    pub events: Store<Vec<Row<EventLine>>>,
    pub selection: Store<Selection>,
    /// What the pointer rests on, as flows name their ends.
    pub hover: Store<Option<String>>,
    pub frame: Store<Frame>,
    pub desk: Store<Desk>,
    pub prefs: Store<Prefs>,
}

#[derive(Default)]
pub struct Selection {
    pub object: Option<ObjectRef>,
    pub inspection: Option<Row<Inspection>>,
    pub tab: InspectorTab,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InspectorTab {
    Summary,
    Yaml,
    Events,
    #[default]
    Why,
}

impl InspectorTab {
    pub const ALL: [InspectorTab; 4] =
        [InspectorTab::Summary, InspectorTab::Yaml, InspectorTab::Events, InspectorTab::Why];

    /// How a link names the tab.
    pub fn name(self) -> &'static str {
        match self {
            InspectorTab::Summary => "summary",
            InspectorTab::Yaml => "yaml",
            InspectorTab::Events => "events",
            InspectorTab::Why => "why",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tab| tab.name() == name)
    }
}

thread_local! {
    static STATE: &'static State = Box::leak(Box::default());
}

/// The page's one state: it lives as long as the page.
pub fn state() -> &'static State {
    STATE.with(|state| *state)
}
