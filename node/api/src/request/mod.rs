//! Reading a request, once for all operations: who asks, the address, the headers, the body. What
//! cannot be read becomes a `Problem` here and nowhere else.

mod body_fields;
mod call;
mod carried_out;
mod cursor;
mod headers;
mod query;
mod range;

pub(crate) use body_fields::{BodyFields, missing, shape};
pub(crate) use call::{Call, raw_path, session_of};
pub(crate) use carried_out::carried_out;
pub(crate) use cursor::{cursor_of, linked_to_next, position};
pub(crate) use headers::Expected;
pub(crate) use query::{Query, bad, case_number, parsed, unfit};
pub(crate) use range::Asked;
