//! [`Error`]: what can go wrong in an exchange, the same on both sides of the ABI.

use std::borrow::Cow;
use std::fmt;

/// A failed operation of an exchange: opaque, with a [`kind`](Error::kind) to decide on and a
/// message for the log. The message never reaches a client.
#[derive(Clone)]
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
}

/// The kinds of [`Error`]; each is one result code of the C ABI.
///
/// What a host answers while the response's head has not been sent stands in
/// [`ErrorKind::status`]; afterwards it breaks the response off.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The other side panicked.
    Panic,
    /// The operation is not offered here.
    Unsupported,
    /// An argument breaks the contract: a field with CR in it, a status out of range.
    Invalid,
    /// The exchange is over or the client has gone.
    Closed,
    /// The response has been given already.
    TooLate,
    /// A stated limit was exceeded.
    Limit,
    /// A deadline passed.
    Timeout,
    /// The peer broke the protocol.
    Protocol,
    /// Input or output failed.
    Io,
    /// Not now; trying again later may succeed.
    Busy,
    /// A fault of this side.
    Internal,
    /// The call ended without a response.
    NoResponse,
}

impl Error {
    /// An error of this kind, with a message for the log: lower-case, says what was expected and
    /// what was found.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// What to decide on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl ErrorKind {
    /// The status that a host answers with while it still can (SPEC.md, ERR-03).
    #[must_use]
    pub fn status(self) -> http::StatusCode {
        match self {
            Self::Limit => http::StatusCode::PAYLOAD_TOO_LARGE,
            Self::Timeout => http::StatusCode::REQUEST_TIMEOUT,
            Self::Protocol => http::StatusCode::BAD_REQUEST,
            Self::Busy => http::StatusCode::SERVICE_UNAVAILABLE,
            _ => http::StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.message)
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, error.to_string())
    }
}
