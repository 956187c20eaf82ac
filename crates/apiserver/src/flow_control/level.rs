//! Priority levels: seats, and queues before them.

use std::collections::BTreeMap;

use api::object::Tree;
use api::time::SECOND;
use api::{Object as _, SimTime};
use serde_json::Value;

use super::{Refusal, Work};

/// A quarter of `--request-timeout`.
const WAIT_MAX: SimTime = 15 * SECOND;
/// Of a level's seats, in percent, what one request may take.
const WIDEST_PERCENT: u64 = 15;

#[derive(Clone)]
pub struct Level {
    pub name: String,
    pub uid: String,
    limits: Limits,
    is_exempt: bool,
    /// Levels without queues refuse what finds no seat.
    queues: Option<Queues>,
    /// By their end, and by when they came: also those whose turn is still to come.
    executing: BTreeMap<(SimTime, u64), Execution>,
    /// By their turn, and by when they came.
    waiting: BTreeMap<(SimTime, u64), Waiting>,
    /// What those who execute hold.
    used: u64,
    serial: u64,
}

/// In seats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub nominal: u64,
    /// What it does not lend.
    pub lower: u64,
    /// With all that it may borrow.
    pub upper: u64,
}

impl Limits {
    /// What one request may take.
    pub fn widest(self) -> u64 {
        (self.nominal * WIDEST_PERCENT).div_ceil(100).max(1)
    }
}

#[derive(Clone, Copy)]
struct Queues {
    count: u64,
    hand: u64,
    length_max: usize,
}

#[derive(Clone)]
struct Execution {
    begins: SimTime,
    seats: u64,
    schema: usize,
    is_outside: bool,
}

#[derive(Clone)]
struct Waiting {
    queue: u64,
    schema: usize,
    is_outside: bool,
}

pub(super) struct Ask {
    pub at: SimTime,
    pub takes: SimTime,
    pub work: Work,
    pub schema: usize,
    pub is_outside: bool,
}

/// The levels, with their parts of all the server's seats.
pub(super) fn read<'a>(levels: impl Iterator<Item = &'a Tree>, seats: u64) -> Vec<Level> {
    let levels: Vec<&Tree> = levels.collect();
    let number = |level: &Tree, field: &str| {
        let of = |part: &str| level.at(&format!("/spec/{part}/{field}")).and_then(Value::as_u64);
        of("limited").or_else(|| of("exempt"))
    };
    let shares = |level: &Tree| number(level, "nominalConcurrencyShares").unwrap_or(0);
    let all: u64 = levels.iter().map(|level| shares(level)).sum();
    let nominal = |level: &Tree| (seats * shares(level)).div_ceil(all.max(1));
    let total: u64 = levels.iter().map(|level| nominal(level)).sum();
    levels
        .iter()
        .map(|level| {
            let nominal = nominal(level);
            // Halves are rounded to even numbers upstream, which no sum of whole percents tells from rounding up.
            let part = |percent: u64| (nominal * percent + 50) / 100;
            let borrows = number(level, "borrowingLimitPercent").map_or(total, part);
            let queue = |field: &str| level.at(&format!("/spec/limited/limitResponse/queuing/{field}"));
            let queue = |field: &str| queue(field).and_then(Value::as_u64);
            Level {
                name: level.meta().name.clone().unwrap_or_default(),
                uid: level.meta().uid.clone().unwrap_or_default(),
                limits: Limits {
                    nominal,
                    lower: nominal - part(number(level, "lendablePercent").unwrap_or(0).min(100)),
                    upper: (nominal + borrows).min(total),
                },
                is_exempt: level.text("/spec/type") == "Exempt",
                queues: queue("queues").zip(queue("handSize")).zip(queue("queueLengthLimit")).map(
                    |((count, hand), length)| Queues { count, hand: hand.min(count), length_max: length as usize },
                ),
                executing: BTreeMap::new(),
                waiting: BTreeMap::new(),
                used: 0,
                serial: 0,
            }
        })
        .collect()
}

impl Level {
    pub fn limits(&self) -> Limits {
        self.limits
    }

    pub fn is_exempt(&self) -> bool {
        self.is_exempt
    }

