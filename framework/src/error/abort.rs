//! [`abort`]: the way out of a view with a status.

use std::borrow::Cow;

use gateway_spec::http::StatusCode;

use super::{Error, HttpError, Result};
use crate::response::Response;

/// Ends the view with this status, or a status and a sentence, or a response of your own:
/// `return abort(404)`, `abort((403, "Members only."))?`.
///
/// # Errors
///
/// Always: that is what it is for.
pub fn abort<T>(with: impl Abort) -> Result<T> {
    Err(with.into_error())
}

/// What [`abort`] takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing to abort with",
    label = "expected a status, `(status, \"sentence\")` or a `Response`"
)]
pub trait Abort {
    /// The error.
    fn into_error(self) -> Error;
}

/// `.or_abort(404)?` on options and results.
pub trait OrAbort<T> {
    /// The value, or the error that `with` makes.
    ///
    /// # Errors
    ///
    /// If there is no value. The error of a result becomes the cause only in the log of 5xx.
    fn or_abort(self, with: impl Abort) -> Result<T>;
}

impl<T> OrAbort<T> for Option<T> {
    fn or_abort(self, with: impl Abort) -> Result<T> {
        self.ok_or_else(|| with.into_error())
    }
}

impl<T, E> OrAbort<T> for std::result::Result<T, E> {
    fn or_abort(self, with: impl Abort) -> Result<T> {
        self.map_err(|_| with.into_error())
    }
}

impl Abort for StatusCode {
    fn into_error(self) -> Error {
        HttpError::new(self).into()
    }
}

impl Abort for u16 {
    fn into_error(self) -> Error {
        match status(self) {
            Ok(status) => status.into_error(),
            Err(error) => error,
        }
    }
}

impl<D: Into<Cow<'static, str>>> Abort for (u16, D) {
    fn into_error(self) -> Error {
        match status(self.0) {
            Ok(status) => HttpError::new(status).describe(self.1).into(),
            Err(error) => error,
        }
    }
}

impl<D: Into<Cow<'static, str>>> Abort for (StatusCode, D) {
    fn into_error(self) -> Error {
        HttpError::new(self.0).describe(self.1).into()
    }
}

impl Abort for HttpError {
    fn into_error(self) -> Error {
        self.into()
    }
}

impl Abort for Response {
    fn into_error(self) -> Error {
        Error::respond(self)
    }
}

impl Abort for Error {
    fn into_error(self) -> Error {
        self
    }
}

/// A status from a number as people write it.
pub(crate) fn status(code: u16) -> Result<StatusCode> {
    StatusCode::from_u16(code)
        .ok()
        .filter(|status| (200..600).contains(&status.as_u16()))
        .ok_or_else(|| Error::message(format!("expected a status from 200 to 599, found {code}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_to_abort_with_keeps_its_status() {
        let of = |result: Result<()>| result.unwrap_err().status().as_u16();
        assert_eq!(of(abort(404)), 404);
        assert_eq!(of(abort((403, "Members only."))), 403);
        assert_eq!(of(abort(StatusCode::GONE)), 410);
        assert_eq!(of(abort(Response::empty(StatusCode::IM_A_TEAPOT))), 418);
        assert_eq!(of(None.or_abort(410)), 410);
        assert_eq!(of(Err("why").or_abort(400)), 400);
    }

    #[test]
    fn a_number_that_is_no_status_is_a_fault_of_the_application() {
        let error = abort::<()>(99).unwrap_err();
        assert_eq!(error.status().as_u16(), 500);
        assert!(error.to_string().contains("99"));
    }
}
