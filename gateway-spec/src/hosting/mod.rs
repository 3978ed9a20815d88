//! What adapters to other servers share: [`Hosted`], a gateway with its life, calls and bodies, on
//! tokio.
//!
//! An adapter turns what its server received into a [`Request`] ([`Arrival`]), has
//! it answered ([`Hosted::call`]), and writes the [`Answer`]. The rest is here: when the exchange
//! ends, what a client that goes away ends, work behind answers, draining, shutdown.

mod answer;
mod arrival;
mod bounded;
mod call;
mod content;
mod exchange;
mod life;
#[cfg(feature = "load")]
mod loading;
mod upload;

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

pub use answer::{Answer, Switch};
pub use arrival::Arrival;
pub use call::Call;
pub use content::Content;
use exchange::{Attendance, HostedExchange};
pub use life::Draining;
use life::{Life, Phase};
#[cfg(feature = "load")]
pub use loading::{LoadFailure, Options, Stop, load};

use crate::exchange::Exchange;
use crate::gateway::Gateway;
use crate::request::Request;

/// A gateway in a server that is not `gatewayd`. Clones share it.
///
/// All calls happen inside a tokio runtime.
pub struct Hosted<G> {
    gateway: Arc<G>,
    life: Arc<Life>,
}

/// Calls that did not end within the time that [`Hosted::shutdown`] gave them. The gateway was not
/// shut down, since rule LIFE-03 forbids it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unfinished {
    /// How many there are.
    pub calls: usize,
}

impl<G: Gateway> Hosted<G> {
    /// Hosts a gateway that is linked into this program.
    pub fn new(gateway: G) -> Self {
        Self {
            gateway: Arc::new(gateway),
            life: Arc::default(),
        }
    }

    /// The gateway.
    #[must_use]
    pub fn gateway(&self) -> &G {
        &self.gateway
    }

    /// Hands a request to the gateway. Dropping the call tells that the client has gone.
    #[must_use]
    pub fn call(&self, request: Request) -> Call {
        self.call_with(request, None)
    }

    /// The same for a client that came by TLS.
    #[must_use]
    pub fn call_with(&self, mut request: Request, tls: Option<crate::TlsInfo>) -> Call {
        let Some(turn) = Life::enter(&self.life) else {
            return Call::refused();
        };
        let exchange = Arc::new(HostedExchange::new(Arc::clone(&self.life), tls));
        let terms = answer::Terms::of(&request);
        if request.has_body() {
            let body = request.take_body();
            *request.body_mut() = upload::attended(body, Arc::clone(&exchange));
        }
        let request = request.with_exchange(Exchange::new(Arc::clone(&exchange) as _));
        let gateway = Arc::clone(&self.gateway);
        let answering = async move { gateway.call(request).await };
        Call::new(Box::pin(answering), Attendance::new(exchange, turn), terms)
    }

    /// Waits until no call runs, work behind answers included. One at a time may wait.
    pub async fn idle(&self) {
        poll_fn(|cx| self.life.poll_idle(cx)).await;
    }

    /// Tells calls and streams that the server will stop; they go on.
    pub fn drain(&self) {
        self.life.advance(Phase::Draining);
    }

    /// Ends the gateway: drains, waits for its calls, drops those that remain after `grace`, refuses
    /// what still comes with 503, and shuts it down, for which it has `grace` once more.
    ///
    /// # Errors
    ///
    /// [`Unfinished`] if calls are still there that nobody polls or drops: their connections are
    /// neither read nor closed.
    pub async fn shutdown(&self, grace: Duration) -> Result<(), Unfinished> {
        self.drain();
        if tokio::time::timeout(grace, self.idle()).await.is_err() {
            let calls = self.life.calls();
            log::warn!(target: "gateway", "{calls} calls are dropped: {grace:?} are over");
        }
        self.life.advance(Phase::Over);
        if tokio::time::timeout(TO_DROP, self.idle()).await.is_err() {
            let calls = self.life.calls();
            return Err(Unfinished { calls });
        }
        if tokio::time::timeout(grace, self.gateway.shutdown())
            .await
            .is_err()
        {
            log::warn!(target: "gateway", "the shutdown is cut off: {grace:?} are over");
        }
        Ok(())
    }
}

impl<G> Clone for Hosted<G> {
    fn clone(&self) -> Self {
        Self {
            gateway: Arc::clone(&self.gateway),
            life: Arc::clone(&self.life),
        }
    }
}

impl<G> fmt::Debug for Hosted<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hosted({} calls)", self.life.calls())
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = self.calls;
        write!(
            f,
            "{calls} calls still run: their connections are not closed"
        )
    }
}

impl std::error::Error for Unfinished {}

/// How long calls may take to notice that they are over.
const TO_DROP: Duration = Duration::from_secs(1);
