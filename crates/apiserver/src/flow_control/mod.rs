//! API Priority and Fairness: which request gets a seat at once, which waits, and which is told to come back. Upstream:
//! `apiserver/pkg/util/flowcontrol` and `apiserver/pkg/server/filters/priority-and-fairness.go`.
//!
//! A request belongs to the first [`FlowSchema`] that matches it, and through it to a priority [`Level`], which has so many
//! seats of all that the server has. It holds its seats for as long as it takes in virtual time. When a level has none
//! left, the request waits in one of a few queues that its flow is dealt, or is refused with 429.
//!
//! Differs: a request that waits is told at once when its turn comes, so that requests of one level are taken in the order
//! of their arrival and not by their queues' share; what levels lend each other moves with each request and not every ten
//! seconds; lists are weighed by the number of objects, not by their size; new configuration forgets who holds seats.

mod level;
pub(crate) mod objects;
mod schema;
mod settle;
mod work;

use api::object::Tree;
use api::status::Details;
use api::{Reason, SimTime, Status, User};

use crate::authorization::Attributes;
pub use level::{Level, Limits};
pub use schema::{Counts, FlowSchema, WAITS};
pub(crate) use settle::is_configuration;
pub(crate) use work::{Work, estimate};

/// `--max-requests-inflight` and `--max-mutating-requests-inflight` together.
const SEATS: u64 = 400 + 200;
const CATCH_ALL: &str = "catch-all";

/// Who wants to be served, when and for how long.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub user: &'a User,
    pub attributes: Attributes<'a>,
    pub at: SimTime,
    pub takes: SimTime,
    pub origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// One of the cluster's components: that it is in `system:masters` is a short cut of the simulation, and does not
    /// exempt it.
    Component,
    /// Somebody for whom virtual time passes.
    Inside,
    /// Somebody who is answered at once, and until then holds the seats: see [`FlowControl::answered`].
    Outside,
}

/// Where a request belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    pub schema_uid: String,
    pub level_uid: String,
}

/// Why a request is refused, as metrics call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    QueueFull,
    ConcurrencyLimit,
    TimeOut,
}

impl Refusal {
    pub const ALL: [Refusal; 3] = [Refusal::QueueFull, Refusal::ConcurrencyLimit, Refusal::TimeOut];

    pub fn as_str(self) -> &'static str {
        match self {
            Refusal::QueueFull => "queue-full",
            Refusal::ConcurrencyLimit => "concurrency-limit",
            Refusal::TimeOut => "time-out",
        }
    }
}

/// The schemas and levels in force, and who holds which seats.
#[derive(Clone, Default)]
pub struct FlowControl {
    /// In the order in which they are tried.
    schemas: Vec<FlowSchema>,
    levels: Vec<Level>,
    /// Somebody outside holds seats.
    has_outside: bool,
}

impl FlowControl {
    pub fn schemas(&self) -> &[FlowSchema] {
        &self.schemas
    }

    /// In the order of their names.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// How many seats a level may fill now: what is its own, and what others do not need, as far as it may borrow.
    pub fn limit(&self, level: usize) -> u64 {
        let limits = self.levels[level].limits();
        let others = self.levels.iter().enumerate().filter(|(index, _)| *index != level);
        let taken: u64 = others.map(|(_, other)| other.claim()).sum();
        let all: u64 = self.levels.iter().map(|level| level.limits().nominal).sum();
        all.saturating_sub(taken).clamp(limits.lower, limits.upper)
    }

    /// The first schema that matches a request.
    pub(crate) fn classify(&self, arrival: &Arrival) -> Option<usize> {
        let matched = self.schemas.iter().position(|schema| schema.matches(arrival));
        matched.or_else(|| self.schemas.iter().position(|schema| schema.name == CATCH_ALL))
    }

    pub(crate) fn flow(&self, schema: usize) -> Flow {
        let schema = &self.schemas[schema];
        Flow { schema_uid: schema.uid.clone(), level_uid: self.levels[schema.level].uid.clone() }
    }

    /// Gives a request of a schema its seats and says when it begins, or refuses it after so long a time.
    pub(crate) fn admit(
        &mut self,
        schema: usize,
        arrival: &Arrival,
        work: impl FnOnce(u64) -> Work,
    ) -> Result<SimTime, SimTime> {
        let index = self.schemas[schema].level;
        self.levels[index].advance(arrival.at);
        let limits = self.levels[index].limits();
        let work = if self.levels[index].is_exempt() { Work::ONE } else { work(limits.widest()) };
        let is_outside = arrival.origin == Origin::Outside;
        self.has_outside |= is_outside;
        let ask = level::Ask { at: arrival.at, takes: arrival.takes, work, schema, is_outside };
        let level = &self.levels[index];
        // Most requests find a seat among those that nobody else can have.
        let limit = if level.has_own(work.seats) { limits.lower } else { self.limit(index) };
        let schema = &mut self.schemas[schema];
        match self.levels[index].admit(&ask, limit, || schema.flow_hash(arrival)) {
            Ok(begins) => {
                schema.counts.dispatch(begins - arrival.at);
                Ok(begins)
            }
            Err((refusal, waited)) => {
                schema.counts.rejected[refusal as usize] += 1;
                Err(arrival.at + waited)
            }
        }
    }

    /// Those outside who asked together have their answers.
    pub(crate) fn answered(&mut self) {
        if std::mem::take(&mut self.has_outside) {
            self.levels.iter_mut().for_each(Level::release_outside);
        }
    }

    /// Takes over new configuration.
    pub(crate) fn configure<'a>(
        &mut self,
        levels: impl Iterator<Item = &'a Tree>,
        schemas: impl Iterator<Item = &'a Tree>,
    ) {
        let old = std::mem::take(&mut self.schemas);
        self.levels = level::read(levels, SEATS);
        self.schemas = schema::read(schemas, |name| self.levels.iter().position(|level| level.name == name));
        for schema in &mut self.schemas {
            if let Some(old) = old.iter().find(|old| old.name == schema.name) {
                schema.counts.clone_from(&old.counts);
            }
        }
    }
}

/// As clients see it who understand no plain text.
pub(crate) fn too_many_requests() -> Status {
    let message = "the server has received too many requests and has asked us to try again later";
    let details = Details { retry_after_seconds: 1, ..Details::default() };
    Status { details: Some(details), ..Status::new(429, Reason::TooManyRequests, message) }
}
