//! `Status`: how the API server says no.

use serde_json::{Map, Value, json};

use crate::field::{self, ErrorKind};
use crate::kinds::Kind;

/// An answer without an object: most often a refusal, sometimes a bare success.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    pub code: u16,
    pub reason: Reason,
    pub message: String,
    pub details: Option<Details>,
    /// `Warning` headers that go with the answer.
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    pub name: String,
    pub group: String,
    /// The plural resource for most reasons, the kind for `Invalid`.
    pub kind: String,
    pub uid: String,
    pub causes: Vec<Cause>,
    pub retry_after_seconds: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// `FieldValueInvalid`, …
    pub reason: String,
    pub message: String,
    pub field: String,
}

macro_rules! reasons {
    ($($name:ident)*) => {
        /// `metav1.StatusReason`
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Reason {
            /// A success.
            None,
            Unknown,
            $($name,)*
            /// A webhook's own.
            Other(Box<str>),
        }

        impl Reason {
            pub fn as_str(&self) -> &str {
                match self {
                    Reason::None | Reason::Unknown => "",
                    $(Reason::$name => stringify!($name),)*
                    Reason::Other(text) => text,
                }
            }

            /// The reason of a failure that a server has sent.
            pub fn parse(text: &str) -> Reason {
                match text {
                    "" => Reason::Unknown,
                    $(stringify!($name) => Reason::$name,)*
                    other => Reason::Other(other.into()),
                }
            }
        }
    };
}

reasons! {
    Unauthorized Forbidden NotFound AlreadyExists Conflict Gone Invalid ServerTimeout Timeout TooManyRequests BadRequest
    MethodNotAllowed NotAcceptable RequestEntityTooLarge UnsupportedMediaType InternalError Expired ServiceUnavailable
}

impl Status {
    pub fn new(code: u16, reason: Reason, message: impl Into<String>) -> Status {
        Status { code, reason, message: message.into(), details: None, warnings: Vec::new() }
    }

