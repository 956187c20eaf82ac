//! `kubectl create configmap`, `secret`, `namespace`, `serviceaccount`, `quota`, `priorityclass`, `token`

use api::selector::{Operator, Selector};
use api::validate::{config_key, env_var_name};
use serde_json::{Map, Value, json};

use super::{Made, make, name};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, array, int32, switch, text};
use crate::output::base64_encode;
use crate::task::Call;

pub(in crate::commands) static DATA_FLAGS: &[Flag] = &[
    array("from-literal", ' ', "key=value"),
    array("from-file", ' ', "[key=]file"),
    array("from-env-file", ' ', "A file of key=value lines"),
    switch("append-hash", ' ', "Append a hash of the data to the name"),
];
pub(in crate::commands) static SECRET_FLAGS: &[Flag] = &[text("type", ' ', "The type of the secret")];
pub(in crate::commands) static TLS_FLAGS: &[Flag] = &[
    text("cert", ' ', "Path to the certificate"),
    text("key", ' ', "Path to the key"),
    switch("append-hash", ' ', "Add a hash of the data to the name"),
];
pub(in crate::commands) static REGISTRY_FLAGS: &[Flag] = &[
    text("docker-server", ' ', "The registry's address").or("https://index.docker.io/v1/"),
    text("docker-username", ' ', "User name"),
    text("docker-password", ' ', "Password"),
    text("docker-email", ' ', "E-mail address"),
    array("from-file", ' ', "A file that holds the configuration"),
    switch("append-hash", ' ', "Append a hash of the data to the name"),
];
pub(in crate::commands) static QUOTA_FLAGS: &[Flag] =
    &[text("hard", ' ', "resource=quantity,…"), text("scopes", ' ', "Scopes, comma-separated")];
pub(in crate::commands) static PRIORITY_FLAGS: &[Flag] = &[
    int32("value", ' ', "0", "The priority"),
    switch("global-default", ' ', "The priority of Pods that name no class"),
    text("description", ' ', "When to use the class"),
    text("preemption-policy", ' ', "PreemptLowerPriority or Never").or("PreemptLowerPriority"),
];
pub(in crate::commands) static BUDGET_FLAGS: &[Flag] = &[
    text("min-available", ' ', "How many Pods must stay, a number or a percentage"),
    text("max-unavailable", ' ', "How many Pods may be away, a number or a percentage"),
    text("selector", ' ', "A label selector of the Pods"),
];
pub(in crate::commands) static TOKEN_FLAGS: &[Flag] = &[
    crate::flags::duration("duration", "0s", "How long the token is valid"),
    array("audience", ' ', "Audience"),
    text("bound-object-kind", ' ', "Kind of the object whose end is the token's: Pod, Secret or Node"),
    text("bound-object-name", ' ', "Name of that object"),
    text("bound-object-uid", ' ', "UID of that object"),
];

/// The pairs of `--from-literal`, `--from-file` and `--from-env-file`.
fn pairs(call: &Call, args: &Args, secret: bool) -> Result<Vec<(String, String)>, Failure> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let read = |path: &str| {
        let text = call.state.files.read(path);
        text.ok_or_else(|| Failure::error(format!("error reading {path}: no such file or directory")))
    };
    let given = |flag: &str| !args.all(flag).is_empty();
    if given("from-env-file") && (given("from-file") || given("from-literal")) {
        return Err(Failure::error("from-env-file cannot be combined with from-file or from-literal"));
    }
    for text in args.all("from-literal") {
        let (key, value) = text
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| Failure::error(format!("invalid literal source {text}, expected key=value")))?;
        pairs.push((key.into(), value.into()));
    }
    for text in args.all("from-file") {
        let (key, path) = match text.split_once('=') {
            Some((_, path)) if path.contains('=') => {
                return Err(Failure::error("key names or file paths cannot contain '='"));
            }
            Some(("", path)) => return Err(Failure::error(format!("key name for file path {path} missing"))),
            Some((key, "")) => return Err(Failure::error(format!("file path for key name {key} missing"))),
            Some((_, path)) if call.state.files.is_folder(path) => {
                return Err(Failure::error("cannot give a key name for a directory path"));
            }
            Some((key, path)) => (key, path),
            None if call.state.files.is_folder(text) => {
                for name in call.state.files.list(text).unwrap_or_default() {
                    let inside = read(&format!("{}/{name}", text.trim_end_matches('/')))?;
                    pairs.push((name, inside));
                }
                continue;
            }
            None => (text.rsplit('/').next().unwrap_or_default(), text.as_str()),
        };
        pairs.push((key.into(), read(path)?));
    }
    for path in args.all("from-env-file") {
        if call.state.files.is_folder(path) {
            return Err(Failure::error("env config file cannot be a directory"));
        }
        let text = read(path)?;
        let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            check_variable(key)?;
            pairs.push((key.into(), value.into()));
        }
    }
    for (at, (key, _)) in pairs.iter().enumerate() {
        let complaints = config_key(key);
        if !complaints.is_empty() {
            return Err(Failure::error(match secret {
                true => format!("{key:?} is not valid key name for a Secret {}", complaints.join(";")),
                false => format!("{key:?} is not a valid key name for a ConfigMap: {}", complaints.join(",")),
            }));
        }
        if pairs[..at].iter().any(|(known, _)| known == key) {
            let name = args.before_dash().first().map(String::as_str).unwrap_or_default();
            return Err(Failure::error(match secret {
                true => format!("cannot add key {key}, another key by that name already exists"),
                false => format!(
                    "cannot add key {key:?}, another key by that name already exists in Data for ConfigMap {name:?}"
                ),
            }));
        }
    }
    Ok(pairs)
}

