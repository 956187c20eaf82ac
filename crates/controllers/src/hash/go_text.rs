//! A Pod template as Go prints it with all its types: the text that upstream hashes (`dump.ForHash`, which is spew's `%#v`
//! without methods).
//!
//! `go_types.txt` lists the structs that a template is made of. A line without indentation names one, the lines below it
//! are its fields: JSON name, Go name where that is not the JSON name with a capital, Go type. `-` stands for an embedded
//! struct, whose fields are its owner's in JSON.
//!
//! Differs: binary quantities so large that Go keeps them as big integers (from 100Ti) print as the small ones.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

struct Field {
    json: &'static str,
    name: String,
    ty: &'static str,
}

static STRUCTS: LazyLock<BTreeMap<&'static str, Vec<Field>>> = LazyLock::new(|| {
    let mut structs: BTreeMap<&'static str, Vec<Field>> = BTreeMap::new();
    let mut current = "";
    for line in include_str!("go_types.txt").lines() {
        match line.strip_prefix(' ') {
            Some(field) => structs.entry(current).or_default().push(Field::parse(field)),
            None => current = line,
        }
    }
    structs
});

impl Field {
    fn parse(line: &'static str) -> Field {
        let (json, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (name, ty) = match rest.split_once(' ') {
            Some((name, ty)) => (name.to_owned(), ty),
            None if json == "-" => (struct_name(rest).to_owned(), rest),
            None => (capitalized(json), rest),
        };
        Field { json, name, ty }
    }
}

fn capitalized(name: &str) -> String {
    name[..1].to_uppercase() + &name[1..]
}

fn struct_name(ty: &str) -> &str {
    ty.strip_prefix("v1.").unwrap_or(ty)
}

/// The text of a template that has its defaults.
pub(super) fn of_template(template: &Value) -> String {
    let mut text = String::from("(v1.PodTemplateSpec)");
    write("v1.PodTemplateSpec", template, &mut text);
    text
}

/// The value without its type, which stands before it. Empty lists and maps are nil after their way through the store.
fn write(ty: &str, value: &Value, text: &mut String) {
    if let Some(pointee) = ty.strip_prefix('*') {
        return if value.is_null() { text.push_str("<nil>") } else { write(pointee, value, text) };
    }
    if let Some(element) = ty.strip_prefix("[]") {
        return write_list(element, value, text);
    }
    match (ty, value) {
        ("map[string]string", _) => write_map("string", value, text),
        ("v1.ResourceList", _) => write_map("resource.Quantity", value, text),
        ("resource.Quantity", _) => write_quantity(value.as_str().unwrap_or("0"), text),
        ("intstr.IntOrString", _) => write_int_or_string(value, text),
        ("v1.Time", _) => {
            text.push_str("{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}");
        }
        ("bool", Value::Null) => text.push_str("false"),
        ("int32" | "int64", Value::Null) => text.push('0'),
        (_, Value::String(value)) => text.push_str(value),
        (_, Value::Bool(_) | Value::Number(_)) => text.push_str(&value.to_string()),
        _ => write_struct(ty, value, text),
    }
}

fn write_struct(ty: &str, value: &Value, text: &mut String) {
    // What is not a struct here is an empty string of a named type.
    let Some(fields) = STRUCTS.get(struct_name(ty)) else { return };
    text.push('{');
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        text.push_str(&field.name);
        text.push_str(":(");
        text.push_str(field.ty);
        text.push(')');
        let inner = if field.json == "-" { value } else { value.get(field.json).unwrap_or(&Value::Null) };
        write(field.ty, inner, text);
    }
    text.push('}');
}

fn write_list(element: &str, value: &Value, text: &mut String) {
    let Some(items) = value.as_array().filter(|items| !items.is_empty()) else { return text.push_str("<nil>") };
    text.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        write(element, item, text);
    }
    text.push(']');
}

fn write_map(element: &str, value: &Value, text: &mut String) {
    let Some(entries) = value.as_object().filter(|entries| !entries.is_empty()) else { return text.push_str("<nil>") };
    text.push_str("map[");
    for (index, (key, item)) in entries.iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        text.push_str(key);
        text.push(':');
        write(element, item, text);
    }
    text.push(']');
}