    /// A status that a server has sent; `code` if it names none.
    pub fn from_value(value: &Value, code: u16) -> Status {
        let code = value["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(code);
        let mut status = Status::new(code, Reason::parse(&text(value, "reason")), text(value, "message"));
        status.details = Some(&value["details"]).filter(|details| details.is_object()).map(Details::from_value);
        status
    }

    fn about(mut self, kind: &Kind, name: &str) -> Status {
        self.details = Some(Details {
            name: name.into(),
            group: kind.group.into(),
            kind: kind.plural.into(),
            ..Details::default()
        });
        self
    }

    /// A success without an object.
    pub fn success(kind: &Kind, name: &str, uid: &str) -> Status {
        let mut status = Status::new(200, Reason::None, "").about(kind, name);
        if let Some(details) = &mut status.details {
            details.uid = uid.into();
        }
        status
    }

    pub fn not_found(kind: &Kind, name: &str) -> Status {
        Status::new(404, Reason::NotFound, format!("{} {name:?} not found", kind.group_resource())).about(kind, name)
    }

    pub fn already_exists(kind: &Kind, name: &str) -> Status {
        Status::new(409, Reason::AlreadyExists, format!("{} {name:?} already exists", kind.group_resource()))
            .about(kind, name)
    }

    pub fn conflict(kind: &Kind, name: &str, why: &str) -> Status {
        let message = format!("Operation cannot be fulfilled on {} {name:?}: {why}", kind.group_resource());
        Status::new(409, Reason::Conflict, message).about(kind, name)
    }

    pub fn forbidden(kind: &Kind, name: &str, why: &str) -> Status {
        let message = if name.is_empty() {
            format!("{} is forbidden: {why}", kind.group_resource())
        } else {
            format!("{} {name:?} is forbidden: {why}", kind.group_resource())
        };
        Status::new(403, Reason::Forbidden, message).about(kind, name)
    }

    pub fn bad_request(message: impl Into<String>) -> Status {
        Status::new(400, Reason::BadRequest, message)
    }

    pub fn internal(message: impl std::fmt::Display) -> Status {
        Status::new(500, Reason::InternalError, format!("Internal error occurred: {message}"))
    }

    pub fn method_not_allowed(kind: &Kind, verb: &str) -> Status {
        let message = format!("{verb} is not supported on resources of kind {:?}", kind.group_resource());
        Status::new(405, Reason::MethodNotAllowed, message).about(kind, "")
    }

    pub fn expired(message: impl Into<String>) -> Status {
        Status::new(410, Reason::Expired, message)
    }

    /// The object was read but breaks its kind's rules. The message joins the errors as upstream's aggregate does.
    pub fn invalid(kind: &Kind, name: &str, errors: &[field::Error]) -> Status {
        let mut texts: Vec<String> = Vec::new();
        for error in errors {
            let text = error.to_string();
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        let joined = match texts.as_slice() {
            [only] => only.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let message = format!("{} {name:?} is invalid: {joined}", kind.group_kind());
        let causes = errors
            .iter()
            .map(|error| Cause {
                reason: error.kind.reason().into(),
                message: error.body(),
                field: error.field.clone(),
            })
            .collect();
        let mut status = Status::new(422, Reason::Invalid, message);
        status.details = Some(Details {
            name: name.into(),
            group: kind.group.into(),
            kind: kind.kind.into(),
            causes,
            ..Details::default()
        });
        status
    }

    pub fn is_success(&self) -> bool {
        self.code < 400
    }

    pub fn is_not_found(&self) -> bool {
        self.reason == Reason::NotFound
    }

    pub fn is_already_exists(&self) -> bool {
        self.reason == Reason::AlreadyExists
    }

    pub fn is_conflict(&self) -> bool {
        self.reason == Reason::Conflict
    }

    pub fn is_invalid(&self) -> bool {
        self.reason == Reason::Invalid
    }

    /// As it goes over the wire.
    pub fn to_value(&self) -> Value {
        let mut value = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": if self.is_success() { "Success" } else { "Failure" },
        });
        let fields = value.as_object_mut().expect("a literal object");
        if !self.message.is_empty() {
            fields.insert("message".into(), self.message.clone().into());
        }
        if !self.reason.as_str().is_empty() {
            fields.insert("reason".into(), self.reason.as_str().into());
        }
        if let Some(details) = &self.details {
            fields.insert("details".into(), details.to_value());
        }
        if !self.is_success() || self.code != 200 {
            fields.insert("code".into(), self.code.into());
        }
        value
    }
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

impl Details {
    fn from_value(value: &Value) -> Details {
        let causes = value["causes"].as_array().into_iter().flatten().map(|cause| Cause {
            reason: text(cause, "reason"),
            message: text(cause, "message"),
            field: text(cause, "field"),
        });
        let seconds = value["retryAfterSeconds"].as_u64().and_then(|seconds| u32::try_from(seconds).ok());
        Details {
            name: text(value, "name"),
            group: text(value, "group"),
            kind: text(value, "kind"),
            uid: text(value, "uid"),
            causes: causes.collect(),
            retry_after_seconds: seconds.unwrap_or_default(),
        }
    }

    fn to_value(&self) -> Value {
        let mut fields = Map::new();
        let texts = [("name", &self.name), ("group", &self.group), ("kind", &self.kind), ("uid", &self.uid)];
        for (name, text) in texts {
            if !text.is_empty() {
                fields.insert(name.into(), text.clone().into());
            }
        }
        if !self.causes.is_empty() {
            let causes = self.causes.iter().map(|cause| {
                let mut fields = Map::new();
                for (name, text) in [("reason", &cause.reason), ("message", &cause.message), ("field", &cause.field)] {
                    if !text.is_empty() {
                        fields.insert(name.into(), text.clone().into());
                    }
                }
                Value::Object(fields)
            });
            fields.insert("causes".into(), causes.collect());
        }
        if self.retry_after_seconds > 0 {
            fields.insert("retryAfterSeconds".into(), self.retry_after_seconds.into());
        }
        Value::Object(fields)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Status {}

impl ErrorKind {
    /// The reason of a cause.
    pub fn reason(self) -> &'static str {
        match self {
            ErrorKind::NotFound => "FieldValueNotFound",
            ErrorKind::Required => "FieldValueRequired",
            ErrorKind::Duplicate => "FieldValueDuplicate",
            ErrorKind::Invalid => "FieldValueInvalid",
            ErrorKind::TypeInvalid => "FieldValueTypeInvalid",
            ErrorKind::NotSupported => "FieldValueNotSupported",
            ErrorKind::Forbidden => "FieldValueForbidden",
            ErrorKind::TooLong => "FieldValueTooLong",
            ErrorKind::TooMany => "FieldValueTooMany",
            ErrorKind::Internal => "InternalError",
        }
    }
}
