//! Walks through objects, and tells a [`Sink`] of each value in them.

use std::fmt::{Display, Error};

use serde::Serialize;
use serde::ser::{self, Impossible, Serializer};
use serde_json::{Map, Number, Value};

use super::sink::{Scalar, Shape, Sink, Trees};
use crate::schema::{Absent, Field, Type, fields};

/// What is known of a value before it is written.
#[derive(Clone, Copy)]
pub(super) struct Known {
    ty: Type,
    /// Fields that are not written.
    left_out: &'static [&'static str],
    /// An object of whose metadata that is so.
    left_out_of_metadata: &'static [&'static str],
    /// An empty list is written as `null`: the store keeps none.
    is_nil_when_empty: bool,
    is_owned_fields: bool,
}

impl From<Type> for Known {
    fn from(ty: Type) -> Known {
        Known { ty, left_out: &[], left_out_of_metadata: &[], is_nil_when_empty: false, is_owned_fields: false }
    }
}

impl Known {
    /// An item of a list of objects, which says for all what they are.
    pub fn item(ty: Type) -> Known {
        Known { left_out: &["apiVersion", "kind"], ..Known::from(ty) }
    }

    /// An object without its managers.
    pub fn unmanaged(ty: Type) -> Known {
        Known { left_out_of_metadata: &["managedFields"], ..Known::from(ty) }
    }

    pub fn owned_fields() -> Known {
        Known { is_owned_fields: true, ..Known::from(Type::Any) }
    }

    fn shape(self) -> Shape {
        match self.ty {
            Type::Struct(_) => Shape::Struct,
            _ if self.is_owned_fields => Shape::Owned,
            _ => Shape::Map,
        }
    }

    /// What the items of a list are.
    fn element(self) -> Known {
        match self.ty {
            Type::List(element) => element.get().into(),
            other => other.into(),
        }
    }
}

/// Serializes whatever is `Serialize` into a sink. One type for all sinks, so that each of the many types of objects is
/// compiled for it once.
pub struct Writer<'a> {
    known: Known,
    /// A text is JSON: objects keep the fields that a manager owns so.
    is_text: bool,
    sink: &'a mut dyn Sink,
}

impl<'a> Writer<'a> {
    pub(super) fn new(known: impl Into<Known>, sink: &'a mut dyn Sink) -> Writer<'a> {
        Writer { known: known.into(), is_text: false, sink }
    }

    /// A value of a type of ours or of `k8s-openapi`.
    pub(crate) fn value<T: Serialize + ?Sized>(self, value: &T) {
        value.serialize(self).expect("a value of the API always has a JSON form");
    }

    /// An object that is kept as JSON, but for its metadata.
    pub(crate) fn tree(self, rest: &Value, metadata: &impl Serialize) {
        let Some(rest) = rest.as_object() else { return value(self.known, rest, Walk::FILL, self.sink) };
        let mut fields = Fields::begin(self.known, self.sink);
        let (before, after): (Vec<_>, Vec<_>) = rest.iter().partition(|(name, _)| name.as_str() < "metadata");
        for (name, inner) in before {
            fields.write(name, |known, sink| value(known, inner, Walk::FILL, sink));
        }
        fields.write("metadata", |known, sink| Writer::new(known, sink).value(metadata));
        for (name, inner) in after {
            fields.write(name, |known, sink| value(known, inner, Walk::FILL, sink));
        }
        fields.end_filled();
    }
}

/// What has names in it: a struct or a map.
struct Fields<'a> {
    sink: &'a mut dyn Sink,
    /// The fields that the struct can have; none in a map.
    fields: &'static [Field],
    /// What the map's values, and a struct's unknown fields are.
    others: Known,
    /// What the whole is.
    whole: Known,
    /// The fields that were written, a bit each at their place.
    written: u64,
}