fn write_int_or_string(value: &Value, text: &mut String) {
    let (kind, number, name) = match value {
        Value::String(name) => (1, 0, name.as_str()),
        other => (0, other.as_i64().unwrap_or_default(), ""),
    };
    text.push_str(&format!("{{Type:(intstr.Type){kind} IntVal:(int32){number} StrVal:(string){name}}}"));
}

/// A quantity in canonical form. Go keeps its text only where it sees at once that it is canonical.
fn write_quantity(quantity: &str, text: &mut String) {
    let digits_end = quantity.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(quantity.len());
    let (digits, suffix) = quantity.split_at(digits_end);
    let number: i64 = digits.parse().unwrap_or_default();
    let (value, scale, format, is_kept) = match suffix.strip_suffix('i') {
        _ if quantity == "0" => (0, 0, "", true),
        Some(prefix) => {
            let power = "KMGTPE".find(prefix).map_or(0, |place| 10 * (place as u32 + 1));
            (number.saturating_mul(1 << power), 0, "BinarySI", number & 7 != 0)
        }
        None => {
            let (scale, format) = decimal_scale(suffix);
            (number, scale, format, scale % 3 == 0 && !digits.ends_with("000"))
        }
    };
    let kept = if is_kept { quantity } else { "" };
    text.push_str(&format!(
        "{{i:(resource.int64Amount){{value:(int64){value} scale:(resource.Scale){scale}}} \
         d:(resource.infDecAmount){{Dec:(*inf.Dec)<nil>}} s:(string){kept} Format:(resource.Format){format}}}"
    ));
}

fn decimal_scale(suffix: &str) -> (i32, &'static str) {
    if let Some(exponent) = suffix.strip_prefix(['e', 'E']).filter(|exponent| !exponent.is_empty()) {
        return (exponent.parse().unwrap_or_default(), "DecimalExponent");
    }
    let scale = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"].iter().position(|known| *known == suffix);
    (scale.map_or(0, |place| 3 * (place as i32 - 3)), "DecimalSI")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use serde_json::json;

    /// The JSON names of a struct with those of the structs embedded in it.
    fn json_names(name: &str) -> BTreeSet<&'static str> {
        let fields = STRUCTS[name].iter();
        let names = fields.flat_map(|field| match field.json {
            "-" => json_names(struct_name(field.ty)),
            json => BTreeSet::from([json]),
        });
        names.collect()
    }

    #[test]
    fn structs_have_the_fields_of_the_schema() {
        // Embedded structs have no name in the schema.
        let named = STRUCTS.keys().filter(|name| !matches!(**name, "VolumeSource" | "ProbeHandler"));
        for name in named {
            let candidates = ["core.v1", "meta.v1"].map(|group| format!("{group}.{name}"));
            let fields = candidates.iter().map(|name| api::schema::fields(name)).find(|fields| !fields.is_empty());
            let of_schema: BTreeSet<&str> = fields.unwrap_or_default().iter().map(|field| field.name).collect();
            assert_eq!(json_names(name), of_schema, "{name}");
        }
    }

    #[test]
    fn every_struct_that_a_field_names_is_listed() {
        let known = |ty: &str| {
            let name = struct_name(ty.trim_start_matches(['*', '[', ']']));
            STRUCTS.contains_key(name) || api::schema::fields(&format!("core.v1.{name}")).is_empty()
        };
        for field in STRUCTS.values().flatten().filter(|field| field.json != "ephemeralContainers") {
            assert!(known(field.ty), "{}: {}", field.json, field.ty);
        }
    }

    #[test]
    fn quantities_print_their_parts() {
        let print = |quantity: &str| {
            let mut text = String::new();
            write("resource.Quantity", &json!(quantity), &mut text);
            text
        };
        assert!(print("100m").contains("value:(int64)100 scale:(resource.Scale)-3"));
        assert!(print("100m").contains("s:(string)100m Format:(resource.Format)DecimalSI"));
        assert!(print("2Gi").contains("value:(int64)2147483648 scale:(resource.Scale)0"));
        assert!(print("8Gi").contains("s:(string) Format:(resource.Format)BinarySI"));
        assert!(print("1e3").contains("scale:(resource.Scale)3} d:"));
        assert!(print("0").ends_with("s:(string)0 Format:(resource.Format)}"));
    }
}
