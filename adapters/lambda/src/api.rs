//! [`Api`]: the runtime interface of Lambda, an HTTP server that this program is a client of.

use std::fmt;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, TRAILER, USER_AGENT};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

use crate::outgoing::{ERROR_BODY, ERROR_TYPE, Outgoing};

/// A client of the runtime interface, with one connection that it keeps.
#[derive(Debug)]
pub struct Api {
    authority: String,
    sender: Option<SendRequest<Outgoing>>,
}

/// An event that waits for its answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Invocation {
    /// Its id, for the answer and for logs.
    pub id: String,
    /// The event, JSON.
    pub event: Bytes,
}

/// The runtime interface does not work: nothing can be answered.
#[derive(Debug)]
pub struct Fault(String);

impl Api {
    /// The interface that the environment names, `AWS_LAMBDA_RUNTIME_API`.
    ///
    /// # Errors
    ///
    /// It names none: this is not Lambda.
    pub fn from_environment() -> Result<Self, Fault> {
        let authority = std::env::var("AWS_LAMBDA_RUNTIME_API").map_err(|_| {
            Fault("expected AWS_LAMBDA_RUNTIME_API in the environment, as Lambda sets it".into())
        })?;
        Ok(Self {
            authority,
            sender: None,
        })
    }

    /// Waits for the next event.
    ///
    /// # Errors
    ///
    /// See [`Fault`].
    pub async fn next(&mut self) -> Result<Invocation, Fault> {
        let request = self.request(Method::GET, "invocation/next", Outgoing::empty())?;
        let response = self.send(request).await?;
        let id = response.headers().get("lambda-runtime-aws-request-id");
        let id = id.and_then(|id| id.to_str().ok()).map(str::to_owned);
        let id =
            id.ok_or_else(|| Fault("an event without lambda-runtime-aws-request-id".into()))?;
        let event = Limited::new(response.into_body(), EVENT_LIMIT).collect();
        let event = event
            .await
            .map_err(|error| Fault(format!("event {id} cannot be read: {error}")))?;
        Ok(Invocation {
            id,
            event: event.to_bytes(),
        })
    }

    /// Answers an event with a document.
    pub(crate) async fn respond(&mut self, id: &str, document: Bytes) -> Result<(), Fault> {
        let path = format!("invocation/{id}/response");
        let mut request = self.request(Method::POST, &path, Outgoing::whole(document))?;
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        self.accepted(request).await
    }

    /// Answers an event with what comes.
    pub(crate) async fn stream(&mut self, id: &str, body: Outgoing) -> Result<(), Fault> {
        let path = format!("invocation/{id}/response");
        let mut request = self.request(Method::POST, &path, body)?;
        let headers = request.headers_mut();
        headers.insert(RESPONSE_MODE, HeaderValue::from_static("streaming"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(INTEGRATION));
        for name in [ERROR_TYPE, ERROR_BODY] {
            headers.append(TRAILER, HeaderValue::from(name));
        }
        self.accepted(request).await
    }

    /// Says that an event cannot be answered.
    pub(crate) async fn failed(&mut self, id: &str, kind: &str, what: &str) -> Result<(), Fault> {
        self.complain(&format!("invocation/{id}/error"), kind, what)
            .await
    }

    /// Says that the application does not start.
    ///
    /// # Errors
    ///
    /// See [`Fault`].
    pub async fn start_failed(&mut self, what: &str) -> Result<(), Fault> {
        self.complain("init/error", "Gateway.Start", what).await
    }

    async fn complain(&mut self, path: &str, kind: &str, what: &str) -> Result<(), Fault> {
        let told = json!({"errorType": kind, "errorMessage": what, "stackTrace": []});
        let body = Outgoing::whole(told.to_string().into());
        let mut request = self.request(Method::POST, path, body)?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        if let Ok(kind) = HeaderValue::from_str(kind) {
            headers.insert(ERROR_TYPE, kind);
        }
        self.accepted(request).await
    }

    async fn accepted(&mut self, request: Request<Outgoing>) -> Result<(), Fault> {
        let response = self.send(request).await?;
        let status = response.status();
        // Read to its end, so that the connection can be kept.
        let said = Limited::new(response.into_body(), EVENT_LIMIT)
            .collect()
            .await;
        if status.is_success() {
            return Ok(());
        }
        let said = said.map(|said| said.to_bytes()).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).into_owned();
        // A response that is too large is that event's trouble alone.
        if status == StatusCode::PAYLOAD_TOO_LARGE || status == StatusCode::BAD_REQUEST {
            log::error!(target: "gateway", "the runtime interface refuses an answer: {status} {said}");
            return Ok(());
        }
        Err(Fault(format!(
            "expected 202 of the runtime interface, found {status} {said}"
        )))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Outgoing,
    ) -> Result<Request<Outgoing>, Fault> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/2018-06-01/runtime/{path}"))
            .header(HOST, &self.authority)
            .header(
                USER_AGENT,
                concat!("gateway-lambda/", env!("CARGO_PKG_VERSION")),
            );
        let request = request.body(body);
        request.map_err(|error| Fault(format!("{path} makes no request: {error}")))
    }

    async fn send(&mut self, request: Request<Outgoing>) -> Result<Response<Incoming>, Fault> {
        let fault = |error: &dyn fmt::Display| {
            Fault(format!(
                "the runtime interface at {}: {error}",
                self.authority
            ))
        };
        let kept = match self.sender.take() {
            Some(mut sender) => sender.ready().await.is_ok().then_some(sender),
            None => None,
        };
        let mut sender = match kept {
            Some(sender) => sender,
            None => {
                let stream = TcpStream::connect(&self.authority).await;
                let stream = stream.map_err(|error| fault(&error))?;
                stream.set_nodelay(true).map_err(|error| fault(&error))?;
                let connected = handshake(TokioIo::new(stream)).await;
                let (sender, connection) = connected.map_err(|error| fault(&error))?;
                tokio::spawn(async move {
                    // Its errors are those of the requests on it.
                    let _ended = connection.await;
                });
                sender
            }
        };
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| fault(&error))?;
        self.sender = Some(sender);
        Ok(response)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const INTEGRATION: &str = "application/vnd.awslambda.http-integration-response";
const RESPONSE_MODE: HeaderName = HeaderName::from_static("lambda-runtime-function-response-mode");
/// Events have 6 MiB at most, base64 included, and what stands around their bodies.
const EVENT_LIMIT: usize = 16 << 20;
