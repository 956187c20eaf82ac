//! `kubectl config`: the kubeconfig as the terminal knows it, and as a file where there is one.

pub(crate) mod form;
pub(super) mod property;

use serde_json::{Value, json};

use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, switch, text};
use crate::output::{self, Format, plain_table};
use crate::task::Call;

pub(super) static VIEW_FLAGS: &[Flag] = &[
    switch("minify", ' ', "Only what the current context uses"),
    switch("raw", ' ', "Show certificates and secrets"),
    switch("flatten", ' ', "Make the file self-contained"),
    crate::flags::on_by_default("merge", "Merge all files"),
    text("output", 'o', "yaml, json, jsonpath=…").or("yaml"),
];
pub(super) static CLUSTER_FLAGS: &[Flag] = &[
    text("proxy-url", ' ', "The proxy on the way to the cluster"),
    switch("embed-certs", ' ', "Keep certificates in the file"),
];
pub(super) static CREDENTIALS_FLAGS: &[Flag] = &[
    switch("embed-certs", ' ', "Keep certificates in the file"),
    text("exec-command", ' ', "The program that gives credentials"),
    text("exec-interactive-mode", ' ', "Never, IfAvailable or Always"),
    switch("exec-provide-cluster-info", ' ', "Tell it of the cluster"),
    text("exec-api-version", ' ', "The version of its answers"),
    crate::flags::list("exec-arg", ' ', "Its arguments"),
    crate::flags::array("exec-env", ' ', "Its environment: NAME=value, or NAME- to remove one"),
    text("auth-provider", ' ', "The plug-in that gives credentials"),
    crate::flags::list("auth-provider-arg", ' ', "Its settings: NAME=value, or NAME- to remove one"),
];
pub(super) static SET_FLAGS: &[Flag] = &[switch("current", ' ', "Change the current context")];
pub(super) static CONTEXTS_FLAGS: &[Flag] =
    &[switch("no-headers", ' ', "Do not print headers"), text("output", 'o', "name")];

/// A list of the file, and the field of its entries that holds what they name.
type Section = (&'static str, &'static str);

const CONTEXTS: Section = ("contexts", "context");
const CLUSTERS: Section = ("clusters", "cluster");
const USERS: Section = ("users", "user");

/// Fields that `view` hides, and what it shows instead.
const HIDDEN: [(&str, &str); 5] = [
    ("certificate-authority-data", "DATA+OMITTED"),
    ("client-certificate-data", "DATA+OMITTED"),
    ("client-key-data", "DATA+OMITTED"),
    ("password", "REDACTED"),
    ("token", "REDACTED"),
];

fn names(config: &Value, (list, _): Section) -> Vec<String> {
    let entries = config[list].as_array().into_iter().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry["name"].as_str().map(str::to_owned)).collect();
    names.sort();
    names
}

/// What an entry says; `None` when there is no such entry.
fn entry<'a>(config: &'a mut Value, (list, field): Section, name: &str) -> Option<&'a mut Value> {
    let mut entries = config[list].as_array_mut().into_iter().flatten();
    entries.find(|entry| entry["name"] == name).map(|entry| &mut entry[field])
}

/// The same, which is there afterwards: entries are kept in the order of their names.
fn entry_or_new<'a>(config: &'a mut Value, (list, field): Section, name: &str) -> &'a mut Value {
    if !config[list].is_array() {
        config[list] = json!([]);
    }
    let entries = config[list].as_array_mut().expect("a list");
    let at = match entries.iter().position(|entry| entry["name"] == name) {
        Some(at) => at,
        None => {
            let at = entries.iter().take_while(|entry| entry["name"].as_str() < Some(name)).count();
            entries.insert(at, json!({ "name": name, field: {} }));
            at
        }
    };
    &mut entries[at][field]
}

fn remove(config: &mut Value, (list, _): Section, name: &str) {
    if let Some(entries) = config[list].as_array_mut() {
        entries.retain(|entry| entry["name"] != name);
    }
}

/// The only operand.
fn one<'a>(args: &'a Args, command: &str) -> Result<&'a str, Failure> {
    match args.operands.as_slice() {
        [name] => Ok(name),
        many => Err(unexpected(many, command)),
    }
}

