//! Answers the requests on its standard input, as inetd would start it: a gateway behind FastCGI.

use std::future::Future;
use std::io::{self, Read, Write};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use gateway_fastcgi::{Decoder, Event, Limits, Protocol, end_request, stdout};
use gateway_spec::cgi::Variables;
use gateway_spec::http::StatusCode;
use gateway_spec::{Body, Gateway, Request, Response};

async fn hello(request: Request) -> String {
    let path = String::from_utf8_lossy(request.path()).into_owned();
    format!("Hello from {path}, {:?} bytes\n", request.content_length())
}

fn main() -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut decoder = Decoder::new(Limits {
        variables: 64 * 1024,
        connections: 1,
        idle_records: 16,
    });
    let (mut held, mut piece) = (Vec::new(), [0; 4096]);
    let mut body = Vec::new();
    loop {
        let step = decoder.decode(&held).map_err(io::Error::other)?;
        match &step.event {
            Event::More => {
                held.drain(..step.consumed);
                match input.read(&mut piece)? {
                    0 => return Ok(()),
                    count => held.extend_from_slice(&piece[..count]),
                }
                continue;
            }
            Event::Begin => body.clear(),
            Event::Data(range) => body.extend_from_slice(&held[range.clone()]),
            Event::Reply(bytes) => output.write_all(bytes)?,
            Event::End => {
                let Some(begun) = decoder.request() else {
                    continue;
                };
                let pairs = decoder.variables().flatten();
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let pairs = pairs.map(|(name, value)| (text(name), value));
                let variables: Variables = pairs.collect();
                let content = Body::from(std::mem::take(&mut body));
                let response = match variables.to_request(content) {
                    Ok(request) => block_on(Gateway::call(&hello, request)),
                    Err(_) => StatusCode::BAD_REQUEST.into(),
                };
                let mut answer = Vec::new();
                stdout(&mut answer, begun.id, &written(response));
                end_request(&mut answer, begun.id, Protocol::Complete);
                output.write_all(&answer)?;
                decoder.answered();
                if !begun.keep {
                    return output.flush();
                }
            }
            _ => {}
        }
        output.flush()?;
        held.drain(..step.consumed);
    }
}

/// The answer as CGI has it.
fn written(response: Response) -> Vec<u8> {
    let mut text = format!("Status: {}\r\n", response.status_code()).into_bytes();
    for (name, value) in response.fields().iter() {
        let line = [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"];
        text.extend(line.concat());
    }
    text.extend_from_slice(b"\r\n");
    let content = block_on(response.into_body().collect(1 << 20));
    text.extend_from_slice(&content.unwrap_or_default());
    text
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
