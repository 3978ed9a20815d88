//! The smallest application: one answer to everything at `/`.

use gateway_spec::{Request, Response, export, http::StatusCode};

async fn hello(request: Request) -> Response {
    match request.path() {
        b"/" => Response::text("Hello, World!"),
        _ => StatusCode::NOT_FOUND.into(),
    }
}

export!(hello);
