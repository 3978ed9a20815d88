//! What may stand in `export!`: a gateway, a function that makes one, an async constructor.

use std::future::Future;
use std::pin::Pin;

use crate::gateway::Gateway;
use crate::lifespan::{Startup, StartupError};

/// A start-up in progress.
pub(super) type Starting<G> = Pin<Box<dyn Future<Output = Result<G, StartupError>> + Send>>;

/// Turns what stands in `export!` into a start-up. `Form` is a marker that tells the forms apart,
/// found by inference; nobody names it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be exported as a gateway",
    label = "expected a gateway, a function returning one, or an async constructor",
    note = "forms: a value `impl Gateway` (async functions from `Request` to a response are), `fn() -> impl Gateway`, `async fn(Startup) -> Result<impl Gateway, StartupError>`"
)]
pub trait Exportable<Form>: Send + 'static {
    /// The gateway that serves.
    type Gateway: Gateway;

    /// Starts.
    fn start(self, startup: Startup) -> Starting<Self::Gateway>;
}

/// A plain value.
#[derive(Debug)]
#[non_exhaustive]
pub struct Value;

/// A function that makes one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Function;

/// An async constructor.
#[derive(Debug)]
#[non_exhaustive]
pub struct Constructor;

impl<G: Gateway> Exportable<Value> for G {
    type Gateway = G;

    fn start(self, _: Startup) -> Starting<G> {
        Box::pin(std::future::ready(Ok(self)))
    }
}

impl<F, G> Exportable<(Function, G)> for F
where
    F: FnOnce() -> G + Send + 'static,
    G: Gateway,
{
    type Gateway = G;

    fn start(self, _: Startup) -> Starting<G> {
        Box::pin(async move { Ok(self()) })
    }
}

impl<F, Fut, G, E> Exportable<(Constructor, Fut, G, E)> for F
where
    F: FnOnce(Startup) -> Fut + Send + 'static,
    Fut: Future<Output = Result<G, E>> + Send + 'static,
    G: Gateway,
    E: Into<StartupError>,
{
    type Gateway = G;

    fn start(self, startup: Startup) -> Starting<G> {
        let constructed = self(startup);
        Box::pin(async move { constructed.await.map_err(Into::into) })
    }
}
