//! What the pipeline asks of a kind: upstream's `rest.RESTCreateStrategy` and its sisters.

use std::borrow::Cow;
use std::sync::Arc;

use api::field::Errors;
use api::k8s_openapi::Resource;
use api::object::Tree;
use api::{Kinded, Object, Propagation};

use crate::custom::CustomResource;

/// A kind's rules. The pipeline owns everything common (metadata, finalizers, generations, optimistic concurrency): a
/// strategy only says what differs. Every method has the answer of a plain kind as its default.
pub trait Strategy: Kinded + Object + Clone + PartialEq {
    /// PUT to a name that does not exist creates it (Lease, LimitRange, Service, Event, Role).
    const CREATE_ON_UPDATE: bool = false;
    /// PUT without a `resourceVersion` overwrites whatever is there.
    const UNCONDITIONAL_UPDATE: bool = true;
    /// DELETE answers with the object in place of a `Status`.
    const DELETE_RETURNS_OBJECT: bool = false;
    /// What a DELETE without `propagationPolicy` does to dependents.
    const DELETE_PROPAGATION: Propagation = Propagation::Background;
    /// `metadata.generation` is kept: 1 at creation, one more for each change of the specification.
    const HAS_GENERATION: bool = false;
    /// Field selectors beyond `metadata.name` and `metadata.namespace`.
    const FIELDS: &'static [&'static str] = &[];

    /// Fills in what the manifest left out. Runs on every decoded object and on every patch result.
    fn default(&mut self) {}

    /// Drops what a creator may not set, such as `status`.
    fn prepare_for_create(&mut self) {}

    /// Keeps what an update may not change silently, such as `status`.
    fn prepare_for_update(&mut self, _old: &Self) {}

    /// Keeps everything but `status` (and the metadata that may go with it).
    fn prepare_for_status_update(&mut self, _old: &Self) {}

    /// Equal where `metadata.generation` is concerned: called after `prepare_for_update`.
    fn same_generation(&self, _old: &Self) -> bool {
        true
    }

    /// What is wrong with the name, as in upstream's `ValidateObjectMeta`. `prefix`: it is a `generateName`.
    fn validate_name(name: &str, prefix: bool) -> Vec<String>;

    /// The kind's own rules; metadata has been checked.
    fn validate(&self) -> Errors {
        Errors::new()
    }

    /// Rules about the change, including those of [`Strategy::validate`] where upstream checks them again.
    fn validate_update(&self, _old: &Self) -> Errors {
        self.validate()
    }

    fn validate_status_update(&self, _old: &Self) -> Errors {
        Errors::new()
    }

    /// What a client is warned of though the object is accepted. Of an update, which leaves the name and often the
    /// specification as they were, not everything is told again.
    fn warnings(&self, _is_new: bool) -> Vec<String> {
        Vec::new()
    }

    /// The value of one of [`Strategy::FIELDS`].
    fn field(&self, _name: &str) -> Cow<'_, str> {
        Cow::Borrowed("")
    }
}

/// The same for a kind whose objects are [`Tree`]s. What differs in the defaults: `status` is kept apart where the kind has
/// such a subresource.
pub trait TreeStrategy {
    const GROUP: &'static str;
    const KIND: &'static str;
    const CREATE_ON_UPDATE: bool = false;
    const UNCONDITIONAL_UPDATE: bool = true;
    const DELETE_RETURNS_OBJECT: bool = false;
    const HAS_GENERATION: bool = false;
    /// `status` is written through its subresource alone.
    const HAS_STATUS: bool = false;
    const FIELDS: &'static [&'static str] = &[];

    fn default(_object: &mut Tree) {}

    fn prepare_for_create(object: &mut Tree) {
        if Self::HAS_STATUS {
            object.set("status", Some(serde_json::json!({})));
        }
    }

    fn prepare_for_update(object: &mut Tree, old: &Tree) {
        if Self::HAS_STATUS {
            object.set("status", old.get("status").cloned());
        }
    }

    fn prepare_for_status_update(object: &mut Tree, old: &Tree) {
        let status = object.get("status").cloned();
        object.clone_fields_from(old);
        object.set("status", status);
    }

    fn same_generation(object: &Tree, old: &Tree) -> bool {
        object.get("spec") == old.get("spec")
    }

    fn validate_name(name: &str, prefix: bool) -> Vec<String> {
        crate::registry::subdomain_name(name, prefix)
    }

    fn validate(_object: &Tree) -> Errors {
        Errors::new()
    }

    fn validate_update(object: &Tree, _old: &Tree) -> Errors {
        Self::validate(object)
    }

    fn validate_status_update(_object: &Tree, _old: &Tree) -> Errors {
        Errors::new()
    }

    fn warnings(_object: &Tree, _is_new: bool) -> Vec<String> {
        Vec::new()
    }

    fn field<'a>(_object: &'a Tree, _name: &str) -> Cow<'a, str> {
        Cow::Borrowed("")
    }
}

