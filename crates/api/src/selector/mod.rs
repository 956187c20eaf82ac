//! Label and field selectors.

mod parse;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

/// A parsed label selector: all requirements must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selector {
    requirements: Vec<Requirement>,
    /// Matches nothing at all, as the selector of an absent field does.
    nothing: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    GreaterThan,
    LessThan,
}

impl Selector {
    pub fn everything() -> Selector {
        Selector::default()
    }

    pub fn nothing() -> Selector {
        Selector { nothing: true, ..Selector::default() }
    }

    pub fn is_everything(&self) -> bool {
        !self.nothing && self.requirements.is_empty()
    }

    /// From a map such as a Service's `spec.selector`.
    pub fn from_map(labels: &BTreeMap<String, String>) -> Selector {
        let requirements = labels
            .iter()
            .map(|(key, value)| Requirement { key: key.clone(), operator: Operator::In, values: vec![value.clone()] })
            .collect();
        Selector { requirements, nothing: false }
    }

    /// From the structured form of workloads; absent selects nothing, empty everything.
    pub fn from_label_selector(selector: Option<&LabelSelector>) -> Selector {
        let Some(selector) = selector else { return Selector::nothing() };
        let mut result = Selector::from_map(selector.match_labels.as_ref().unwrap_or(&BTreeMap::new()));
        for expression in selector.match_expressions.iter().flatten() {
            let operator = match expression.operator.as_str() {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                _ => return Selector::nothing(),
            };
            let values = expression.values.clone().unwrap_or_default();
            result.requirements.push(Requirement { key: expression.key.clone(), operator, values });
        }
        result
    }

    /// Reads the text of a query parameter: `app=web,tier in (front, back),!canary`.
    pub fn parse(text: &str) -> Result<Selector, String> {
        parse::parse(text)
    }

    pub fn with(mut self, key: &str, operator: Operator, values: &[String]) -> Selector {
        self.requirements.push(Requirement { key: key.into(), operator, values: values.to_vec() });
        self
    }

    /// What is required: keys, operators and values.
    pub fn requirements(&self) -> impl Iterator<Item = (&str, Operator, &[String])> {
        self.requirements.iter().map(|one| (one.key.as_str(), one.operator, one.values.as_slice()))
    }

    /// Both selectors' requirements.
    pub fn and(mut self, other: Selector) -> Selector {
        self.requirements.extend(other.requirements);
        self.nothing |= other.nothing;
        self
    }

    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        !self.nothing && self.requirements.iter().all(|requirement| requirement.matches(labels))
    }
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, Requirement { key, operator, values }) in self.requirements.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            let first = values.first().map(String::as_str).unwrap_or_default();
            match operator {
                Operator::In if values.len() == 1 => write!(f, "{key}={first}")?,
                Operator::NotIn if values.len() == 1 => write!(f, "{key}!={first}")?,
                Operator::In => write!(f, "{key} in ({})", values.join(","))?,
                Operator::NotIn => write!(f, "{key} notin ({})", values.join(","))?,
                Operator::Exists => write!(f, "{key}")?,
                Operator::DoesNotExist => write!(f, "!{key}")?,
                Operator::GreaterThan => write!(f, "{key}>{first}")?,
                Operator::LessThan => write!(f, "{key}<{first}")?,
            }
        }
        Ok(())
    }
}

impl Requirement {
    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        let compared = |holds: fn(i64, i64) -> bool| {
            let (Some(value), Some(bound)) = (value, self.values.first()) else { return false };
            matches!((value.parse(), bound.parse()), (Ok(value), Ok(bound)) if holds(value, bound))
        };
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan => compared(|value, bound| value > bound),
            Operator::LessThan => compared(|value, bound| value < bound),
        }
    }
}

/// A parsed field selector: `metadata.name=web,spec.nodeName!=node-1`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldSelector {
    terms: Vec<FieldTerm>,
}

#[derive(Clone, Debug, PartialEq)]
struct FieldTerm {
    field: String,
    equal: bool,
    value: String,
}

impl FieldSelector {
    pub fn parse(text: &str) -> Result<FieldSelector, String> {
        let mut terms = Vec::new();
        for term in text.split(',').filter(|term| !term.is_empty()) {
            let (field, equal, value) = if let Some((field, value)) = term.split_once("!=") {
                (field, false, value)
            } else if let Some((field, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
                (field, true, value)
            } else {
                return Err(format!("invalid selector: '{text}'; can't understand '{term}'"));
            };
            terms.push(FieldTerm { field: field.into(), equal, value: value.into() });
        }
        Ok(FieldSelector { terms })
    }

    /// The same with one more field that must have a value.
    pub fn with(mut self, field: &str, value: &str) -> FieldSelector {
        self.terms.push(FieldTerm { field: field.into(), equal: true, value: value.into() });
        self
    }

    pub fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().map(|term| term.field.as_str())
    }

    /// The value that a field must have, if the selector says so.
    pub fn required(&self, field: &str) -> Option<&str> {
        let term = self.terms.iter().find(|term| term.equal && term.field == field)?;
        Some(term.value.as_str())
    }

    pub fn matches<'a>(&self, value_of: impl Fn(&str) -> std::borrow::Cow<'a, str>) -> bool {
        self.terms.iter().all(|term| (value_of(&term.field) == term.value.as_str()) == term.equal)
    }
}