impl<'a> Fields<'a> {
    fn begin(known: Known, sink: &'a mut dyn Sink) -> Fields<'a> {
        Fields::begin_as(known.shape(), known, sink)
    }

    fn begin_as(shape: Shape, known: Known, sink: &'a mut dyn Sink) -> Fields<'a> {
        sink.begin(shape);
        let (fields, others) = match known.ty {
            Type::Struct(type_name) => (fields(type_name), Type::Any.into()),
            Type::Map(element) => (Default::default(), element.get().into()),
            _ if known.is_owned_fields => (Default::default(), known),
            _ => (Default::default(), Type::Any.into()),
        };
        Fields { sink, fields, others, whole: known, written: 0 }
    }

    fn write(&mut self, name: &str, write: impl FnOnce(Known, &mut dyn Sink)) {
        if self.whole.left_out.contains(&name) {
            return;
        }
        let place = self.fields.iter().position(|field| field.name == name);
        let mut known = place.map_or(self.others, |place| {
            self.written |= 1 << place;
            let Field { ty, absent, .. } = self.fields[place];
            let is_nil_when_empty = absent == Absent::Null;
            let is_owned_fields = name == "fieldsV1";
            Known { is_nil_when_empty, is_owned_fields, ..Known::from(ty) }
        });
        if name == "metadata" {
            known.left_out = self.whole.left_out_of_metadata;
        }
        self.sink.name(name, place.unwrap_or(self.fields.len()));
        write(known, self.sink);
    }

    fn end(self) {
        self.sink.end();
    }

    /// Ends with the fields that Go writes though they hold nothing.
    fn end_filled(self) {
        for (place, field) in self.fields.iter().enumerate() {
            if field.absent == Absent::Omitted || self.written & 1 << place != 0 {
                continue;
            }
            self.sink.name(field.name, place);
            match field.absent {
                Absent::Omitted => {}
                Absent::Null => self.sink.scalar(Scalar::Null),
                Absent::Zero => self.sink.scalar(Scalar::Number(0.into())),
                Absent::Empty => {
                    self.sink.begin(Shape::Map);
                    self.sink.end();
                }
            }
        }
        self.end();
    }
}

/// How a tree is walked through.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    /// A patch that was merged into the tree: what the objects in it have touched is a sorted map now.
    pub patch: &'a Value,
    /// Objects that say what they are have the fields of their type.
    pub detects: bool,
    /// What Go writes though it holds nothing is written too.
    pub fills: bool,
}

impl Walk<'_> {
    const FILL: Walk<'static> = Walk { patch: &Value::Null, detects: false, fills: true };
    pub const DOCUMENT: Walk<'static> = Walk { patch: &Value::Null, detects: true, fills: false };
}

/// Writes a tree of which perhaps something is known.
pub(super) fn value(known: Known, value: &Value, walk: Walk, sink: &mut dyn Sink) {
    match value {
        Value::Null => sink.scalar(Scalar::Null),
        Value::Bool(value) => sink.scalar(Scalar::Bool(*value)),
        Value::Number(value) => sink.scalar(Scalar::Number(value.clone())),
        Value::String(value) => sink.scalar(Scalar::String(value)),
        Value::Array(items) if items.is_empty() && known.is_nil_when_empty && walk.fills => sink.scalar(Scalar::Null),
        Value::Array(items) => {
            sink.begin(Shape::List);
            let walk = Walk { patch: &Value::Null, ..walk };
            items.iter().for_each(|item| self::value(known.element(), item, walk, sink));
            sink.end();
        }
        Value::Object(entries) => object(known, entries, walk, sink),
    }
}

fn object(known: Known, entries: &Map<String, Value>, walk: Walk, sink: &mut dyn Sink) {
    let said = if walk.detects && known.ty == Type::Any { type_said(entries) } else { None };
    let (known, patch) = match said {
        Some(type_name) => (Type::Struct(type_name).into(), &Value::Null),
        None => (known, walk.patch),
    };
    let shape = if patch.is_object() { Shape::Map } else { known.shape() };
    let mut fields = Fields::begin_as(shape, known, sink);
    for (name, inner) in entries {
        let walk = Walk { patch: patch.get(name).unwrap_or(&Value::Null), ..walk };
        fields.write(name, |known, sink| value(known, inner, walk, sink));
    }
    if walk.fills { fields.end_filled() } else { fields.end() }
}

