//! [`Error`]: why there is no ordinary answer. The error handlers turn it into one.

mod abort;
mod http_error;
mod source;

use std::any::Any;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::panic::Location;

use gateway_spec::http::{HeaderName, HeaderValue, StatusCode};

use crate::response::Response;

pub(crate) use abort::status;
pub use abort::{Abort, OrAbort, abort};
pub use http_error::HttpError;
pub use source::{Caught, Source};

/// What views, hooks and extractors answer. It has two parameters, so that `Result<T, MyError>`
/// still means what it does elsewhere under `use carafe::*`.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no ordinary answer: any error at all, or a status to [`abort()`] with.
///
/// `?` turns every error into one; its answer is then a 500 whose cause stands in the log and
/// never in the response. It is deliberately not an `Error` itself, for `?` to do that.
pub struct Error {
    // A box, so that results stay small where nothing goes wrong.
    inner: Box<Inner>,
}

struct Inner {
    status: StatusCode,
    cause: Option<Box<dyn StdError + Send + Sync>>,
    fields: Vec<(HeaderName, HeaderValue)>,
    response: Option<Response>,
    /// Where it was made: the line with the `?`, usually.
    place: &'static Location<'static>,
}

impl Error {
    /// An error with its own status, for failures that are the client's.
    #[track_caller]
    pub fn with_cause(
        status: StatusCode,
        cause: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self::of(status, Some(cause.into()), None)
    }

    /// A 500 that a message explains in the log.
    #[track_caller]
    pub fn message(message: impl Into<Cow<'static, str>>) -> Self {
        Self::from(Message(message.into()))
    }

    /// An error that is answered with this response, past all handlers.
    #[must_use]
    pub fn respond(response: Response) -> Self {
        Self::of(response.status(), None, Some(response))
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.inner.status
    }

    /// The error within.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.inner.cause.as_deref()
    }

    /// The error within, if it is of this type.
    #[must_use]
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.inner.cause.as_deref()?.downcast_ref()
    }

    /// The error within if it is of this type, else this error again.
    ///
    /// # Errors
    ///
    /// This error, if it is of another type.
    pub fn downcast<E: StdError + 'static>(mut self) -> Result<E, Self> {
        match self.inner.cause.take().map(|cause| cause.downcast::<E>()) {
            Some(Ok(cause)) => Ok(*cause),
            Some(Err(cause)) => {
                self.inner.cause = Some(cause);
                Err(self)
            }
            None => Err(self),
        }
    }

    /// The same error with a header field for its answer, such as `Retry-After`.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.inner.fields.push((name, value));
        self
    }

    /// What may be told to the client: a status and a sentence, without the cause.
    #[must_use]
    pub fn summary(&self) -> HttpError {
        match self.downcast_ref::<HttpError>() {
            Some(error) => error.clone(),
            None => HttpError::new(self.inner.status),
        }
    }

    /// Whether there is something in it that the operator should read.
    pub(crate) fn is_unexpected(&self) -> bool {
        self.inner.response.is_none()
            && self.inner.status.is_server_error()
            && self.downcast_ref::<HttpError>().is_none()
    }

    /// Where it was made, as far as the compiler knows.
    pub(crate) fn place(&self) -> &'static Location<'static> {
        self.inner.place
    }

    /// The response that answers it past all handlers.
    pub(crate) fn take_response(&mut self) -> Option<Response> {
        self.inner.response.take()
    }

    /// The fields for its answer.
    pub(crate) fn take_fields(&mut self) -> Vec<(HeaderName, HeaderValue)> {
        std::mem::take(&mut self.inner.fields)
    }

    #[track_caller]
    fn of(
        status: StatusCode,
        cause: Option<Box<dyn StdError + Send + Sync>>,
        response: Option<Response>,
    ) -> Self {
        Self {
            inner: Box::new(Inner {
                status,
                cause,
                fields: Vec::new(),
                response,
                place: Location::caller(),
            }),
        }
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    /// A 500, unless it is an [`HttpError`] or an error of the exchange itself (a body that broke
    /// off), which know their status.
    #[track_caller]
    fn from(error: E) -> Self {
        let any = &error as &dyn Any;
        let http = any.downcast_ref().map(HttpError::status);
        let exchange = any.downcast_ref::<gateway_spec::Error>();
        let status = http
            .or_else(|| exchange.map(|error| error.kind().status()))
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::of(status, Some(Box::new(error)), None)
    }
}

impl fmt::Display for Error {
    /// The cause and its causes, for the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(cause) = &self.inner.cause else {
            return self.inner.status.fmt(f);
        };
        cause.fmt(f)?;
        let mut deeper = cause.source();
        while let Some(cause) = deeper {
            write!(f, ": {cause}")?;
            deeper = cause.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({}: {self})", self.inner.status.as_u16())
    }
}

/// A message that is its own cause.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Message(Cow<'static, str>);

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::ParseIntError;

    #[test]
    fn any_error_is_a_500_that_keeps_its_cause() {
        let error: Error = "x".parse::<i32>().unwrap_err().into();
        assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(error.is_unexpected());
        assert!(error.downcast_ref::<ParseIntError>().is_some());
        assert!(error.downcast::<ParseIntError>().is_ok());
    }

    #[test]
    fn an_http_error_knows_its_status() {
        let error = Error::from(HttpError::new(StatusCode::NOT_FOUND));
        assert_eq!(error.status(), StatusCode::NOT_FOUND);
        assert!(!error.is_unexpected());
        assert!(error.downcast::<ParseIntError>().is_err());
    }

    #[test]
    fn the_summary_does_not_tell_the_cause() {
        let error: Error = "secret".parse::<i32>().unwrap_err().into();
        assert!(!format!("{}", error.summary()).contains("digit"));
        assert!(format!("{error}").contains("digit"));
    }
}
