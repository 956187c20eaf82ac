//! What `-o` can do.

mod align;
mod base64;
mod columns;
mod gotemplate;
mod jsonpath;
mod order;
mod printer;

pub(crate) use align::align;
pub(crate) use api::go::text as go_text;
pub(crate) use api::jsonpath::Path;
pub(crate) use base64::{decode as base64_decode, encode as base64_encode};
pub(crate) use columns::Columns;
pub(crate) use gotemplate::GoTemplate;
pub(crate) use jsonpath::JsonPath;
pub(crate) use order::{Fields, PLAIN, in_order};
pub(crate) use printer::{TablePrinter, TableStyle, plain_table};

use serde_json::Value;

use crate::failure::Failure;
use crate::flags::Args;
use crate::task::Call;

/// The format that a command prints objects in.
pub(crate) enum Format {
    Table {
        wide: bool,
    },
    Name,
    Json,
    Yaml,
    /// A template, and whether it needs all of its fields.
    JsonPath(JsonPath, bool),
    /// The same, each value of it as JSON.
    JsonPathAsJson(JsonPath, bool),
    Columns(Columns),
    GoTemplate(GoTemplate),
}

const ALLOWED_BY_GET: &str = "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,\
                              jsonpath-as-json,jsonpath-file,name,template,templatefile,wide,yaml";
const ALLOWED: &str =
    "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile,yaml";

impl Format {
    /// Reads `-o` and `--template`. `None` when neither is given.
    pub fn read(call: &Call, args: &Args, tables: bool) -> Result<Option<Format>, Failure> {
        let output = args.text("output");
        let (name, joined) = match output.split_once('=') {
            Some((name, rest)) if !matches!(name, "wide" | "name" | "json" | "yaml") => (name, Some(rest)),
            _ => (output, None),
        };
        let template = joined.or(args.some_text("template"));
        let file = |path: &str| {
            let text = call.state.files.read(path);
            text.ok_or_else(|| {
                Failure::error(format!("error reading --template {path}, open {path}: no such file or directory"))
            })
        };
        let strict = args.knows("allow-missing-template-keys") && !args.is("allow-missing-template-keys");
        let needed = || {
            let given = template.filter(|text| !text.is_empty());
            given.ok_or_else(|| Failure::error("template format specified but no template given"))
        };
        Ok(Some(match name.to_lowercase().as_str() {
            "" if args.some_text("template").is_some() => {
                Format::GoTemplate(GoTemplate::parse(args.text("template"), strict)?)
            }
            "" => return Ok(None),
            "wide" if tables => Format::Table { wide: true },
            "name" => Format::Name,
            "json" => Format::Json,
            "yaml" => Format::Yaml,
            "jsonpath" => Format::JsonPath(JsonPath::parse(needed()?)?, strict),
            "jsonpath-as-json" => Format::JsonPathAsJson(JsonPath::parse(needed()?)?, strict),
            "jsonpath-file" => Format::JsonPath(JsonPath::parse(&file(needed()?)?)?, strict),
            "go-template" | "template" => Format::GoTemplate(GoTemplate::parse(needed()?, strict)?),
            "go-template-file" | "templatefile" => Format::GoTemplate(GoTemplate::parse(&file(needed()?)?, strict)?),
            "custom-columns" if tables => match joined {
                Some(spec) if !spec.is_empty() => Format::Columns(Columns::parse(spec)?),
                _ => return Err(Failure::error("custom-columns format specified but no custom columns given")),
            },
            "custom-columns-file" if tables => {
                let Some(path) = joined.filter(|path| !path.is_empty()) else {
                    return Err(Failure::error("custom-columns format specified but no custom columns given"));
                };
                let text = call.state.files.read(path).ok_or_else(|| {
                    Failure::error(format!("error reading template {path}, open {path}: no such file or directory"))
                })?;
                Format::Columns(Columns::parse_file(&text)?)
            }
            _ => {
                let allowed = if tables { ALLOWED_BY_GET } else { ALLOWED };
                return Err(Failure::error(format!(
                    "unable to match a printer suitable for the output format {output:?}, allowed formats are: {allowed}"
                )));
            }
        }))
    }

    /// An object that upstream holds as a struct, not as a map: its JSON has the struct's order.
    pub fn typed_text(&self, value: &Value) -> Result<String, Failure> {
        match self {
            Format::Json => Ok(indented(&api::wire::go_document(value), INDENT) + "\n"),
            other => other.text(value),
        }
    }

    /// One value as this format writes it. Tables and names need more than the value and are not for here.
    pub fn text(&self, value: &Value) -> Result<String, Failure> {
        Ok(match self {
            Format::Json => json(value) + "\n",
            Format::Yaml => yaml(value),
            Format::JsonPath(path, strict) => path.text(value, *strict)?,
            Format::JsonPathAsJson(path, strict) => path.json(value, *strict)?,
            Format::GoTemplate(template) => match template.text(value) {
                (text, None) => text,
                (text, Some(failure)) => return Err(Failure::After(text, Box::new(failure))),
            },
            Format::Columns(columns) => columns.text(value, true),
            Format::Table { .. } | Format::Name => String::new(),
        })
    }
}

/// How kubectl indents objects in JSON.
pub(crate) const INDENT: &str = "    ";

/// JSON as kubectl prints it.
pub(crate) fn json(value: &Value) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(INDENT.as_bytes());
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    match serde::Serialize::serialize(value, &mut serializer) {
        Ok(()) => escape_html(&String::from_utf8_lossy(&bytes)),
        Err(_) => value.to_string(),
    }
}

/// A JSON text with the line breaks of Go's `json.Indent`.
fn indented(text: &str, indent: &str) -> String {
    let mut out = String::new();
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
            out.push(c);
            continue;
        }
        if matches!(c, '}' | ']') {
            depth -= 1;
            line_break(&mut out, depth, indent);
        }
        out.push(c);
        match c {
            '"' => quoted = true,
            ':' => out.push(' '),
            ',' => line_break(&mut out, depth, indent),
            '{' | '[' => match chars.next_if(|next| matches!(next, '}' | ']')) {
                Some(end) => out.push(end),
                None => {
                    depth += 1;
                    line_break(&mut out, depth, indent);
                }
            },
            _ => {}
        }
    }
    out
}

fn line_break(out: &mut String, depth: usize, indent: &str) {
    out.push('\n');
    out.push_str(&indent.repeat(depth));
}

/// Go's encoder writes `<`, `>` and `&` as escapes.
pub(crate) fn escape_html(text: &str) -> String {
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

pub(crate) fn yaml(value: &Value) -> String {
    api::yaml::emit(value)
}

/// The object as JSON without what kubectl leaves out of yaml and json unless asked (`--show-managed-fields`).
pub(crate) fn shown(mut value: Value, args: &Args) -> Value {
    let is_whole = ["jsonpath", "go-template", "template"].iter().all(|name| !args.text("output").starts_with(name));
    if is_whole
        && !args.is("show-managed-fields")
        && let Some(meta) = value.get_mut("metadata").and_then(Value::as_object_mut)
    {
        meta.remove("managedFields");
    }
    value
}
