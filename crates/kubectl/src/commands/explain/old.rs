//! `--output=plaintext-openapiv2`: how `explain` looked before it read the third version of OpenAPI.

use api::Kind;

use super::node::{Node, Property};
use super::{Within, element};

const WIDTH: usize = 80;
const FIELD_INDENT: usize = 3;
const DESCRIPTION_INDENT: usize = 5;

/// What is said of a kind, or of one of its fields.
pub(super) fn text(kind: &Kind, root: &Node, found: Option<&Property>, recursive: bool) -> String {
    let mut text = format!("KIND:     {}\nVERSION:  {}\n\n", kind.kind, kind.api_version());
    let node = found.map_or(root, |property| &property.node);
    let properties = node.properties();
    if let Some(property) = found {
        let what = if properties.is_empty() { "FIELD:   " } else { "RESOURCE:" };
        text.push_str(&format!("{what} {} <{}>\n\n", property.name, type_text(property)));
    }
    let said = found.and_then(|property| property.description);
    describe(&said.into_iter().chain(node.description()).collect::<Vec<_>>(), &mut text);
    if !properties.is_empty() {
        text.push_str("\nFIELDS:\n");
        list(&properties, recursive.then_some(&mut Within::default()), FIELD_INDENT, &mut text);
    }
    text
}

fn describe(descriptions: &[&str], text: &mut String) {
    text.push_str("DESCRIPTION:\n");
    for (at, description) in descriptions.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        write(description, DESCRIPTION_INDENT, text);
    }
    if descriptions.is_empty() {
        write("<empty>", DESCRIPTION_INDENT, text);
    }
}

/// Each field with what it is for; or, recursively, with what is in it.
fn list(properties: &[Property], mut within: Option<&mut Within>, indent: usize, text: &mut String) {
    for property in properties {
        let required = if property.required && within.is_none() { " -required-" } else { "" };
        let name = format!("{}\t<{}>{required}", property.name, type_text(property));
        text.push_str(&format!("{}{name}\n", " ".repeat(indent)));
        if let Some(within) = &mut within {
            within.enter(property, |inner, within| list(inner, Some(within), indent + FIELD_INDENT, text));
            continue;
        }
        property.description.into_iter().for_each(|description| write(description, indent + 2, text));
        text.push('\n');
    }
}

fn write(description: &str, indent: usize, text: &mut String) {
    for line in super::wrapped(description, WIDTH - indent) {
        text.push_str(&format!("{}{line}\n", " ".repeat(indent)));
    }
}

/// Structs have no names here: `[]Object`. One of which no fields are known is a map.
fn type_text(property: &Property) -> String {
    let shown = property.type_text();
    let name = element(&shown);
    let known = match name {
        "string" | "boolean" | "integer" | "number" => name,
        "IntOrString" | "Quantity" => "string",
        _ if property.node.properties().is_empty() => "map[string]",
        _ => "Object",
    };
    shown[..shown.len() - name.len()].to_owned() + known
}
