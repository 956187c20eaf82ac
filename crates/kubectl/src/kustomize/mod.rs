//! Building a kustomization: `apply -k`, `kubectl kustomize`. Upstream's `sigs.k8s.io/kustomize/api`.
//!
//! A target's resources are those of its bases and files; components, generators and transformers follow in upstream's
//! order, and then the references to whatever was renamed. Hashes come last, at the top.
//!
//! Not built: remote bases, plug-ins, Helm charts, `replacements`, `vars`, transformer configurations.

mod generate;
pub(crate) mod hash;
mod reference;
mod resource;
mod transform;

use serde_json::Value;

use crate::files::Files;
use resource::Resource;

const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// What a build gives: the objects in their order, and warnings.
#[derive(Default)]
pub(crate) struct Built {
    pub objects: Vec<Value>,
    pub warnings: Vec<String>,
}

/// Builds the kustomization of a folder.
pub(crate) fn build(files: &Files, folder: &str) -> Result<Built, String> {
    if files.list(folder).is_none() {
        return Err(format!(
            "must build at directory: not a valid directory: evalsymlink failure on '{folder}' : lstat {}: no such file \
             or directory",
            files.absolute(folder)
        ));
    }
    let mut target = Target { files, warnings: Vec::new(), depth: 0 };
    let mut resources = target.accumulate(folder, Vec::new())?;
    let before: Vec<_> = resources.iter().map(Resource::identity).collect();
    resources.iter_mut().for_each(Resource::add_hash);
    reference::fix(&mut resources, &before);
    let mut objects: Vec<Value> = resources.into_iter().map(|resource| resource.value).collect();
    objects.sort_by_cached_key(resource::order);
    Ok(Built { objects, warnings: target.warnings })
}

struct Target<'a> {
    files: &'a Files,
    warnings: Vec<String>,
    depth: usize,
}

/// Bases nest no deeper than this: a cycle is a mistake.
const DEPTH_MAX: usize = 32;

impl Target<'_> {
    /// The resources of a folder, after those of whoever takes it in as a component.
    fn accumulate(&mut self, folder: &str, mut resources: Vec<Resource>) -> Result<Vec<Resource>, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("cycle detected: candidate root '{folder}' contains visited root"));
        }
        let config = self.load(folder)?;
        for path in texts(&config["resources"]).chain(texts(&config["bases"])) {
            resources.extend(self.resource(folder, path)?);
        }
        for path in texts(&config["components"]) {
            resources = self.accumulate(&join(folder, path), resources)?;
        }
        generate::run(self.files, folder, &config, &mut resources)?;
        let before: Vec<_> = resources.iter().map(Resource::identity).collect();
        transform::run(self.files, folder, &config, &mut resources)?;
        reference::fix(&mut resources, &before);
        self.depth -= 1;
        Ok(resources)
    }

    fn load(&mut self, folder: &str) -> Result<Value, String> {
        let texts = NAMES.iter().filter_map(|name| self.files.read(&join(folder, name)));
        let Some(text) = texts.into_iter().next() else {
            return Err(format!(
                "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{}'",
                self.files.absolute(folder)
            ));
        };
        let documents = api::yaml::parse_documents(&text).map_err(|error| error.to_string())?;
        let config = documents.into_iter().next().map(|document| document.value).unwrap_or_default();
        for (field, instead) in [
            ("commonLabels", "labels"),
            ("bases", "resources"),
            ("patchesStrategicMerge", "patches"),
            ("patchesJson6902", "patches"),
        ] {
            if !config[field].is_null() {
                self.warnings.push(format!(
                    "# Warning: '{field}' is deprecated. Please use '{instead}' instead. Run 'kustomize edit fix' to \
                     update your Kustomization automatically."
                ));
            }
        }
        Ok(config)
    }

    /// One entry of `resources`: a file or another folder.
    fn resource(&mut self, folder: &str, path: &str) -> Result<Vec<Resource>, String> {
        let full = join(folder, path);
        if let Some(text) = self.files.read(&full) {
            let documents = crate::manifest::documents(&text, &full).map_err(|misread| misread.failure.text())?;
            return Ok(documents.into_iter().map(|document| Resource::new(document.value)).collect());
        }
        if self.files.list(&full).is_some() {
            return self.accumulate(&full, Vec::new());
        }
        Err(format!(
            "accumulating resources: accumulation err='accumulating resources from '{path}': evalsymlink failure on \
             '{full}' : lstat {full}: no such file or directory': must build at directory: not a valid directory: \
             evalsymlink failure on '{full}' : lstat {full}: no such file or directory"
        ))
    }
}

