//! Sets of completion indexes: `0,2-4`.

use std::collections::BTreeSet;

use api::meta;
use api::types::Pod;

pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";

pub(super) type Indexes = BTreeSet<i32>;

/// The index that a Pod works on.
pub(super) fn of(pod: &Pod) -> Option<i32> {
    meta::annotation(&pod.metadata, INDEX)?.parse().ok()
}

pub(super) fn parse(text: &str) -> Indexes {
    let mut indexes = Indexes::new();
    for interval in text.split(',') {
        let (first, last) = interval.split_once('-').unwrap_or((interval, interval));
        if let (Ok(first), Ok(last)) = (first.parse::<i32>(), last.parse::<i32>()) {
            indexes.extend(first..=last);
        }
    }
    indexes
}

/// Neighbours become intervals, two of them stay apart.
pub(super) fn format(indexes: &Indexes) -> String {
    let mut intervals: Vec<(i32, i32)> = Vec::new();
    for index in indexes {
        match intervals.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => intervals.push((*index, *index)),
        }
    }
    let texts = intervals.iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    });
    texts.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals() {
        let text = "0,1,3-5,7";
        assert_eq!(format(&parse(text)), text);
        assert_eq!(parse("").len(), 0);
    }
}
