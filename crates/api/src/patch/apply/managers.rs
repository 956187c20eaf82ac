//! `metadata.managedFields`: who owns which fields. Upstream: `apimachinery/pkg/util/managedfields/internal`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry, Time};
use serde_json::Value;

use super::set::Set;

/// More managers than these that have updated are merged into one.
const UPDATE_MANAGERS_MAX: usize = 10;
const ANCIENT: &str = "ancient-changes";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Apply,
    Update,
}

impl Operation {
    fn as_str(self) -> &'static str {
        match self {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        }
    }
}

/// One entry: who wrote how, and what of that is still theirs.
#[derive(Clone, Debug, PartialEq)]
pub struct Manager {
    pub name: String,
    pub operation: Operation,
    pub api_version: String,
    /// Empty for the object itself.
    pub subresource: String,
    pub time: Option<Time>,
    pub fields: Set,
}

impl Manager {
    /// Tells managers apart. Those that apply are the same in every version.
    pub(super) fn identity(&self) -> String {
        let mut text =
            format!("{{\"manager\":{},\"operation\":\"{}\"", Value::from(&*self.name), self.operation.as_str());
        if self.operation == Operation::Update {
            text += &format!(",\"apiVersion\":{}", Value::from(&*self.api_version));
        }
        if !self.subresource.is_empty() {
            text += &format!(",\"subresource\":{}", Value::from(&*self.subresource));
        }
        text + "}"
    }

    /// As conflicts name it: `"kubectl" with subresource "scale" using apps/v1`.
    pub(super) fn title(&self) -> String {
        let mut text = format!("{:?}", self.name);
        if !self.subresource.is_empty() {
            text += &format!(" with subresource {:?}", self.subresource);
        }
        if self.operation == Operation::Update {
            text += &format!(" using {}", self.api_version);
        }
        text
    }

    fn decode(entry: &ManagedFieldsEntry) -> Option<Manager> {
        let operation = match entry.operation.as_deref()? {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return None,
        };
        let api_version = entry.api_version.clone().filter(|version| !version.is_empty())?;
        if entry.fields_type.as_deref() != Some("FieldsV1") {
            return None;
        }
        let fields = match &entry.fields_v1 {
            Some(FieldsV1(fields)) => Set::from_fields_v1(fields.as_str()?)?,
            None => Set::default(),
        };
        Some(Manager {
            name: entry.manager.clone().unwrap_or_default(),
            operation,
            api_version,
            subresource: entry.subresource.clone().unwrap_or_default(),
            time: entry.time.clone(),
            fields,
        })
    }

    fn encode(self) -> ManagedFieldsEntry {
        ManagedFieldsEntry {
            manager: Some(self.name).filter(|name| !name.is_empty()),
            operation: Some(self.operation.as_str().into()),
            api_version: Some(self.api_version),
            subresource: Some(self.subresource).filter(|subresource| !subresource.is_empty()),
            time: self.time,
            fields_type: Some("FieldsV1".into()),
            fields_v1: Some(FieldsV1(self.fields.to_fields_v1().into())),
        }
    }
}

/// The managers of one object, by what tells them apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Managers(pub(super) BTreeMap<String, Manager>);

impl Managers {
    /// `None` if an entry is not in the form in which a server writes them.
    pub fn decode(entries: &[ManagedFieldsEntry]) -> Option<Managers> {
        let managers = entries.iter().map(Manager::decode).collect::<Option<Vec<_>>>()?;
        Some(managers.into_iter().collect())
    }