/// Refuses what no variable of an environment is called.
pub(in crate::commands) fn check_variable(key: &str) -> Result<(), Failure> {
    let complaints = env_var_name(key);
    match complaints.is_empty() {
        true => Ok(()),
        false => Err(Failure::error(format!("{key:?} is not a valid key name: {}", complaints.join(";")))),
    }
}

fn with_data(mut value: Value, pairs: Vec<(String, String)>, encode: fn(&str) -> String) -> Value {
    if !pairs.is_empty() {
        let data: Map<String, Value> = pairs.into_iter().map(|(key, text)| (key, encode(&text).into())).collect();
        value["data"] = data.into();
    }
    value
}

/// `--append-hash`: the object under a name that changes with its data.
fn with_hash(args: &Args, mut value: Value) -> Value {
    if args.is("append-hash") {
        let name = value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let suffix = crate::kustomize::hash::suffix(&value, &name);
        value["metadata"]["name"] = format!("{name}-{suffix}").into();
    }
    value
}

pub(in crate::commands) fn config_map(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create configmap")?;
    let value = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "creationTimestamp": null, "name": name },
    });
    let value = with_hash(args, with_data(value, pairs(call, args, false)?, str::to_owned));
    make(call, args, Made::new(value, "failed to create configmap: "))
}

fn secret(call: &mut Call, args: &Args, name: &str, kind: &str, pairs: Vec<(String, String)>) -> Outcome {
    let mut value = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "creationTimestamp": null, "name": name },
    });
    if !kind.is_empty() {
        value["type"] = kind.into();
    }
    let value = with_hash(args, with_data(value, pairs, |text| base64_encode(text.as_bytes())));
    make(call, args, Made::new(value, "failed to create secret "))
}

pub(in crate::commands) fn secret_generic(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create secret generic")?;
    let pairs = pairs(call, args, true)?;
    secret(call, args, &name, args.text("type"), pairs)
}

pub(in crate::commands) fn secret_tls(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create secret tls")?;
    if args.some_text("cert").is_none() || args.some_text("key").is_none() {
        return Err(Failure::error("key and cert must be specified"));
    }
    let read = |path: &str| {
        let text = call.state.files.read(path);
        text.ok_or_else(|| Failure::error(format!("Cannot read file {path}, open {path}: no such file or directory")))
    };
    let (certificate, key) = (read(args.text("cert"))?, read(args.text("key"))?);
    for (text, what) in [(&certificate, "certificate"), (&key, "key")] {
        if !text.contains("-----BEGIN ") {
            return Err(Failure::error(format!("tls: failed to find any PEM data in {what} input")));
        }
    }
    let pairs = vec![("tls.crt".into(), certificate), ("tls.key".into(), key)];
    secret(call, args, &name, "kubernetes.io/tls", pairs)
}

