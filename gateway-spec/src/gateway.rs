//! [`Gateway`]: the contract itself.

use std::ffi::OsString;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::command::Command;
use crate::request::Request;
use crate::response::Response;

/// A web application, or a part of one.
///
/// The whole contract is one method: a request goes in, a response comes out. A server calls it
/// once for each request, concurrently; the constructor given to [`export!`](crate::export) is the
/// start-up, [`shutdown`](Gateway::shutdown) the end.
///
/// Async functions and closures from a [`Request`] to anything that converts to a [`Response`] are
/// gateways. A gateway that holds another one and calls it is middleware; there is no other
/// mechanism:
///
/// ```
/// use gateway_spec::{Gateway, Request, Response};
/// use http::header::{HeaderValue, SERVER};
///
/// struct Signed<G>(G);
///
/// impl<G: Gateway> Gateway for Signed<G> {
///     async fn call(&self, request: Request) -> Response {
///         self.0.call(request).await.with(SERVER, HeaderValue::from_static("signed"))
///     }
/// }
///
/// let app = Signed(async |_: Request| "Hello, World!");
/// # fn is_gateway(_: impl Gateway) {}
/// # is_gateway(app);
/// ```
///
/// The returned future is dropped when the client goes away (see
/// [`Request::finish_on_disconnect`]): an await is a point where a call may end. A future may be
/// polled by different threads, one at a time.
pub trait Gateway: Send + Sync + 'static {
    /// Answers one request.
    fn call(&self, request: Request) -> impl Future<Output = Response> + Send;

    /// Called once, after the last call has ended; bounded by the server's graceful timeout.
    fn shutdown(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// What it can do besides serving, for people at a terminal; asked once, after the start-up.
    fn commands(&self) -> Vec<Command> {
        Vec::new()
    }

    /// Runs a command: its name and its arguments, as they were typed. It has the process's standard
    /// streams to itself, and answers the exit status; [`UNKNOWN_COMMAND`] if there is no such one.
    fn command(&self, words: Vec<OsString>) -> impl Future<Output = u8> + Send {
        let _ = words;
        std::future::ready(UNKNOWN_COMMAND)
    }
}

/// The exit status of a command that there is not, and of one whose arguments are wrong.
pub const UNKNOWN_COMMAND: u8 = 2;

impl<F, Fut> Gateway for F
where
    F: Fn(Request) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: Into<Response>> + Send,
{
    async fn call(&self, request: Request) -> Response {
        self(request).await.into()
    }
}

/// Any gateway, its type forgotten: for collections and for `dyn` borders.
///
/// Cheap to clone; clones share the gateway. A call costs one allocation more.
#[derive(Clone)]
pub struct BoxGateway {
    inner: Arc<dyn DynGateway>,
}

impl BoxGateway {
    /// Wraps a gateway.
    pub fn new(gateway: impl Gateway) -> Self {
        Self {
            inner: Arc::new(gateway),
        }
    }
}

impl Gateway for BoxGateway {
    fn call(&self, request: Request) -> impl Future<Output = Response> + Send {
        self.inner.call_boxed(request)
    }

    fn shutdown(&self) -> impl Future<Output = ()> + Send {
        self.inner.shutdown_boxed()
    }

    fn commands(&self) -> Vec<Command> {
        self.inner.commands_listed()
    }

    fn command(&self, words: Vec<OsString>) -> impl Future<Output = u8> + Send {
        self.inner.command_boxed(words)
    }
}

impl fmt::Debug for BoxGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxGateway")
    }
}

trait DynGateway: Send + Sync {
    fn call_boxed(&self, request: Request) -> Boxed<'_, Response>;
    fn shutdown_boxed(&self) -> Boxed<'_, ()>;
    fn commands_listed(&self) -> Vec<Command>;
    fn command_boxed(&self, words: Vec<OsString>) -> Boxed<'_, u8>;
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl<G: Gateway> DynGateway for G {
    fn call_boxed(&self, request: Request) -> Boxed<'_, Response> {
        Box::pin(self.call(request))
    }

    fn shutdown_boxed(&self) -> Boxed<'_, ()> {
        Box::pin(self.shutdown())
    }

    fn commands_listed(&self) -> Vec<Command> {
        self.commands()
    }

    fn command_boxed(&self, words: Vec<OsString>) -> Boxed<'_, u8> {
        Box::pin(self.command(words))
    }
}
