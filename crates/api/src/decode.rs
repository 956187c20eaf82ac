//! From JSON to typed objects, with the API server's complaints.
//!
//! Decoding goes in two steps. [`check`] walks the value beside its type's schema: it finds wrong types and unknown
//! fields, and brings what Kubernetes reads liberally (numbers as quantities, `null` for "absent") into the one form that
//! the typed structs read. Then the struct is made.

mod check;
mod typed;

use serde_json::Value;

use crate::json::{Layout, Repeated};
use crate::kinds::{self, Kind};
use crate::object::Draft;
use crate::request::FieldValidation;
use crate::schema;
use crate::status::Status;
pub use check::Mistake;
pub use typed::typed;

/// More mistakes than this are not listed.
const STRICT_ERRORS_MAX: usize = 100;

/// An object and the texts of its `Warning` headers.
pub type Decoded = (Draft, Vec<String>);

/// Decodes an object that a client has sent as `kind`.
pub fn decode(kind: &'static Kind, value: Value, validation: FieldValidation) -> Result<Decoded, Status> {
    decode_text(kind, value, &Layout::default(), validation)
}

/// The same for a value that was read from text: `layout` tells what the value does not, repeated fields and the order
/// of fields.
pub fn decode_text(
    kind: &'static Kind,
    value: Value,
    layout: &Layout,
    validation: FieldValidation,
) -> Result<Decoded, Status> {
    decode_result(kind, value, layout, validation).map_err(|failure| match failure {
        Failure::OtherKind(status) | Failure::Strict(status) => status,
        Failure::Type(mistake) => unhandled(kind, &mistake.text),
    })
}

/// Why a value could not be decoded.
pub(crate) enum Failure {
    /// It says that it is of another kind.
    OtherKind(Status),
    Type(Mistake),
    /// Unknown or repeated fields.
    Strict(Status),
}

pub(crate) fn decode_result(
    kind: &'static Kind,
    mut value: Value,
    layout: &Layout,
    validation: FieldValidation,
) -> Result<Decoded, Failure> {
    check_type(kind, &value).map_err(Failure::OtherKind)?;
    let type_name = schema::of_kind(kind).unwrap_or_default();
    let mut findings = check::check(type_name, &mut value);
    findings.wrong.sort_by_key(|mistake| position(layout, &mistake.path));
    if let Some(mistake) = findings.aborted.into_iter().chain(findings.wrong).next() {
        return Err(Failure::Type(mistake));
    }
    let strict = strict_errors(layout, &findings.unknown);
    if validation == FieldValidation::Strict && !strict.is_empty() {
        let why = format!("strict decoding error: {}", strict.join(", "));
        return Err(Failure::Strict(unhandled(kind, &why)));
    }
    if let Some(fields) = value.as_object_mut() {
        fields.insert("apiVersion".into(), kind.api_version().into());
        fields.insert("kind".into(), kind.kind.into());
    }
    let object = (kind.decode)(kind, value).map_err(|error| {
        let text = error.to_string();
        Failure::Type(Mistake { path: String::new(), converter: text.clone(), text })
    })?;
    Ok((object, if validation == FieldValidation::Warn { strict } else { Vec::new() }))
}

/// The object could not be read as one of the kind.
pub fn unhandled(kind: &Kind, why: &str) -> Status {
    Status::bad_request(format!("{0} in version {1:?} cannot be handled as a {0}: {why}", kind.kind, kind.version))
}

/// Checks metadata that a client has sent and makes its liberal forms canonical. Returns the paths of unknown fields;
/// `Err` is Go's complaint about a wrong type.
pub fn check_metadata(metadata: &mut Value) -> Result<Vec<String>, String> {
    let mut object = Value::Object([("metadata".to_owned(), metadata.take())].into_iter().collect());
    let unknown = check_type_of("core.v1.Namespace", &mut object).map_err(|mistake| mistake.text);
    *metadata = object.get_mut("metadata").map(Value::take).unwrap_or_default();
    unknown
}

