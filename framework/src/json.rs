//! [`Json`]: documents in and out.

use std::ops::Deref;
use std::sync::Arc;

use gateway_spec::http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::IntoResponse;
use crate::context::{Cx, with_current};
use crate::error::{HttpError, Result, abort};
use crate::extract::{Arg, Kind, Take};
use crate::json_format::JsonFormat;
use crate::response::Response;

/// A JSON document: as an argument the request's body, as an answer the response's.
///
/// Documents are written compactly, in the order of their fields; the settings `json.indent`
/// (spaces), `json.sort_keys` and `json.ascii` change that. A debug run indents by two.
///
/// A body that is not declared as JSON is answered 415, one that does not read as a `T` 400.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Result<Response> {
        // Only looked at there: a document's own code may ask for the context as well.
        let site = with_current(|cx| cx.map(|cx| Arc::clone(cx.site())));
        let text = match site {
            Some(site) => site.json.write(&self.0),
            None => JsonFormat::default().write(&self.0),
        };
        Ok(Response::json(text?))
    }
}

impl IntoResponse for serde_json::Value {
    fn into_response(self) -> Result<Response> {
        Json(self).into_response()
    }
}

impl<T: DeserializeOwned + Send + 'static> Arg for Json<T> {
    const KIND: Kind = Kind::Buffered;
    type Path<Rest> = Rest;

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        t.cx().json().await.map(Json)
    }
}

impl Cx {
    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// 415 if it is not declared as JSON, 400 if it does not read as a `T`, and those of
    /// [`body`](Cx::body).
    pub async fn json<T: DeserializeOwned>(&self) -> Result<T> {
        if !self.is_json() {
            let sentence = "The body must be JSON and say so: Content-Type: application/json.";
            return abort((StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence));
        }
        let body = self.body().await?;
        serde_json::from_slice(&body).map_err(|error| {
            let sentence = format!("The body is not the JSON that this address takes: {error}.");
            HttpError::new(StatusCode::BAD_REQUEST)
                .describe(sentence)
                .into()
        })
    }
}
