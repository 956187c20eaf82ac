//! Sets of fields: upstream's `fieldpath.Set`, and its form on the wire, `fieldsV1`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use super::element::Element;
use super::shape::Shape;
use crate::wire::{self, Sink};

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

    /// As `fieldsV1`, which is JSON.
    pub fn to_fields_v1(&self) -> String {
        wire::go_text(|sink| self.write(false, sink))
    }

    fn write(&self, is_member: bool, sink: &mut dyn Sink) {
        let empty = Set::default();
        let alone = self.members.iter().filter(|member| !self.children.contains_key(member));
        let mut entries: Vec<(&Element, &Set)> =
            self.children.iter().chain(alone.map(|member| (member, &empty))).collect();
        entries.sort_by_key(|(element, _)| *element);
        sink.begin(wire::Shape::Map);
        if is_member && !entries.is_empty() {
            sink.name(".", 0);
            sink.begin(wire::Shape::Map);
            sink.end();
        }
        for (element, child) in entries {
            sink.name(&element.encode(), 0);
            child.write(self.has(element), sink);
        }
        sink.end();
    }

    /// `None` if it is not the form in which a server writes sets.
    pub fn from_fields_v1(json: &str) -> Option<Set> {
        serde_json::from_str(json).ok().map(|Fields { set, .. }| set)
    }
}

/// A set on the wire.
struct Fields {
    set: Set,
    /// The field that holds these is a member itself.
    is_member: bool,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let (mut set, mut is_named) = (Set::default(), false);
        while let Some(name) = map.next_key::<String>()? {
            let Fields { set: child, is_member } = map.next_value()?;
            if name == "." {
                is_named = true;
                continue;
            }
            let element = Element::decode(&name).ok_or_else(|| A::Error::custom("not the name of a field"))?;
            if is_member {
                set.members.insert(element.clone());
            }
            if !child.is_empty() {
                set.children.insert(element, child);
            }
        }
        Ok(Fields { is_member: is_named || set.is_empty(), set })
    }
}

/// A path as messages show it: `.spec.containers[name="c"].image`.
pub fn path_text(path: &[Element]) -> String {
    path.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(fields: &str) -> Set {
        Set::from_fields_v1(fields).expect("a set in wire form")
    }

    #[test]
    fn the_wire_form_comes_back() {
        let forms = [
            r#"{"f:data":{".":{},"f:a":{}}}"#,
            r#"{"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:name":{}}}}"#,
            r#"{"f:finalizers":{"v:3":{},"v:\"a.com/x\"":{}},"i:0":{}}"#,
            r#"{"f:ports":{"k:{\"port\":80}":{},"k:{\"port\":443}":{}}}"#,
        ];
        for form in forms {
            assert_eq!(set(form).to_fields_v1(), form);
        }
        for unreadable in [r#"{"data":{}}"#, r#"{"f:data":1}"#, r#"{"f:data":{}"#, "\"f:data\"", ""] {
            assert_eq!(Set::from_fields_v1(unreadable), None, "{unreadable}");
        }
    }

    #[test]
    fn differences_are_of_members_or_of_trees() {
        let all = set(r#"{"f:spec":{".":{},"f:a":{},"f:b":{"f:c":{}}},"f:status":{}}"#);
        assert_eq!(
            all.difference(&Set::of(&["spec", "spec.a"])).to_fields_v1(),
            r#"{"f:spec":{"f:b":{"f:c":{}}},"f:status":{}}"#
        );
        assert_eq!(all.without(&Set::of(&["spec"])).to_fields_v1(), r#"{"f:status":{}}"#);
        assert_eq!(all.intersection(&Set::of(&["spec.b.c", "other"])), Set::of(&["spec.b.c"]));
        assert_eq!(all.difference(&all), Set::default());
    }

    #[test]
    fn paths_as_messages_show_them() {
        let ports = r#""f:ports":{"k:{\"protocol\":\"TCP\",\"containerPort\":80}":{"f:name":{}}}"#;
        let fields = set(&format!(r#"{{"f:spec":{{".":{{}},"f:finalizers":{{"v:\"x\"":{{}}}},{ports}}}}}"#));
        let texts: Vec<String> = fields.paths().iter().map(|path| path_text(path)).collect();
        let expected = [".spec", ".spec.finalizers[=\"x\"]", ".spec.ports[containerPort=80,protocol=\"TCP\"].name"];
        assert_eq!(texts, expected);
    }
}
