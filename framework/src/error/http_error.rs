//! [`HttpError`]: a status with a sentence for whoever reads the page.

use std::borrow::Cow;
use std::fmt;

use gateway_spec::http::StatusCode;

/// An HTTP error as the client may see it: what [`abort`](crate::abort) makes, and what an error
/// handler may ask for as an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpError {
    status: StatusCode,
    description: Option<Cow<'static, str>>,
    advice: Option<Cow<'static, str>>,
}

impl HttpError {
    /// This status, with the usual sentence.
    #[must_use]
    pub const fn new(status: StatusCode) -> Self {
        Self {
            status,
            description: None,
            advice: None,
        }
    }

    /// The same error with a sentence of its own, which the client will read.
    #[must_use]
    pub fn describe(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// The same error with words for whoever develops or operates the application. The client reads them in debug runs
    /// alone, in the sentence's place; otherwise they are logged.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<Cow<'static, str>>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The status's usual name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Unknown Error")
    }

    /// The sentence.
    #[must_use]
    pub fn description(&self) -> &str {
        match &self.description {
            Some(own) => own,
            None => usual(self.status),
        }
    }

    /// Words that are not for the client.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.status.as_u16();
        write!(f, "{code} {}: {}", self.name(), self.description())
    }
}

impl std::error::Error for HttpError {}

/// What a reader of the page wants to know, by status.
fn usual(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "The server could not understand this request.",
        401 => "This page needs you to log in.",
        403 => "You are not allowed to see this page.",
        404 => "There is nothing at this address. If you typed it, check the spelling.",
        405 => "This address does not take requests of this method.",
        406 => "There is no version of this page that your client accepts.",
        408 => "The request took too long to arrive.",
        409 => "The request conflicts with the present state.",
        410 => "What was here is gone for good.",
        411 => "The request must say how long its body is.",
        412 => "A precondition of the request does not hold.",
        413 => "The request is larger than this address takes.",
        414 => "The address is too long.",
        415 => "The request's body is of a kind that this address does not take.",
        416 => "The requested part of the file does not exist.",
        418 => "This server is a teapot, not a coffee machine.",
        422 => "The request was understood, but what it says cannot be done.",
        429 => "Too many requests. Wait a moment and try again.",
        431 => "The request's header fields are too long.",
        500 => "Something went wrong on our side.",
        501 => "The server cannot do this.",
        502 => "A server behind this one answered nonsense.",
        503 => "The server is too busy just now. Try again in a moment.",
        504 => "A server behind this one did not answer in time.",
        _ => "The request could not be served.",
    }
}
