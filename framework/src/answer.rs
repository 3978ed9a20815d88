//! [`IntoResponse`] and [`Answer`]: what views and hooks may return.

use bytes::Bytes;
use gateway_spec::http::StatusCode;
use gateway_spec::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, Result, status};
use crate::response::Response;

/// What a view may return.
///
/// An `Err` goes on to the error handlers; a returned `(404, "...")` does not: it is the answer.
#[diagnostic::on_unimplemented(
    message = "a view cannot return `{Self}`",
    label = "expected something that becomes a response",
    note = "text (`&str`, `String`), `Html(..)`, `Json(..)`, `Bytes`, a status, `(status, ..)`, `(status, headers, ..)`, `Response`, `Option` of those (`None` is 404), or a `Result` of those",
    note = "to return a type of your own, wrap it in `Json(..)` or implement `IntoResponse` for it"
)]
pub trait IntoResponse {
    /// The response, or the error that the handlers will answer.
    ///
    /// # Errors
    ///
    /// What went wrong on the way, such as a document that does not serialize.
    fn into_response(self) -> Result<Response>;
}

/// What a hook that runs before the view may return: nothing, or the answer, with which the view
/// is not called.
#[diagnostic::on_unimplemented(
    message = "a hook cannot return `{Self}`",
    label = "expected nothing, or an answer",
    note = "`()`, `Response`, `Option<Response>`, or a `Result` of those"
)]
pub trait Answer {
    /// The answer, if there is one.
    ///
    /// # Errors
    ///
    /// What went wrong; the handlers will answer.
    fn answer(self) -> Result<Option<Response>>;
}

/// HTML as it stands, sent as `text/html; charset=utf-8`. Text alone is `text/plain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Html<T = String>(pub T);

impl IntoResponse for Response {
    fn into_response(self) -> Result<Response> {
        Ok(self)
    }
}

impl IntoResponse for gateway_spec::Response {
    fn into_response(self) -> Result<Response> {
        Ok(self.into())
    }
}

impl IntoResponse for &'static str {
    fn into_response(self) -> Result<Response> {
        Ok(Response::text(self))
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Result<Response> {
        Ok(Response::text(self))
    }
}

impl IntoResponse for std::borrow::Cow<'static, str> {
    fn into_response(self) -> Result<Response> {
        match self {
            Self::Borrowed(text) => text.into_response(),
            Self::Owned(text) => text.into_response(),
        }
    }
}

impl IntoResponse for Bytes {
    fn into_response(self) -> Result<Response> {
        Ok(gateway_spec::Response::from(self).into())
    }
}

impl IntoResponse for Vec<u8> {
    fn into_response(self) -> Result<Response> {
        Bytes::from(self).into_response()
    }
}

impl IntoResponse for StatusCode {
    fn into_response(self) -> Result<Response> {
        Ok(Response::empty(self))
    }
}

impl<T: Into<String>> IntoResponse for Html<T> {
    fn into_response(self) -> Result<Response> {
        Ok(Response::html(self.0.into()))
    }
}

impl<T: IntoResponse, E: Into<Error>> IntoResponse for Result<T, E> {
    fn into_response(self) -> Result<Response> {
        self.map_err(Into::into)?.into_response()
    }
}

impl<T: IntoResponse> IntoResponse for Option<T> {
    /// `None` is 404.
    fn into_response(self) -> Result<Response> {
        match self {
            Some(answer) => answer.into_response(),
            None => crate::error::abort(StatusCode::NOT_FOUND),
        }
    }
}

impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Result<Response> {
        Ok(self.1.into_response()?.with_status(self.0))
    }
}

impl<T: IntoResponse> IntoResponse for (u16, T) {
    fn into_response(self) -> Result<Response> {
        (status(self.0)?, self.1).into_response()
    }
}

impl<T: IntoResponse> IntoResponse for (HeaderMap, T) {
    fn into_response(self) -> Result<Response> {
        let mut response = self.1.into_response()?;
        // A map names only the first of several values; the first replaces, the others add.
        let mut current = None;
        for (name, value) in self.0 {
            match (name, &current) {
                (Some(name), _) => {
                    response.headers_mut().insert(name.clone(), value);
                    current = Some(name);
                }
                (None, Some(name)) => response.headers_mut().append(name.clone(), value),
                (None, None) => {}
            }
        }
        Ok(response)
    }
}

impl<N, V, T, const COUNT: usize> IntoResponse for ([(N, V); COUNT], T)
where
    N: TryInto<HeaderName>,
    V: TryInto<HeaderValue>,
    T: IntoResponse,
{
    fn into_response(self) -> Result<Response> {
        let mut response = self.1.into_response()?;
        for (name, value) in self.0 {
            response.set_header(name, value);
        }
        Ok(response)
    }
}

impl<H, T> IntoResponse for (StatusCode, H, T)
where
    (H, T): IntoResponse,
{
    fn into_response(self) -> Result<Response> {
        Ok((self.1, self.2).into_response()?.with_status(self.0))
    }
}

impl<H, T> IntoResponse for (u16, H, T)
where
    (H, T): IntoResponse,
{
    fn into_response(self) -> Result<Response> {
        (status(self.0)?, self.1, self.2).into_response()
    }
}

impl Answer for () {
    fn answer(self) -> Result<Option<Response>> {
        Ok(None)
    }
}

impl Answer for Response {
    fn answer(self) -> Result<Option<Response>> {
        Ok(Some(self))
    }
}

impl<T: IntoResponse> Answer for Option<T> {
    fn answer(self) -> Result<Option<Response>> {
        self.map(IntoResponse::into_response).transpose()
    }
}

impl<A: Answer, E: Into<Error>> Answer for Result<A, E> {
    fn answer(self) -> Result<Option<Response>> {
        self.map_err(Into::into)?.answer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_spec::http::header::CONTENT_TYPE;

    fn sent(answer: impl IntoResponse) -> (u16, Option<String>) {
        let response = answer.into_response().unwrap();
        let kind = response.headers().get(&CONTENT_TYPE);
        let kind = kind.map(|kind| kind.to_str().unwrap().to_owned());
        (response.status().as_u16(), kind)
    }

    #[test]
    fn text_is_text_and_html_is_html() {
        assert_eq!(sent("x").1.unwrap(), "text/plain; charset=utf-8");
        assert_eq!(sent(Html("x")).1.unwrap(), "text/html; charset=utf-8");
        assert_eq!(sent(vec![1]).1.unwrap(), "application/octet-stream");
    }

    #[test]
    fn tuples_add_a_status_and_headers() {
        assert_eq!(sent((201, "x")).0, 201);
        assert_eq!(sent((StatusCode::CREATED, "x")).0, 201);
        let (status, kind) = sent((404, [("content-type", "text/csv")], "x"));
        assert_eq!((status, kind.as_deref()), (404, Some("text/csv")));
        assert_eq!(sent(StatusCode::NO_CONTENT), (204, None));
        assert!((700, "x").into_response().is_err());
    }

    #[test]
    fn nothing_is_not_found_and_an_error_goes_on() {
        assert_eq!(None::<&str>.into_response().unwrap_err().status(), 404);
        let failed: Result<&str, std::fmt::Error> = Err(std::fmt::Error);
        assert_eq!(failed.into_response().unwrap_err().status(), 500);
    }
}
