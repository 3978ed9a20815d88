//! [`Link`]: the half of an exchange that any thread of the application may reach.
//!
//! Nothing here touches the socket. What the application asks for is left in a small locked box,
//! and the connection is woken to look.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker};

use gateway_spec::abi::host::{HostTls, Text};
use gateway_spec::abi::{Field, ctx_flag, host, module_flag};
use gateway_spec::{Duplex, ErrorKind};

use crate::http1::{Outgoing, Version, encode};
use crate::scoreboard::{self, RequestId};

/// The shared half. Untouched for most requests, which costs them nothing.
#[derive(Default)]
pub(super) struct Link {
    /// Whether the box below was ever opened in this call.
    touched: AtomicBool,
    responded: AtomicBool,
    /// The number of the request's id; 0 if nobody has wanted to know it.
    number: AtomicU64,
    /// The id, once the application has asked for it.
    id: OnceLock<Text>,
    /// Of a connection within TLS.
    tls: OnceLock<Arc<HostTls>>,
    /// Guards everything else.
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Informational responses to be written.
    informs: Outgoing,
    /// The client cannot take informational responses (HTTP/1.0).
    deaf: bool,
    closed: bool,
    draining: bool,
    finish_on_disconnect: bool,
    upgrading: bool,
    upgraded: Option<Box<dyn Duplex>>,
    upgrade_taken: bool,
    waiting_for_close: Option<Waker>,
    waiting_for_drain: Option<Waker>,
    waiting_for_upgrade: Option<Waker>,
    /// The connection, while it sleeps.
    connection: Option<Waker>,
}

impl Link {
    /// Notes what decides about informational responses, and a drain.
    pub(super) fn open(&self, version: Version, draining: bool) {
        if version == Version::Http10 {
            self.lock().deaf = true;
        }
        if draining {
            self.lock().draining = true;
        }
    }

    /// Has the application know of TLS.
    pub(super) fn tell_tls(&self, tls: Arc<HostTls>) {
        // Nothing is there: the link is new, or as new.
        let _ = self.tls.set(tls);
    }

    /// Notes that a response has been given, and whether it upgrades.
    pub(super) fn close_to_informs(&self, upgrades: bool) {
        self.responded.store(true, Ordering::Release);
        if upgrades {
            self.lock().upgrading = true;
        }
    }

    /// Has the application know the request by the id that a proxy has given it.
    pub(super) fn tell_id(&self, id: Box<[u8]>) {
        self.touched.store(true, Ordering::Release);
        // Nothing is there: the link is new, or as new.
        let _ = self.id.set(Text::new(id.into_vec()));
    }

    /// The request's id, made now if there is none yet.
    pub(super) fn request_id(&self) -> RequestId {
        self.settle_id(scoreboard::id_of_call)
    }

    /// The same; `make` makes one, or knows what it was called in a call that has returned.
    pub(super) fn settle_id(&self, make: impl FnOnce() -> RequestId) -> RequestId {
        let known = self.number.load(Ordering::Acquire);
        if known != 0 {
            return RequestId::of(known);
        }
        let fresh = make();
        let number = fresh.number().map_or(0, NonZeroU64::get);
        let order = Ordering::AcqRel;
        match self
            .number
            .compare_exchange(0, number, order, Ordering::Acquire)
        {
            Ok(_) => fresh,
            // Another thread was quicker.
            Err(known) => RequestId::of(known),
        }
    }

    /// Whether nothing was ever asked for in this call, nor told.
    #[inline]
    pub(super) fn is_untouched(&self) -> bool {
        !self.touched.load(Ordering::Acquire)
    }

    /// Appends informational responses that wait.
    #[inline]
    pub(super) fn take_informs(&self, out: &mut Outgoing) {
        if self.touched.load(Ordering::Acquire) {
            out.append(&mut self.lock().informs);
        }
    }

    /// Whether the application wants the call finished although the client has gone.
    pub(super) fn finishes_on_disconnect(&self) -> bool {
        self.touched.load(Ordering::Acquire) && self.lock().finish_on_disconnect
    }

    /// Tells that the client has gone.
    pub(super) fn tell_closed(&self) {
        let waiting = {
            let mut inner = self.lock();
            inner.closed = true;
            [
                inner.waiting_for_close.take(),
                inner.waiting_for_upgrade.take(),
            ]
        };
        wake(waiting);
    }

    /// Tells that the server drains.
    pub(super) fn tell_draining(&self) {
        let waiting = {
            let mut inner = self.lock();
            inner.draining = true;
            inner.waiting_for_drain.take()
        };
        wake([waiting]);
    }

