//! [`Form`]: what a browser's form sent.

use std::ops::Deref;
use std::sync::Arc;

use gateway_spec::http::{Method, StatusCode};
use serde::de::DeserializeOwned;

use crate::context::Cx;
use crate::error::{HttpError, Result};
use crate::extract::{Arg, Kind, Take};
use crate::multidict::MultiDict;

/// The fields of the form as a type; on GET and HEAD those of no form. What does not read as a `T`
/// is answered 400.
#[derive(Clone, Copy, Debug)]
pub struct Form<T>(pub T);

impl<T> Deref for Form<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + Send + 'static> Arg for Form<T> {
    const KIND: Kind = Kind::Buffered;
    type Path<Rest> = Rest;

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        let fields = t.cx().form().await?;
        let pairs = fields.iter().fold(
            form_urlencoded::Serializer::new(String::new()),
            |mut to, (name, value)| {
                to.append_pair(name, value);
                to
            },
        );
        let mut pairs = pairs;
        serde_html_form::from_str(&pairs.finish())
            .map(Self)
            .map_err(|error| {
                let sentence = format!("The form is not what this address takes: {error}.");
                HttpError::new(StatusCode::BAD_REQUEST)
                    .describe(sentence)
                    .into()
            })
    }
}

/// The form that a request carried, parsed once.
struct Parsed(Arc<MultiDict>);

impl Cx {
    /// The fields of the form in the body; empty if there is none, as on GET.
    ///
    /// # Errors
    ///
    /// Those of [`body`](Cx::body).
    pub async fn form(&self) -> Result<Arc<MultiDict>> {
        if let Some(parsed) = self.get::<Parsed>() {
            return Ok(Arc::clone(&parsed.0));
        }
        let reads = ![Method::GET, Method::HEAD].contains(self.method());
        let urlencoded = self.mimetype().as_deref() == Some("application/x-www-form-urlencoded");
        let fields = if reads && urlencoded {
            MultiDict::parse(&self.body().await?)
        } else {
            MultiDict::new()
        };
        let parsed = self.get_or_put_with(|| Parsed(Arc::new(fields)));
        Ok(Arc::clone(&parsed.0))
    }
}