    /// In the order of the wire: those that apply first, then by time, name, version and subresource.
    pub fn encode(self) -> Option<Vec<ManagedFieldsEntry>> {
        let mut managers: Vec<Manager> = self.0.into_values().collect();
        managers.sort_by(|one, two| {
            let order = |manager: &Manager| (manager.operation, seconds(manager));
            order(one)
                .cmp(&order(two))
                .then_with(|| one.name.cmp(&two.name))
                .then_with(|| one.api_version.cmp(&two.api_version))
                .then_with(|| one.subresource.cmp(&two.subresource))
        });
        let entries: Vec<ManagedFieldsEntry> = managers.into_iter().map(Manager::encode).collect();
        Some(entries).filter(|entries| !entries.is_empty())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Manager> {
        self.0.values()
    }

    /// Makes what one manager has updated what another applies, as kubectl does with what it has applied by itself before.
    /// False when there is none. Upstream: `client-go/util/csaupgrade`.
    pub fn upgrade(&mut self, updater: &str, applier: &str) -> bool {
        let is_old = |manager: &Manager| {
            manager.name == updater && manager.operation == Operation::Update && manager.subresource.is_empty()
        };
        let old: Vec<Manager> = self.iter().filter(|manager| is_old(manager)).cloned().collect();
        let Some(first) = old.first().cloned() else { return false };
        self.0.retain(|_, manager| !is_old(manager));
        let mut heir = Manager { name: applier.into(), operation: Operation::Apply, ..first };
        if let Some(present) = self.0.remove(&heir.identity()) {
            heir = present;
        }
        for manager in old.iter().filter(|manager| manager.api_version == heir.api_version) {
            heir.fields.add(&manager.fields);
        }
        self.insert(heir);
        true
    }

    pub(super) fn insert(&mut self, manager: Manager) {
        self.0.insert(manager.identity(), manager);
    }

    /// Merges the oldest of too many managers that have updated, those of a version into one.
    pub(super) fn cap(&mut self) {
        let mut updaters: Vec<(i64, String)> = self
            .0
            .iter()
            .filter(|(_, manager)| manager.operation == Operation::Update)
            .map(|(identity, manager)| (seconds(manager), identity.clone()))
            .collect();
        updaters.sort();
        let mut count = updaters.len();
        let mut first_of_version: BTreeMap<String, String> = BTreeMap::new();
        for (_, identity) in updaters {
            if count <= UPDATE_MANAGERS_MAX {
                return;
            }
            let Some(version) = self.0.get(&identity).map(|manager| manager.api_version.clone()) else { continue };
            let Some(first) = first_of_version.get(&version).cloned() else {
                first_of_version.insert(version, identity);
                continue;
            };
            let Some(manager) = self.0.remove(&identity) else { continue };
            let mut bucket = Manager { name: ANCIENT.into(), subresource: String::new(), ..manager };
            let before = self.0.remove(&bucket.identity()).or_else(|| self.0.remove(&first));
            bucket.fields.add(&before.map(|before| before.fields).unwrap_or_default());
            self.insert(bucket);
            count -= 1;
        }
    }
}

impl FromIterator<Manager> for Managers {
    fn from_iter<T: IntoIterator<Item = Manager>>(managers: T) -> Managers {
        Managers(managers.into_iter().map(|manager| (manager.identity(), manager)).collect())
    }
}

fn seconds(manager: &Manager) -> i64 {
    manager.time.as_ref().map_or(0, |time| time.0.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager(name: &str, second: u64) -> Manager {
        Manager {
            name: name.into(),
            operation: Operation::Update,
            api_version: "v1".into(),
            subresource: String::new(),
            time: Some(crate::time::stamp(second * crate::time::SECOND)),
            fields: Set::of(&[&format!("data.{name}")]),
        }
    }

    #[test]
    fn the_oldest_of_too_many_updaters_become_one() {
        let mut managers: Managers = (0..12).map(|number| manager(&format!("m{number:02}"), number)).collect();
        managers.cap();
        let entries = managers.encode().unwrap();
        let names: Vec<&str> = entries.iter().filter_map(|entry| entry.manager.as_deref()).collect();
        assert_eq!(names[..2], [ANCIENT, "m03"]);
        assert_eq!(names.len(), 10);
        let fields = entries[0].fields_v1.as_ref().and_then(|fields| fields.0.as_str());
        assert_eq!(fields, Some(r#"{"f:data":{"f:m00":{},"f:m01":{},"f:m02":{}}}"#));
    }

    #[test]
    fn those_that_apply_come_first() {
        let applier = Manager { operation: Operation::Apply, ..manager("z", 9) };
        let managers: Managers = [manager("b", 2), manager("a", 2), manager("c", 1), applier].into_iter().collect();
        let names: Vec<String> = managers.encode().unwrap().into_iter().filter_map(|entry| entry.manager).collect();
        assert_eq!(names, ["z", "c", "a", "b"]);
    }

    #[test]
    fn what_was_updated_becomes_what_is_applied() {
        let applier = Manager { operation: Operation::Apply, ..manager("kubectl", 9) };
        let mut managers: Managers = [manager("old", 2), manager("other", 3), applier].into_iter().collect();
        assert!(managers.upgrade("old", "kubectl"));
        assert!(!managers.upgrade("old", "kubectl"));
        let owners: Vec<_> = managers.iter().map(|manager| (manager.name.as_str(), manager.operation)).collect();
        assert_eq!(owners, [("kubectl", Operation::Apply), ("other", Operation::Update)]);
        assert_eq!(
            managers.iter().next().map(|manager| &manager.fields),
            Some(&Set::of(&["data.kubectl", "data.old"]))
        );
    }

    #[test]
    fn entries_that_no_server_writes_are_not_read() {
        let entry = manager("a", 1).encode();
        assert!(Managers::decode(std::slice::from_ref(&entry)).is_some());
        let bad = [
            ManagedFieldsEntry { operation: Some("Other".into()), ..entry.clone() },
            ManagedFieldsEntry { fields_type: None, ..entry.clone() },
            ManagedFieldsEntry { api_version: None, ..entry },
        ];
        for entry in bad {
            assert_eq!(Managers::decode(&[entry]), None);
        }
    }
}
