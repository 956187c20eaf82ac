//! Which of our packages may depend on which: the invariants of the architecture that cargo can enforce.

use std::collections::BTreeSet;

use crate::workspace::Package;

/// They see the cluster through `client` alone, as their real counterparts do.
const COMPONENTS: &[&str] = &["controllers", "scheduler", "kubelet", "network", "storage", "kubectl"];

pub fn violations(packages: &[Package]) -> Vec<String> {
    let workspace = Workspace { packages };
    let mut violations = Vec::new();
    let mut forbid = |broken: bool, rule: String| {
        if broken {
            violations.push(rule);
        }
    };
    for package in packages {
        let name = package.name.as_str();
        let direct = workspace.direct(name);
        let reached = workspace.reached(name);
        forbid(name != "apiserver" && direct.contains("etcd"), format!("{name} depends on etcd: only apiserver may"));
        if COMPONENTS.contains(&name) {
            for hidden in ["apiserver", "etcd"] {
                forbid(reached.contains(hidden), format!("{name} reaches {hidden}: components know client alone"));
            }
        }
        if name == "web" {
            let more = direct.iter().find(|dependency| **dependency != "protocol");
            forbid(more.is_some(), format!("web depends on {}: it knows protocol alone", more.unwrap_or(&"nothing")));
        }
        if ["protocol", "xtask"].contains(&name) {
            let more = direct.first();
            forbid(more.is_some(), format!("{name} depends on {}: it stands alone", more.unwrap_or(&"nothing")));
        }
    }
    violations
}

struct Workspace<'a> {
    packages: &'a [Package],
}

impl<'a> Workspace<'a> {
    /// Our packages that `name` depends on outside of its tests.
    fn direct(&self, name: &str) -> BTreeSet<&'a str> {
        let package = self.packages.iter().find(|package| package.name == name);
        let dependencies = package.into_iter().flat_map(|package| &package.dependencies);
        dependencies
            .filter(|dependency| !dependency.only_for_tests)
            .filter(|dependency| self.packages.iter().any(|package| package.name == dependency.name))
            .map(|dependency| dependency.name.as_str())
            .collect()
    }

    /// All of our packages that end up in `name`.
    fn reached(&self, name: &str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&str> = self.direct(name).into_iter().collect();
        while let Some(next) = open.pop() {
            if reached.insert(next) {
                open.extend(self.direct(next));
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    /// Packages written as `name: dependency dependency`; a `~dependency` is needed by tests alone.
    fn violations_of(text: &str) -> Vec<String> {
        let package = |line: &str| {
            let (name, dependencies) = line.split_once(':').expect("name: dependencies");
            let dependency = |name: &str| Dependency {
                name: name.trim_start_matches('~').to_owned(),
                only_for_tests: name.starts_with('~'),
            };
            Package {
                name: name.trim().to_owned(),
                folder: std::path::PathBuf::new(),
                dependencies: dependencies.split_whitespace().map(dependency).collect(),
            }
        };
        violations(&text.lines().map(package).collect::<Vec<_>>())
    }

    #[test]
    fn the_intended_edges_are_allowed() {
        let none = violations_of(
            "api:\netcd:\nprotocol: serde\napiserver: api etcd\nclient: api\nkubelet: api client ~apiserver\nweb: protocol yew",
        );
        assert_eq!(none, Vec::<String>::new());
    }

    #[test]
    fn only_the_api_server_knows_etcd() {
        assert_eq!(violations_of("etcd:\nserver: etcd"), ["server depends on etcd: only apiserver may"]);
    }

    #[test]
    fn components_reach_no_server_by_a_detour() {
        let found = violations_of("apiserver:\nclient: apiserver\nscheduler: client");
        assert_eq!(found, ["scheduler reaches apiserver: components know client alone"]);
    }

    #[test]
    fn the_page_knows_the_protocol_alone() {
        let found = violations_of("api:\nprotocol: api\nweb: protocol api");
        assert_eq!(found, ["protocol depends on api: it stands alone", "web depends on api: it knows protocol alone"]);
    }
}
