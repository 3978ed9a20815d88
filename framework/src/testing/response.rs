//! [`TestResponse`]: an answer as a test looks at it.

use bytes::Bytes;
use gateway_spec::Fields;
use gateway_spec::http::StatusCode;
use gateway_spec::http::header::LOCATION;
use serde::de::DeserializeOwned;

/// An answer, with its whole body.
#[derive(Debug)]
pub struct TestResponse {
    target: String,
    status: StatusCode,
    fields: Fields,
    body: Bytes,
    history: Vec<Self>,
}

impl TestResponse {
    pub(super) fn new(target: &str, status: StatusCode, fields: Fields, body: Bytes) -> Self {
        Self {
            target: target.to_owned(),
            status,
            fields,
            body,
            history: Vec::new(),
        }
    }

    /// The status as a number.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The path that was answered, the last one after redirects.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first value of a header field, if it is text; `name` in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.fields.iter();
        let (_, value) = lines.find(|(other, _)| other.as_str().eq_ignore_ascii_case(name))?;
        value.to_str().ok()
    }

    /// All header fields.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as text; what is not UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// If it is not the JSON of a `T`.
    #[must_use]
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(document) => document,
            Err(error) => panic!("{error} in the body of {}: {}", self.target, self.text()),
        }
    }

    /// The answers that redirected to this one, in order.
    #[must_use]
    pub fn history(&self) -> &[Self] {
        &self.history
    }

    /// Where it redirects to, if it does.
    #[must_use]
    pub fn location(&self) -> Option<String> {
        let location = self
            .fields
            .get(&LOCATION)
            .filter(|_| self.status.is_redirection())?;
        Some(location.to_str().ok()?.to_owned())
    }

    pub(super) fn status_code(&self) -> StatusCode {
        self.status
    }

    pub(super) fn with_history(self, history: Vec<Self>) -> Self {
        Self { history, ..self }
    }
}
