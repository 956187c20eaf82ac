//! The trace: every request, every piece of work, every decision, each with its cause.
//!
//! The timeline, "Why?" and the determinism test all read the same records. Records are kept up to a bound; the running
//! [hash](Trace::hash) covers all of them.

use std::collections::VecDeque;
use std::sync::Arc;

use api::{CauseId, KindId, SimTime, Subresource, Verb};

/// Older records are forgotten beyond this many.
const RECORDS_MAX: usize = 300_000;

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Record {
    pub id: CauseId,
    pub at: SimTime,
    /// The record that led to this one; 0 for what nobody caused.
    pub cause: CauseId,
    pub origin: Origin,
    pub what: What,
}

/// Who did it: a number into the cluster's members, or the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin(pub u16);

pub const USER: Origin = Origin(u16::MAX);

#[derive(Clone, Debug)]
pub enum What {
    /// Something that a person did: `kubectl apply -f web.yaml`.
    Action { text: Arc<str> },
    Request {
        verb: Verb,
        kind: KindId,
        subresource: Subresource,
        /// `namespace/name`; of a list only the namespace.
        key: Box<str>,
        code: u16,
        /// Revision of the object that was written; 0 for reads and refusals.
        revision: u64,
    },
    /// A component works on an object.
    Activity { what: &'static str, kind: &'static str, key: Box<str> },
    /// What came of it.
    Note { what: &'static str, text: Box<str> },
}

#[derive(Clone)]
pub struct Trace {
    records: VecDeque<Record>,
    last: u64,
    hash: u64,
}

impl Default for Trace {
    fn default() -> Self {
        Trace { records: VecDeque::new(), last: 0, hash: 0xcbf2_9ce4_8422_2325 }
    }
}

impl Trace {
    /// The number that the next record will have.
    pub fn next_id(&self) -> CauseId {
        CauseId(self.last + 1)
    }

    pub fn add(&mut self, at: SimTime, cause: CauseId, origin: Origin, what: What) -> CauseId {
        self.last += 1;
        let id = CauseId(self.last);
        self.mix(at);
        self.mix(cause.0 << 16 | u64::from(origin.0));
        match &what {
            What::Action { text } => self.mix_text(text),
            What::Request { verb, kind, subresource, key, code, revision } => {
                self.mix(*verb as u64 | (*subresource as u64) << 8 | u64::from(kind.0) << 16 | u64::from(*code) << 32);
                self.mix(*revision);
                self.mix_text(key);
            }
            What::Activity { what, kind, key } => {
                self.mix_text(what);
                self.mix_text(kind);
                self.mix_text(key);
            }
            What::Note { what, text } => {
                self.mix_text(what);
                self.mix_text(text);
            }
        }
        if self.records.len() == RECORDS_MAX {
            self.records.pop_front();
        }
        self.records.push_back(Record { id, at, cause, origin, what });
        id
    }

    fn mix(&mut self, number: u64) {
        self.hash = (self.hash ^ number).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
    }

    fn mix_text(&mut self, text: &str) {
        let (chunks, rest) = text.as_bytes().as_chunks::<8>();
        for chunk in chunks {
            self.mix(u64::from_le_bytes(*chunk));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.mix(u64::from_le_bytes(last) ^ (text.len() as u64) << 56);
    }

    /// Depends on every record ever added, and on nothing else.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    pub fn get(&self, id: CauseId) -> Option<&Record> {
        let first = self.records.front()?.id.0;
        self.records.get(id.0.checked_sub(first)? as usize)
    }

    pub fn records(&self) -> impl DoubleEndedIterator<Item = &Record> + ExactSizeIterator {
        self.records.iter()
    }

    /// Records added so far, forgotten ones included.
    pub fn len(&self) -> u64 {
        self.last
    }

    pub fn is_empty(&self) -> bool {
        self.last == 0
    }
}