    /// Hands the upgraded stream over to whoever asks for it.
    pub(super) fn give_upgraded(&self, stream: Box<dyn Duplex>) {
        let waiting = {
            let mut inner = self.lock();
            inner.upgraded = Some(stream);
            inner.waiting_for_upgrade.take()
        };
        wake([waiting]);
    }

    /// The call has ended: a stream that nobody took will not be taken any more.
    pub(super) fn forget_upgraded(&self) {
        if self.touched.load(Ordering::Acquire) {
            let forgotten = self.lock().upgraded.take();
            drop(forgotten);
        }
    }

    /// The connection is about to sleep: whom to wake. False if there is something to do.
    pub(super) fn sleep(&self, connection: &Waker) -> bool {
        let mut inner = self.lock();
        let watching = inner
            .connection
            .as_ref()
            .is_some_and(|old| old.will_wake(connection));
        if !watching {
            inner.connection = Some(connection.clone());
        }
        inner.informs.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.touched.store(true, Ordering::Release);
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake<const N: usize>(waiting: [Option<Waker>; N]) {
    waiting.into_iter().flatten().for_each(Waker::wake);
}

/// Keeps the last waker only.
fn wait(waiting: &mut Option<Waker>, waker: &Waker) {
    if !waiting.as_ref().is_some_and(|old| old.will_wake(waker)) {
        *waiting = Some(waker.clone());
    }
}

impl host::Shared for Link {
    fn inform(&self, status: u16, fields: &[Field<'_>]) -> Result<(), ErrorKind> {
        if self.responded.load(Ordering::Acquire) {
            return Err(ErrorKind::TooLate);
        }
        let mut response = Outgoing::default();
        encode::informational(&mut response, status, fields).map_err(|_| ErrorKind::Invalid)?;
        let waiting = {
            let mut inner = self.lock();
            if inner.deaf {
                return Ok(());
            }
            if inner.informs.len() + response.len() > INFORM_BYTES {
                return Err(ErrorKind::Limit);
            }
            inner.informs.append(&mut response);
            inner.connection.take()
        };
        wake([waiting]);
        Ok(())
    }

    fn poll_closed(&self, waker: &Waker) -> Poll<()> {
        let mut inner = self.lock();
        if inner.closed {
            return Poll::Ready(());
        }
        wait(&mut inner.waiting_for_close, waker);
        Poll::Pending
    }

    fn poll_draining(&self, waker: &Waker) -> Poll<()> {
        let mut inner = self.lock();
        if inner.draining {
            return Poll::Ready(());
        }
        wait(&mut inner.waiting_for_drain, waker);
        Poll::Pending
    }

    fn poll_upgrade(&self, waker: &Waker) -> Poll<Result<Box<dyn Duplex>, ErrorKind>> {
        let mut inner = self.lock();
        if let Some(stream) = inner.upgraded.take() {
            inner.upgrade_taken = true;
            return Poll::Ready(Ok(stream));
        }
        if inner.closed {
            return Poll::Ready(Err(ErrorKind::Closed));
        }
        if inner.upgrade_taken {
            return Poll::Ready(Err(ErrorKind::TooLate));
        }
        if !inner.upgrading {
            return Poll::Ready(Err(ErrorKind::Invalid));
        }
        wait(&mut inner.waiting_for_upgrade, waker);
        Poll::Pending
    }

    fn id(&self) -> Option<&Text> {
        self.touched.store(true, Ordering::Release);
        let make = || Text::new(self.request_id().to_string().into_bytes());
        Some(self.id.get_or_init(make))
    }

    fn set_flags(&self, flags: u64) -> Result<(), ErrorKind> {
        // Bits of the lower half that this version does not know mean nothing (LOAD-04).
        if flags & module_flag::CRITICAL_MASK != 0 {
            return Err(ErrorKind::Unsupported);
        }
        self.lock().finish_on_disconnect = flags & ctx_flag::FINISH_ON_DISCONNECT != 0;
        Ok(())
    }

    fn tls(&self) -> Option<&HostTls> {
        self.tls.get().map(|tls| &**tls)
    }

    #[inline]
    fn recycle(&mut self) {
        if self.tls.get().is_some() {
            self.tls = OnceLock::new();
        }
        *self.responded.get_mut() = false;
        *self.number.get_mut() = 0;
        if std::mem::take(self.touched.get_mut()) {
            *self.inner.get_mut().unwrap_or_else(PoisonError::into_inner) = Inner::default();
            self.id.take();
        }
    }
}

/// Informational responses that may wait to be written, in bytes.
const INFORM_BYTES: usize = 64 * 1024;
