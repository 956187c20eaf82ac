//! Which server, as whom, in which namespace: flags first, then the kubeconfig.

use anyhow::Context as _;
use kubectl::Context;
use serde_json::{Value, json};

/// What a connection needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    pub context: Context,
    /// The kubeconfig and where it lies.
    pub config: Value,
    pub file: String,
    pub namespace: String,
    pub token: String,
}

/// Reads the flags that name the server and the user, and the kubeconfig that they or the environment name.
pub fn read(words: &[String]) -> anyhow::Result<Settings> {
    let given = |name: &str| flag(words, name);
    let exists = |file: &str| !file.is_empty() && std::path::Path::new(file).exists();
    if let Some(file) = given("kubeconfig").filter(|file| !exists(file)) {
        anyhow::bail!("error: stat {file}: no such file or directory");
    }
    let named = given("kubeconfig").or_else(|| std::env::var("KUBECONFIG").ok().filter(|file| !file.is_empty()));
    let file = named.or_else(default_file).unwrap_or_default();
    let text = match exists(&file) {
        true => std::fs::read_to_string(&file).with_context(|| format!("error: {file}"))?,
        false => String::new(),
    };
    let documents = api::yaml::parse_documents(&text).map_err(|error| anyhow::anyhow!("error: {error}"))?;
    let mut config = documents.into_iter().next().map(|document| document.value).unwrap_or_default();
    for (field, empty) in
        [("clusters", json!([])), ("contexts", json!([])), ("users", json!([])), ("preferences", json!({}))]
    {
        if config[field].is_null() {
            config[field] = empty;
        }
    }
    config["apiVersion"] = "v1".into();
    config["kind"] = "Config".into();
    if config["current-context"].is_null() {
        config["current-context"] = "".into();
    }
    if let Some(name) = given("context").filter(|name| entry(&config["contexts"], name, "context").is_null()) {
        anyhow::bail!("Error in configuration: context was not found for specified context: {name}");
    }
    let context_name = given("context").unwrap_or_else(|| of(&config, "current-context"));
    let context = entry(&config["contexts"], &context_name, "context");
    let cluster_name = given("cluster").unwrap_or_else(|| of(&context, "cluster"));
    let user_name = given("user").unwrap_or_else(|| of(&context, "user"));
    let cluster = entry(&config["clusters"], &cluster_name, "cluster");
    let user = entry(&config["users"], &user_name, "user");
    let server = given("server").or_else(|| short_flag(words, "-s")).unwrap_or_else(|| of(&cluster, "server"));
    let server = if server.is_empty() { "http://localhost:8080".into() } else { server };
    let namespace = Some(of(&context, "namespace")).filter(|namespace| !namespace.is_empty());
    Ok(Settings {
        context: Context {
            name: context_name,
            cluster: cluster_name,
            user: user_name,
            server: if server.contains("://") { server } else { format!("http://{server}") },
        },
        namespace: namespace.unwrap_or("default".into()),
        token: given("token").unwrap_or_else(|| of(&user, "token")),
        config,
        file,
    })
}

fn default_file() -> Option<String> {
    Some(format!("{}/.kube/config", std::env::var("HOME").ok()?))
}

fn of(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

/// The `inner` of the entry with this name.
fn entry(entries: &Value, name: &str, inner: &str) -> Value {
    let mut entries = entries.as_array().into_iter().flatten();
    entries.find(|entry| entry["name"] == name).map(|entry| entry[inner].clone()).unwrap_or_default()
}

/// The value of `--name value` or `--name=value` before `--`.
fn flag(words: &[String], name: &str) -> Option<String> {
    let own = words.split(|word| word == "--").next().unwrap_or_default();
    own.iter().enumerate().find_map(|(at, word)| {
        let rest = word.strip_prefix("--")?.strip_prefix(name)?;
        match rest.strip_prefix('=') {
            Some(value) => Some(value.to_owned()),
            None if rest.is_empty() => own.get(at + 1).cloned(),
            None => None,
        }
    })
}

fn short_flag(words: &[String], name: &str) -> Option<String> {
    let at = words.iter().position(|word| word == name)?;
    words.get(at + 1).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_found_in_both_forms() {
        let words: Vec<String> =
            ["--server=http://a", "get", "--token", "t", "--", "--user=x"].map(str::to_owned).into();
        assert_eq!(flag(&words, "server").as_deref(), Some("http://a"));
        assert_eq!(flag(&words, "token").as_deref(), Some("t"));
        assert_eq!(flag(&words, "user"), None);
    }
}
