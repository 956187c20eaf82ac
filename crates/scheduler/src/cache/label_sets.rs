//! Pods of one workload carry the same labels: the sets are numbered, so that selectors look at each only once.

use std::collections::BTreeMap;

use api::selector::Selector;

/// A namespace and its Pods' labels. Numbers of sets that no Pod has any more are used again.
#[derive(Clone, Debug, Default)]
pub struct LabelSets {
    /// By namespace, then by labels.
    numbers: BTreeMap<Box<str>, BTreeMap<BTreeMap<String, String>, u32>>,
    sets: Vec<Set>,
    free: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Set {
    namespace: Box<str>,
    labels: BTreeMap<String, String>,
    pods: u32,
}

impl LabelSets {
    pub fn acquire(&mut self, namespace: &str, labels: &BTreeMap<String, String>) -> u32 {
        if let Some(&number) = self.numbers.get(namespace).and_then(|sets| sets.get(labels)) {
            self.sets[number as usize].pods += 1;
            return number;
        }
        let set = Set { namespace: namespace.into(), labels: labels.clone(), pods: 1 };
        let number = match self.free.pop() {
            Some(number) => {
                self.sets[number as usize] = set;
                number
            }
            None => {
                self.sets.push(set);
                (self.sets.len() - 1) as u32
            }
        };
        self.numbers.entry(namespace.into()).or_default().insert(labels.clone(), number);
        number
    }

    pub fn release(&mut self, number: u32) {
        let set = &mut self.sets[number as usize];
        set.pods -= 1;
        if set.pods == 0 {
            if let Some(sets) = self.numbers.get_mut(&set.namespace) {
                sets.remove(&set.labels);
                if sets.is_empty() {
                    self.numbers.remove(&set.namespace);
                }
            }
            self.free.push(number);
        }
    }

    /// Which sets are in the namespace and match the selector, by number.
    pub fn matching(&self, namespace: &str, selector: &Selector) -> Vec<bool> {
        let matches = |set: &Set| set.pods > 0 && &*set.namespace == namespace && selector.matches(&set.labels);
        self.sets.iter().map(matches).collect()
    }
}
