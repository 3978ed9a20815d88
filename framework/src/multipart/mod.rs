//! `multipart/form-data` (RFC 7578): from bytes as they arrive to parts, without ever holding more of them than
//! a window.

mod disposition;
mod error;
mod head;
mod parser;

pub use error::MultipartError;
pub use head::PartHead;
pub use parser::{Event, Limits, Parser, boundary};