pub(in crate::commands) fn secret_registry(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create secret docker-registry")?;
    const CONFIG: &str = ".dockerconfigjson";
    if let [file] = args.all("from-file") {
        let path = file.split_once('=').map_or(file.as_str(), |(_, path)| path);
        let read = call.state.files.read(path);
        let text = read.ok_or_else(|| Failure::error(format!("error reading {path}: no such file or directory")))?;
        return secret(call, args, &name, "kubernetes.io/dockerconfigjson", vec![(CONFIG.into(), text)]);
    }
    if args.some_text("docker-username").is_none() || args.some_text("docker-password").is_none() {
        return Err(Failure::error(
            "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
        ));
    }
    let (user, password) = (args.text("docker-username"), args.text("docker-password"));
    let quoted = |text: &str| Value::from(text).to_string();
    let auth = base64_encode(format!("{user}:{password}").as_bytes());
    // In the order in which Go writes the fields: the text is data, and shows it.
    let mut fields = vec![("username", quoted(user)), ("password", quoted(password))];
    fields.extend(args.some_text("docker-email").map(|email| ("email", quoted(email))));
    fields.push(("auth", quoted(&auth)));
    let fields: Vec<String> = fields.iter().map(|(name, text)| format!("{name:?}:{text}")).collect();
    let text = format!("{{\"auths\":{{{}:{{{}}}}}}}", quoted(args.text("docker-server")), fields.join(","));
    secret(call, args, &name, "kubernetes.io/dockerconfigjson", vec![(CONFIG.into(), text)])
}

pub(in crate::commands) fn namespace(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create namespace")?;
    let value = json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": { "creationTimestamp": null, "name": name },
        "spec": {}, "status": {},
    });
    make(call, args, Made::new(value, ""))
}

pub(in crate::commands) fn service_account(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create serviceaccount")?;
    let value = json!({
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "creationTimestamp": null, "name": name },
    });
    make(call, args, Made::new(value, "failed to create serviceaccount: "))
}

pub(in crate::commands) fn quota(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create quota")?;
    let mut spec = Map::new();
    let mut hard = Map::new();
    for part in args.text("hard").split(',').filter(|part| !part.is_empty()) {
        let (resource, quantity) = part
            .split_once('=')
            .ok_or_else(|| Failure::error(format!("Invalid argument syntax {part}, expected <resource>=<value>")))?;
        if api::quantity::parse(quantity).is_none() {
            return Err(Failure::error(super::super::set::NO_QUANTITY));
        }
        hard.insert(resource.into(), quantity.into());
    }
    if !hard.is_empty() {
        spec.insert("hard".into(), hard.into());
    }
    if let Some(scopes) = args.some_text("scopes") {
        if scopes.split(',').any(str::is_empty) {
            return Err(Failure::error("invalid resource quota scope \"\""));
        }
        spec.insert("scopes".into(), scopes.split(',').collect::<Vec<_>>().into());
    }
    let value = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "creationTimestamp": null, "name": name },
        "spec": spec, "status": {},
    });
    make(call, args, Made::new(value, "failed to create quota: "))
}

pub(in crate::commands) fn priority_class(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create priorityclass")?;
    let mut value = json!({
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
        "metadata": { "creationTimestamp": null, "name": name },
        "value": args.int("value"), "preemptionPolicy": args.text("preemption-policy"),
    });
    if args.is("global-default") {
        value["globalDefault"] = true.into();
    }
    if let Some(text) = args.some_text("description") {
        value["description"] = text.into();
    }
    make(call, args, Made::new(value, "failed to create priorityclass: "))
}

