//! The expressions of admission policies: what they may name, and how they are compiled. Upstream:
//! `apiserver/pkg/admission/plugin/cel`.
//!
//! Differs: types of objects are not looked at.

use cel::{Env, Program, Type};

/// What an expression must yield.
#[derive(Clone, Copy)]
pub(crate) enum Yields {
    Anything,
    Bool,
    Text,
    TextOrNull,
}

/// What the expressions of a policy may name, but for its own variables.
pub(crate) fn env(has_params: bool) -> Env {
    let mut env = Env::new();
    for name in ["object", "oldObject", "namespaceObject"] {
        env.declare(name, Type::Dyn);
    }
    env.declare("authorizer", Type::Opaque("kubernetes.authorization.Authorizer"));
    env.declare("request", request());
    env.declare("variables", Type::object("kubernetes.variables", []));
    if has_params {
        env.declare("params", Type::Dyn);
    }
    env
}

/// `AdmissionRequest` without its objects.
fn request() -> Type {
    let texts = |name: &str, fields: [&'static str; 3]| Type::object(name, fields.map(|field| (field, Type::String)));
    let kind = || texts("kubernetes.GroupVersionKind", ["group", "version", "kind"]);
    let resource = || texts("kubernetes.GroupVersionResource", ["group", "version", "resource"]);
    let user = Type::object(
        "kubernetes.UserInfo",
        [
            ("username", Type::String),
            ("uid", Type::String),
            ("groups", Type::list(Type::String)),
            ("extra", Type::map(Type::String, Type::list(Type::String))),
        ],
    );
    Type::object(
        "kubernetes.AdmissionRequest",
        [
            ("kind", kind()),
            ("resource", resource()),
            ("subResource", Type::String),
            ("requestKind", kind()),
            ("requestResource", resource()),
            ("requestSubResource", Type::String),
            ("name", Type::String),
            ("namespace", Type::String),
            ("operation", Type::String),
            ("userInfo", user),
            ("dryRun", Type::Bool),
            ("options", Type::Dyn),
        ],
    )
}

/// `Err` is upstream's complaint.
pub(crate) fn compile(env: &Env, source: &str, yields: Yields) -> Result<Program, String> {
    let program = env.compile(source).map_err(|error| format!("compilation failed: {error}"))?;
    let (fits, wanted) = match (yields, program.output()) {
        (Yields::Anything, _) | (_, Type::Dyn) => (true, ""),
        (Yields::Bool, output) => (*output == Type::Bool, "bool"),
        (Yields::Text, output) => (*output == Type::String, "string"),
        (Yields::TextOrNull, output) => (matches!(output, Type::String | Type::Null), "one of [string null_type]"),
    };
    if fits { Ok(program) } else { Err(format!("must evaluate to {wanted} but got {}", program.output())) }
}