    /// How many requests of a schema execute at a moment, and what they hold.
    pub fn executing(&self, schema: Option<usize>, now: SimTime) -> (u64, u64) {
        let ends_later = self.executing.range((now + 1, 0)..).map(|(_, execution)| execution);
        let is_one =
            |execution: &&Execution| execution.begins <= now && schema.is_none_or(|schema| execution.schema == schema);
        ends_later.filter(is_one).fold((0, 0), |(requests, seats), one| (requests + 1, seats + one.seats))
    }

    /// How many requests of a schema wait for their turn.
    pub fn waiting(&self, schema: Option<usize>, now: SimTime) -> u64 {
        let later = self.waiting.range((now + 1, 0)..).map(|(_, waiting)| waiting);
        later.filter(|waiting| schema.is_none_or(|schema| waiting.schema == schema)).count() as u64
    }

    /// How many queues have somebody waiting in them.
    pub fn active_queues(&self, now: SimTime) -> usize {
        let mut queues: Vec<u64> = self.waiting.range((now + 1, 0)..).map(|(_, waiting)| waiting.queue).collect();
        queues.sort_unstable();
        queues.dedup();
        queues.len()
    }

    /// The seats that no other level can have now.
    pub(super) fn claim(&self) -> u64 {
        if self.is_exempt { self.used.min(self.limits.nominal) } else { self.used.max(self.limits.lower) }
    }

    /// There are so many free seats among those that it never lends.
    pub(super) fn has_own(&self, seats: u64) -> bool {
        self.waiting.is_empty() && self.used + seats <= self.limits.lower
    }

    /// Whoever is done by then gives the seats back.
    pub(super) fn advance(&mut self, now: SimTime) {
        while let Some(first) = self.executing.first_entry()
            && first.key().0 <= now
        {
            self.used -= first.remove().seats;
        }
        while let Some(first) = self.waiting.first_entry()
            && first.key().0 <= now
        {
            first.remove();
        }
    }

    /// The moment at which a request begins, or why it never does and when that is known.
    pub(super) fn admit(
        &mut self,
        ask: &Ask,
        limit: u64,
        flow: impl FnOnce() -> u64,
    ) -> Result<SimTime, (Refusal, SimTime)> {
        let seats = ask.work.seats;
        let is_free = |used: u64| used + seats <= limit || used == 0;
        if self.is_exempt || (self.waiting.is_empty() && is_free(self.used) && (limit > 0 || self.queues.is_none())) {
            self.execute(ask, ask.at);
            return Ok(ask.at);
        }
        let Some(queues) = self.queues else { return Err((Refusal::ConcurrencyLimit, 0)) };
        let queue = self.shortest(&queues.hand_of(flow()));
        if self.length(queue) >= queues.length_max {
            return Err((Refusal::QueueFull, 0));
        }
        let mut begins = self.waiting.last_key_value().map_or(ask.at, |((turn, _), _)| (*turn).max(ask.at));
        let mut used = self.used;
        for ((end, _), execution) in &self.executing {
            if *end > begins && is_free(used) {
                break;
            }
            used -= execution.seats;
            begins = begins.max(*end);
        }
        if limit == 0 || !is_free(used) || begins > ask.at + WAIT_MAX {
            return Err((Refusal::TimeOut, WAIT_MAX));
        }
        self.serial += 1;
        let waiting = Waiting { queue, schema: ask.schema, is_outside: ask.is_outside };
        self.waiting.insert((begins, self.serial), waiting);
        self.execute(ask, begins);
        Ok(begins)
    }

    fn execute(&mut self, ask: &Ask, begins: SimTime) {
        self.serial += 1;
        let seats = ask.work.seats;
        let execution = Execution { begins, seats, schema: ask.schema, is_outside: ask.is_outside };
        self.executing.insert((begins + ask.takes + ask.work.afterwards, self.serial), execution);
        self.used += seats;
    }

    fn length(&self, queue: u64) -> usize {
        self.waiting.values().filter(|waiting| waiting.queue == queue).count()
    }

    fn shortest(&self, hand: &[u64]) -> u64 {
        hand.iter().copied().min_by_key(|queue| self.length(*queue)).unwrap_or_default()
    }

