//! Objects with their type erased: what the store, the watches and the request pipeline handle.

use std::any::Any;
use std::fmt::{self, Debug, Formatter};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::kinds::{KindId, Kinded};
use crate::wire::Writer;

/// One API object. Implemented by every typed kind of [`crate::kinds`], and by the JSON trees of custom resources.
pub trait Object: Any + Send + Sync {
    fn kind_id(&self) -> KindId;
    fn meta(&self) -> &ObjectMeta;
    fn meta_mut(&mut self) -> &mut ObjectMeta;
    /// Writes the object, with `apiVersion` and `kind`.
    fn write(&self, writer: Writer);
    /// The object as JSON.
    fn to_value(&self) -> Value {
        crate::wire::plain(self)
    }
    /// A copy to change.
    fn draft(&self) -> Draft;
    /// Equal in every field.
    fn equals(&self, other: &dyn Object) -> bool;
}

/// A shared object that nobody changes any more.
pub type ObjectRef = Arc<dyn Object>;

/// An object that is being made: nobody else holds it, so that it may change. To share it copies nothing.
#[derive(Debug)]
pub struct Draft(ObjectRef);

impl Draft {
    pub fn new(object: impl Object) -> Draft {
        Draft(Arc::new(object))
    }

    pub fn share(self) -> ObjectRef {
        self.0
    }
}

impl Deref for Draft {
    type Target = dyn Object;

    fn deref(&self) -> &dyn Object {
        &*self.0
    }
}

impl DerefMut for Draft {
    fn deref_mut(&mut self) -> &mut dyn Object {
        Arc::get_mut(&mut self.0).expect("a draft has one holder")
    }
}

impl<T> Object for T
where
    T: Kinded + Serialize + Clone + PartialEq + Send + Sync + 'static,
{
    fn kind_id(&self) -> KindId {
        T::ID
    }

    fn meta(&self) -> &ObjectMeta {
        self.metadata()
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.metadata_mut()
    }

    fn write(&self, writer: Writer) {
        writer.value(self);
    }

    fn draft(&self) -> Draft {
        Draft::new(self.clone())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.downcast_ref::<T>().is_some_and(|other| self == other)
    }
}

impl dyn Object {
    pub fn downcast_ref<T: Object>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }

    pub fn downcast_mut<T: Object>(&mut self) -> Option<&mut T> {
        (self as &mut dyn Any).downcast_mut()
    }

    pub fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }

    pub fn namespace(&self) -> &str {
        self.meta().namespace.as_deref().unwrap_or_default()
    }

    pub fn uid(&self) -> &str {
        self.meta().uid.as_deref().unwrap_or_default()
    }

    /// The revision at which the object was last written; 0 for one that has not been stored.
    pub fn revision(&self) -> u64 {
        crate::meta::revision(self.meta())
    }
}

/// Its name alone: to print whole objects of every kind would cost the page much code.
impl Debug for dyn Object {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kind = crate::kinds::row(self.kind_id());
        write!(f, "{}/{}/{}", kind.plural, self.namespace(), self.name())
    }
}

/// The typed view of a shared object, without copying it.
pub fn typed<T: Object>(object: &ObjectRef) -> Option<Arc<T>> {
    let any: Arc<dyn Any + Send + Sync> = object.clone();
    any.downcast().ok()
}

/// An object that has no Rust type: the `Scale` of a workload, a custom resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    kind: KindId,
    meta: ObjectMeta,
    /// Everything but `metadata`.
    rest: Value,
}

impl Tree {
    pub fn new(kind: KindId, mut value: Value) -> Tree {
        let meta = value.as_object_mut().and_then(|fields| fields.remove("metadata")).unwrap_or_default();
        Tree { kind, meta: crate::decode::typed(meta).unwrap_or_default(), rest: value }
    }

    /// The same object as one of another kind.
    pub fn into_kind(self, kind: KindId, api_version: &str) -> Tree {
        let mut tree = Tree { kind, ..self };
        tree.set("apiVersion", Some(api_version.into()));
        tree
    }

    /// Everything but `metadata`.
    pub fn fields(&self) -> &Value {
        &self.rest
    }

    /// A field of the object, other than `metadata`.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.rest.get(field)
    }

    /// A value by its JSON pointer, such as `/spec/group`.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.rest.pointer(pointer)
    }

    /// The text at a JSON pointer; empty when there is none.
    pub fn text(&self, pointer: &str) -> &str {
        self.at(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Every field but `metadata`, for whoever changes them.
    pub fn fields_mut(&mut self) -> &mut Map<String, Value> {
        if !self.rest.is_object() {
            self.rest = Value::Object(Map::new());
        }
        self.rest.as_object_mut().expect("it has just been made an object")
    }

    pub fn set(&mut self, field: &str, value: Option<Value>) {
        match value {
            Some(value) => self.fields_mut().insert(field.into(), value),
            None => self.fields_mut().remove(field),
        };
    }

    /// Takes over every field but `metadata`.
    pub fn clone_fields_from(&mut self, other: &Tree) {
        self.rest.clone_from(&other.rest);
    }
}

impl Object for Tree {
    fn kind_id(&self) -> KindId {
        self.kind
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }

    fn write(&self, writer: Writer) {
        writer.tree(&self.rest, &self.meta);
    }

    fn draft(&self) -> Draft {
        Draft::new(self.clone())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.downcast_ref::<Tree>().is_some_and(|other| self == other)
    }
}