fn type_said(fields: &Map<String, Value>) -> Option<&'static str> {
    crate::schema::of_document(fields.get("apiVersion")?.as_str()?, fields.get("kind")?.as_str()?)
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Entries<'a>;
    type SerializeStruct = Entries<'a>;
    type SerializeStructVariant = Impossible<(), Error>;

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.scalar(Scalar::Bool(value))
    }

    fn serialize_i8(self, value: i8) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        self.scalar(Scalar::Number(value.into()))
    }

    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        self.scalar(Scalar::Number(value.into()))
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.scalar(Number::from_f64(value).map_or(Scalar::Null, Scalar::Number))
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        if self.is_text {
            self.sink.text(value);
            return Ok(());
        }
        self.scalar(Scalar::String(value))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.scalar(Scalar::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.scalar(Scalar::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.scalar(Scalar::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.scalar(Scalar::String(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), Error> {
        if !matches!(name, "RawExtension" | "JSON") {
            return value.serialize(Writer { is_text: name == "FieldsV1", ..self });
        }
        // An object inside says itself what it is, perhaps after its other fields.
        let mut trees = Trees::default();
        value.serialize(Writer::new(Type::Any, &mut trees))?;
        self::value(self.known, &trees.finish(), Walk::DOCUMENT, self.sink);
        Ok(())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        Err(Error)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Items<'a>, Error> {
        let is_nil = self.known.is_nil_when_empty && length == Some(0);
        if is_nil {
            self.sink.scalar(Scalar::Null);
        } else {
            self.sink.begin(Shape::List);
        }
        Ok(Items { element: self.known.element(), is_nil, sink: self.sink })
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        Err(Error)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        Err(Error)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(Error)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'a>, Error> {
        Ok(Entries { fields: Fields::begin(self.known, self.sink), name: String::new() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries<'a>, Error> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(Error)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.serialize_str(&value.to_string())
    }
}

impl Writer<'_> {
    fn scalar(self, value: Scalar) -> Result<(), Error> {
        self.sink.scalar(value);
        Ok(())
    }
}

pub struct Items<'a> {
    element: Known,
    is_nil: bool,
    sink: &'a mut dyn Sink,
}

impl ser::SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(Writer::new(self.element, self.sink))
    }

    fn end(self) -> Result<(), Error> {
        if !self.is_nil {
            self.sink.end();
        }
        Ok(())
    }
}

/// The fields of a struct, or the entries of a map.
pub struct Entries<'a> {
    fields: Fields<'a>,
    /// The key whose value comes next.
    name: String,
}

impl Entries<'_> {
    fn put<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        let mut result = Ok(());
        self.fields.write(name, |known, sink| result = value.serialize(Writer::new(known, sink)));
        result
    }
}

impl ser::SerializeStruct for Entries<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        self.put(name, value)
    }

    fn end(self) -> Result<(), Error> {
        self.fields.end_filled();
        Ok(())
    }
}

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.name.clear();
        key.serialize(Writer::new(Type::Any, &mut Key(&mut self.name)))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let name = std::mem::take(&mut self.name);
        self.put(&name, value)?;
        self.name = name;
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        self.fields.end_filled();
        Ok(())
    }
}

/// Takes the text of a key.
struct Key<'a>(&'a mut String);

impl Sink for Key<'_> {
    fn scalar(&mut self, value: Scalar) {
        if let Scalar::String(text) = value {
            self.0.push_str(text);
        }
    }

    fn begin(&mut self, _: Shape) {}

    fn name(&mut self, _: &str, _: usize) {}

    fn end(&mut self) {}

    fn text(&mut self, _: &str) {}
}
