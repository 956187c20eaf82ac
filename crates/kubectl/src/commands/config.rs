//! `kubectl config`: the kubeconfig as the terminal knows it, and as a file where there is one.

use serde_json::{Map, Value, json};

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
    text("exec-api-version", ' ', "The version of its answers"),
    crate::flags::list("exec-arg", ' ', "Its arguments"),
    crate::flags::list("exec-env", ' ', "Its environment: NAME=value, or NAME- to remove one"),
];
pub(super) static SET_FLAGS: &[Flag] = &[switch("current", ' ', "Change the current context")];
pub(super) static CONTEXTS_FLAGS: &[Flag] =
    &[switch("no-headers", ' ', "Do not print headers"), text("output", 'o', "name")];

pub(super) static PROPERTY_FLAGS: &[Flag] = &[switch("set-raw-bytes", ' ', "The value is no base64")];

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
        let paths = given.map(|flag| ((*flag).to_owned(), call.state.files.absolute(args.text(flag)).into()));
        return Ok(paths.collect());
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

/// Sets fields of files, and removes the other form of each.
fn set_files(entry: &mut Value, files: Vec<(String, Value)>) {
    for (field, value) in files {
        let other = field.strip_suffix("-data").map_or_else(|| format!("{field}-data"), str::to_owned);
        entry.as_object_mut().map(|fields| fields.remove(&other));
        entry[field] = value;
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
    let folder = call.state.config_file().rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/"));
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
        Format::Yaml => output::yaml(&value),
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
    let name = one(args, &format!("delete-{what}"))?.to_owned();
    let file = call.state.config_file();
    if !names(call.state.config(), section).contains(&name) {
        return Err(Failure::error(format!("cannot delete {what} {name}, not in {file}")));
    }
    if section == CONTEXTS && call.state.config()["current-context"] == name.as_str() {
        call.io.err_line(
            "warning: this removed your active context, use \"kubectl config use-context\" to select a different one",
        );
    }
    call.state.change_config(|config| remove(config, section, &name));
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
    delete(call, args, USERS, "user")
}

pub(super) fn set_cluster(call: &mut Call, args: &Args) -> Outcome {
    const FLAGS: [&str; 4] = ["server", "insecure-skip-tls-verify", "tls-server-name", "proxy-url"];
    let name = one(args, "set-cluster")?.to_owned();
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
        set_files(entry, files);
    });
    call.io.line(format!("Cluster {name:?} set."));
    Ok(0)
}

pub(super) fn set_credentials(call: &mut Call, args: &Args) -> Outcome {
    const FLAGS: [&str; 3] = ["token", "username", "password"];
    const FILES: [&str; 2] = ["client-certificate", "client-key"];
    let name = one(args, "set-credentials")?.to_owned();
    if args.some_text("token").is_some() && (args.some_text("username").or(args.some_text("password"))).is_some() {
        return Err(Failure::error(
            "you cannot specify more than one authentication method at the same time: --token, --username/--password",
        ));
    }
    if args.is("embed-certs") && FILES.iter().all(|flag| args.some_text(flag).is_none()) {
        return Err(Failure::error("you must specify a --client-certificate or --client-key to embed"));
    }
    let files = copy_files(call, args, &FILES)?;
    call.state.change_config(|config| {
        let entry = entry_or_new(config, USERS, &name);
        copy_flags(args, &FLAGS, entry);
        // A token and a password are two ways to say who one is.
        let others: &[&str] = match () {
            () if args.given("token") => &["username", "password"],
            () if args.given("username") || args.given("password") => &["token"],
            () => &[],
        };
        for other in others {
            entry.as_object_mut().map(|fields| fields.remove(*other));
        }
        set_files(entry, files);
        set_program(args, entry);
    });
    call.io.line(format!("User {name:?} set."));
    Ok(0)
}

