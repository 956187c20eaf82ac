//! `kubectl config set`, `kubectl config unset`: one value by its path. Upstream: `navigation_step_parser.go`.

use serde_json::{Value, json};

use super::{CLUSTERS, CONTEXTS, Section, USERS, entry, entry_or_new, names, remove, unexpected};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, switch};
use crate::output;
use crate::task::Call;

pub(in crate::commands) static FLAGS: &[Flag] = &[switch("set-raw-bytes", ' ', "The value is no base64")];

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Text,
    Bool,
    Bytes,
    Map,
    /// What has no path of its own.
    Other,
}

/// A field's name in a path, in the file, and what it holds.
type Field = (&'static str, &'static str, Holds);

const TOP: [Field; 3] = [
    ("current-context", "current-context", Holds::Text),
    ("kind", "kind", Holds::Text),
    ("apiVersion", "apiVersion", Holds::Text),
];

const PREFERENCES: [Field; 2] = [("colors", "colors", Holds::Bool), ("extensions", "extensions", Holds::Map)];

const CLUSTER: [Field; 8] = [
    ("server", "server", Holds::Text),
    ("tls-server-name", "tls-server-name", Holds::Text),
    ("insecure-skip-tls-verify", "insecure-skip-tls-verify", Holds::Bool),
    ("certificate-authority", "certificate-authority", Holds::Text),
    ("certificate-authority-data", "certificate-authority-data", Holds::Bytes),
    ("proxy-url", "proxy-url", Holds::Text),
    ("disable-compression", "disable-compression", Holds::Bool),
    ("extensions", "extensions", Holds::Map),
];

const USER: [Field; 14] = [
    ("client-certificate", "client-certificate", Holds::Text),
    ("client-certificate-data", "client-certificate-data", Holds::Bytes),
    ("client-key", "client-key", Holds::Text),
    ("client-key-data", "client-key-data", Holds::Bytes),
    ("token", "token", Holds::Text),
    ("tokenFile", "tokenFile", Holds::Text),
    ("act-as", "as", Holds::Text),
    ("act-as-uid", "as-uid", Holds::Text),
    ("act-as-groups", "as-groups", Holds::Other),
    ("username", "username", Holds::Text),
    ("password", "password", Holds::Text),
    ("auth-provider", "auth-provider", Holds::Other),
    ("exec", "exec", Holds::Other),
    ("extensions", "extensions", Holds::Map),
];

const CONTEXT: [Field; 4] = [
    ("cluster", "cluster", Holds::Text),
    ("user", "user", Holds::Text),
    ("namespace", "namespace", Holds::Text),
    ("extensions", "extensions", Holds::Map),
];

/// What a path leads to.
enum Place<'a> {
    /// A field of the file, or of its preferences.
    Top(Option<&'static str>, Field),
    Preferences,
    All(Section),
    Entry(Section, String),
    /// A field of an entry.
    Of(Section, String, &'a Field),
}

fn fields_of(section: Section) -> &'static [Field] {
    match section {
        CLUSTERS => &CLUSTER,
        USERS => &USER,
        _ => &CONTEXT,
    }
}

fn find(path: &str) -> Result<Place<'static>, Failure> {
    if path.is_empty() {
        return Err(Failure::error("you must specify a property"));
    }
    let unparsed = || Failure::error(format!("unable to parse one or more field values of {path}"));
    let parts: Vec<&str> = path.split('.').collect();
    let (first, rest) = (parts[0], &parts[1..]);
    if let Some(field) = TOP.into_iter().find(|field| field.0 == first) {
        return if rest.is_empty() { Ok(Place::Top(None, field)) } else { Err(unparsed()) };
    }
    if first == "preferences" {
        let Some(second) = rest.first() else { return Ok(Place::Preferences) };
        let field = PREFERENCES.into_iter().find(|field| field.0 == *second).ok_or_else(|| {
            Failure::error(format!("unable to parse {path} after [{{preferences api.Preferences}}] at api.Preferences"))
        })?;
        return if rest.len() == 1 { Ok(Place::Top(Some("preferences"), field)) } else { Err(unparsed()) };
    }
    let Some(section) = [CONTEXTS, CLUSTERS, USERS].into_iter().find(|section| section.0 == first) else {
        return Err(Failure::error(format!("unable to parse {path} after [] at api.Config")));
    };
    if rest.is_empty() {
        return Ok(Place::All(section));
    }
    // Names have dots: one ends before the first part that a field is called.
    let known = |part: &str| fields_of(section).iter().find(|field| field.0 == part);
    let Some(at) = (1..rest.len()).find(|at| known(rest[*at]).is_some()) else {
        return Ok(Place::Entry(section, rest.join(".")));
    };
    match known(rest[at]) {
        Some(field) if at + 1 == rest.len() && field.2 != Holds::Other => {
            Ok(Place::Of(section, rest[..at].join("."), field))
        }
        _ => Err(unparsed()),
    }
}