/// Upstream shows the command's help, too.
fn unexpected(words: &[String], command: &str) -> Failure {
    let said = if command == "set-credentials" { "unexpected" } else { "Unexpected" };
    Failure::error(format!("{said} args: [{}]", words.join(" ")))
}

/// Copies flags into an entry's fields.
fn copy_flags(args: &Args, flags: &[&str], entry: &mut Value) {
    for flag in flags.iter().filter(|flag| args.given(flag)) {
        let value = match *flag {
            "insecure-skip-tls-verify" => args.is(flag).into(),
            _ => args.text(flag).into(),
        };
        entry[*flag] = value;
    }
}

/// Copies flags that name files: their paths, or with `--embed-certs` what they hold.
fn copy_files(call: &mut Call, args: &Args, flags: &[&'static str]) -> Result<Vec<(String, Value)>, Failure> {
    let given = flags.iter().filter(|flag| args.some_text(flag).is_some());
    if !args.is("embed-certs") {
        // What lies beside the kubeconfig or below is found wherever that is moved.
        let folder = folder_of(&call.state.config_file());
        let path = |flag: &str| {
            let path = call.state.files.absolute(args.text(flag));
            path.strip_prefix(&folder).map(str::to_owned).unwrap_or(path)
        };
        return Ok(given.map(|flag| ((*flag).to_owned(), path(flag).into())).collect());
    }
    let texts = given.map(|flag| {
        let path = args.text(flag);
        let text = call.state.files.read(path).ok_or_else(|| {
            Failure::error(format!("could not stat {flag} file {path}: stat {path}: no such file or directory"))
        })?;
        Ok((format!("{flag}-data"), output::base64_encode(text.as_bytes()).into()))
    });
    texts.collect()
}

/// Where a file lies, with a `/` behind it.
fn folder_of(file: &str) -> String {
    file.rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/"))
}

/// Sets fields of files, and removes the other form of each.
fn set_files(entry: &mut Value, files: Vec<(String, Value)>) {
    for (field, value) in files {
        let other = field.strip_suffix("-data").map_or_else(|| format!("{field}-data"), str::to_owned);
        forget(entry, &[other.as_str()]);
        entry[field] = value;
    }
}

fn forget(entry: &mut Value, names: &[&str]) {
    if let Some(fields) = entry.as_object_mut() {
        fields.retain(|name, _| !names.contains(&name.as_str()));
    }
}

pub(super) fn view(call: &mut Call, args: &Args) -> Outcome {
    super::refuse_operands(args, "kubectl config view")?;
    if !args.is("merge") && args.some_text("kubeconfig").is_none() {
        return Err(Failure::error("if merge==false a precise file must be specified"));
    }
    let mut value = call.state.config().clone();
    if args.is("minify") {
        minify(&mut value, args)?;
    }
    // Go writes a list that was never made so.
    for (list, _) in [CLUSTERS, CONTEXTS, USERS] {
        if value[list].as_array().is_some_and(Vec::is_empty) {
            value[list] = Value::Null;
        }
    }
    let folder = folder_of(&call.state.config_file());
    if !args.is("raw") && !args.is("flatten") {
        for (section, list) in [(CLUSTERS, "clusters"), (USERS, "users")] {
            for entry in value[list].as_array_mut().into_iter().flatten() {
                let Some(fields) = entry[section.1].as_object_mut() else { continue };
                for field in ["certificate-authority", "client-certificate", "client-key"] {
                    let path = fields.get(field).and_then(Value::as_str).map(str::to_owned);
                    if let Some(inside) = path.as_deref().and_then(|path| path.strip_prefix(folder.as_str())) {
                        fields.insert(field.into(), inside.into());
                    }
                }
                for (field, shown) in HIDDEN {
                    fields.entry(field).and_modify(|value| *value = shown.into());
                }
            }
        }
    }
    let format = Format::read(call, args, false)?.unwrap_or(Format::Yaml);
    let text = match format {
        Format::Json => output::in_order(&value, &form::CONFIG, output::INDENT) + "\n",
        // It has no name.
        Format::Name => "config/<unknown>\n".into(),
        other => other.text(&value)?,
    };
    call.io.out(&text);
    Ok(0)
}

/// Leaves what the current context does not use out.
fn minify(config: &mut Value, args: &Args) -> Result<(), Failure> {
    let current = args.some_text("context").or(config["current-context"].as_str()).unwrap_or_default().to_owned();
    if current.is_empty() {
        return Err(Failure::error("current-context must exist in order to minify"));
    }
    config["current-context"] = current.as_str().into();
    let missing = |what: &str, name: &str| Failure::error(format!("cannot locate {what} {name}"));
    let context = entry(config, CONTEXTS, &current).cloned().ok_or_else(|| missing("context", &current))?;
    let cluster = context["cluster"].as_str().unwrap_or_default();
    if !cluster.is_empty() && entry(config, CLUSTERS, cluster).is_none() {
        return Err(missing("cluster", cluster));
    }
    let user = context["user"].as_str().unwrap_or_default();
    if !user.is_empty() && entry(config, USERS, user).is_none() {
        return Err(missing("user", user));
    }
    let used = [
        (CONTEXTS, current.as_str()),
        (CLUSTERS, context["cluster"].as_str().unwrap_or_default()),
        (USERS, context["user"].as_str().unwrap_or_default()),
    ];
    for ((list, _), name) in used {
        if let Some(entries) = config[list].as_array_mut() {
            entries.retain(|entry| entry["name"] == name);
        }
    }
    Ok(())
}

pub(super) fn current_context(call: &mut Call, _: &Args) -> Outcome {
    match call.state.config()["current-context"].as_str().filter(|name| !name.is_empty()) {
        Some(name) => {
            let name = name.to_owned();
            call.io.line(name);
            Ok(0)
        }
        None => Err(Failure::error("current-context is not set")),
    }
}

pub(super) fn set_context(call: &mut Call, args: &Args) -> Outcome {
    let current = call.state.config()["current-context"].as_str().unwrap_or_default().to_owned();
    let name = match args.operands.as_slice() {
        [] if args.is("current") && current.is_empty() => return Err(Failure::error("no current context is set")),
        [] if args.is("current") => current,
        [] => return Err(Failure::error("you must specify a non-empty context name or --current")),
        [name] if !args.is("current") => name.clone(),
        [_] => return Err(Failure::error("you cannot specify both a context name and --current")),
        many => return Err(unexpected(many, "set-context")),
    };
    let is_new = !names(call.state.config(), CONTEXTS).contains(&name);
    call.state.change_config(|config| {
        copy_flags(args, &["cluster", "user", "namespace"], entry_or_new(config, CONTEXTS, &name));
    });
    call.io.line(format!("Context {name:?} {}.", if is_new { "created" } else { "modified" }));
    Ok(0)
}

pub(super) fn use_context(call: &mut Call, args: &Args) -> Outcome {
    let name = one(args, "use-context")?.to_owned();
    if name.is_empty() {
        return Err(Failure::error("empty context names are not allowed"));
    }
    if !names(call.state.config(), CONTEXTS).contains(&name) {
        return Err(Failure::error(format!("no context exists with the name: {name:?}")));
    }
    call.state.change_config(|config| config["current-context"] = name.as_str().into());
    call.io.line(format!("Switched to context {name:?}."));
    Ok(0)
}

pub(super) fn rename_context(call: &mut Call, args: &Args) -> Outcome {
    let [from, to] = args.operands.as_slice() else { return Err(unexpected(&args.operands, "rename-context")) };
    let (known, file) = (names(call.state.config(), CONTEXTS), call.state.config_file());
    if !known.contains(from) {
        return Err(Failure::error(format!("cannot rename the context {from:?}, it's not in {file}")));
    }
    if known.contains(to) {
        return Err(Failure::error(format!(
            "cannot rename the context {from:?}, the context {to:?} already exists in {file}"
        )));
    }
    call.state.change_config(|config| {
        let context = entry(config, CONTEXTS, from).cloned().unwrap_or_default();
        remove(config, CONTEXTS, from);
        *entry_or_new(config, CONTEXTS, to) = context;
        if config["current-context"] == from.as_str() {
            config["current-context"] = to.as_str().into();
        }
    });
    call.io.line(format!("Context {from:?} renamed to {to:?}."));
    Ok(0)
}

fn delete(call: &mut Call, args: &Args, section: Section, what: &str) -> Outcome {
    let [name] = args.operands.as_slice() else {
        // Upstream shows the help, and is content.
        return Ok(0);
    };
    let file = call.state.config_file();
    if !names(call.state.config(), section).contains(name) {
        return Err(Failure::error(format!("cannot delete {what} {name}, not in {file}")));
    }
    if section == CONTEXTS && call.state.config()["current-context"] == name.as_str() {
        call.io.err_line(
            "warning: this removed your active context, use \"kubectl config use-context\" to select a different one",
        );
    }
    call.state.change_config(|config| remove(config, section, name));
    call.io.line(format!("deleted {what} {name} from {file}"));
    Ok(0)
}

pub(super) fn delete_context(call: &mut Call, args: &Args) -> Outcome {
    delete(call, args, CONTEXTS, "context")
}

pub(super) fn delete_cluster(call: &mut Call, args: &Args) -> Outcome {
    delete(call, args, CLUSTERS, "cluster")
}

pub(super) fn delete_user(call: &mut Call, args: &Args) -> Outcome {
    if args.operands.len() != 1 {
        return Err(Failure::usage("kubectl config delete-user", "user to delete is required"));
    }
    delete(call, args, USERS, "user")
}

pub(super) fn set_cluster(call: &mut Call, args: &Args) -> Outcome {
    const FLAGS: [&str; 4] = ["server", "insecure-skip-tls-verify", "tls-server-name", "proxy-url"];
    let name = one(args, "set-cluster")?.to_owned();
    if name.is_empty() {
        return Err(Failure::error("you must specify a non-empty cluster name"));
    }
    if args.is("embed-certs") && args.some_text("certificate-authority").is_none() {
        return Err(Failure::error("you must specify a --certificate-authority to embed"));
    }
    if args.is("insecure-skip-tls-verify") && args.some_text("certificate-authority").is_some() {
        return Err(Failure::error("you cannot specify a certificate authority and insecure mode at the same time"));
    }
    let files = copy_files(call, args, &["certificate-authority"])?;
    call.state.change_config(|config| {
        let entry = entry_or_new(config, CLUSTERS, &name);
        copy_flags(args, &FLAGS, entry);
        // An authority that is trusted, and trust without one, exclude each other.
        if args.is("insecure-skip-tls-verify") {
            forget(entry, &["certificate-authority", "certificate-authority-data"]);
        }
        if !files.is_empty() {
            forget(entry, &["insecure-skip-tls-verify"]);
        }
        set_files(entry, files);
    });
    call.io.line(format!("Cluster {name:?} set."));
    Ok(0)
}

pub(super) fn set_credentials(call: &mut Call, args: &Args) -> Outcome {
    const FLAGS: [&str; 3] = ["token", "username", "password"];
    const FILES: [&str; 2] = ["client-certificate", "client-key"];
    let name = one(args, "set-credentials")?.to_owned();
    if name.is_empty() {
        return Err(Failure::error("you must specify a non-empty user name"));
    }
    if args.some_text("token").is_some() && (args.some_text("username").or(args.some_text("password"))).is_some() {
        return Err(Failure::error(
            "you cannot specify more than one authentication method at the same time: --token, --username/--password",
        ));
    }
    if args.is("embed-certs") && FILES.iter().all(|flag| args.some_text(flag).is_none()) {
        return Err(Failure::error("you must specify a --client-certificate or --client-key to embed"));
    }
    let files = copy_files(call, args, &FILES)?;
    let (provider_args, environment) = (pairs(args, "auth-provider-arg")?, pairs(args, "exec-env")?);
    call.state.change_config(|config| {
        let entry = entry_or_new(config, USERS, &name);
        copy_flags(args, &FLAGS, entry);
        // A token and a password are two ways to say who one is.
        let others: &[&str] = match () {
            () if args.given("token") => &["username", "password"],
            () if args.given("username") || args.given("password") => &["token"],
            () => &[],
        };
        forget(entry, others);
        set_files(entry, files);
        set_provider(entry, args, &provider_args);
        set_program(entry, args, &environment);
    });
    call.io.line(format!("User {name:?} set."));
    Ok(0)
}

/// Names and what they get: nothing for `NAME-`.
type Pairs<'a> = Vec<(&'a str, Option<&'a str>)>;

/// `NAME=value` and `NAME-`.
fn pairs<'a>(args: &'a Args, flag: &str) -> Result<Pairs<'a>, Failure> {
    let pair = |word: &'a String| match word.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name, Some(value))),
        None if word.len() > 1 && word.ends_with('-') => Ok((&word[..word.len() - 1], None)),
        _ => Err(Failure::error(format!("invalid {flag} format: {word}"))),
    };
    args.all(flag).iter().map(pair).collect()
}

