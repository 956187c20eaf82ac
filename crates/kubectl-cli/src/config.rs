//! Which server, as whom, in which namespace: flags first, then the kubeconfig. Upstream: `client-go/tools/clientcmd`.

mod check;
mod credentials;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use api::User;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kubectl::Context;
use serde_json::{Value, json};

use self::credentials::Credentials;
use crate::wire;

/// What a connection needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    pub context: Context,
    /// The kubeconfig, and the file that changes go to.
    pub config: Value,
    pub file: String,
    pub namespace: String,
    /// The header that says who asks; empty for none.
    pub authorization: String,
    pub impersonated: Option<User>,
    pub tls: Tls,
    /// The way to the server; empty for the straight one.
    pub proxy: String,
    /// How long a request may take.
    pub timeout: Option<Duration>,
}

/// How a server proves who it is, and how the user does. All in PEM.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// Empty for the authorities that everybody trusts.
    pub authority: Vec<u8>,
    pub is_insecure: bool,
    pub certificate: Vec<u8>,
    pub key: Vec<u8>,
    /// The name in the server's certificate; empty for the server's own.
    pub name: String,
}

impl Settings {
    /// The server's name and port.
    pub fn host(&self) -> &str {
        let server = &self.context.server;
        let rest = server.split_once("://").map_or(server.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }

    /// The address that requests go to: that of the name in the server's certificate.
    pub fn url(&self) -> String {
        let server = self.context.server.trim_end_matches('/');
        if self.tls.name.is_empty() {
            return server.to_owned();
        }
        let host = self.host();
        let port = host.rsplit_once(':').map_or(String::new(), |(_, port)| format!(":{port}"));
        server.replacen(host, &format!("{}{port}", self.tls.name), 1)
    }
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
    let mut cluster = entry(&config["clusters"], &cluster_name, "cluster");
    let mut user = entry(&config["users"], &user_name, "user");
    if !configures && given("cluster").is_some() && cluster.is_null() {
        bail!("error: no server found for cluster {cluster_name:?}");
    }
    if !configures && given("user").is_some() && user.is_null() {
        bail!("error: auth info {user_name:?} does not exist");
    }
    let folder = Path::new(&file).parent().unwrap_or(Path::new(""));
    [&mut cluster, &mut user].into_iter().for_each(|entry| settle_paths(entry, folder));
    override_cluster(&mut cluster, &flags);
    override_user(&mut user, &flags);
    if !configures {
        refuse(&[check::user(&user, &user_name), check::cluster(&cluster, &cluster_name)].concat())?;
    }
    let server = server(&cluster)?;
    let is_secure = server.starts_with("https://") && !configures;
    let namespace = Some(of(&context, "namespace")).filter(|namespace| !namespace.is_empty());
    // Credentials do not go over a line that anybody may listen to.
    let credentials = if is_secure { credentials::of(&user, &cluster)? } else { Credentials::default() };
    Ok(Settings {
        tls: if is_secure { tls(&cluster, &credentials)? } else { Tls::default() },
        authorization: credentials.authorization,
        impersonated: impersonated(&user),
        proxy: of(&cluster, "proxy-url"),
        timeout: given("request-timeout").as_deref().and_then(timeout),
        context: Context { name: context_name, cluster: cluster_name, user: user_name, server },
        namespace: namespace.unwrap_or("default".into()),
        config,
        file,
    })
}

fn refuse(problems: &[String]) -> anyhow::Result<()> {
    match problems {
        [] => Ok(()),
        [only] => bail!("error: {only}"),
        many => {
            let lines: Vec<String> = many.iter().map(|problem| format!("* {problem}")).collect();
            bail!("Error in configuration: \n{}", lines.join("\n"))
        }
    }
}

/// Files of a kubeconfig lie beside it.
fn settle_paths(entry: &mut Value, folder: &Path) {
    for field in ["certificate-authority", "client-certificate", "client-key", "tokenFile"] {
        let path = of(entry, field);
        if !path.is_empty() {
            entry[field] = folder.join(path).to_string_lossy().into();
        }
    }
}

type Flags<'a> = BTreeMap<&'a str, String>;

/// Flags come before the file. A server that a flag names has no other name than flags say; trust by a flag replaces the
/// file's.
fn override_cluster(cluster: &mut Value, flags: &Flags) {
    let is_insecure = flags.get("insecure-skip-tls-verify").is_some_and(|text| text == "true");
    let authority = flags.get("certificate-authority").filter(|path| !path.is_empty());
    if is_insecure || authority.is_some() {
        forget(cluster, "certificate-authority-data");
        cluster["certificate-authority"] = authority.cloned().unwrap_or_default().into();
        cluster["insecure-skip-tls-verify"] = is_insecure.into();
    }
    if flags.contains_key("tls-server-name") || flags.contains_key("server") {
        cluster["tls-server-name"] = flags.get("tls-server-name").cloned().unwrap_or_default().into();
    }
    if let Some(server) = flags.get("server") {
        cluster["server"] = server.as_str().into();
    }
}

fn override_user(user: &mut Value, flags: &Flags) {
    for field in ["client-certificate", "client-key", "token", "username", "password"] {
        if let Some(value) = flags.get(field).filter(|value| !value.is_empty()) {
            user[field] = value.as_str().into();
            forget(user, &format!("{field}-data"));
        }
    }
}

fn forget(entry: &mut Value, field: &str) {
    entry.as_object_mut().map(|fields| fields.remove(field));
}

/// The server's address as a URL.
fn server(cluster: &Value) -> anyhow::Result<String> {
    let server = match of(cluster, "server") {
        server if server.is_empty() => "localhost:8080".into(),
        server => server,
    };
    match server.split_once("://") {
        Some((scheme, rest)) if !scheme.is_empty() && !rest.is_empty() && !rest.starts_with('/') => {
            if !matches!(scheme, "http" | "https") {
                bail!("Unable to connect to the server: unsupported protocol scheme {scheme:?}");
            }
            Ok(server)
        }
        Some(_) => bail!("error: host must be a URL or a host:port pair: {server:?}"),
        None if server.contains('/') => bail!("error: host must be a URL or a host:port pair: {server:?}"),
        None => Ok(format!("http://{server}")),
    }
}

/// Whom the kubeconfig's user asks as.
fn impersonated(user: &Value) -> Option<User> {
    let groups = user["as-groups"].as_array().into_iter().flatten();
    let groups = groups.filter_map(|group| group.as_str().map(str::to_owned)).collect();
    let name = Some(of(user, "as")).filter(|name| !name.is_empty())?;
    Some(User { name, uid: of(user, "as-uid"), groups, ..User::default() })
}

/// Seconds or a duration; 0 is no limit.
fn timeout(text: &str) -> Option<Duration> {
    let limit = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => Duration::from_nanos(u64::try_from(api::time::parse_duration(text)?).ok()?),
    };
    Some(limit).filter(|limit| !limit.is_zero())
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

fn tls(cluster: &Value, credentials: &Credentials) -> anyhow::Result<Tls> {
    let authority = pem(cluster, "certificate-authority")?;
    let is_insecure = cluster["insecure-skip-tls-verify"] == true;
    if is_insecure && !authority.is_empty() {
        bail!("error: specifying a root certificates file with the insecure flag is not allowed");
    }
    if !authority.is_empty() && wire::certificates(&authority).is_empty() {
        bail!("error: unable to load root certificates: unable to parse bytes as PEM block");
    }
    let certificate = credentials.certificate.clone();
    if !certificate.is_empty() && wire::certificates(&certificate).is_empty() {
        bail!("Unable to connect to the server: tls: failed to find any PEM data in certificate input");
    }
    let (key, name) = (credentials.key.clone(), of(cluster, "tls-server-name"));
    Ok(Tls { authority, is_insecure, certificate, key, name })
}

/// What an entry holds under this name, or the file that it names; empty for neither.
pub fn pem(entry: &Value, name: &str) -> anyhow::Result<Vec<u8>> {
    match (of(entry, &format!("{name}-data")), of(entry, name)) {
        (data, _) if !data.is_empty() => BASE64_STANDARD.decode(data).map_err(|why| anyhow::anyhow!("error: {why}")),
        (_, path) if path.is_empty() => Ok(Vec::new()),
        (_, path) => std::fs::read(&path).map_err(|why| anyhow::anyhow!("error: {}", check::unopened(&path, &why))),
    }
}

pub fn of(value: &Value, field: &str) -> String {
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