/// A strategy with its type erased: a row of `registry::STRATEGIES`.
pub struct Rules {
    pub group: &'static str,
    pub kind: &'static str,
    pub create_on_update: bool,
    pub unconditional_update: bool,
    pub delete_returns_object: bool,
    pub delete_propagation: Propagation,
    pub has_generation: bool,
    pub fields: &'static [&'static str],
    pub default: fn(&mut dyn Object),
    pub prepare_for_create: fn(&mut dyn Object),
    pub prepare_for_update: fn(&mut dyn Object, &dyn Object),
    pub prepare_for_status_update: fn(&mut dyn Object, &dyn Object),
    pub same_generation: fn(&dyn Object, &dyn Object) -> bool,
    pub validate_name: fn(&str, bool) -> Vec<String>,
    pub validate: fn(&dyn Object) -> Errors,
    pub validate_update: fn(&dyn Object, &dyn Object) -> Errors,
    pub validate_status_update: fn(&dyn Object, &dyn Object) -> Errors,
    pub warnings: fn(&dyn Object, bool) -> Vec<String>,
    pub field: for<'a> fn(&'a dyn Object, &str) -> Cow<'a, str>,
}

impl Rules {
    pub const fn of<T: Strategy>() -> Rules {
        Rules {
            group: <T as Resource>::GROUP,
            kind: <T as Resource>::KIND,
            create_on_update: T::CREATE_ON_UPDATE,
            unconditional_update: T::UNCONDITIONAL_UPDATE,
            delete_returns_object: T::DELETE_RETURNS_OBJECT,
            delete_propagation: T::DELETE_PROPAGATION,
            has_generation: T::HAS_GENERATION,
            fields: T::FIELDS,
            default: |object| T::default(exact_mut(object)),
            prepare_for_create: |object| T::prepare_for_create(exact_mut(object)),
            prepare_for_update: |object, old| T::prepare_for_update(exact_mut(object), exact(old)),
            prepare_for_status_update: |object, old| T::prepare_for_status_update(exact_mut(object), exact(old)),
            same_generation: |object, old| T::same_generation(exact(object), exact(old)),
            validate_name: T::validate_name,
            validate: |object| T::validate(exact(object)),
            validate_update: |object, old| T::validate_update(exact(object), exact(old)),
            validate_status_update: |object, old| T::validate_status_update(exact(object), exact(old)),
            warnings: |object, is_new| T::warnings(exact(object), is_new),
            field: |object, name| T::field(exact(object), name),
        }
    }

    pub const fn tree<S: TreeStrategy>() -> Rules {
        Rules {
            group: S::GROUP,
            kind: S::KIND,
            create_on_update: S::CREATE_ON_UPDATE,
            unconditional_update: S::UNCONDITIONAL_UPDATE,
            delete_returns_object: S::DELETE_RETURNS_OBJECT,
            delete_propagation: Propagation::Background,
            has_generation: S::HAS_GENERATION,
            fields: S::FIELDS,
            default: |object| S::default(exact_mut(object)),
            prepare_for_create: |object| S::prepare_for_create(exact_mut(object)),
            prepare_for_update: |object, old| S::prepare_for_update(exact_mut(object), exact(old)),
            prepare_for_status_update: |object, old| S::prepare_for_status_update(exact_mut(object), exact(old)),
            same_generation: |object, old| S::same_generation(exact(object), exact(old)),
            validate_name: S::validate_name,
            validate: |object| S::validate(exact(object)),
            validate_update: |object, old| S::validate_update(exact(object), exact(old)),
            validate_status_update: |object, old| S::validate_status_update(exact(object), exact(old)),
            warnings: |object, is_new| S::warnings(exact(object), is_new),
            field: |object, name| S::field(exact(object), name),
        }
    }
}

