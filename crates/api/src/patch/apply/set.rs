//! Sets of fields: upstream's `fieldpath.Set`, and its form on the wire, `fieldsV1`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::element::Element;
use super::shape::Shape;

/// Fields of one object. A field that holds others can be a member by itself, beside its children.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    members: BTreeSet<Element>,
    /// Never holds an empty set.
    children: BTreeMap<Element, Set>,
}

impl Set {
    /// The set of fields such as `metadata.name`.
    pub fn of(paths: &[&str]) -> Set {
        let mut set = Set::default();
        for path in paths {
            let path: Vec<Element> = path.split('.').map(Element::field).collect();
            set.insert(&path);
        }
        set
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.is_empty()
    }

    pub fn insert(&mut self, path: &[Element]) {
        match path {
            [] => {}
            [last] => {
                self.members.insert(last.clone());
            }
            [first, rest @ ..] => self.children.entry(first.clone()).or_default().insert(rest),
        }
    }

    pub fn contains(&self, path: &[Element]) -> bool {
        match path {
            [] => false,
            [last] => self.members.contains(last),
            [first, rest @ ..] => self.child(first).is_some_and(|child| child.contains(rest)),
        }
    }

    pub(super) fn has(&self, element: &Element) -> bool {
        self.members.contains(element)
    }

    pub(super) fn child(&self, element: &Element) -> Option<&Set> {
        self.children.get(element)
    }

    pub fn union(&self, other: &Set) -> Set {
        let mut union = self.clone();
        union.add(other);
        union
    }

    pub fn add(&mut self, other: &Set) {
        self.members.extend(other.members.iter().cloned());
        for (element, child) in &other.children {
            self.children.entry(element.clone()).or_default().add(child);
        }
    }

    pub fn intersection(&self, other: &Set) -> Set {
        let members = self.members.intersection(&other.members).cloned().collect();
        self.with_children(members, |element, child| {
            other.child(element).map(|others| child.intersection(others)).unwrap_or_default()
        })
    }

    /// What is here and not there. A field that goes leaves its children.
    pub fn difference(&self, other: &Set) -> Set {
        let members = self.members.difference(&other.members).cloned().collect();
        self.with_children(members, |element, child| match other.child(element) {
            Some(others) => child.difference(others),
            None => child.clone(),
        })
    }

    /// What is here and neither there nor below what is there.
    pub fn without(&self, other: &Set) -> Set {
        let members = self.members.difference(&other.members).cloned().collect();
        self.with_children(members, |element, child| match other.child(element) {
            _ if other.has(element) => Set::default(),
            Some(others) => child.without(others),
            None => child.clone(),
        })
    }

    /// With every struct's field that has children here as a member of its own.
    pub(super) fn with_named_fields(&self, shape: Shape) -> Set {
        let mut members = self.members.clone();
        members.extend(self.children.keys().filter(|element| shape.names(element)).cloned());
        self.with_children(members, |element, child| child.with_named_fields(shape.step(element)))
    }

    fn with_children(&self, members: BTreeSet<Element>, child_of: impl Fn(&Element, &Set) -> Set) -> Set {
        let children = self.children.iter().map(|(element, child)| (element.clone(), child_of(element, child)));
        Set { members, children: children.filter(|(_, child)| !child.is_empty()).collect() }
    }

    /// Every member's path, a level's members before what is below them.
    pub fn paths(&self) -> Vec<Vec<Element>> {
        let mut paths = Vec::new();
        self.collect(&mut Vec::new(), &mut paths);
        paths
    }

    fn collect(&self, prefix: &mut Vec<Element>, paths: &mut Vec<Vec<Element>>) {
        for member in &self.members {
            paths.push(prefix.iter().chain([member]).cloned().collect());
        }
        for (element, child) in &self.children {
            prefix.push(element.clone());
            child.collect(prefix, paths);
            prefix.pop();
        }
    }

    pub fn to_fields_v1(&self) -> Value {
        let mut fields = Map::new();
        for member in &self.members {
            fields.insert(member.encode(), Value::Object(Map::new()));
        }
        for (element, child) in &self.children {
            let mut value = child.to_fields_v1();
            if let Some(fields) = value.as_object_mut().filter(|_| self.has(element)) {
                fields.insert(".".into(), Value::Object(Map::new()));
            }
            fields.insert(element.encode(), value);
        }
        Value::Object(fields)
    }

    /// `None` if it is not the form in which a server writes sets.
    pub fn from_fields_v1(fields: &Value) -> Option<Set> {
        let mut set = Set::default();
        for (name, value) in fields.as_object()?.iter().filter(|(name, _)| *name != ".") {
            let element = Element::decode(name)?;
            let children = value.as_object()?;
            if children.is_empty() || children.contains_key(".") {
                set.members.insert(element.clone());
            }
            let child = Set::from_fields_v1(value)?;
            if !child.is_empty() {
                set.children.insert(element, child);
            }
        }
        Some(set)
    }
}

/// A path as messages show it: `.spec.containers[name="c"].image`.
pub fn path_text(path: &[Element]) -> String {
    path.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(fields: Value) -> Set {
        Set::from_fields_v1(&fields).expect("a set in wire form")
    }

    #[test]
    fn the_wire_form_comes_back() {
        let forms = [
            json!({"f:data": {".": {}, "f:a": {}}}),
            json!({"f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:name": {}}}}),
            json!({"f:finalizers": {"v:\"a.com/x\"": {}, "v:3": {}}, "i:0": {}}),
        ];
        for form in forms {
            assert_eq!(set(form.clone()).to_fields_v1(), form);
        }
        assert_eq!(Set::from_fields_v1(&json!({"data": {}})), None);
    }

    #[test]
    fn differences_are_of_members_or_of_trees() {
        let all = set(json!({"f:spec": {".": {}, "f:a": {}, "f:b": {"f:c": {}}}, "f:status": {}}));
        assert_eq!(
            all.difference(&Set::of(&["spec", "spec.a"])).to_fields_v1(),
            json!({"f:spec": {"f:b": {"f:c": {}}}, "f:status": {}})
        );
        assert_eq!(all.without(&Set::of(&["spec"])).to_fields_v1(), json!({"f:status": {}}));
        assert_eq!(all.intersection(&Set::of(&["spec.b.c", "other"])), Set::of(&["spec.b.c"]));
        assert_eq!(all.difference(&all), Set::default());
    }

    #[test]
    fn paths_as_messages_show_them() {
        let fields = set(json!({
            "f:spec": {
                ".": {},
                "f:finalizers": {"v:\"x\"": {}},
                "f:ports": {"k:{\"protocol\":\"TCP\",\"containerPort\":80}": {"f:name": {}}},
            },
        }));
        let texts: Vec<String> = fields.paths().iter().map(|path| path_text(path)).collect();
        let expected = [".spec", ".spec.finalizers[=\"x\"]", ".spec.ports[containerPort=80,protocol=\"TCP\"].name"];
        assert_eq!(texts, expected);
    }
}
