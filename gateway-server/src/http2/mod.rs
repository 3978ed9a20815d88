//! HTTP/2 (RFC 9113) without IO and without a clock: where it begins, what its heads say in the words of
//! HTTP/1, and which of a client's frames are counted.
//!
//! The frames themselves are the `h2` library's. A request that it has read is written down as HTTP/1
//! would have brought it and judged by the same parser, and a response is taken from what HTTP/1 would
//! send: one policy for both versions, held in one place.

mod budget;
mod frames;
mod preface;
mod request;
mod response;

pub(crate) use budget::Budget;
pub(crate) use frames::Frames;
pub(crate) use preface::{Beginning, beginning};
pub(crate) use request::bring;
pub(crate) use response::{head_of, trailers_of};
