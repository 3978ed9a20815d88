//! [`HostedExchange`]: what a gateway may ask of a host that is not `gatewayd`.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use http::StatusCode;

use super::life::{Life, Phase, Turn, Watch};
use crate::error::{Error, ErrorKind};
use crate::exchange_host::{HostExchange, TlsInfo};
use crate::fields::Fields;

/// One exchange. It has no way to send interim responses, so these are discarded (RES-17).
#[derive(Debug)]
pub(super) struct HostedExchange {
    flags: AtomicU8,
    life: Arc<Life>,
    /// Guards whoever waits for the client.
    waiting: Mutex<Waiting>,
    tls: Option<TlsInfo>,
}

#[derive(Debug, Default)]
struct Waiting {
    closed: Option<Waker>,
    draining: Option<Watch>,
}

impl HostedExchange {
    pub(super) fn new(life: Arc<Life>, tls: Option<TlsInfo>) -> Self {
        Self {
            flags: AtomicU8::new(0),
            life,
            waiting: Mutex::default(),
            tls,
        }
    }

    pub(super) fn answered(&self) {
        self.flags.fetch_or(ANSWERED, Ordering::AcqRel);
    }

    /// The client has gone; the exchange goes on if its call does.
    pub(super) fn client_gone(&self) {
        self.set(GONE);
    }

    pub(super) fn finishes(&self) -> bool {
        self.has(FINISHES)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has(ENDED)
    }

    fn has(&self, flag: u8) -> bool {
        self.flags.load(Ordering::Acquire) & flag != 0
    }

    fn set(&self, flag: u8) {
        self.flags.fetch_or(flag, Ordering::AcqRel);
        let closed = match self.waiting.lock() {
            Ok(mut waiting) => waiting.closed.take(),
            Err(poisoned) => poisoned.into_inner().closed.take(),
        };
        if let Some(waker) = closed {
            waker.wake();
        }
    }
}

impl HostExchange for HostedExchange {
    fn inform(&self, status: StatusCode, _: &Fields) -> Result<(), Error> {
        let code = status.as_u16();
        if !(102..=199).contains(&code) {
            let what = format!("expected an interim status from 102 to 199, found {code}");
            return Err(Error::new(ErrorKind::Invalid, what));
        }
        if self.has_ended() {
            return Err(Error::new(ErrorKind::Closed, "the exchange is over"));
        }
        if self.has(ANSWERED) {
            let what = "the response has been given";
            return Err(Error::new(ErrorKind::TooLate, what));
        }
        Ok(())
    }

    fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has(GONE | ENDED) {
            return Poll::Ready(());
        }
        let last = waiting.closed.replace(cx.waker().clone());
        drop(waiting);
        drop(last);
        Poll::Pending
    }

    fn poll_draining(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has_ended() {
            return Poll::Ready(());
        }
        let life = &self.life;
        let watch = waiting.draining.get_or_insert_with(|| Watch::new(life));
        watch.poll(Phase::Draining, cx)
    }

    fn finish_on_disconnect(&self) {
        self.flags.fetch_or(FINISHES, Ordering::AcqRel);
    }

    fn tls(&self) -> Option<TlsInfo> {
        self.tls.clone()
    }
}

/// What keeps an exchange going: a call, then a response's body or an upgraded stream.
#[derive(Debug)]
pub(super) struct Attendance {
    pub(super) exchange: Arc<HostedExchange>,
    pub(super) turn: Turn,
}

impl Attendance {
    pub(super) fn new(exchange: Arc<HostedExchange>, turn: Turn) -> Self {
        Self { exchange, turn }
    }

    pub(super) fn life(&self) -> &Arc<Life> {
        self.turn.life()
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        self.exchange.set(ENDED);
    }
}

const ANSWERED: u8 = 1;
const FINISHES: u8 = 2;
const GONE: u8 = 4;
const ENDED: u8 = 8;
