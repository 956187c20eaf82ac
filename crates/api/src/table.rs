//! Printer columns: what `kubectl get` shows of each kind. Upstream's `pkg/printers/internalversion`.
//!
//! [`columns`] and [`cells`] are pure; the API server puts them into `Table` answers and kubectl prints them. Kinds
//! without printers of their own show name and age.

pub mod age;
mod batch;
mod config;
mod format;
mod network;
mod node;
pub mod pod;
mod policy;
mod rbac;
mod storage;
mod tree;
mod workload;

use std::any::Any;

use serde_json::Value;

pub use format::label_selector;

use crate::kinds::Kind;
use crate::object::Object;
use crate::time::SimTime;

/// One column of a kind's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    /// `string`, `integer`, `boolean`, `date`
    pub data_type: &'static str,
    /// `name` for the column of names.
    pub format: &'static str,
    /// 0 is always shown, 1 only with `-o wide`.
    pub priority: u8,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Text(String),
    Int(i64),
    Bool(bool),
    /// Of a custom resource: numbers with fractions, and what is not there.
    Value(Value),
}

impl Cell {
    pub fn to_value(&self) -> Value {
        match self {
            Cell::Text(text) => Value::from(text.as_str()),
            Cell::Int(number) => Value::from(*number),
            Cell::Bool(value) => Value::from(*value),
            Cell::Value(value) => value.clone(),
        }
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cell::Text(text) => f.write_str(text),
            Cell::Int(number) => number.fmt(f),
            Cell::Bool(value) => value.fmt(f),
            Cell::Value(Value::Null) => f.write_str("<none>"),
            Cell::Value(value) => value.fmt(f),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.into())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

impl From<i32> for Cell {
    fn from(number: i32) -> Cell {
        Cell::Int(number.into())
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Cell {
        Cell::Int(number)
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Cell {
        Cell::Int(number as i64)
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Cell {
        Cell::Bool(value)
    }
}

const fn col(name: &'static str) -> Column {
    Column { name, data_type: "string", format: "", priority: 0 }
}

const fn int(name: &'static str) -> Column {
    Column { data_type: "integer", ..col(name) }
}

const fn boolean(name: &'static str) -> Column {
    Column { data_type: "boolean", ..col(name) }
}

const fn wide(name: &'static str) -> Column {
    Column { priority: 1, ..col(name) }
}

pub(crate) const NAME: Column = Column { format: "name", ..col("Name") };
pub(crate) const AGE: Column = col("Age");
const CREATED_AT: Column = Column { data_type: "date", ..col("Created At") };

/// The printer of one kind. Objects come as `Any`, because a printer may exist before its kind is in the table of kinds.
struct Printer {
    group: &'static str,
    kind: &'static str,
    columns: &'static [Column],
    cells: fn(&dyn Any, SimTime) -> Option<Vec<Cell>>,
}

/// One row of a module's `PRINTERS`: the type, its columns, and the function from object and moment to cells.
macro_rules! printer {
    ($type:ty, $columns:expr, $cells:path) => {
        $crate::table::Printer {
            group: <$type as k8s_openapi::Resource>::GROUP,
            kind: <$type as k8s_openapi::Resource>::KIND,
            columns: $columns,
            cells: |object, now| object.downcast_ref::<$type>().map(|object| $cells(object, now)),
        }
    };
}
use printer;

/// The same for a kind whose objects are trees.
macro_rules! tree_printer {
    ($group:expr, $kind:literal, $columns:expr, $cells:path) => {
        $crate::table::Printer {
            group: $group,
            kind: $kind,
            columns: $columns,
            cells: |object, now| object.downcast_ref::<$crate::object::Tree>().map(|object| $cells(object, now)),
        }
    };
}
use tree_printer;

static PRINTERS: &[&[Printer]] = &[
    pod::PRINTERS,
    workload::PRINTERS,
    batch::PRINTERS,
    network::PRINTERS,
    node::PRINTERS,
    config::PRINTERS,
    storage::PRINTERS,
    policy::PRINTERS,
    rbac::PRINTERS,
    tree::PRINTERS,
];

static NAME_AND_AGE: &[Column] = &[NAME, AGE];

fn printer_of(kind: &Kind) -> Option<&'static Printer> {
    let all = PRINTERS.iter().flat_map(|module| module.iter());
    all.into_iter().find(|printer| printer.kind == kind.kind && printer.group == kind.group)
}

/// The columns of a kind, wide ones included.
pub fn columns(kind: &Kind) -> &'static [Column] {
    if let Some(custom) = kind.custom {
        return &custom.columns;
    }
    printer_of(kind).map_or(NAME_AND_AGE, |printer| printer.columns)
}

/// The cells of an object, one for each of [`columns`].
pub fn cells(kind: &Kind, object: &dyn Object, now: SimTime) -> Vec<Cell> {
    if let Some(custom) = kind.custom {
        return custom.cells(object, now);
    }
    let any = object as &dyn Any;
    printer_of(kind)
        .and_then(|printer| (printer.cells)(any, now))
        .unwrap_or_else(|| vec![object.name().into(), age::of(object.meta(), now).into()])
}
