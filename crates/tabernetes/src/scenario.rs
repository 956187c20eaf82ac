//! Scenario files: YAML that a person can write.

use protocol::scenario::{ClusterSpec, File, Moment, Scenario, Step, Text, What};
use protocol::{Problem, ProblemKind};

use crate::ClusterConfig;

pub const API_VERSION: &str = "tabernetes.dev/v1";
pub const KIND: &str = "Scenario";

/// Bounds that keep a hand-written or hostile scenario from stalling the tab.
const NODES_MAX: u32 = 1000;
const TRAFFIC_MAX: f64 = 1000.0;

/// The cluster that a scenario asks for.
pub fn cluster_config(spec: &ClusterSpec) -> ClusterConfig {
    let amount = |text: &str| api::quantity::parse(text).map(|(amount, _)| amount);
    let defaults = ClusterConfig::default();
    ClusterConfig {
        seed: spec.seed,
        nodes: spec.nodes.min(NODES_MAX),
        node_cpu_milli: amount(&spec.cpu).map_or(defaults.node_cpu_milli, |cpu| cpu.millis().max(1) as u64),
        node_memory_bytes: amount(&spec.memory)
            .map_or(defaults.node_memory_bytes, |memory| memory.units().max(1) as u64),
        node_pods_max: spec.pods,
        traffic: spec.traffic.clamp(0.0, TRAFFIC_MAX),
        ..defaults
    }
}

/// Reads a scenario file; anything else is taken as manifests to apply to a new cluster.
pub fn from_file(name: &str, text: &str) -> Result<Scenario, Problem> {
    let unreadable = |message: String| Problem { kind: ProblemKind::FileUnreadable, message };
    let documents = api::yaml::parse_documents(text).map_err(|error| unreadable(format!("{name}: {error}")))?;
    let first = documents.first().map(|document| &document.value);
    let is_scenario = first.is_some_and(|value| {
        value["kind"] == KIND
            && value["apiVersion"].as_str().is_some_and(|version| version.starts_with("tabernetes.dev/"))
    });
    let Some(value) = first.filter(|_| is_scenario) else {
        if first.is_none_or(|value| !value.is_object()) {
            return Err(unreadable(format!("{name} holds neither a scenario nor a manifest.")));
        }
        return Ok(of_manifest(name, text));
    };
    if value["apiVersion"] != API_VERSION {
        let message = format!("{name} was made for {}, and this page reads {API_VERSION}.", value["apiVersion"]);
        return Err(Problem { kind: ProblemKind::TooNew, message });
    }
    serde_json::from_value(value.clone()).map_err(|error| unreadable(format!("{name}: {error}.")))
}

/// A scenario that applies one file to a new cluster.
fn of_manifest(name: &str, text: &str) -> Scenario {
    Scenario {
        api_version: API_VERSION.into(),
        kind: KIND.into(),
        title: Text::Plain(name.into()),
        description: Text::Empty,
        cluster: ClusterSpec::default(),
        files: vec![File { name: name.into(), text: text.into() }],
        steps: vec![Step { at: Moment(5 * api::time::SECOND), what: What::Apply(name.into()) }],
        view: None,
    }
}

/// The scenario as a file to keep.
pub fn to_yaml(scenario: &Scenario) -> String {
    let value = serde_json::to_value(scenario).expect("a scenario always has a JSON form");
    api::yaml::emit(&value)
}
