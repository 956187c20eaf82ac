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
    /// What is to be applied.
    Object,
    /// A JSON patch.
    Patches,
}

/// What the expressions of a policy may name, but for its own variables.
pub(crate) fn env(has_params: bool) -> Env {
    let mut env = Env::new();
    for name in ["object", "oldObject", "namespaceObject"] {
        env.declare(name, Type::Dyn);
    }
    env.declare("authorizer", Type::Opaque("kubernetes.authorization.Authorizer"));
    env.declare("authorizer.requestResource", Type::Opaque("kubernetes.authorization.ResourceCheck"));
    env.declare("request", request());
    if has_params {
        env.declare("params", Type::Dyn);
    }
    env
}

/// The variables of a policy, as far as their types are known.
pub(crate) fn declare_variables(env: &mut Env, types: &[(&str, Type)]) {
    env.declare("variables", Type::object("kubernetes.variables", types.iter().cloned()));
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
    let output = program.output();
    let (fits, wanted) = match yields {
        Yields::Anything => (true, ""),
        Yields::Bool => (*output == Type::Bool, "bool"),
        Yields::Text => (*output == Type::String, "string"),
        Yields::TextOrNull => {
            let fits = matches!(output, Type::String | Type::Null);
            return if fits { Ok(program) } else { Err("must evaluate to one of [string null_type]".into()) };
        }
        Yields::Object => (output.to_string() == "Object", "Object"),
        Yields::Patches => (output.to_string() == "list(JSONPatch)", "list(JSONPatch)"),
    };
    if fits { Ok(program) } else { Err(format!("must evaluate to {wanted} but got {output}")) }
}