/// The same for a value of a built-in type.
pub fn check_type_of(type_name: &'static str, value: &mut Value) -> Result<Vec<String>, Mistake> {
    let findings = check::check(type_name, value);
    match findings.aborted.into_iter().chain(findings.wrong).next() {
        Some(mistake) => Err(mistake),
        None => Ok(findings.unknown),
    }
}

/// What a text says of itself, an object's version and kind, read as Go does: empty is absent.
pub fn version_and_kind(value: &Value) -> Result<[Option<&str>; 2], String> {
    let fields = value.as_object().ok_or_else(|| wrong_root(go_kind(value)))?;
    let read = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(other) => {
            Err(format!("json: cannot unmarshal {} into Go struct field .{name} of type string", go_kind(other)))
        }
    };
    Ok([read("apiVersion")?, read("kind")?])
}

/// Compares what the object says of its own type with what was asked for.
fn check_type(kind: &Kind, value: &Value) -> Result<(), Status> {
    let said = version_and_kind(value);
    let [api_version, name] = said.map_err(|why| unrecognized(kind, &value.to_string(), &why))?;
    let expected = kind.api_version();
    let sent_version = api_version.unwrap_or(&expected);
    let sent_kind = name.unwrap_or(kind.kind);
    let short = sent_version.split_once('/').map_or(sent_version, |(_, version)| version);
    if sent_version == expected && sent_kind == kind.kind {
        return Ok(());
    }
    let (group, version) = sent_version.split_once('/').unwrap_or(("", sent_version));
    if sent_kind == kind.kind && (LEGACY.contains(&sent_version) || kinds::by_kind(sent_version, sent_kind).is_some()) {
        return Err(Status::bad_request(format!(
            "the API version in the data ({sent_version}) does not match the expected API version ({expected})"
        )));
    }
    let why = if schema::of(group, version, sent_kind).is_some() {
        format!(
            "converting ({version}.{sent_kind}) to ({}.{}): unknown conversion",
            internal_package(kind.group),
            kind.kind
        )
    } else {
        format!(
            "no kind {sent_kind:?} is registered for version {sent_version:?} in scheme \
             \"pkg/api/legacyscheme/scheme.go:30\""
        )
    };
    Err(Status::bad_request(format!("{sent_kind} in version {short:?} cannot be handled as a {}: {why}", kind.kind)))
}

/// Old homes of workloads and Ingress, which the server still knows though it serves none of them.
const LEGACY: &[&str] = &["extensions/v1beta1", "apps/v1beta1", "apps/v1beta2", "networking.k8s.io/v1beta1"];

/// The Go package of a group's internal types.
fn internal_package(group: &str) -> &str {
    match group.split('.').next() {
        None | Some("") => "core",
        Some(first) => first,
    }
}

fn wrong_root(found: &str) -> String {
    format!(
        "json: cannot unmarshal {found} into Go value of type struct {{ APIVersion string \
         \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}"
    )
}

/// The answer to a body of which not even the type could be read. `why` is the JSON reader's complaint.
pub fn unrecognized(kind: &Kind, body: &str, why: &str) -> Status {
    let shown = match body.as_bytes().first() {
        None => "<empty>".to_owned(),
        Some(b'{') => truncated(body, 200).to_owned(),
        Some(_) => truncated(body, 200).bytes().map(|byte| format!("{byte:02x}")).collect(),
    };
    Status::bad_request(format!(
        "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: {why} \
         ({shown})",
        kind.kind
    ))
}

