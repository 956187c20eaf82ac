//! A scenario: everything that makes a run, and so everything that a share link or a scenario file holds.
//!
//! `(seed, cluster, steps)` determine the trace; `files` and `view` only say what the page shows.

use serde::{Deserialize, Serialize};

use crate::command::{Act, Speed};
use crate::view::ObjectRef;

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scenario {
    /// `tabernetes.dev/v1`
    pub api_version: String,
    /// `Scenario`
    pub kind: String,
    pub title: Text,
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub description: Text,
    #[serde(default)]
    pub cluster: ClusterSpec,
    /// The editor's tabs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
    /// What happens when, in order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<SavedView>,
}

/// A text of the page in its languages. In a file either one string or `{en: …, zh: …}`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(untagged)]
pub enum Text {
    #[default]
    Empty,
    Plain(String),
    Both {
        en: String,
        zh: String,
    },
}

impl Text {
    pub fn is_empty(&self) -> bool {
        matches!(self, Text::Empty)
    }

    /// The text in 中文 where there is one and it is asked for, else in English.
    pub fn get(&self, chinese: bool) -> &str {
        match self {
            Text::Empty => "",
            Text::Plain(text) => text,
            Text::Both { zh, .. } if chinese => zh,
            Text::Both { en, .. } => en,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClusterSpec {
    pub nodes: u32,
    pub seed: u64,
    /// Allocatable CPU of each node, as a Kubernetes quantity.
    pub cpu: String,
    pub memory: String,
    pub pods: u32,
    /// Requests a second that clients outside the cluster send to each Ingress host, or, where there is no Ingress, to
    /// each NodePort or LoadBalancer Service.
    pub traffic: f64,
}

impl Default for ClusterSpec {
    fn default() -> Self {
        ClusterSpec { nodes: 3, seed: 1, cpu: "2".into(), memory: "4Gi".into(), pods: 110, traffic: 10.0 }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct File {
    pub name: String,
    pub text: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Nanoseconds of virtual time since the cluster started. In a file also `1m30s`.
    pub at: Moment,
    #[serde(flatten)]
    pub what: What,
}

/// A moment of virtual time, in nanoseconds since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// Apply a file of [`Scenario::files`] by its name, or the manifest itself.
    Apply(String),
    /// A line for the terminal: `kubectl …`.
    Run(String),
    Act(Act),
}

/// What the page showed when the link was made.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SavedView {
    /// Open at this moment; the steps up to it are replayed at full speed.
    pub at: Moment,
    pub paused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<Speed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selected: Option<ObjectRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tab: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Nanoseconds(u64),
            Duration(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Nanoseconds(at) => Ok(Moment(at)),
            Written::Duration(text) => Moment::parse(&text)
                .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no duration such as 1m30s"))),
        }
    }
}

impl Moment {
    /// Reads `1m30s`, `250ms`, `2h`, `1.5s`.
    pub fn parse(text: &str) -> Option<Moment> {
        let mut rest = text.trim();
        let mut total = 0f64;
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let value: f64 = rest[..digits].parse().ok()?;
            rest = &rest[digits..];
            let unit_end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            let unit = match &rest[..unit_end] {
                "h" => 3_600e9,
                "m" => 60e9,
                "s" => 1e9,
                "ms" => 1e6,
                "us" | "µs" => 1e3,
                "ns" => 1.0,
                _ => return None,
            };
            total += value * unit;
            rest = &rest[unit_end..];
        }
        (total < 1e18).then_some(Moment(total as u64))
    }
}