pub(in crate::commands) fn set(call: &mut Call, args: &Args) -> Outcome {
    let [path, value] = args.operands.as_slice() else { return Err(unexpected(&args.operands, "set")) };
    if value.is_empty() {
        return Err(Failure::error("you cannot use set to unset a property"));
    }
    let read = |(_, field, holds): Field| match holds {
        Holds::Bool => match value.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok((field, json!(true))),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok((field, json!(false))),
            _ => Err(Failure::error(format!("strconv.ParseBool: parsing {value:?}: invalid syntax"))),
        },
        Holds::Bytes if args.is("set-raw-bytes") => Ok((field, output::base64_encode(value.as_bytes()).into())),
        Holds::Bytes => match misplaced(value) {
            Some(at) => {
                Err(Failure::error(format!("error decoding input value: illegal base64 data at input byte {at}")))
            }
            None => Ok((field, value.as_str().into())),
        },
        Holds::Map => Err(Failure::error("can't set a map to a value: map[]")),
        Holds::Text | Holds::Other => Ok((field, value.as_str().into())),
    };
    match find(path)? {
        Place::All(section) | Place::Entry(section, _) => {
            let names = names(call.state.config(), section).join(" ");
            return Err(Failure::error(format!("can't set a map to a value: map[{names}]")));
        }
        Place::Preferences => {
            return Err(Failure::error(
                "unable to locate path config.navigationStep{stepValue:\"\", stepType:reflect.Type(nil)} under {false map[]}",
            ));
        }
        Place::Top(parent, field) => {
            let (field, value) = read(field)?;
            call.state.change_config(|config| match parent {
                Some(parent) => config[parent][field] = value,
                None => config[field] = value,
            });
        }
        Place::Of(section, name, field) => {
            let (field, value) = read(*field)?;
            call.state.change_config(|config| entry_or_new(config, section, &name)[field] = value);
        }
    }
    call.io.line(format!("Property {path:?} set."));
    Ok(0)
}

/// Where a text is no base64.
fn misplaced(text: &str) -> Option<usize> {
    let body = text.trim_end_matches('=');
    let is_digit = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/');
    match body.find(|letter| !is_digit(letter)) {
        Some(at) => Some(at),
        None if !text.len().is_multiple_of(4) => Some(text.len() - text.len() % 4),
        None => None,
    }
}

pub(in crate::commands) fn unset(call: &mut Call, args: &Args) -> Outcome {
    let [path] = args.operands.as_slice() else { return Err(unexpected(&args.operands, "unset")) };
    match find(path)? {
        Place::All((list, _)) => call.state.change_config(|config| config[list] = Value::Null),
        Place::Preferences => call.state.change_config(|config| config["preferences"] = json!({})),
        Place::Entry(section, name) => call.state.change_config(|config| remove(config, section, &name)),
        Place::Top(parent, (_, field, _)) => call.state.change_config(|config| match parent {
            Some(parent) => drop(config[parent].as_object_mut().map(|fields| fields.remove(field))),
            None => config[field] = "".into(),
        }),
        Place::Of(section, name, (_, field, _)) => {
            if !names(call.state.config(), section).contains(&name) {
                return Err(Failure::error(format!("current map key `{name}` is invalid")));
            }
            call.state.change_config(|config| {
                let fields = entry(config, section, &name).and_then(Value::as_object_mut);
                fields.map(|fields| fields.remove(*field));
            });
        }
    }
    call.io.line(format!("Property {path:?} unset."));
    Ok(0)
}