/// The plug-in that once gave a user's credentials.
fn set_provider(entry: &mut Value, args: &Args, pairs: &Pairs) {
    if args.given("auth-provider") && entry["auth-provider"]["name"] != args.text("auth-provider") {
        entry["auth-provider"] = json!({ "name": args.text("auth-provider") });
    }
    let Some(provider) = entry["auth-provider"].as_object_mut() else { return };
    let config = provider.entry("config").or_insert(Value::Null);
    if config.is_null() {
        *config = json!({});
    }
    for (name, value) in pairs {
        match value {
            Some(value) => config[*name] = (*value).into(),
            None => forget(config, &[name]),
        }
    }
}

/// The program that gives a user's credentials.
fn set_program(entry: &mut Value, args: &Args, pairs: &Pairs) {
    if args.given("exec-command") {
        entry["exec"]["command"] = args.text("exec-command").into();
        entry["exec"]["args"] = Value::Null;
    }
    let program = &mut entry["exec"];
    if !program.is_object() {
        return;
    }
    if args.given("exec-api-version") {
        program["apiVersion"] = args.text("exec-api-version").into();
    }
    if args.given("exec-arg") {
        program["args"] = args.all("exec-arg").to_vec().into();
    }
    if args.given("exec-interactive-mode") {
        program["interactiveMode"] = args.text("exec-interactive-mode").into();
    }
    if args.given("exec-provide-cluster-info") {
        program["provideClusterInfo"] = args.is("exec-provide-cluster-info").into();
    }
    if pairs.is_empty() {
        return;
    }
    let mut environment = program["env"].as_array().cloned().unwrap_or_default();
    for (name, value) in pairs {
        let known = environment.iter().position(|known| known["name"] == *name);
        match (known, value) {
            (Some(at), Some(value)) => environment[at]["value"] = (*value).into(),
            (None, Some(value)) => environment.push(json!({ "name": name, "value": value })),
            (Some(at), None) => drop(environment.remove(at)),
            (None, None) => {}
        }
    }
    program["env"] = environment.into();
}

