//! `kubectl explain`: what a kind and its fields are for, and their types.

mod node;
mod old;

use api::{Kind, kinds, schema};

use self::node::{Node, Property};
use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, switch, text};
use crate::resource;
use crate::task::Call;

/// The width of descriptions.
const WIDTH: usize = 76;

/// How an object is shown whose type has no name, as those in custom resources.
const UNNAMED: &str = "Object";

pub(super) static FLAGS: &[Flag] = &[
    switch("recursive", ' ', "Show the fields of fields"),
    text("api-version", ' ', "The group and version"),
    text("output", ' ', "plaintext or plaintext-openapiv2").or("plaintext"),
];

pub(super) fn run(call: &mut Call, args: &Args) -> Outcome {
    if !matches!(args.text("output"), "plaintext" | "plaintext-openapiv2") {
        return Err(Failure::error(format!("unrecognized format: {}", args.text("output"))));
    }
    let word = match args.operands.as_slice() {
        [word] => word,
        [] => {
            return Err(Failure::error(
                "You must specify the type of resource to explain. Use \"kubectl api-resources\" for a complete list of supported resources.",
            ));
        }
        _ => return Err(Failure::error("We accept only this format: explain RESOURCE")),
    };
    let (kind, rest) = kind_and_path(call, word)?;
    let kind = match args.some_text("api-version") {
        None => kind,
        Some(version) => kinds::KINDS
            .iter()
            .find(|other| other.plural == kind.plural && other.api_version() == version)
            .ok_or_else(|| {
                let is_known = kinds::KINDS.iter().any(|other| other.api_version() == version);
                Failure::error(match version.split_once('/') {
                    Some(_) if is_known => {
                        format!("GVR ({version}, Resource={}) not found in OpenAPI schema", kind.plural)
                    }
                    Some(_) => format!("couldn't find resource for \"{version}, Resource={}\"", kind.plural),
                    None => format!("couldn't find resource for \"/{version}, Resource={}\"", kind.plural),
                })
            })?,
    };
    let is_old = args.text("output") == "plaintext-openapiv2";
    let mut text = String::new();
    if !kind.group.is_empty() {
        text.push_str(&format!("GROUP:      {}\n", kind.group));
    }
    text.push_str(&format!("KIND:       {}\nVERSION:    {}\n\n", kind.kind, kind.version));
    let root = root_of(kind).ok_or_else(|| {
        Failure::error(format!("couldn't find resource for \"{}, Kind={}\"", kind.api_version(), kind.kind))
    })?;
    let mut found: Option<Property> = None;
    let parts: Vec<&str> = rest.split('.').filter(|part| !part.is_empty()).collect();
    for part in &parts {
        let node = found.as_ref().map_or(&root, |property| &property.node);
        let Some(property) = node.properties().into_iter().find(|property| property.name == *part) else {
            if !is_old {
                call.io.out(&text);
            }
            // Upstream names the last one, whichever is missing.
            return Err(Failure::error(format!("field {:?} does not exist", parts.last().unwrap_or(part))));
        };
        found = Some(property);
    }
    if is_old {
        call.io.out(&old::text(kind, &root, found.as_ref(), args.is("recursive")));
        return Ok(0);
    }
    if let Some(property) = &found {
        write_field(property, &mut text);
    }
    let node = found.as_ref().map_or(&root, |property| &property.node);
    let said = found.as_ref().and_then(|property| property.description);
    let said: Vec<&str> = said.into_iter().chain(node.description()).collect();
    write_descriptions(&said, &mut text);
    let properties = node.properties();
    if !properties.is_empty() {
        text.push_str("FIELDS:\n");
        let mut within = found.as_ref().map(Within::of).unwrap_or_default();
        list(&properties, args.is("recursive").then_some(&mut within), 1, &mut text);
    }
    text.push('\n');
    call.io.out(&text);
    Ok(0)
}

