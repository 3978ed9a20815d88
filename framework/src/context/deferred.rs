//! [`Deferred`]: a change to the response that one request asked for.

use std::future::Future;
use std::pin::Pin;

use crate::error::Result;
use crate::response::Response;

/// A change to the response of one request, to be made later.
pub(crate) enum Deferred {
    Plain(Box<dyn FnOnce(Response) -> Response + Send>),
    Later(Box<dyn FnOnce(Response) -> Changing + Send>),
}

type Changing = Pin<Box<dyn Future<Output = Result<Response>> + Send>>;

impl Deferred {
    pub(super) fn plain(change: impl FnOnce(Response) -> Response + Send + 'static) -> Self {
        Self::Plain(Box::new(change))
    }

    pub(super) fn new<F, Fut>(change: F) -> Self
    where
        F: FnOnce(Response) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Response>> + Send + 'static,
    {
        Self::Later(Box::new(move |response| Box::pin(change(response))))
    }

    pub(crate) async fn apply(self, response: Response) -> Result<Response> {
        match self {
            Self::Plain(change) => Ok(change(response)),
            Self::Later(change) => change(response).await,
        }
    }
}
