//! Answers with the span that it is told of; its server is linked in, and built with the feature `opentelemetry`.

use std::future::poll_fn;
use std::process::ExitCode;
use std::task::Poll;

use gateway_spec::http::StatusCode;
use gateway_spec::{Request, Response};

/// `/` answers with the fields `traceparent` and `tracestate`, one line each, `/late` the same a little later,
/// `/fails` with 500.
async fn told(request: Request) -> Response {
    if request.path() == b"/fails" {
        return StatusCode::INTERNAL_SERVER_ERROR.into();
    }
    let headers = request.headers();
    let lines = ["traceparent", "tracestate"].map(|name| {
        let values = headers.get_all(name).into_iter();
        let values: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        values.join("|")
    });
    if request.path() == b"/late" {
        // Pending once is enough to leave the shortest way.
        let mut waited = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
    Response::text(lines.join("\n"))
}

fn main() -> ExitCode {
    gateway_server::main!(told)
}