/// The strings of a list.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A path beside or below a folder, without `.` and `..`.
fn join(folder: &str, path: &str) -> String {
    let joined = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let root = if joined.starts_with('/') { "/" } else { "" };
    match parts.is_empty() {
        true => format!("{root}."),
        false => format!("{root}{}", parts.join("/")),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn files() -> Files {
        let mut files = Files::default();
        for (path, text) in [
            ("base/kustomization.yaml", BASE),
            ("base/web.yaml", WEB),
            ("prod/kustomization.yaml", PROD),
            ("bad/kustomization.yaml", "resources: [none.yaml]"),
        ] {
            files.write(path, text.into());
        }
        files
    }

    fn check(folder: &str, expected: Expect) {
        let text = match build(&files(), folder) {
            Ok(built) => built.objects.iter().map(crate::output::yaml).collect::<Vec<_>>().join("---\n"),
            Err(why) => why,
        };
        expected.assert_eq(&text.replace(crate::files::HOME, "~"));
    }

    const BASE: &str = "\
resources: [web.yaml]
configMapGenerator:
- name: settings
  literals: [color=blue]
";

    const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: nginx
        image: nginx:1.27
        envFrom: [{configMapRef: {name: settings}}]
";

    const PROD: &str = r#"namespace: prod
namePrefix: big-
resources: [../base]
labels:
- pairs: {team: a}
  includeSelectors: true
images:
- {name: nginx, newTag: "1.28"}
replicas:
- {name: web, count: 3}
configMapGenerator:
- name: settings
  behavior: merge
  literals: [size=xl]
patches:
- target: {kind: Deployment}
  patch: |-
    - {op: add, path: /spec/paused, value: true}
"#;

    #[test]
    fn overlays_change_their_bases() {
        check(
            "prod",
            expect![[r#"
                apiVersion: v1
                data:
                  color: blue
                  size: xl
                kind: ConfigMap
                metadata:
                  labels:
                    team: a
                  name: big-settings-k9f94fm456
                  namespace: prod
                ---
                apiVersion: apps/v1
                kind: Deployment
                metadata:
                  labels:
                    team: a
                  name: big-web
                  namespace: prod
                spec:
                  paused: true
                  replicas: 3
                  selector:
                    matchLabels:
                      app: web
                      team: a
                  template:
                    metadata:
                      labels:
                        app: web
                        team: a
                    spec:
                      containers:
                      - envFrom:
                        - configMapRef:
                            name: big-settings-k9f94fm456
                        image: nginx:1.28
                        name: nginx
            "#]],
        );
    }

    #[test]
    fn mistakes() {
        check(
            "none",
            expect![
                "must build at directory: not a valid directory: evalsymlink failure on 'none' : lstat ~/none: no such file or directory"
            ],
        );
        check(
            "bad",
            expect![
                "accumulating resources: accumulation err='accumulating resources from 'none.yaml': evalsymlink failure on 'bad/none.yaml' : lstat bad/none.yaml: no such file or directory': must build at directory: not a valid directory: evalsymlink failure on 'bad/none.yaml' : lstat bad/none.yaml: no such file or directory"
            ],
        );
    }
}
