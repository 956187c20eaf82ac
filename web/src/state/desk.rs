//! The editor's files and what the API server says of them.

use protocol::scenario::File;
use protocol::{Applied, Outcome};

use crate::store::Row;

/// Above this many bytes the page asks for no dry run: it would hold up the cluster with every key.
pub const DRY_RUN_MAX: usize = 300_000;
/// Above this many bytes a manifest is not applied either; etcd takes 1.5 MiB an object at most.
pub const APPLY_MAX: usize = 3_000_000;

#[derive(Default)]
pub struct Desk {
    pub files: Vec<Tab>,
    pub active: usize,
    /// What the last dry run of the active file said; `None` until there is one.
    pub checked: Option<Row<Applied>>,
    pub applied: Option<Row<Applied>>,
    pub applying: bool,
    /// Lines of the active file that differ from the cluster.
    pub changed_lines: u32,
    /// The request number of the last dry run: answers to earlier ones are dropped.
    pub request: u32,
    /// Rises when the editor has to show other text than what was typed into it.
    pub generation: u32,
    pub edited: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tab {
    pub name: String,
    pub text: String,
    /// The text as it was last applied or opened: what the gutter compares with.
    pub baseline: Option<String>,
}

impl Tab {
    pub fn differs(&self) -> bool {
        self.baseline.as_deref() != Some(&self.text)
    }
}

impl Desk {
    pub fn show(&mut self, files: &[File], baselines: &[File], active: usize) {
        let baseline = |name: &str| baselines.iter().find(|file| file.name == name).map(|file| file.text.clone());
        self.files = files
            .iter()
            .map(|file| Tab { name: file.name.clone(), text: file.text.clone(), baseline: baseline(&file.name) })
            .collect();
        if self.files.is_empty() {
            self.files.push(Tab { name: "manifest.yaml".into(), ..Tab::default() });
        }
        self.active = active.min(self.files.len() - 1);
        self.applied = None;
        self.applying = false;
        self.shown_anew();
    }

    pub fn shown_anew(&mut self) {
        self.generation += 1;
        self.checked = None;
    }

    pub fn tab(&self) -> Option<&Tab> {
        self.files.get(self.active)
    }

    pub fn files(&self) -> Vec<File> {
        self.files.iter().map(|tab| File { name: tab.name.clone(), text: tab.text.clone() }).collect()
    }

    /// A name that no other tab has.
    pub fn free_name(&self, wish: &str) -> String {
        let taken = |name: &str| self.files.iter().any(|tab| tab.name == name);
        if !taken(wish) {
            return wish.to_owned();
        }
        let (stem, extension) = wish.rsplit_once('.').unwrap_or((wish, "yaml"));
        (2..).map(|number| format!("{stem}-{number}.{extension}")).find(|name| !taken(name)).unwrap_or_default()
    }

    pub fn add(&mut self, name: &str, text: String) {
        let name = self.free_name(name);
        self.files.push(Tab { name, text, baseline: None });
        self.active = self.files.len() - 1;
        self.shown_anew();
    }
}

/// How many objects an `Applied` created, configured, left unchanged, and how many were refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub created: usize,
    pub configured: usize,
    pub unchanged: usize,
    pub refused: usize,
}

impl Tally {
    pub fn of(applied: &Applied) -> Self {
        let mut tally = Tally::default();
        for object in &applied.objects {
            match object.outcome {
                Outcome::Created => tally.created += 1,
                Outcome::Configured => tally.configured += 1,
                Outcome::Unchanged => tally.unchanged += 1,
                Outcome::Refused { .. } => tally.refused += 1,
            }
        }
        tally
    }
}
