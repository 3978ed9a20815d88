//! [`Query`]: the query as a type.

use std::ops::Deref;

use gateway_spec::http::StatusCode;
use serde::de::DeserializeOwned;

use super::{Arg, Take};
use crate::error::{Error, HttpError, Result};

/// The query, read as a type: `?page=2&tag=a&tag=b` as `struct { page: u32, tag: Vec<String> }`.
/// What does not read as one is answered 400.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<T> Deref for Query<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + Send + 'static> Arg for Query<T> {
    type Path<Rest> = Rest;

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        match serde_html_form::from_bytes(t.cx().query_string()) {
            Ok(value) => Ok(Self(value)),
            Err(error) => Err(unreadable("query", &error)),
        }
    }
}

/// 400 that says which field is wrong.
pub(super) fn unreadable(what: &str, error: &serde_html_form::de::Error) -> Error {
    let sentence = format!("The {what} is not what this address takes: {error}.");
    HttpError::new(StatusCode::BAD_REQUEST)
        .describe(sentence)
        .into()
}
