//! The visitor's own work: their edits of each thing that they opened, kept in this browser.

use protocol::Source;
use protocol::scenario::{File, Text};
use serde::{Deserialize, Serialize};

use crate::browser;

const KEY: &str = "tabernetes.work";
const KEPT_MAX: usize = 12;
/// Browsers give a page about 5 MB; a bigger text stays in the page alone.
const SIZE_MAX: usize = 2_000_000;

/// Where a piece of work began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    Example(String),
    Link(String),
    File(File),
}

impl From<Origin> for Source {
    fn from(origin: Origin) -> Source {
        match origin {
            Origin::Example(id) => Source::Example { id },
            Origin::Link(fragment) => Source::Link { fragment },
            Origin::File(File { name, text }) => Source::File { name, text },
        }
    }
}

/// Most recent first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Work(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    pub origin: Origin,
    pub title: Text,
    pub files: Vec<File>,
    pub active: usize,
}

impl Work {
    pub fn load() -> Self {
        browser::stored(KEY).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// The visitor's edits of what came from there.
    pub fn of(&self, origin: &Origin) -> Option<&Piece> {
        self.0.iter().find(|piece| piece.origin == *origin)
    }

    /// What to come back to. Edits of somebody else's link are only found through that link.
    pub fn last_own(&self) -> Option<&Piece> {
        self.0.iter().find(|piece| !matches!(piece.origin, Origin::Link(_)))
    }

    /// Keeps a piece; false where it is too big for the browser's storage.
    pub fn keep(piece: Piece) -> bool {
        let mut work = Work::load();
        work.0.retain(|kept| kept.origin != piece.origin);
        work.0.insert(0, piece);
        work.0.truncate(KEPT_MAX);
        match serde_json::to_string(&work) {
            Ok(text) if text.len() <= SIZE_MAX => browser::store(KEY, &text),
            _ => false,
        }
    }

    pub fn forget(origin: &Origin) {
        let mut work = Work::load();
        work.0.retain(|kept| kept.origin != *origin);
        if let Ok(text) = serde_json::to_string(&work) {
            browser::store(KEY, &text);
        }
    }
}
