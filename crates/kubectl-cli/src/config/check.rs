//! What is wrong with a cluster or a user of a kubeconfig. Upstream: `clientcmd/validation.go`.

use std::io;

use serde_json::Value;

use super::of;

pub fn cluster(cluster: &Value, name: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let has = |field: &str| !of(cluster, field).is_empty();
    let is_empty = cluster.as_object().is_none_or(serde_json::Map::is_empty);
    if !is_empty && !has("server") && !name.is_empty() {
        problems.push(format!("no server found for cluster {name:?}"));
    }
    let proxy = of(cluster, "proxy-url");
    let scheme = proxy.split_once("://").map_or("", |(scheme, _)| scheme);
    if !proxy.is_empty() && !matches!(scheme, "http" | "https" | "socks5") {
        problems.push(format!(
            "invalid 'proxy-url' {proxy:?} for cluster {name:?}: unsupported scheme {scheme:?}, must be http, https, or \
             socks5"
        ));
    }
    if has("certificate-authority") && has("certificate-authority-data") {
        problems.push(format!(
            "certificate-authority-data and certificate-authority are both specified for {name}. \
             certificate-authority-data will override."
        ));
    }
    problems.extend(unread("certificate-authority", &of(cluster, "certificate-authority"), name));
    problems
}

pub fn user(user: &Value, name: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let has = |field: &str| !of(user, field).is_empty();
    if has("client-certificate") || has("client-certificate-data") {
        if has("client-certificate") && has("client-certificate-data") {
            problems.push(format!(
                "client-cert-data and client-cert are both specified for {name}. client-cert-data will override."
            ));
        }
        if has("client-key") && has("client-key-data") {
            problems.push(format!(
                "client-key-data and client-key are both specified for {name}; client-key-data will override"
            ));
        }
        if !has("client-key") && !has("client-key-data") {
            problems.push(format!(
                "client-key-data or client-key must be specified for {name} to use the clientCert authentication method."
            ));
        }
        problems.extend(unread("client-cert", &of(user, "client-certificate"), name));
        problems.extend(unread("client-key", &of(user, "client-key"), name));
    }
    if user["exec"].is_object() {
        program(&user["exec"], name, user["auth-provider"].is_object(), &mut problems);
    }
    if has("token") && (has("username") || has("password")) {
        problems.push(format!(
            "more than one authentication method found for {name}; found [token basicAuth], only one is allowed"
        ));
    }
    let has_groups = user["as-groups"].as_array().is_some_and(|groups| !groups.is_empty());
    if (has("as-uid") || has_groups || user["as-user-extra"].is_object()) && !has("as") {
        problems.push(format!("requesting uid, groups or user-extra for {name} without impersonating a user"));
    }
    problems
}

fn program(program: &Value, name: &str, has_provider: bool, problems: &mut Vec<String>) {
    if has_provider {
        problems.push(format!("authProvider cannot be provided in combination with an exec plugin for {name}"));
    }
    for field in ["command", "apiVersion"] {
        if of(program, field).is_empty() {
            problems.push(format!("{field} must be specified for {name} to use exec authentication plugin"));
        }
    }
    let variables = program["env"].as_array().into_iter().flatten();
    for _ in variables.filter(|variable| of(variable, "name").is_empty()) {
        problems.push(format!("env variable name must be specified for {name} to use exec authentication plugin"));
    }
    match super::credentials::interactive_mode(program).as_str() {
        "Never" | "IfAvailable" | "Always" => {}
        "" => {
            problems.push(format!("interactiveMode must be specified for {name} to use exec authentication plugin"));
        }
        other => problems.push(format!("invalid interactiveMode for {name}: {other:?}")),
    }
}

fn unread(what: &str, path: &str, name: &str) -> Option<String> {
    let why = std::fs::File::open(path).err().filter(|_| !path.is_empty())?;
    Some(format!("unable to read {what} {path} for {name} due to {}", unopened(path, &why)))
}

/// Why a file cannot be opened, as Go says it.
pub fn unopened(path: &str, why: &io::Error) -> String {
    let why = match why.kind() {
        io::ErrorKind::PermissionDenied => "permission denied",
        _ => "no such file or directory",
    };
    format!("open {path}: {why}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn one_way_to_say_who_one_is_is_enough() {
        let both = json!({ "token": "t", "username": "u" });
        assert_eq!(
            super::user(&both, "bob"),
            ["more than one authentication method found for bob; found [token basicAuth], only one is allowed"]
        );
        assert!(super::user(&json!({ "token": "t" }), "bob").is_empty());
    }

    #[test]
    fn programs_must_be_told_how_to_ask() {
        let user = json!({ "exec": { "command": "c", "apiVersion": "client.authentication.k8s.io/v1" } });
        assert_eq!(
            super::user(&user, "bob"),
            ["interactiveMode must be specified for bob to use exec authentication plugin"]
        );
    }
}
