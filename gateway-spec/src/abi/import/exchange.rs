//! What an imported application calls back: the response is collected, the rest forwarded to the
//! request's own exchange.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use super::fields;
use crate::abi::body::{ForeignBody, owned_fields};
use crate::abi::field::Field;
use crate::abi::host::{AppResponse, Exchange, Shared, Text};
use crate::abi::types::ctx_flag;
use crate::error::ErrorKind;
use crate::exchange::Exchange as Handle;
use crate::exchange_host::HostExchange;
use crate::fields::Fields;
use crate::upgrade::Duplex;

/// Takes the response.
pub(super) struct Collecting {
    pub(super) exchange: Handle,
    pub(super) is_connect: bool,
    pub(super) given: Option<Given>,
}

/// A response that the application has given.
pub(super) struct Given {
    pub(super) status: StatusCode,
    pub(super) fields: Fields,
    pub(super) first: Bytes,
    pub(super) rest: Option<ForeignBody>,
    /// Length of the body, where it was declared or is known.
    pub(super) length: Option<u64>,
    pub(super) upgrade: Option<HeaderValue>,
    pub(super) wants_date: bool,
}

impl Exchange for Collecting {
    type Shared = Forwarding;

    fn open(&self, shared: &Forwarding) {
        // A forwarding half is new for each call, so it has none yet.
        let _ = shared.exchange.set(self.exchange.clone());
    }

    fn respond(
        &mut self,
        shared: &Forwarding,
        response: &mut AppResponse<'_>,
    ) -> Result<(), ErrorKind> {
        let upgrade = response
            .upgrade()
            .map(HeaderValue::from_bytes)
            .transpose()
            .map_err(|_| ErrorKind::Invalid)?;
        let status = u16::try_from(response.status())
            .ok()
            .filter(|status| match (upgrade.is_some(), self.is_connect) {
                (true, _) => matches!(status, 101 | 200),
                (false, true) => (300..=599).contains(status),
                (false, false) => (200..=599).contains(status),
            })
            .and_then(|status| StatusCode::from_u16(status).ok())
            .ok_or(ErrorKind::Invalid)?;
        let (fields, by_field) = fields::read(response)?;
        let by_flag = response.declared_length();
        if by_flag.is_some() && by_field.is_some() && by_flag != by_field {
            return Err(ErrorKind::Invalid);
        }
        let whole = (!response.has_body()).then_some(response.first().len() as u64);
        let length = by_flag.or(by_field).or(whole);
        self.given = Some(Given {
            status,
            fields,
            first: response.take_first().into(),
            rest: response.take_body(),
            length,
            upgrade,
            wants_date: response.wants_date(),
        });
        shared.answered(
            self.given
                .as_ref()
                .is_some_and(|given| given.upgrade.is_some()),
        );
        Ok(())
    }
}

/// The half that any thread may reach.
#[derive(Default)]
pub(super) struct Forwarding {
    exchange: OnceLock<Handle>,
    /// What the host has said when it was asked.
    id: OnceLock<Option<Text>>,
    is_answered: AtomicBool,
    /// Who waits for the client, for a drain; guards against an end that nobody hears of.
    waiting: Mutex<Waiting>,
    /// Guards the stream on its way to the application.
    upgrade: Mutex<Upgrade>,
}

#[derive(Default)]
struct Waiting {
    is_over: bool,
    closed: Option<Waker>,
    draining: Option<Waker>,
}

#[derive(Default)]
enum Upgrade {
    /// No response with an upgrade yet.
    #[default]
    None,
    Asked(Option<Waker>),
    Ready(Box<dyn Duplex>),
    /// Handed over or lost.
    Over,
}

impl Forwarding {
    /// The upgraded connection is there.
    pub(super) fn give_stream(&self, stream: Box<dyn Duplex>) {
        let before = std::mem::replace(&mut *lock(&self.upgrade), Upgrade::Ready(stream));
        if let Upgrade::Asked(Some(waker)) = before {
            waker.wake();
        }
    }