    pub(super) fn release_outside(&mut self) {
        self.waiting.retain(|_, waiting| !waiting.is_outside);
        self.executing.retain(|_, execution| !execution.is_outside);
        self.used = self.executing.values().map(|execution| execution.seats).sum();
    }
}

impl Queues {
    /// The queues that a flow is dealt. Upstream: `shufflesharding.Dealer`.
    fn hand_of(self, mut hash: u64) -> Vec<u64> {
        let mut hand: Vec<u64> = Vec::new();
        for dealt in 0..self.hand {
            let left = self.count - dealt;
            let mut card = hash % left;
            hash /= left;
            // Those that have been dealt are no longer in the deck.
            let mut before: Vec<u64> = hand.clone();
            before.sort_unstable();
            for queue in before {
                if card >= queue {
                    card += 1;
                }
            }
            hand.push(card);
        }
        hand
    }
}

#[cfg(test)]
mod tests {
    use api::KindId;
    use api::time::MILLISECOND;
    use serde_json::json;

    use super::*;

    fn levels(levels: &[Value]) -> Vec<Level> {
        let trees: Vec<Tree> = levels.iter().map(|level| Tree::new(KindId(0), level.clone())).collect();
        read(trees.iter(), 600)
    }

    fn limited(name: &str, shares: u64, lends: u64, response: Value) -> Value {
        let limited = json!({
            "nominalConcurrencyShares": shares, "lendablePercent": lends, "limitResponse": response,
        });
        json!({ "metadata": { "name": name }, "spec": { "type": "Limited", "limited": limited } })
    }

    fn ask(at: SimTime, seats: u64) -> Ask {
        let work = Work { seats, afterwards: 0 };
        Ask { at, takes: MILLISECOND, work, schema: 0, is_outside: false }
    }

    #[test]
    fn seats_are_shared_out_in_whole_numbers() {
        let reject = json!({ "type": "Reject" });
        let levels = levels(&[limited("a", 1, 0, reject.clone()), limited("b", 6, 50, reject)]);
        assert_eq!(levels[0].limits(), Limits { nominal: 86, lower: 86, upper: 601 });
        assert_eq!(levels[1].limits(), Limits { nominal: 515, lower: 257, upper: 601 });
    }

    #[test]
    fn what_finds_no_seat_is_refused_or_waits_its_turn() {
        let queuing = json!({ "queues": 4, "handSize": 2, "queueLengthLimit": 2 });
        let queue = json!({ "type": "Queue", "queuing": queuing });
        let mut levels = levels(&[limited("reject", 1, 0, json!({ "type": "Reject" })), limited("queue", 1, 0, queue)]);
        let [reject, queue] = levels.as_mut_slice() else { panic!("two levels") };

        assert_eq!(reject.admit(&ask(0, 1), 1, || 0), Ok(0));
        assert_eq!(reject.admit(&ask(0, 1), 1, || 0), Err((Refusal::ConcurrencyLimit, 0)));
        reject.advance(MILLISECOND);
        assert_eq!(reject.admit(&ask(MILLISECOND, 1), 1, || 0), Ok(MILLISECOND));

        let turns: Vec<_> = (0..6).map(|_| queue.admit(&ask(0, 1), 1, || 1)).collect();
        let at = |turn: u64| Ok(turn * MILLISECOND);
        assert_eq!(turns[..5], [at(0), at(1), at(2), at(3), at(4)]);
        assert_eq!(turns[5], Err((Refusal::QueueFull, 0)), "both queues of the flow's hand are full");
        assert_eq!((queue.executing(None, 0).0, queue.waiting(None, 0), queue.active_queues(0)), (1, 4, 2));
        assert_eq!(queue.admit(&ask(0, 1), 0, || 2), Err((Refusal::TimeOut, WAIT_MAX)), "a level without seats");
        queue.advance(5 * MILLISECOND);
        assert_eq!((queue.used, queue.waiting(None, 0)), (0, 0));
    }

    #[test]
    fn a_hand_has_no_queue_twice() {
        let queues = Queues { count: 8, hand: 8, length_max: 1 };
        let mut hand = queues.hand_of(0x1234_5678_9abc_def0);
        hand.sort_unstable();
        assert_eq!(hand, [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}
