//! `--output=plaintext-openapiv2`: how `explain` looked before it read the third version of OpenAPI.

use api::Kind;

use super::node::{Node, Property};

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
        text.push_str(&format!("{what} {} <{}>\n\n", property.name, type_text(&property.type_text())));
    }
    let said = found.and_then(|property| property.description);
    describe(&said.into_iter().chain(node.description()).collect::<Vec<_>>(), &mut text);
    if !properties.is_empty() {
        text.push_str("\nFIELDS:\n");
        list(&properties, recursive, FIELD_INDENT, &mut text);
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

fn list(properties: &[Property], recursive: bool, indent: usize, text: &mut String) {
    for property in properties {
        let required = if property.required { " -required-" } else { "" };
        let name = format!("{}\t<{}>{required}", property.name, type_text(&property.type_text()));
        text.push_str(&format!("{}{name}\n", " ".repeat(indent)));
        if !recursive {
            write(property.description.unwrap_or("<no description>"), indent + 2, text);
            text.push('\n');
        } else if indent / FIELD_INDENT < super::DEPTH_MAX {
            list(&property.node.properties(), true, indent + FIELD_INDENT, text);
        }
    }
}

fn write(description: &str, indent: usize, text: &mut String) {
    for line in super::wrapped(description, WIDTH - indent) {
        text.push_str(&format!("{}{line}\n", " ".repeat(indent)));
    }
}

/// Structs have no names here: `[]Object`.
fn type_text(shown: &str) -> String {
    for prefix in ["[]", "map[string]"] {
        if let Some(rest) = shown.strip_prefix(prefix) {
            return format!("{prefix}{}", type_text(rest));
        }
    }
    match shown {
        "string" | "boolean" | "integer" | "number" => shown.into(),
        "IntOrString" | "Quantity" => "string".into(),
        _ => "Object".into(),
    }
}
