//! What a host implements for its calls, in safe code: [`Exchange`] and [`Shared`].

use std::fmt;
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::tls::HostTls;
use crate::abi::body::ForeignBody;
use crate::abi::buffer::OwnedBuffer;
use crate::abi::field::Field;
use crate::abi::instance::Instance;
use crate::abi::types::{GwBuf, GwResponse, GwStr, response_flag};
use crate::error::ErrorKind;
use crate::upgrade::Duplex;

/// The half of an exchange that lives on the thread of the call: it takes the response.
pub trait Exchange: Sized + 'static {
    /// The half that any thread may reach.
    type Shared: Shared;

    /// Prepares the other half for this call, before the application can reach it.
    fn open(&self, _shared: &Self::Shared) {}

    /// Takes the response, called from inside `Call::start` or `Call::poll`, at most once with
    /// success. What is not taken out of `response` is released after this returns.
    ///
    /// # Errors
    ///
    /// Refuses the response; nothing may have been taken then, and the call ends with an error
    /// unless the application tries another response.
    fn respond(
        &mut self,
        shared: &Self::Shared,
        response: &mut AppResponse<'_>,
    ) -> Result<(), ErrorKind>;
}

/// The half of an exchange that any thread may reach, as long as the application keeps its
/// reference; not called after the call has ended.
pub trait Shared: Send + Sync + Default + 'static {
    /// Sends an informational response.
    ///
    /// # Errors
    ///
    /// See [`crate::Exchange::inform`].
    fn inform(&self, status: u16, fields: &[Field<'_>]) -> Result<(), ErrorKind>;

    /// Ready once the client has gone. Keeps the last waker only.
    fn poll_closed(&self, waker: &Waker) -> Poll<()>;

    /// Ready once the server drains. Keeps the last waker only.
    fn poll_draining(&self, waker: &Waker) -> Poll<()>;

    /// The upgraded connection, once, after a response with an upgrade.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] without such a response, [`ErrorKind::Closed`] if the connection was
    /// lost.
    fn poll_upgrade(&self, waker: &Waker) -> Poll<Result<Box<dyn Duplex>, ErrorKind>>;

    /// Sets flags of the exchange (`abi::ctx_flag`).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] for unknown flags.
    fn set_flags(&self, flags: u64) -> Result<(), ErrorKind>;

    /// The request's id, if its head has none; the same text each time, until `recycle`.
    fn id(&self) -> Option<&Text> {
        None
    }

    /// Facts of the exchange's TLS connection, the same until `recycle`; nothing on a plaintext one.
    fn tls(&self) -> Option<&HostTls> {
        None
    }

    /// Makes it as new for another call, keeping what memory is worth keeping.
    fn recycle(&mut self) {
        *self = Self::default();
    }
}

/// A text that applications may look at for as long as it lives.
#[derive(Debug)]
pub struct Text {
    raw: GwStr,
    _bytes: Box<[u8]>,
}

// SAFETY: the pointer is to the boxed bytes, which nobody changes.
unsafe impl Send for Text {}
// SAFETY: as above.
unsafe impl Sync for Text {}

impl Text {
    /// Keeps these bytes.
    #[must_use]
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        let bytes = bytes.into();
        Self {
            raw: GwStr::from(&*bytes),
            _bytes: bytes,
        }
    }

    /// As the ABI has it.
    pub(super) fn as_raw(&self) -> *const GwStr {
        &raw const self.raw
    }
}

/// The response that an application gives, borrowed; buffers and bodies move out by `take_*`.
pub struct AppResponse<'a> {
    raw: &'a mut GwResponse,
    fields: &'a [Field<'a>],
    instance: &'a Arc<Instance>,
}

impl<'a> AppResponse<'a> {
    /// # Safety
    ///
    /// `raw` is what the application passes to `respond`, valid for `'a`.
    pub(super) unsafe fn new(raw: &'a mut GwResponse, instance: &'a Arc<Instance>) -> Self {
        // SAFETY: the caller's promise.
        let fields = unsafe { Field::foreign(raw.headers, raw.n_headers) };
        Self {
            raw,
            fields,
            instance,
        }
    }

    /// The status as given: any number; whoever takes the response checks it.
    #[must_use]
    #[inline]
    pub fn status(&self) -> u32 {
        self.raw.status
    }

    /// The field lines as given; whoever takes the response checks them.
    #[must_use]
    #[inline]
    pub fn fields(&self) -> &'a [Field<'a>] {
        self.fields
    }

    /// Whether the field lines never change: whoever takes the response may keep what it made of them,
    /// by the address and the length of the slice.
    #[must_use]
    #[inline]
    pub fn fields_are_lasting(&self) -> bool {
        self.raw.flags & response_flag::LASTING_HEADERS != 0
    }

    /// Bytes of the whole body, if the application declared them. Otherwise the body is as long as
    /// [`first`](Self::first), or of unknown length if it [goes on](Self::has_body) behind that.
    #[must_use]
    #[inline]
    pub fn declared_length(&self) -> Option<u64> {
        let declared = self.raw.flags & response_flag::HAS_LENGTH != 0;
        declared.then_some(self.raw.content_length)
    }

    /// The protocol switched to, if this response upgrades; possibly empty.
    #[must_use]
    #[inline]
    pub fn upgrade(&self) -> Option<&'a [u8]> {
        let upgrades = self.raw.flags & response_flag::UPGRADE != 0;
        // SAFETY: borrowed for the call.
        upgrades.then(|| unsafe { self.raw.protocol.bytes() })
    }

    /// Whether the host may add a Date field.
    #[must_use]
    #[inline]
    pub fn wants_date(&self) -> bool {
        self.raw.flags & response_flag::NO_AUTO_DATE == 0
    }

    /// Whether it is a status, fields and a body that is all there: no length is declared, nothing
    /// follows the body, and Date may be added.
    #[must_use]
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.raw.flags & !response_flag::LASTING_HEADERS == 0 && self.raw.body.is_null()
    }

    /// The body, or its beginning, in place.
    #[must_use]
    #[inline]
    pub fn first(&self) -> &[u8] {
        // SAFETY: the application's buffer lives until it is dropped, which needs `&mut`.
        unsafe { self.raw.first.bytes() }
    }

    /// Takes the first buffer, to be kept without a copy.
    pub fn take_first(&mut self) -> OwnedBuffer {
        // SAFETY: an initialised buffer; zeroes stay behind.
        unsafe { OwnedBuffer::take(&raw mut self.raw.first) }
    }

    /// Whether more follows the first buffer.
    #[must_use]
    #[inline]
    pub fn has_body(&self) -> bool {
        !self.raw.body.is_null()
    }

    /// Takes what follows the first buffer.
    pub fn take_body(&mut self) -> Option<ForeignBody> {
        let body = std::mem::replace(&mut self.raw.body, std::ptr::null_mut());
        // SAFETY: given with the response; NULL stays behind, so it is taken once.
        let body = unsafe { ForeignBody::take(body) }?;
        Some(body.of(Arc::clone(self.instance)))
    }
}

impl AppResponse<'_> {
    /// Drops what nobody has taken, and leaves zeroes (RES-20).
    #[inline]
    pub(super) fn release(&mut self) {
        if self.raw.first.drop.is_some() || self.has_body() {
            self.drop_rest();
        }
        self.raw.first = GwBuf::EMPTY;
    }

    #[inline(never)]
    fn drop_rest(&mut self) {
        drop(self.take_first());
        drop(self.take_body());
    }
}

impl fmt::Debug for AppResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AppResponse({}, {:?})", self.status(), self.fields)
    }
}
