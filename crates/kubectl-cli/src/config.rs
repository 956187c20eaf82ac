//! Which server, as whom, in which namespace: flags first, then the kubeconfig. Upstream: `client-go/tools/clientcmd`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kubectl::Context;
use serde_json::{Value, json};

/// What a connection needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    pub context: Context,
    /// The kubeconfig, and the file that changes go to.
    pub config: Value,
    pub file: String,
    pub namespace: String,
    pub token: String,
    pub tls: Tls,
}

/// How a server proves who it is, and how the user does. All in PEM.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// Empty for the authorities that everybody trusts.
    pub authority: Vec<u8>,
    pub is_insecure: bool,
    pub certificate: Vec<u8>,
    pub key: Vec<u8>,
}

/// A list of the kubeconfig, and the field of its entries that holds what they name.
const SECTIONS: [(&str, &str); 3] = [("clusters", "cluster"), ("contexts", "context"), ("users", "user")];

/// Reads the flags that name the server and the user, and the kubeconfig that they or the environment name.
pub fn read(words: &[String]) -> anyhow::Result<Settings> {
    let flags = kubectl::global_flags(words);
    let given = |name: &str| flags.get(name).cloned();
    // What shows and changes the file does not ask whether it can be used.
    let configures = words.iter().find(|word| !word.starts_with('-')).is_some_and(|word| word == "config");
    let (files, is_explicit) = files(given("kubeconfig"));
    if let (true, false, [file]) = (is_explicit, configures, files.as_slice())
        && !Path::new(file).exists()
    {
        bail!("error: stat {file}: no such file or directory");
    }
    let config = merged(&files)?;
    let file = files.iter().find(|file| Path::new(file).exists()).or(files.last()).cloned().unwrap_or_default();
    let context_name = given("context").unwrap_or_else(|| of(&config, "current-context"));
    let context = entry(&config["contexts"], &context_name, "context");
    if !configures && context.is_null() && !context_name.is_empty() {
        bail!("Error in configuration: context was not found for specified context: {context_name}");
    }
    let cluster_name = given("cluster").unwrap_or_else(|| of(&context, "cluster"));
    let user_name = given("user").unwrap_or_else(|| of(&context, "user"));
    let cluster = entry(&config["clusters"], &cluster_name, "cluster");
    let user = entry(&config["users"], &user_name, "user");
    if !configures && given("cluster").is_some() && cluster.is_null() {
        bail!("error: no server found for cluster {cluster_name:?}");
    }
    if !configures && given("user").is_some() && user.is_null() {
        bail!("error: auth info {user_name:?} does not exist");
    }
    if !configures && !of(&user, "token").is_empty() && !of(&user, "username").is_empty() {
        bail!(
            "error: more than one authentication method found for {user_name}; found [token basicAuth], only one is allowed"
        );
    }
    let server = given("server").unwrap_or_else(|| of(&cluster, "server"));
    let server = if server.is_empty() { "http://localhost:8080".into() } else { server };
    let server = if server.contains("://") { server } else { format!("http://{server}") };
    let is_secure = server.starts_with("https://") && !configures;
    let namespace = Some(of(&context, "namespace")).filter(|namespace| !namespace.is_empty());
    Ok(Settings {
        tls: if is_secure { tls(&flags, &cluster, &user, &file)? } else { Tls::default() },
        // Credentials do not go over a line that anybody may listen to.
        token: if is_secure { token(given("token"), &user)? } else { String::new() },
        context: Context { name: context_name, cluster: cluster_name, user: user_name, server },
        namespace: namespace.unwrap_or("default".into()),
        config,
        file,
    })
}

/// The kubeconfigs to read, and whether a flag names the only one.
fn files(explicit: Option<String>) -> (Vec<String>, bool) {
    if let Some(file) = explicit.filter(|file| !file.is_empty()) {
        return (vec![file], true);
    }
    if let Some(list) = std::env::var("KUBECONFIG").ok().filter(|list| !list.is_empty()) {
        return (list.split(':').filter(|file| !file.is_empty()).map(str::to_owned).collect(), false);
    }
    let home = std::env::var("HOME").map(|home| format!("{home}/.kube/config"));
    (home.into_iter().collect(), false)
}