pub(in crate::commands) fn token(call: &mut Call, args: &Args) -> Outcome {
    use api::request::{Subresource, Verb};
    use api::types::ServiceAccount;
    let name = name(args, "kubectl create token")?;
    let bound = ["kind", "name", "uid"].map(|field| args.text(["bound-object-", field].concat().as_str()).to_owned());
    let [bound_kind, bound_name, bound_uid] = &bound;
    if bound_kind.is_empty() {
        for (flag, value) in [("name", bound_name), ("uid", bound_uid)] {
            if !value.is_empty() {
                return Err(Failure::error(format!(
                    "--bound-object-{flag} can only be set if --bound-object-kind is provided"
                )));
            }
        }
    } else if !matches!(bound_kind.as_str(), "Pod" | "Secret" | "Node") {
        return Err(Failure::error("supported --bound-object-kind values are Node, Pod, Secret"));
    } else if bound_name.is_empty() {
        return Err(Failure::error("--bound-object-name is required if --bound-object-kind is provided"));
    }
    if args.text("duration").starts_with('-') {
        return Err(Failure::error("--duration must be greater than or equal to 0"));
    }
    let namespace = super::super::namespace(call, args);
    let mut spec = json!({ "audiences": args.all("audience") });
    if !bound_kind.is_empty() {
        spec["boundObjectRef"] = json!({ "kind": bound_kind, "apiVersion": "v1", "name": bound_name });
        if !bound_uid.is_empty() {
            spec["boundObjectRef"]["uid"] = bound_uid.as_str().into();
        }
    }
    if args.given("duration") {
        spec["expirationSeconds"] = (args.duration("duration") / api::time::SECOND).into();
    }
    let body = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "metadata": { "creationTimestamp": null }, "spec": spec,
    });
    let request =
        api::Request::new::<ServiceAccount>(Verb::Create, &namespace, &name).on(Subresource::Token).body(body);
    let refuse = |status: api::Status| Failure::error(format!("failed to create token: {}", status.message));
    let format = crate::output::Format::read(call, args, false)?;
    match call.request(request).map_err(refuse)? {
        api::Response::Object(object) => {
            if let Some(format) = format {
                let text = match format {
                    crate::output::Format::Name => format!("tokenrequest.authentication.k8s.io/{name}\n"),
                    format => format.typed_text(&api::wire::form(&*object))?,
                };
                call.io.out(&text);
                return Ok(0);
            }
            let token = object.to_value()["status"]["token"].as_str().unwrap_or_default().to_owned();
            call.io.line(token);
        }
        api::Response::Text(token) => call.io.line(token),
        _ => return Err(Failure::error("failed to create token: no token in server response")),
    }
    Ok(0)
}

pub(in crate::commands) fn disruption_budget(call: &mut Call, args: &Args) -> Outcome {
    let name = name(args, "kubectl create poddisruptionbudget")?;
    let Some(selector) = args.some_text("selector") else {
        return Err(Failure::error("a selector must be specified"));
    };
    let limit = match (args.some_text("min-available"), args.some_text("max-unavailable")) {
        (None, None) => return Err(Failure::error("one of min-available or max-unavailable must be specified")),
        (Some(_), Some(_)) => return Err(Failure::error("min-available and max-unavailable cannot be both specified")),
        (Some(text), None) => ("minAvailable", text),
        (None, Some(text)) => ("maxUnavailable", text),
    };
    let selector = label_selector(selector)?;
    let amount_fits = limit.1.strip_suffix('%').unwrap_or(limit.1);
    if amount_fits.is_empty() || !amount_fits.bytes().all(|byte| byte.is_ascii_digit()) {
        let flag = if limit.0 == "minAvailable" { "min-available" } else { "max-unavailable" };
        return Err(Failure::error(format!("invalid format specified for {flag}")));
    }
    let amount = limit.1.parse::<i64>().map_or_else(|_| Value::from(limit.1), Value::from);
    let value = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": { "creationTimestamp": null, "name": name },
        "spec": { limit.0: amount, "selector": selector },
        "status": { "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0 },
    });
    make(call, args, Made::new(value, "failed to create poddisruptionbudgets: "))
}

/// The structured form of a label selector's text.
fn label_selector(text: &str) -> Result<Value, Failure> {
    let parsed = Selector::parse(text)
        .map_err(|why| Failure::error(format!("couldn't parse the selector string {text:?}: {why}")))?;
    let (mut labels, mut expressions) = (Map::new(), Vec::new());
    let is_set = |key: &str| text.contains(&format!("{key} in"));
    for (key, operator, values) in parsed.requirements() {
        let operator = match operator {
            Operator::In if values.len() == 1 && !is_set(key) => {
                labels.insert(key.into(), values[0].as_str().into());
                continue;
            }
            Operator::In => "In",
            Operator::NotIn => "NotIn",
            Operator::Exists => "Exists",
            Operator::DoesNotExist => "DoesNotExist",
            Operator::GreaterThan | Operator::LessThan => {
                return Err(Failure::error(format!("{key:?} is not a valid label selector operator")));
            }
        };
        let mut expression = json!({ "key": key, "operator": operator });
        if !values.is_empty() {
            expression["values"] = values.into();
        }
        expressions.push(expression);
    }
    let mut selector = Map::new();
    if !labels.is_empty() {
        selector.insert("matchLabels".into(), labels.into());
    }
    if !expressions.is_empty() {
        selector.insert("matchExpressions".into(), expressions.into());
    }
    Ok(selector.into())
}
