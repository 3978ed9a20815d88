//! hyper as it is: reads each request with its body, and answers with its target.
//!
//! `peer-hyper PATH` listens on a unix socket. Nothing is set but that a client which has ended its
//! half is still answered, as the comparison needs it.

use std::convert::Infallible;
use std::env;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::UnixListener;

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let target = request.uri().to_string();
    let mut response = Response::new(Full::from(target));
    if request.into_body().collect().await.is_err() {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    Ok(response)
}

fn main() -> std::io::Result<()> {
    let path = env::args_os().nth(1).expect("the path of a socket");
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_io().build()?.block_on(async {
        let listener = UnixListener::bind(path)?;
        loop {
            let (stream, _) = listener.accept().await?;
            let mut http = http1::Builder::new();
            let connection = http
                .half_close(true)
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            // What a connection ends with is the client's to see.
            tokio::spawn(async move { drop(connection.await) });
        }
    })
}
