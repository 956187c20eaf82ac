//! The built-in examples: scenario files, as a visitor could write them.

use protocol::scenario::Scenario;
use protocol::view::Example;

use crate::scenario;

/// In the order in which the page lists them; the first one opens when nothing else is asked for.
const FILES: &[(&str, &str)] = &[
    ("guestbook", include_str!("../examples/guestbook.yaml")),
    ("wordpress", include_str!("../examples/wordpress.yaml")),
    ("stateful", include_str!("../examples/stateful.yaml")),
    ("shop", include_str!("../examples/shop.yaml")),
    ("rollout", include_str!("../examples/rollout.yaml")),
];

pub fn list() -> Vec<Example> {
    let all = FILES.iter().filter_map(|(id, _)| Some((*id, find(id)?)));
    all.map(|(id, scenario)| Example { id: id.into(), title: scenario.title, description: scenario.description })
        .collect()
}

pub fn find(id: &str) -> Option<Scenario> {
    let (name, text) = FILES.iter().find(|(name, _)| *name == id)?;
    scenario::from_file(name, text).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_example_reads() {
        for (id, text) in super::FILES {
            crate::scenario::from_file(id, text).unwrap_or_else(|problem| panic!("{id}: {}", problem.message));
        }
    }
}
