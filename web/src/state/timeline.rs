//! The marks that the time deck draws.

use protocol::view::{Mark, MarkKind};

/// Above so many samples the older half of the traffic is thinned by two: the deck is never wider than that.
const SAMPLES_MAX: usize = 1200;

#[derive(Default)]
pub struct Timeline {
    pub marks: Vec<Mark>,
    /// Moment and requests a second.
    pub traffic: Vec<(u64, f32)>,
    /// Rises with each change, so that the drawing can tell without comparing.
    pub version: u32,
}

impl Timeline {
    pub fn merge(&mut self, reset: bool, marks: Vec<Mark>) {
        if reset {
            *self = Timeline { version: self.version, ..Timeline::default() };
        } else if marks.is_empty() {
            return;
        }
        self.version += 1;
        for mark in marks {
            if mark.kind == MarkKind::Traffic {
                self.traffic.push((mark.at, mark.label.parse().unwrap_or(0.0)));
                continue;
            }
            let same = |known: &&mut Mark| known.at == mark.at && known.kind == mark.kind && known.label == mark.label;
            match self.marks.iter_mut().find(same) {
                Some(known) => *known = mark,
                None => {
                    // A planned step that has happened is an action from then on.
                    if mark.kind == MarkKind::Action {
                        self.marks.retain(|known| known.kind != MarkKind::Planned || known.at != mark.at);
                    }
                    self.marks.push(mark);
                }
            }
        }
        if self.traffic.len() > SAMPLES_MAX {
            let half = self.traffic.len() / 2;
            let mut index = 0;
            self.traffic.retain(|_| {
                index += 1;
                index > half || index % 2 == 0
            });
        }
    }
}
