//! How many seats a request takes. Upstream: `apiserver/pkg/util/flowcontrol/request`.

use api::time::MILLISECOND;
use api::{Kind, SimTime};

use crate::authorization::Attributes;
use crate::storage::Storage;
use crate::watch::Watches;

const OBJECTS_PER_SEAT: u64 = 100;
const WATCHES_PER_SEAT: u64 = 10;
const WRITE_SEATS_MAX: u64 = 10;
/// What telling the watchers takes longer than the write.
const EVENT_TIME: SimTime = 5 * MILLISECOND;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Work {
    pub seats: u64,
    /// How much longer than the request itself it holds them.
    pub afterwards: SimTime,
}

impl Work {
    pub const ONE: Work = Work { seats: 1, afterwards: 0 };
}

/// A list takes a seat for each hundred objects that are looked at, and a write one for each ten watchers that hear of it.
pub(crate) fn estimate(
    storage: &Storage,
    watches: &Watches,
    kind: Option<&'static Kind>,
    asked: &Attributes,
    widest: u64,
) -> Work {
    let Some(kind) = kind else { return Work::ONE };
    match asked.verb {
        "list" if asked.name.is_empty() => {
            let objects = storage.count(kind, asked.namespace, (widest * OBJECTS_PER_SEAT) as usize) as u64;
            Work { seats: objects.div_ceil(OBJECTS_PER_SEAT).max(1), afterwards: 0 }
        }
        "create" | "update" | "patch" | "delete" => {
            let watchers = watches.watchers(kind.id) as u64;
            let seats = watchers.div_ceil(WATCHES_PER_SEAT).clamp(1, WRITE_SEATS_MAX.min(widest));
            Work { seats, afterwards: EVENT_TIME * watchers.div_ceil(WATCHES_PER_SEAT) / seats }
        }
        _ => Work::ONE,
    }
}
