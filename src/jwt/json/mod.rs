//! Strict JSON (RFC 8259) for headers and claims: one object with unique names, of bounded depth, its strings borrowed.

mod depth;
mod member;
mod names;
mod object;
mod refuse;
mod skip;
mod text;
mod value;

pub(crate) use depth::Depth;
pub(crate) use member::{Member, ReadMember, read_member};
pub(crate) use names::UniqueNames;
pub(super) use object::{Keep, read_object};
pub(crate) use refuse::refuse;
pub(crate) use text::Text;
pub(crate) use value::read_value;
