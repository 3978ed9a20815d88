//! What benchmarks ask of a server: a fixed text, JSON, one path among a hundred, bodies both ways.

use std::collections::HashMap;
use std::task::Poll;

use gateway_spec::bytes::Bytes;
use gateway_spec::http::header::{CONTENT_TYPE, HeaderValue};
use gateway_spec::http::{Method, StatusCode};
use gateway_spec::{Body, ErrorKind, Frame, Gateway, Request, Response, export};

/// The application: routes with one parameter, by what stands before it.
#[derive(Debug)]
struct Lab {
    routes: HashMap<Vec<u8>, Handler>,
}

/// Answers a request whose path ended in this number.
type Handler = fn(u64) -> Response;

impl Lab {
    fn new() -> Self {
        let user: Handler = |id| Response::text(format!("user {id}"));
        let mut routes = HashMap::from([(b"/user/".to_vec(), user)]);
        for number in 1..100 {
            routes.insert(format!("/api/v1/res{number}/").into_bytes(), user);
        }
        Self { routes }
    }

    fn route(&self, path: &[u8]) -> Option<Response> {
        let border = path.iter().rposition(|&byte| byte == b'/')? + 1;
        let handler = self.routes.get(&path[..border])?;
        let digits = std::str::from_utf8(&path[border..]).ok()?;
        Some(handler(digits.parse().ok()?))
    }
}

impl Gateway for Lab {
    async fn call(&self, mut request: Request) -> Response {
        match (request.method(), request.path()) {
            (&Method::GET, b"/") => Response::text("Hello, World!"),
            (&Method::GET, b"/json") => json(),
            (&Method::GET, b"/download/64k") => download(64 << 10),
            (&Method::GET, b"/download/16m") => download(16 << 20),
            (&Method::POST, b"/upload") => upload(&mut request).await,
            (&Method::GET, path) => self
                .route(path)
                .unwrap_or_else(|| StatusCode::NOT_FOUND.into()),
            _ => StatusCode::NOT_FOUND.into(),
        }
    }
}

/// A document, serialized for each request as a real one would be.
fn json() -> Response {
    #[derive(serde::Serialize)]
    struct Message {
        message: &'static str,
    }
    match serde_json::to_vec(&Message {
        message: "Hello, World!",
    }) {
        Ok(document) => Response::json(document),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into(),
    }
}

/// The length of the request's body, counted as it comes.
async fn upload(request: &mut Request) -> Response {
    let mut length = 0;
    while let Some(piece) = request.body_mut().data().await {
        match piece {
            Ok(piece) => length += piece.len() as u64,
            Err(error) if error.kind() == ErrorKind::Limit => {
                return StatusCode::PAYLOAD_TOO_LARGE.into();
            }
            Err(_) => return StatusCode::BAD_REQUEST.into(),
        }
    }
    Response::text(length.to_string())
}

/// A body of that many bytes, produced piece by piece as the client takes them.
fn download(length: usize) -> Response {
    let mut left = length;
    let body = Body::from_fn(move |_| {
        let piece = left.min(PIECE.len());
        left -= piece;
        Poll::Ready((piece > 0).then(|| Ok(Frame::Data(Bytes::from_static(&PIECE[..piece])))))
    });
    let kind = HeaderValue::from_static("application/octet-stream");
    Response::new(body.with_length(length as u64)).with(CONTENT_TYPE, kind)
}

static PIECE: [u8; 64 << 10] = [b'x'; 64 << 10];

export!(Lab::new);
