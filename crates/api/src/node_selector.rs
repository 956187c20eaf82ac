//! Node selectors: the terms of node affinity and of volumes' node affinity.

use std::collections::BTreeMap;

use crate::selector::{Operator, Selector};
use crate::types::{NodeSelector, NodeSelectorRequirement, NodeSelectorTerm};

/// Terms of which one must hold.
#[derive(Clone, Debug)]
pub struct NodeTerms(Vec<NodeTerm>);

/// Requirements on labels and on the node's name that must all hold; a term without any holds for no node.
#[derive(Clone, Debug)]
pub struct NodeTerm {
    labels: Selector,
    fields: Selector,
}

const NAME_FIELD: &str = "metadata.name";

impl NodeTerms {
    pub fn new(selector: &NodeSelector) -> NodeTerms {
        NodeTerms(selector.node_selector_terms.iter().map(NodeTerm::new).collect())
    }

    pub fn matches(&self, name: &str, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().any(|term| term.matches(name, labels))
    }
}

impl NodeTerm {
    pub fn new(term: &NodeSelectorTerm) -> NodeTerm {
        let labels = term.match_expressions.as_deref().unwrap_or_default();
        let fields = term.match_fields.as_deref().unwrap_or_default();
        if labels.is_empty() && fields.is_empty() {
            return NodeTerm { labels: Selector::nothing(), fields: Selector::nothing() };
        }
        NodeTerm { labels: selector_of(labels), fields: selector_of(fields) }
    }

    pub fn matches(&self, name: &str, labels: &BTreeMap<String, String>) -> bool {
        if !self.labels.matches(labels) {
            return false;
        }
        self.fields.is_everything() || self.fields.matches(&BTreeMap::from([(NAME_FIELD.into(), name.into())]))
    }
}

fn selector_of(requirements: &[NodeSelectorRequirement]) -> Selector {
    let mut selector = Selector::everything();
    for requirement in requirements {
        let operator = match requirement.operator.as_str() {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            "Gt" => Operator::GreaterThan,
            "Lt" => Operator::LessThan,
            _ => return Selector::nothing(),
        };
        selector = selector.with(&requirement.key, operator, requirement.values.as_deref().unwrap_or_default());
    }
    selector
}

/// The node names to which every term keeps, if every term names some: so a DaemonSet's Pod looks at one node only.
pub fn named_nodes(selector: &NodeSelector) -> Option<Vec<&str>> {
    let mut names: Vec<&str> = Vec::new();
    for term in &selector.node_selector_terms {
        let mut of_term: Option<Vec<&str>> = None;
        for field in term.match_fields.iter().flatten() {
            if field.key != NAME_FIELD || field.operator != "In" {
                continue;
            }
            let values: Vec<&str> = field.values.iter().flatten().map(String::as_str).collect();
            of_term = Some(match of_term {
                Some(before) => before.into_iter().filter(|name| values.contains(name)).collect(),
                None => values,
            });
        }
        names.extend(of_term?);
    }
    names.sort_unstable();
    names.dedup();
    (!selector.node_selector_terms.is_empty()).then_some(names)
}
