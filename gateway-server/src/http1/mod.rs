//! HTTP/1.1 without IO and without a clock: what a request head says, where a body's data is, how
//! a response is written.
//!
//! Strict by grammar (RFC 9110, RFC 9112): what two implementations could read in two ways is
//! refused, never repaired. The verdict on a message depends on its bytes alone and is reached at
//! the byte that decides it, so it is the same however the bytes arrive.

mod authority;
mod body;
pub mod encode;
mod error;
mod head;
mod scan;
mod trailers;

pub(crate) use authority::is_host;
pub use body::{BodyDecoder, Decoded};
pub(crate) use encode::Outgoing;
pub use encode::{BodyFraming, DateLine, Framing, Length, Recipient, ResponseHead};
pub use error::{BodyError, EncodeError, HeadError};
pub use head::{BodyLength, Form, Head, Span, Version};
pub(crate) use trailers::is_forbidden_trailer;
