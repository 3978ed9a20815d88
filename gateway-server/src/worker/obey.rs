//! A worker's ear: does what the master orders, until the master is gone.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::unix::AsyncFd;

use crate::clock::Clock;
use crate::drain::{Drain, Phase};
use crate::logging::AccessLog;
use crate::orders::{Heard, Order, Received};
use crate::os::memfd;
use crate::tls::{Engine, Material};

/// What orders act upon.
pub(super) struct Subject {
    pub(super) drain: Drain,
    pub(super) clock: Clock,
    pub(super) access_log: Option<Rc<AccessLog>>,
    /// What TLS connections begin from.
    pub(super) engine: Option<Rc<Engine>>,
    /// How long what has begun may take once the master is gone.
    pub(super) graceful: Duration,
}

/// Reads orders and acts upon them.
pub(super) async fn obey(orders: AsyncFd<Rc<OwnedFd>>, subject: Subject) {
    let Subject {
        drain,
        clock,
        access_log,
        engine,
        graceful,
    } = subject;
    loop {
        let Ok(mut readable) = orders.readable().await else {
            return;
        };
        match Order::receive(orders.get_ref()) {
            Received::Message(Heard::Log(file)) => {
                if let Some(log) = &access_log {
                    log.write_to(File::from(file));
                }
            }
            Received::Message(Heard::Certificates(file)) => {
                if let Some(engine) = &engine {
                    exchange(engine, file);
                }
            }
            Received::Message(Heard::Order(Order::Announce)) => drain.advance(Phase::Announced),
            Received::Message(Heard::Order(Order::Retire)) => drain.advance(Phase::Retiring),
            Received::Message(Heard::Order(Order::Shutdown)) => drain.advance(Phase::ShuttingDown),
            Received::Message(Heard::Order(Order::StopNow)) => drain.advance(Phase::Stopping),
            Received::Garbage => tracing::warn!("an order from the master was not understood"),
            Received::Nothing => readable.clear_ready(),
            Received::Closed => {
                tracing::warn!("the master is gone; finishing what has begun");
                drain.advance(Phase::Orphaned);
                clock.sleep(graceful).await;
                return drain.advance(Phase::Stopping);
            }
        }
    }
}

/// Gives connections that begin from now on other certificates.
fn exchange(engine: &Engine, file: OwnedFd) {
    let exchanged = memfd::read(&File::from(file))
        .map_err(|error| error.to_string())
        .and_then(|bytes| Material::from_bytes(&bytes).ok_or("expected certificates".to_owned()))
        .and_then(|material| engine.exchange(&material));
    if let Err(error) = exchanged {
        tracing::error!("{error}; the certificates stay as they were");
    }
}
