//! JSON as signed formats need it: one strict reader, the canonical form that the registry's
//! signatures cover, and the compact form documents are written in.

mod canonical;
mod fault;
mod fields;
mod reader;
mod value;

pub use canonical::{canonical, compact, indented};
pub(crate) use fault::{DEPTH_MAX, INTEGER_MAX};
pub use fault::{JsonError, JsonFault};
pub use fields::{Fields, ShapeError};
pub use reader::read_strict;
pub use value::Json;