pub(super) fn get_contexts(call: &mut Call, args: &Args) -> Outcome {
    let mut config = call.state.config().clone();
    let known = names(&config, CONTEXTS);
    if !matches!(args.text("output"), "" | "name") {
        return Err(Failure::error(format!(
            "--output {} is not available in kubectl config get-contexts; resetting to default output format",
            args.text("output")
        )));
    }
    let missing = args.operands.iter().filter(|name| !known.contains(name));
    let missing: Vec<Failure> = missing.map(|name| Failure::error(format!("context {name} not found"))).collect();
    let shown = known.iter().filter(|name| args.operands.is_empty() || args.operands.contains(name));
    if args.text("output") == "name" {
        shown.for_each(|name| call.io.line(name));
        return Failure::all(missing).map_or(Ok(0), Err);
    }
    let current = config["current-context"].as_str().unwrap_or_default().to_owned();
    let mut rows: Vec<Vec<String>> = Vec::new();
    if !args.is("no-headers") {
        rows.push(["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"].map(str::to_owned).to_vec());
    }
    for name in shown {
        let context = entry(&mut config, CONTEXTS, name).cloned().unwrap_or_default();
        let field = |field: &str| context[field].as_str().unwrap_or_default().to_owned();
        let mark = if *name == current { "*" } else { "" };
        rows.push(vec![mark.into(), name.clone(), field("cluster"), field("user"), field("namespace")]);
    }
    let text = plain_table(&rows, 6, 3);
    call.io.out(&text);
    Failure::all(missing).map_or(Ok(0), Err)
}

fn print_names(call: &mut Call, section: Section) -> Outcome {
    call.io.line("NAME");
    for name in names(call.state.config(), section) {
        call.io.line(name);
    }
    Ok(0)
}

pub(super) fn get_clusters(call: &mut Call, _: &Args) -> Outcome {
    print_names(call, CLUSTERS)
}

pub(super) fn get_users(call: &mut Call, _: &Args) -> Outcome {
    print_names(call, USERS)
}