/// The kubeconfigs as one: what comes first counts.
fn merged(files: &[String]) -> anyhow::Result<Value> {
    let mut config = json!({
        "apiVersion": "v1", "kind": "Config", "preferences": {}, "current-context": "",
        "clusters": null, "contexts": null, "users": null,
    });
    for file in files {
        let Ok(text) = std::fs::read_to_string(file) else { continue };
        let one = load(&text).map_err(|why| anyhow::anyhow!("error: error loading config file {file:?}: {why}"))?;
        for (list, _) in SECTIONS {
            for entry in one[list].as_array().into_iter().flatten() {
                let known = config[list].as_array().into_iter().flatten();
                if known.clone().any(|known| known["name"] == entry["name"]) {
                    continue;
                }
                let mut all: Vec<Value> = known.cloned().chain([entry.clone()]).collect();
                all.sort_by(|one, other| one["name"].as_str().cmp(&other["name"].as_str()));
                config[list] = all.into();
            }
        }
        if config["current-context"] == "" && one["current-context"].is_string() {
            config["current-context"] = one["current-context"].clone();
        }
        for (name, value) in one["preferences"].as_object().into_iter().flatten() {
            if config["preferences"][name].is_null() {
                config["preferences"][name] = value.clone();
            }
        }
    }
    Ok(config)
}

fn load(text: &str) -> Result<Value, String> {
    let documents = api::yaml::parse_documents(text)
        .map_err(|error| error.to_string().replacen("error converting YAML to JSON: ", "", 1))?;
    let config = documents.into_iter().next().map(|document| document.value).unwrap_or_default();
    if let Some(version) = config["apiVersion"].as_str().filter(|version| *version != "v1") {
        return Err(format!(
            "no kind \"Config\" is registered for version {version:?} in scheme \
             \"k8s.io/client-go/tools/clientcmd/api/latest/latest.go:50\""
        ));
    }
    for (list, go_type) in [("clusters", "NamedCluster"), ("contexts", "NamedContext"), ("users", "NamedAuthInfo")] {
        let found = match &config[list] {
            Value::Null | Value::Array(_) => continue,
            Value::String(_) => "string",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::Object(_) => "object",
        };
        return Err(format!(
            "json: cannot unmarshal {found} into Go struct field Config.{list} of type []v1.{go_type}"
        ));
    }
    Ok(config)
}

fn token(given: Option<String>, user: &Value) -> anyhow::Result<String> {
    let token = given.unwrap_or_else(|| of(user, "token"));
    match of(user, "tokenFile").as_str() {
        file if token.is_empty() && !file.is_empty() => match std::fs::read_to_string(file) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(_) => bail!("error: open {file}: no such file or directory"),
        },
        _ => Ok(token),
    }
}

fn tls(flags: &BTreeMap<&str, String>, cluster: &Value, user: &Value, file: &str) -> anyhow::Result<Tls> {
    let folder = Path::new(file).parent().unwrap_or(Path::new(""));
    // Data comes before files, and files of the kubeconfig lie beside it.
    let read = |entry: &Value, name: &str| -> anyhow::Result<Vec<u8>> {
        let (path, base) = match flags.get(name) {
            Some(path) => (path.clone(), Path::new("")),
            None => match of(entry, &format!("{name}-data")) {
                data if !data.is_empty() => {
                    return BASE64_STANDARD.decode(data).map_err(|why| anyhow::anyhow!("error: {why}"));
                }
                _ => (of(entry, name), folder),
            },
        };
        if path.is_empty() {
            return Ok(Vec::new());
        }
        let path = base.join(path);
        std::fs::read(&path).map_err(|_| {
            let path = path.display();
            anyhow::anyhow!(
                "error: unable to read {name} {path} for kubectl due to open {path}: no such file or directory"
            )
        })
    };
    let skips = flags.get("insecure-skip-tls-verify").is_some_and(|text| text == "true");
    Ok(Tls {
        authority: read(cluster, "certificate-authority")?,
        is_insecure: skips || cluster["insecure-skip-tls-verify"] == true,
        certificate: read(user, "client-certificate")?,
        key: read(user, "client-key")?,
    })
}

fn of(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

/// The `inner` of the entry with this name.
fn entry(entries: &Value, name: &str, inner: &str) -> Value {
    let mut entries = entries.as_array().into_iter().flatten();
    entries.find(|entry| entry["name"] == name).map(|entry| entry[inner].clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_no_kubeconfigs_are_refused() {
        let refused = |text: &str| load(text).expect_err("no kubeconfig");
        assert_eq!(
            refused("clusters: x"),
            "json: cannot unmarshal string into Go struct field Config.clusters of type []v1.NamedCluster"
        );
        assert_eq!(refused("a: ["), "yaml: line 1: did not find expected node content");
    }
}