/// The rules of a kind: a built-in's row, or what a CustomResourceDefinition says.
#[derive(Clone)]
pub(crate) enum KindRules {
    BuiltIn(&'static Rules),
    Custom(Arc<CustomResource>),
}

impl KindRules {
    pub fn create_on_update(&self) -> bool {
        matches!(self, KindRules::BuiltIn(rules) if rules.create_on_update)
    }

    pub fn unconditional_update(&self) -> bool {
        matches!(self, KindRules::BuiltIn(rules) if rules.unconditional_update)
    }

    pub fn delete_returns_object(&self) -> bool {
        matches!(self, KindRules::BuiltIn(rules) if rules.delete_returns_object)
    }

    pub fn delete_propagation(&self) -> Propagation {
        match self {
            KindRules::BuiltIn(rules) => rules.delete_propagation,
            KindRules::Custom(_) => Propagation::Background,
        }
    }

    pub fn has_generation(&self) -> bool {
        match self {
            KindRules::BuiltIn(rules) => rules.has_generation,
            KindRules::Custom(_) => true,
        }
    }

    pub fn fields(&self) -> &[&'static str] {
        match self {
            KindRules::BuiltIn(rules) => rules.fields,
            KindRules::Custom(resource) => resource.fields(),
        }
    }

    pub fn field<'a>(&self, object: &'a dyn Object, name: &str) -> Cow<'a, str> {
        match self {
            KindRules::BuiltIn(rules) => (rules.field)(object, name),
            KindRules::Custom(resource) => Cow::Owned(resource.field(object, name)),
        }
    }

    pub fn default(&self, object: &mut dyn Object) {
        match self {
            KindRules::BuiltIn(rules) => (rules.default)(object),
            // Its defaults stand in the schema with which it was decoded.
            KindRules::Custom(_) => {}
        }
    }

    pub fn prepare_for_create(&self, object: &mut dyn Object) {
        match self {
            KindRules::BuiltIn(rules) => (rules.prepare_for_create)(object),
            KindRules::Custom(resource) => resource.prepare_for_create(object),
        }
    }

    pub fn prepare_for_update(&self, object: &mut dyn Object, old: &dyn Object) {
        match self {
            KindRules::BuiltIn(rules) => (rules.prepare_for_update)(object, old),
            KindRules::Custom(resource) => resource.prepare_for_update(object, old),
        }
    }

    pub fn prepare_for_status_update(&self, object: &mut dyn Object, old: &dyn Object) {
        match self {
            KindRules::BuiltIn(rules) => (rules.prepare_for_status_update)(object, old),
            KindRules::Custom(resource) => resource.prepare_for_status_update(object, old),
        }
    }

    pub fn same_generation(&self, object: &dyn Object, old: &dyn Object) -> bool {
        match self {
            KindRules::BuiltIn(rules) => (rules.same_generation)(object, old),
            KindRules::Custom(resource) => resource.same_generation(object, old),
        }
    }

    pub fn validate_name(&self, name: &str, prefix: bool) -> Vec<String> {
        match self {
            KindRules::BuiltIn(rules) => (rules.validate_name)(name, prefix),
            KindRules::Custom(_) => crate::registry::subdomain_name(name, prefix),
        }
    }

    pub fn validate(&self, object: &dyn Object) -> Errors {
        match self {
            KindRules::BuiltIn(rules) => (rules.validate)(object),
            KindRules::Custom(resource) => resource.validate(object, None),
        }
    }

    pub fn validate_update(&self, object: &dyn Object, old: &dyn Object) -> Errors {
        match self {
            KindRules::BuiltIn(rules) => (rules.validate_update)(object, old),
            KindRules::Custom(resource) => resource.validate(object, Some(old)),
        }
    }

    pub fn validate_status_update(&self, object: &dyn Object, old: &dyn Object) -> Errors {
        match self {
            KindRules::BuiltIn(rules) => (rules.validate_status_update)(object, old),
            KindRules::Custom(resource) => resource.validate(object, Some(old)),
        }
    }

    /// `is_new`: the object is created, and not updated.
    pub fn warnings(&self, object: &dyn Object, is_new: bool) -> Vec<String> {
        match self {
            KindRules::BuiltIn(rules) => (rules.warnings)(object, is_new),
            KindRules::Custom(_) => Vec::new(),
        }
    }
}

fn exact<T: Object>(object: &dyn Object) -> &T {
    object.downcast_ref().expect("rules are looked up by the object's own kind")
}

fn exact_mut<T: Object>(object: &mut dyn Object) -> &mut T {
    object.downcast_mut().expect("rules are looked up by the object's own kind")
}