fn truncated(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Go's word for what a JSON value is.
pub fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn position(layout: &Layout, path: &str) -> usize {
    layout.fields.iter().position(|(field, _)| field == path).unwrap_or(usize::MAX)
}

/// The texts of unknown and repeated fields, in the order in which the client wrote them.
pub fn strict_errors(layout: &Layout, unknown: &[String]) -> Vec<String> {
    let mut errors: Vec<String> = Vec::new();
    let mut add = |text: String| {
        if !errors.contains(&text) {
            errors.push(text);
        }
    };
    let mut listed: Vec<&str> = Vec::new();
    for (path, repeated) in &layout.fields {
        if unknown.contains(path) {
            listed.push(path);
            add(format!("unknown field {path:?}"));
        } else if *repeated == Repeated::Yes {
            add(format!("duplicate field {path:?}"));
        }
    }
    for path in unknown {
        if !listed.contains(&path.as_str()) {
            add(format!("unknown field {path:?}"));
        }
    }
    errors.truncate(STRICT_ERRORS_MAX);
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Kinded;
    use crate::types::{ConfigMap, Deployment, Pod};

    fn refused<T: Kinded>(text: &str, validation: FieldValidation) -> String {
        let parsed = crate::json::parse(text).expect("JSON");
        match decode_text(T::row(), parsed.value, &parsed.layout, validation) {
            Err(status) => status.message,
            Ok((_, warnings)) => warnings.join("; "),
        }
    }

    #[test]
    fn wrong_types_are_told_in_go_words() {
        let cases = [
            (
                r#"{"spec":{"containers":{}}}"#,
                "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal object into Go struct field \
                 PodSpec.spec.containers of type []v1.Container",
            ),
            (
                r#"{"spec":{"containers":[{"env":[{"name":"a","value":true}]}]}}"#,
                "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal bool into Go struct field \
                 EnvVar.spec.containers.env.value of type string",
            ),
            (
                r#"{"spec":{"containers":[{"resources":{"limits":{"cpu":"x"}}}]}}"#,
                "Pod in version \"v1\" cannot be handled as a Pod: quantities must match the regular expression \
                 '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            ),
            (
                r#"{"kind":"Pods","apiVersion":"v1"}"#,
                "Pods in version \"v1\" cannot be handled as a Pod: no kind \"Pods\" is registered for version \"v1\" \
                 in scheme \"pkg/api/legacyscheme/scheme.go:30\"",
            ),
            (
                r#"{"kind":"Service","apiVersion":"v1"}"#,
                "Service in version \"v1\" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): unknown \
                 conversion",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(refused::<Pod>(text, FieldValidation::Strict), expected);
        }
        assert_eq!(
            refused::<ConfigMap>(r#"{"data":{"a":1}}"#, FieldValidation::Ignore),
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct \
             field ConfigMap.data of type string"
        );
        assert_eq!(
            refused::<Deployment>(r#"{"spec":{"replicas":"3"}}"#, FieldValidation::Ignore),
            "Deployment in version \"v1\" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct \
             field DeploymentSpec.spec.replicas of type int32"
        );
    }

    #[test]
    fn unknown_fields_keep_the_text_s_order() {
        let text = r#"{"spec":{"foo":1,"containerz":[]},"metadata":{"name":"a","name":"b"}}"#;
        let expected =
            "unknown field \"spec.foo\", unknown field \"spec.containerz\", duplicate field \"metadata.name\"";
        let strict = refused::<Pod>(text, FieldValidation::Strict);
        assert!(strict.ends_with(&format!("strict decoding error: {expected}")), "{strict}");
        assert_eq!(refused::<Pod>(text, FieldValidation::Warn), expected.replace(", ", "; "));
        assert_eq!(refused::<Pod>(text, FieldValidation::Ignore), "");
    }

    #[test]
    fn liberal_forms_become_canonical() {
        let text = r#"{"metadata":{"labels":null,"creationTimestamp":null},
            "spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":1,"memory":"1024Mi"}}}],"nodeName":null}}"#;
        let parsed = crate::json::parse(text).unwrap();
        let (object, _) = decode_text(Pod::row(), parsed.value, &parsed.layout, FieldValidation::Strict).unwrap();
        let pod = object.downcast_ref::<Pod>().unwrap();
        let limits = pod.spec.as_ref().unwrap().containers[0].resources.as_ref().unwrap().limits.as_ref().unwrap();
        assert_eq!((limits["cpu"].0.as_str(), limits["memory"].0.as_str()), ("1", "1Gi"));
    }
}
