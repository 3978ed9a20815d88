//! What a body that calls itself `multipart/form-data` can have wrong.

/// Why a body is not `multipart/form-data`, or is too large a one.
///
/// [`is_limit`](Self::is_limit) tells the two apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MultipartError {
    /// The Content-Type field has no usable `boundary` parameter (RFC 2046 section 5.1.1).
    #[error(
        "Content-Type `{0}`: expected `multipart/form-data` with a boundary of 1 to 70 characters; does the form \
         have enctype=\"multipart/form-data\"?"
    )]
    Boundary(String),
    /// The body ended within a part, or before its first one.
    #[error("the body ends before the closing boundary")]
    Unfinished,
    /// A line of a part's head is no header field.
    #[error("part {part}: `{line}` is not a header field")]
    Field {
        /// Number of the part, from 1.
        part: usize,
        /// The line, shortened.
        line: String,
    },
    /// A part's Content-Disposition is missing, or it does not name its field.
    #[error("part {part}: expected `Content-Disposition: form-data; name=\"...\"`, found {found}")]
    Disposition {
        /// Number of the part, from 1.
        part: usize,
        /// What stands there instead, shortened.
        found: String,
    },
    /// A part's head is longer than this, in bytes.
    #[error("part {part}: its head has more than {limit} bytes")]
    HeadTooLong {
        /// Number of the part, from 1.
        part: usize,
        /// Most bytes that a head may have.
        limit: usize,
    },
    /// There are more parts than this.
    #[error("the form has more than {0} parts")]
    TooManyParts(usize),
}

impl MultipartError {
    /// Whether the form is too large, rather than malformed.
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::HeadTooLong { .. } | Self::TooManyParts(_))
    }
}

/// The beginning of what a client has sent, fit to be shown.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(SHOWN)];
    let mut text = shown.escape_ascii().to_string();
    if shown.len() < bytes.len() {
        text.push_str("...");
    }
    text
}

const SHOWN: usize = 60;
