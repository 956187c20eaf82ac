//! Server-side apply and the ownership of fields, over JSON values. Upstream: `sigs.k8s.io/structured-merge-diff/v6` and
//! `apimachinery/pkg/util/managedfields`.
//!
//! [`Managers`] is what `metadata.managedFields` holds. A write of any kind changes it by [`Managers::update`]; an apply
//! patch by [`Managers::apply`], which also makes the new object. Both look at values through a [`Shape`], which built-in
//! types, the schemas of custom resources and values without a schema have alike.
//!
//! Known differences: objects are not converted between versions, so that managers of different versions are compared by
//! the same fields; a set that was written when a field was atomic is not adapted to one that is granular.

mod compare;
mod element;
mod managers;
mod merge;
mod set;
mod shape;
#[cfg(test)]
mod tests;
mod update;
mod validate;

pub use compare::{Comparison, compare, fields_of};
pub use element::Element;
pub use managers::{Manager, Managers, Operation};
pub use merge::merge;
pub use set::{Set, path_text};
pub use shape::Shape;
pub use update::{Refusal, Target, Writer, conflict_status, still_applied};
pub use validate::{atomics, validate};