/// The program that gives a user's credentials.
fn set_program(args: &Args, entry: &mut Value) {
    const FIELDS: [(&str, &str); 2] = [("exec-api-version", "apiVersion"), ("exec-command", "command")];
    if !["exec-command", "exec-api-version", "exec-arg", "exec-env"].iter().any(|flag| args.given(flag)) {
        return;
    }
    let program = &mut entry["exec"];
    for (flag, field) in FIELDS.iter().filter(|(flag, _)| args.given(flag)) {
        program[*field] = args.text(flag).into();
    }
    if args.given("exec-arg") {
        program["args"] = args.all("exec-arg").to_vec().into();
    }
    let mut environment = program["env"].as_array().cloned().unwrap_or_default();
    for word in args.all("exec-env") {
        let (name, value) =
            word.split_once('=').map_or((word.trim_end_matches('-'), None), |(name, value)| (name, Some(value)));
        environment.retain(|known| known["name"] != name);
        environment.extend(value.map(|value| json!({ "name": name, "value": value })));
    }
    for (field, missing) in [("args", Value::Null), ("command", "".into()), ("provideClusterInfo", false.into())] {
        if program[field].is_null() {
            program[field] = missing;
        }
    }
    let is_none = environment.is_empty() && program["env"].is_null();
    program["env"] = if is_none { Value::Null } else { environment.into() };
}

/// Where a property's parent is (made if need be), and the property's own name: `contexts.NAME.namespace`.
fn property<'a>(config: &'a mut Value, path: &'a str) -> Option<(&'a mut Map<String, Value>, &'a str)> {
    let (above, last) = path.rsplit_once('.').unwrap_or(("", path));
    let mut place = config;
    if let Some((list, rest)) = above.split_once('.').or(Some((above, ""))).filter(|(list, _)| !list.is_empty()) {
        place = match [CONTEXTS, CLUSTERS, USERS].into_iter().find(|section| section.0 == list) {
            Some(section) if !rest.is_empty() => entry_or_new(place, section, rest),
            Some(_) => return None,
            None if list == "preferences" => &mut place[list],
            None => return None,
        };
    }
    if place.is_null() {
        *place = json!({});
    }
    place.as_object_mut().map(|fields| (fields, last))
}

fn change_property(
    call: &mut Call,
    path: &str,
    done: &str,
    change: impl FnOnce(&mut Map<String, Value>, &str),
) -> Outcome {
    let mut found = false;
    call.state.change_config(|config| {
        if let Some((fields, name)) = property(config, path) {
            found = true;
            change(fields, name);
        }
    });
    if !found {
        return Err(Failure::error(format!("unable to parse {path} after [] at api.Config")));
    }
    call.io.line(format!("Property {path:?} {done}."));
    Ok(0)
}

pub(super) fn set(call: &mut Call, args: &Args) -> Outcome {
    let [path, value] = args.operands.as_slice() else { return Err(unexpected(&args.operands, "set")) };
    if path.ends_with(".insecure-skip-tls-verify") && value.parse::<bool>().is_err() {
        return Err(Failure::error(format!("strconv.ParseBool: parsing {value:?}: invalid syntax")));
    }
    if !path.contains('.') && path != "current-context" {
        return Err(Failure::error(match [CONTEXTS, CLUSTERS, USERS].into_iter().find(|section| section.0 == path) {
            Some(section) => {
                format!("can't set a map to a value: map[{}]", names(call.state.config(), section).join(" "))
            }
            None => format!("unable to parse {path} after [] at api.Config"),
        }));
    }
    change_property(call, path, "set", |fields, name| {
        let value = value.parse::<bool>().map_or_else(|_| Value::from(value.as_str()), Value::from);
        fields.insert(name.into(), value);
    })
}

pub(super) fn unset(call: &mut Call, args: &Args) -> Outcome {
    let path = one(args, "unset")?.to_owned();
    let section = [CONTEXTS, CLUSTERS, USERS].into_iter().find(|section| path.starts_with(&format!("{}.", section.0)));
    // `contexts.NAME` is a whole entry.
    if let (Some(section), Some((_, name))) = (section, path.split_once('.'))
        && !name.contains('.')
    {
        call.state.change_config(|config| remove(config, section, name));
        call.io.line(format!("Property {path:?} unset."));
        return Ok(0);
    }
    if !path.contains('.')
        && !matches!(path.as_str(), "current-context" | "preferences" | "contexts" | "clusters" | "users")
    {
        return Err(Failure::error(format!("unable to parse {path} after [] at api.Config")));
    }
    change_property(call, &path, "unset", |fields, name| drop(fields.remove(name)))
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
