//! The body of a request: read whole, once, or handed out as a stream, once.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use gateway_spec::http::StatusCode;
use gateway_spec::{Body, ErrorKind};
use tokio::sync::OnceCell;

use super::Cx;
use crate::error::{Error, HttpError, Result};

/// A body that several extractors may ask for.
pub(crate) struct BodyCell {
    raw: Mutex<Option<Body>>,
    whole: OnceCell<Result<Bytes, Broken>>,
}

/// Why a body is not there: kept, since each who asks gets an error of its own.
#[derive(Clone, Debug)]
struct Broken {
    status: StatusCode,
    sentence: String,
    advice: Option<&'static str>,
}

impl BodyCell {
    pub(super) fn new(body: Body) -> Self {
        Self {
            raw: Mutex::new(Some(body)),
            whole: OnceCell::new(),
        }
    }

    async fn whole(&self, limit: usize) -> Result<Bytes> {
        let read = || async {
            match self.take() {
                Some(body) => body
                    .collect(limit)
                    .await
                    .map_err(|error| broken(&error, limit)),
                None => Err(Broken {
                    status: StatusCode::INTERNAL_SERVER_ERROR,
                    sentence: "the body was taken as a stream before".to_owned(),
                    advice: None,
                }),
            }
        };
        let whole = self.whole.get_or_init(read).await;
        whole.clone().map_err(|broken| {
            if broken.status.is_server_error() {
                return Error::message(broken.sentence);
            }
            let told = HttpError::new(broken.status).describe(broken.sentence);
            match broken.advice {
                Some(advice) => told.advise(advice).into(),
                None => told.into(),
            }
        })
    }

    fn take(&self) -> Option<Body> {
        let mut raw = self.raw.lock().unwrap_or_else(PoisonError::into_inner);
        raw.take()
    }
}

impl Cx {
    /// The whole body, read once however many ask for it; empty if the request has none. At most
    /// the route's limit, else the application's (`body_limit`, 1 MiB by default).
    ///
    /// # Errors
    ///
    /// 413 if there is more; 400 or 408 if the client broke it off; 500 if it was taken as a
    /// stream before.
    pub async fn body(&self) -> Result<Bytes> {
        match self.body_cell() {
            Some(cell) => cell.whole(self.body_limit()).await,
            None => Ok(Bytes::new()),
        }
    }

    /// The body as it comes, unlimited by the framework. It can be taken once, before anybody asks
    /// for the whole.
    ///
    /// # Errors
    ///
    /// 500 if it was taken before.
    pub fn body_stream(&self) -> Result<Body> {
        let Some(cell) = self.body_cell() else {
            return Ok(Body::empty());
        };
        cell.take()
            .ok_or_else(|| Error::message("the request's body was taken before"))
    }

    /// The most bytes that [`body`](Cx::body) reads for this request.
    #[must_use]
    pub fn body_limit(&self) -> usize {
        let route = self.options().and_then(|options| options.body_limit);
        route.unwrap_or(self.site().body_limit)
    }
}

fn broken(error: &gateway_spec::Error, limit: usize) -> Broken {
    let (status, sentence) = match error.kind() {
        ErrorKind::Limit => (
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("This address takes at most {limit} bytes."),
        ),
        ErrorKind::Timeout => (
            StatusCode::REQUEST_TIMEOUT,
            "The request's body took too long to arrive.".to_owned(),
        ),
        ErrorKind::Protocol | ErrorKind::Closed => (
            StatusCode::BAD_REQUEST,
            "The request's body broke off.".to_owned(),
        ),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    };
    let advice = (error.kind() == ErrorKind::Limit).then_some(LARGER);
    Broken {
        status,
        sentence,
        advice,
    }
}

/// What to do about bodies that are larger.
pub(crate) const LARGER: &str =
    "the body is larger than the setting body_limit, or the route's own limit, allows";