    /// The exchange is over: whoever waits for it to close hears of it.
    pub(super) fn end(&self) {
        let (closed, draining) = {
            let mut waiting = lock(&self.waiting);
            waiting.is_over = true;
            (waiting.closed.take(), waiting.draining.take())
        };
        for waker in [closed, draining].into_iter().flatten() {
            waker.wake();
        }
    }

    fn answered(&self, upgrades: bool) {
        self.is_answered.store(true, Ordering::Release);
        if upgrades {
            *lock(&self.upgrade) = Upgrade::Asked(None);
        }
    }

    fn host(&self) -> Option<&dyn HostExchange> {
        self.exchange.get()?.host()
    }

    /// Ready if the exchange is over or `poll` of the request's own exchange is.
    fn poll(
        &self,
        waker: &Waker,
        slot: impl FnOnce(&mut Waiting) -> &mut Option<Waker>,
        poll: impl FnOnce(&dyn HostExchange, &mut Context<'_>) -> Poll<()>,
    ) -> Poll<()> {
        // Dropped after the lock is given back: a waker's drop is foreign code.
        let _last = {
            let mut waiting = lock(&self.waiting);
            if waiting.is_over {
                return Poll::Ready(());
            }
            slot(&mut waiting).replace(waker.clone())
        };
        match self.host() {
            Some(host) => poll(host, &mut Context::from_waker(waker)),
            None => Poll::Pending,
        }
    }
}

impl Shared for Forwarding {
    fn inform(&self, status: u16, fields: &[Field<'_>]) -> Result<(), ErrorKind> {
        if lock(&self.waiting).is_over {
            return Err(ErrorKind::Closed);
        }
        if self.is_answered.load(Ordering::Acquire) {
            return Err(ErrorKind::TooLate);
        }
        let status = StatusCode::from_u16(status).map_err(|_| ErrorKind::Invalid)?;
        let fields = owned_fields(fields.iter()).map_err(|error| error.kind())?;
        match self.exchange.get() {
            Some(exchange) => exchange
                .inform(status, &fields)
                .map_err(|error| error.kind()),
            None => Err(ErrorKind::Unsupported),
        }
    }

    fn poll_closed(&self, waker: &Waker) -> Poll<()> {
        self.poll(
            waker,
            |waiting| &mut waiting.closed,
            |host, cx| host.poll_closed(cx),
        )
    }

    fn poll_draining(&self, waker: &Waker) -> Poll<()> {
        self.poll(
            waker,
            |waiting| &mut waiting.draining,
            |host, cx| host.poll_draining(cx),
        )
    }

    fn poll_upgrade(&self, waker: &Waker) -> Poll<Result<Box<dyn Duplex>, ErrorKind>> {
        let mut upgrade = lock(&self.upgrade);
        match std::mem::replace(&mut *upgrade, Upgrade::Over) {
            Upgrade::Ready(stream) => Poll::Ready(Ok(stream)),
            Upgrade::Over => Poll::Ready(Err(ErrorKind::Closed)),
            Upgrade::None => {
                *upgrade = Upgrade::None;
                Poll::Ready(Err(ErrorKind::Invalid))
            }
            Upgrade::Asked(last) => {
                *upgrade = Upgrade::Asked(Some(waker.clone()));
                drop(upgrade);
                drop(last);
                Poll::Pending
            }
        }
    }

    fn id(&self) -> Option<&Text> {
        let ask = || Some(Text::new(self.host()?.id()?));
        self.id.get_or_init(ask).as_ref()
    }

    fn set_flags(&self, flags: u64) -> Result<(), ErrorKind> {
        if flags & !ctx_flag::FINISH_ON_DISCONNECT != 0 {
            return Err(ErrorKind::Unsupported);
        }
        if flags & ctx_flag::FINISH_ON_DISCONNECT != 0
            && let Some(host) = self.host()
        {
            host.finish_on_disconnect();
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
