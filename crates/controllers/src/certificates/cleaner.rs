//! csrcleaner: requests that nobody needs any more go. Upstream: `pkg/controller/certificates/cleaner`.

use api::object::Tree;
use api::time::MINUTE;
use api::{Request, SimTime, Status, Verb, time};
use client::Client;

use super::{Duty, condition, is_issued, moment, name, row};
use crate::controller::Queue;

const HOUR: SimTime = 60 * MINUTE;
const PENDING: SimTime = 24 * HOUR;
const DECIDED: SimTime = HOUR;
/// It looks at everything this often.
const PERIOD: SimTime = HOUR;

#[derive(Clone)]
pub struct Cleaner;

impl Duty for Cleaner {
    const NAME: &'static str = "certificatesigningrequest-cleaner-controller";

    fn look_at(&mut self, request: &Tree, client: &mut Client, queue: &mut Queue<String>) -> Result<(), Status> {
        let looks = deadline(request).div_ceil(PERIOD) * PERIOD;
        if client.now() < looks {
            queue.add_at(name(request).to_owned(), looks);
            return Ok(());
        }
        match client.call(Request::of(Verb::Delete, row().id, "", name(request))) {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(()),
        }
    }
}

/// When a request has been there for long enough.
fn deadline(request: &Tree) -> SimTime {
    let created = api::Object::meta(request).creation_timestamp.as_ref().map_or(0, time::since_start);
    let decided = ["Denied", "Failed"].iter().find_map(|kind| condition(request, kind));
    // What is approved and not signed waits on.
    let decided = decided.or_else(|| condition(request, "Approved").filter(|_| is_issued(request)));
    match decided {
        Some(condition) => moment(condition.get("lastUpdateTime")) + DECIDED,
        None if condition(request, "Approved").is_none() => created + PENDING,
        None => SimTime::MAX - PERIOD,
    }
}