/// The kind and the path of a field: `deploy.spec`, `deployments.apps.spec`.
fn kind_and_path<'a>(call: &mut Call, word: &'a str) -> Result<(&'static Kind, &'a str), Failure> {
    if word.is_empty() {
        return Err(Failure::error("a resource must be present, got: /, Resource="));
    }
    if word.contains('[') && !word.contains(']') {
        return Err(Failure::error("unterminated array"));
    }
    if word.starts_with('.') || word.contains("..") || word.contains('[') {
        return Err(Failure::error("invalid jsonpath syntax, first node must be field node"));
    }
    let (first, rest) = word.split_once('.').unwrap_or((word, ""));
    let kind = resource::kind_of(call.client, first)
        .ok_or_else(|| Failure::plain(format!("the server doesn't have a resource type {first:?}")))?;
    // Other groups may have a kind of this name, too.
    let others = kinds::KINDS.iter().filter(|other| other.plural == kind.plural);
    for one in others.chain([kind]).filter(|one| !one.group.is_empty()) {
        if let Some(rest) = rest.strip_prefix(one.group).filter(|rest| rest.is_empty() || rest.starts_with('.')) {
            return Ok((one, rest));
        }
    }
    Ok((kind, rest))
}

fn root_of(kind: &'static Kind) -> Option<Node> {
    match kind.custom.and_then(|custom| custom.schema()) {
        Some(schema) => Some(Node::Root(schema)),
        None => schema::of_kind(kind).map(|name| Node::BuiltIn(schema::Type::Struct(name))),
    }
}

fn write_field(property: &Property, text: &mut String) {
    text.push_str(&format!("FIELD: {} <{}>\n", property.name, property.type_text()));
    if property.values.is_empty() {
        text.push('\n');
    } else {
        text.push_str("ENUM:\n");
        property.values.iter().for_each(|value| text.push_str(&format!("    {value}\n")));
    }
    text.push('\n');
}

fn write_descriptions(descriptions: &[&str], text: &mut String) {
    text.push_str("DESCRIPTION:\n");
    if descriptions.is_empty() {
        return text.push_str("    <empty>\n");
    }
    for line in descriptions.iter().flat_map(|description| wrapped(description, WIDTH)) {
        text.push_str(&format!("    {line}\n"));
    }
    text.push_str("    \n");
}

/// The types that a recursive list is within. One that holds itself is not opened again.
#[derive(Default)]
struct Within(Vec<String>);

impl Within {
    fn of(property: &Property) -> Within {
        Within(vec![element(&property.type_text()).to_owned()])
    }

    /// Lists what is in a field.
    fn enter(&mut self, property: &Property, list: impl FnOnce(&[Property], &mut Within)) {
        let shown = property.type_text();
        let name = element(&shown);
        if name == UNNAMED || !self.0.iter().any(|open| open == name) {
            self.0.push(name.to_owned());
            list(&property.node.properties(), self);
            self.0.pop();
        }
    }
}

/// What a list or a map is of.
fn element(shown: &str) -> &str {
    shown.trim_start_matches("[]").trim_start_matches("map[string]")
}

/// Each field with what it is for; or, recursively, with what is in it.
fn list(properties: &[Property], mut within: Option<&mut Within>, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    for property in properties {
        let required = if property.required { " -required-" } else { "" };
        text.push_str(&format!("{indent}{}\t<{}>{required}\n", property.name, property.type_text()));
        if !property.values.is_empty() {
            // Upstream stops after the fourth.
            let (shown, more) = property.values.split_at(property.values.len().min(4));
            let end = if more.is_empty() { "" } else { ", ...." };
            text.push_str(&format!("{indent}enum: {}{end}\n", shown.join(", ")));
        }
        if let Some(within) = &mut within {
            within.enter(property, |inner, within| list(inner, Some(within), depth + 1, text));
            continue;
        }
        for line in wrapped(property.description.unwrap_or("<no description>"), WIDTH) {
            text.push_str(&format!("{indent}  {line}\n"));
        }
        text.push('\n');
    }
}

/// Lines that are no longer than this where their words allow it.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}
