//! Which slot of its node a Pod's tile takes. A tile never moves; see "Stillness" in the design.

/// A slot that has just been freed stays empty for so long while others are free: the eye sees that somebody left.
const REST_MS: f64 = 10_000.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Pods without claims fill from the top.
    Top,
    /// Pods with claims fill from the bottom, nearest to their volumes.
    Bottom,
}

#[derive(Clone, Debug, PartialEq)]
enum Slot {
    Free { since_ms: f64 },
    Taken(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Slots {
    slots: Vec<Slot>,
}

impl Default for Slots {
    fn default() -> Self {
        Slots { slots: vec![Slot::Free { since_ms: f64::NEG_INFINITY }; Self::ROWS_MIN * Self::COLUMNS] }
    }
}

impl Slots {
    pub const COLUMNS: usize = 2;
    pub const ROWS_MIN: usize = 4;

    pub fn rows(&self) -> usize {
        self.slots.len() / Self::COLUMNS
    }

    pub fn taken(&self) -> usize {
        self.slots.iter().filter(|slot| matches!(slot, Slot::Taken(_))).count()
    }

    pub fn keys(&self) -> impl Iterator<Item = Option<&String>> {
        self.slots.iter().map(|slot| match slot {
            Slot::Taken(key) => Some(key),
            Slot::Free { .. } => None,
        })
    }

    /// Column and row.
    pub fn find(&self, key: &str) -> Option<(usize, usize)> {
        let index = self.slots.iter().position(|slot| matches!(slot, Slot::Taken(taken) if taken == key))?;
        Some((index % Self::COLUMNS, index / Self::COLUMNS))
    }

    pub fn take(&mut self, key: &str, from: Place, now_ms: f64) {
        if self.find(key).is_some() {
            return;
        }
        let index = match self.choose(from, now_ms) {
            Some(index) => index,
            None => {
                let first = self.slots.len();
                self.slots.extend(vec![Slot::Free { since_ms: f64::NEG_INFINITY }; Self::COLUMNS]);
                first
            }
        };
        self.slots[index] = Slot::Taken(key.to_owned());
    }

    fn choose(&self, from: Place, now_ms: f64) -> Option<usize> {
        let rows = self.rows();
        // From the bottom the left column comes first too: a row's order is always left to right.
        let order: Vec<usize> = match from {
            Place::Top => (0..self.slots.len()).collect(),
            Place::Bottom => {
                (0..rows).rev().flat_map(|row| (0..Self::COLUMNS).map(move |col| row * Self::COLUMNS + col)).collect()
            }
        };
        let free = |index: &usize| match self.slots[*index] {
            Slot::Free { since_ms } => Some((*index, since_ms)),
            Slot::Taken(_) => None,
        };
        let rested = order.iter().filter_map(free).find(|(_, since_ms)| now_ms - since_ms >= REST_MS);
        rested.or_else(|| order.iter().filter_map(free).min_by(|a, b| a.1.total_cmp(&b.1))).map(|(index, _)| index)
    }

    pub fn free(&mut self, key: &str, now_ms: f64) {
        for slot in &mut self.slots {
            if matches!(slot, Slot::Taken(taken) if taken == key) {
                *slot = Slot::Free { since_ms: now_ms };
            }
        }
    }

    /// Shrinks to what is needed. Tiles keep their order.
    pub fn fit(&mut self) {
        let taken: Vec<Slot> = self.slots.iter().filter(|slot| matches!(slot, Slot::Taken(_))).cloned().collect();
        let rows = taken.len().div_ceil(Self::COLUMNS).max(Self::ROWS_MIN);
        if rows >= self.rows() {
            return;
        }
        self.slots = taken;
        self.slots.resize(rows * Self::COLUMNS, Slot::Free { since_ms: f64::NEG_INFINITY });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(slots: &mut Slots, key: &str, from: Place, now_ms: f64) -> (usize, usize) {
        slots.take(key, from, now_ms);
        slots.find(key).expect("the Pod has a slot")
    }

    #[test]
    fn fills_from_the_top_and_pods_with_claims_from_the_bottom() {
        let mut slots = Slots::default();
        assert_eq!(take(&mut slots, "a", Place::Top, 0.0), (0, 0));
        assert_eq!(take(&mut slots, "b", Place::Top, 0.0), (1, 0));
        assert_eq!(take(&mut slots, "db", Place::Bottom, 0.0), (0, 3));
    }

    #[test]
    fn a_freed_slot_rests_while_others_are_free() {
        let mut slots = Slots::default();
        take(&mut slots, "a", Place::Top, 0.0);
        slots.free("a", 100.0);
        assert_eq!(take(&mut slots, "b", Place::Top, 200.0), (1, 0));
        assert_eq!(take(&mut slots, "c", Place::Top, 10_200.0), (0, 0));
    }

    #[test]
    fn a_full_node_reuses_a_resting_slot_before_it_grows() {
        let mut slots = Slots::default();
        for index in 0..8 {
            slots.take(&index.to_string(), Place::Top, 0.0);
        }
        slots.free("3", 5.0);
        assert_eq!(take(&mut slots, "next", Place::Top, 6.0), (1, 1));
        assert_eq!(take(&mut slots, "more", Place::Top, 6.0), (0, 4));
        assert_eq!(slots.rows(), 5);
    }

    #[test]
    fn shrinks_only_on_fit() {
        let mut slots = Slots::default();
        for index in 0..12 {
            slots.take(&index.to_string(), Place::Top, 0.0);
        }
        for index in 0..10 {
            slots.free(&index.to_string(), 1.0);
        }
        assert_eq!(slots.rows(), 6);
        slots.fit();
        assert_eq!(slots.rows(), 4);
        assert_eq!(slots.find("11"), Some((1, 0)));
    }
}
