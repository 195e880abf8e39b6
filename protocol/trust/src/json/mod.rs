//! JSON as signed formats need it: one strict reader, the canonical form that the registry's
//! signatures cover, and the compact form documents are written in.

mod canonical;
mod fault;
mod fields;
mod reader;
mod shape;
mod value;

pub use canonical::{canonical, compact, indented};
pub(crate) use fault::INTEGER_MAX;
pub use fault::{DEPTH_MAX, JsonError, JsonExpected, JsonFault};
pub use fields::Fields;
pub use reader::read_strict;
pub use shape::{JsonKind, ShapeError, ShapeProblem};
pub use value::Json;
