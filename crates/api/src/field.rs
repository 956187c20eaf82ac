//! Where in an object a mistake is, and what is wrong there: upstream's `util/validation/field`.

use std::fmt;

use serde_json::Value;

use crate::go;

/// A place in an object: `spec.containers[0].name`. Cheap to extend, joined only when a mistake is found.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Child(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> Path<'a> {
    pub const fn new(name: &'a str) -> Path<'a> {
        Path { parent: None, step: Step::Child(name) }
    }

    pub fn child<'b>(&'b self, name: &'b str) -> Path<'b> {
        Path { parent: Some(self), step: Step::Child(name) }
    }

    pub fn index(&self, index: usize) -> Path<'_> {
        Path { parent: Some(self), step: Step::Index(index) }
    }

    pub fn key<'b>(&'b self, key: &'b str) -> Path<'b> {
        Path { parent: Some(self), step: Step::Key(key) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Child(name) if self.parent.is_some() => write!(f, ".{name}"),
            Step::Child(name) => f.write_str(name),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => write!(f, "[{key}]"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    NotFound,
    Required,
    Duplicate,
    Invalid,
    NotSupported,
    Forbidden,
    TooLong,
    TooMany,
    Internal,
    TypeInvalid,
}

/// One mistake of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    pub kind: ErrorKind,
    pub field: String,
    /// The offending value; shown for some kinds only.
    pub value: Value,
    /// The value is a text to be shown as it is: JSON in the order of upstream's structs.
    pub verbatim: bool,
    pub detail: String,
}

pub type Errors = Vec<Error>;

impl Error {
    fn new(kind: ErrorKind, path: &Path, value: Value, detail: impl Into<String>) -> Error {
        Error { kind, field: path.to_string(), value, verbatim: false, detail: detail.into() }
    }

    pub fn required(path: &Path, detail: impl Into<String>) -> Error {
        Error::new(ErrorKind::Required, path, Value::Null, detail)
    }

    pub fn invalid(path: &Path, value: impl Into<Value>, detail: impl Into<String>) -> Error {
        Error::new(ErrorKind::Invalid, path, value.into(), detail)
    }

    /// The value's fields stand in messages in the order of upstream's structs: `text` is that JSON.
    pub fn invalid_verbatim(path: &Path, text: impl Into<String>, detail: impl Into<String>) -> Error {
        Error::new(ErrorKind::Invalid, path, Value::String(text.into()), detail).verbatim()
    }

    /// Upstream's `OmitValueType`: the value is not shown.
    pub fn invalid_unshown(path: &Path, detail: impl Into<String>) -> Error {
        Error::invalid_verbatim(path, "", detail)
    }

    /// Shows the value, a text, without quotes.
    pub fn verbatim(self) -> Error {
        Error { verbatim: true, ..self }
    }

    pub fn internal(path: &Path, detail: impl Into<String>) -> Error {
        Error::new(ErrorKind::Internal, path, Value::Null, detail)
    }

    pub fn duplicate(path: &Path, value: impl Into<Value>) -> Error {
        Error::new(ErrorKind::Duplicate, path, value.into(), "")
    }

    pub fn not_found(path: &Path, value: impl Into<Value>) -> Error {
        Error::new(ErrorKind::NotFound, path, value.into(), "")
    }

    pub fn forbidden(path: &Path, detail: impl Into<String>) -> Error {
        Error::new(ErrorKind::Forbidden, path, Value::Null, detail)
    }

    /// `supported` is listed as it is given: upstream sorts most such lists, so callers pass them sorted.
    pub fn not_supported(path: &Path, value: impl Into<Value>, supported: &[&str]) -> Error {
        let listed: Vec<String> = supported.iter().map(|text| format!("{text:?}")).collect();
        Error::new(ErrorKind::NotSupported, path, value.into(), format!("supported values: {}", listed.join(", ")))
    }

    pub fn too_long(path: &Path, limit: usize) -> Error {
        Error::new(ErrorKind::TooLong, path, Value::Null, format!("may not be more than {limit} bytes"))
    }

    pub fn too_many(path: &Path, count: usize, limit: usize) -> Error {
        let detail = format!("must have at most {limit} {}", if limit == 1 { "item" } else { "items" });
        Error::new(ErrorKind::TooMany, path, count.into(), detail)
    }

    /// The message without its field.
    pub fn body(&self) -> String {
        let title = match self.kind {
            ErrorKind::NotFound => "Not found",
            ErrorKind::Required => "Required value",
            ErrorKind::Duplicate => "Duplicate value",
            ErrorKind::Invalid | ErrorKind::TypeInvalid => "Invalid value",
            ErrorKind::NotSupported => "Unsupported value",
            ErrorKind::Forbidden => "Forbidden",
            ErrorKind::TooLong => "Too long",
            ErrorKind::TooMany => "Too many",
            ErrorKind::Internal => "Internal error",
        };
        let is_unshown = self.verbatim && self.value == "";
        let shows_value = !is_unshown
            && !matches!(
                self.kind,
                ErrorKind::Required | ErrorKind::Forbidden | ErrorKind::TooLong | ErrorKind::Internal
            );
        let mut text = title.to_owned();
        if shows_value {
            text.push_str(": ");
            match &self.value {
                Value::String(value) if self.verbatim => text.push_str(value),
                Value::String(value) => text.push_str(&go::quote(value)),
                value => text.push_str(&value.to_string()),
            }
        }
        if !self.detail.is_empty() {
            text.push_str(": ");
            text.push_str(&self.detail);
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}
