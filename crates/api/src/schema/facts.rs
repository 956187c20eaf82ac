//! What upstream's markers say of types and fields, and what each is for, in our own words.
//!
//! In `facts.txt` and `descriptions.txt` a line without indentation names a type, the indented ones below it are its
//! fields. Facts: `required`; how lists and maps are merged; `=null`, what Go writes for a field that holds nothing.
//! Descriptions may begin with the values that a field can have, `[A|B]`; the type `*` stands for what is the same
//! everywhere.

use std::collections::BTreeMap;
use std::sync::LazyLock;

type Table = BTreeMap<(&'static str, &'static str), &'static str>;

/// The field that stands for the type itself.
const ITSELF: &str = ".";

static FACTS: LazyLock<Table> = LazyLock::new(|| read(include_str!("facts.txt")));
static DESCRIPTIONS: LazyLock<Table> = LazyLock::new(|| read(include_str!("descriptions.txt")));

fn read(text: &'static str) -> Table {
    let mut table = Table::new();
    let mut current = "";
    for line in text.lines() {
        let field = line.strip_prefix(' ');
        let (name, said) = field.unwrap_or(line).split_once(' ').unwrap_or((line, ""));
        match field {
            Some(_) => drop(table.insert((current, name), said)),
            None => {
                current = name;
                if !said.is_empty() {
                    table.insert((current, ITSELF), said);
                }
            }
        }
    }
    table
}

/// The markers of a field such as `ports` of `core.v1.ServiceSpec`.
pub fn facts(type_name: &str, field: &str) -> impl Iterator<Item = &'static str> {
    FACTS.get(&(type_name, field)).copied().unwrap_or_default().split_whitespace()
}

/// A value of the type is merged as a whole.
pub fn is_atomic_type(type_name: &str) -> bool {
    facts(type_name, ITSELF).any(|fact| fact == "atomic")
}

pub fn is_required(type_name: &str, field: &str) -> bool {
    facts(type_name, field).any(|fact| fact == "required")
}

/// What a type is for.
pub fn describe_type(type_name: &str) -> Option<&'static str> {
    DESCRIPTIONS.get(&(type_name, ITSELF)).copied()
}

/// What a field is for.
pub fn describe(type_name: &str, field: &str) -> Option<&'static str> {
    let said = described(type_name, field)?;
    Some(values_of(said).map_or(said, |(_, text)| text))
}

/// The values that a field can have; none where any will do.
pub fn values(type_name: &str, field: &str) -> Vec<&'static str> {
    let values = described(type_name, field).and_then(values_of).map(|(values, _)| values);
    values.map(|values| values.split('|').collect()).unwrap_or_default()
}

fn described(type_name: &str, field: &str) -> Option<&'static str> {
    let of_any = || matches!(field, "apiVersion" | "kind" | "metadata").then(|| DESCRIPTIONS.get(&("*", field)));
    DESCRIPTIONS.get(&(type_name, field)).or_else(|| of_any().flatten()).copied()
}

fn values_of(said: &'static str) -> Option<(&'static str, &'static str)> {
    said.strip_prefix('[')?.split_once("] ")
}

#[cfg(test)]
mod tests {
    use super::super::{field, fields};
    use super::*;

    #[test]
    fn facts_and_descriptions_are_of_fields_that_there_are() {
        for (type_name, name) in FACTS.keys().chain(DESCRIPTIONS.keys()).filter(|(type_name, _)| *type_name != "*") {
            let is_known = *name == ITSELF || field(type_name, name).is_some();
            assert!(is_known && !fields(type_name).is_empty(), "{type_name} {name}");
        }
    }

    #[test]
    fn values_stand_before_the_description() {
        assert_eq!(values("core.v1.PodSpec", "restartPolicy"), ["Always", "Never", "OnFailure"]);
        assert!(describe("core.v1.PodSpec", "restartPolicy").is_some_and(|text| !text.starts_with('[')));
        assert!(values("core.v1.PodSpec", "containers").is_empty());
        assert!(describe("core.v1.Pod", "kind").is_some());
        assert!(is_required("core.v1.PodSpec", "containers") && !is_required("core.v1.PodSpec", "volumes"));
    }
}
