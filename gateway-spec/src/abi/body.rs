//! Bodies across the ABI: a foreign one that we poll, and one of ours that the other side polls.
//!
//! Request bodies go from the host to the application, response bodies the other way; the
//! interface is the same, so is this code.

use std::fs::File;
use std::os::fd::{FromRawFd, IntoRawFd};
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{HeaderName, HeaderValue};

use super::buffer::OwnedBuffer;
use super::codes::{code_of, error_of};
use super::contain::{Entered, contained};
use super::field::Field;
use super::instance::Instance;
use super::size::struct_size;
use super::types::{
    GwBody, GwBodyVt, GwBuf, GwFrame, GwHeader, GwWaker, code, frame_flag, frame_kind,
};
use super::waker::{self, Lender};
use crate::body::{Body, BodyStream, FileRegion, Frame};
use crate::error::{Error, ErrorKind};
use crate::fields::Fields;

/// A body that the other side implements.
#[derive(Debug)]
pub struct ForeignBody {
    body: NonNull<GwBody>,
    lender: Lender,
    ended: bool,
    /// Of a response's body: the application that it needs to be there.
    instance: Option<Arc<Instance>>,
}

/// A frame of a [`ForeignBody`], not yet converted: content stays the other side's buffer.
#[derive(Debug)]
#[non_exhaustive]
pub enum ForeignFrame {
    /// Content.
    Data(OwnedBuffer),
    /// Content in a file.
    File(FileRegion),
    /// Trailer fields.
    Trailers(Fields),
}

// SAFETY: a body may migrate between threads, used by one at a time (SPEC.md, "Threads").
unsafe impl Send for ForeignBody {}

impl ForeignBody {
    /// Takes over a body; `None` for NULL or a table too short for version 1.0.
    ///
    /// # Safety
    ///
    /// `body` is NULL or a valid body that the caller owns and gives up.
    pub(crate) unsafe fn take(body: *mut GwBody) -> Option<Self> {
        // SAFETY: the caller's promise.
        if !unsafe { Self::is_whole(body) } {
            return None;
        }
        Some(Self {
            body: NonNull::new(body)?,
            lender: Lender::new(),
            ended: false,
            instance: None,
        })
    }

    /// Whether a body has the table of version 1.0. One that has not cannot be used, nor dropped.
    ///
    /// # Safety
    ///
    /// `body` is NULL or a body.
    pub(crate) unsafe fn is_whole(body: *mut GwBody) -> bool {
        // SAFETY: the caller's promise.
        let Some(body) = (unsafe { body.as_ref() }) else {
            return false;
        };
        // SAFETY: tables are valid until the process exits.
        let table = unsafe { body.vt.as_ref() };
        table.is_some_and(|table| table.struct_size as usize >= size_of::<GwBodyVt>())
    }

    /// The same body, which keeps the instance that made it.
    pub(super) fn of(mut self, instance: Arc<Instance>) -> Self {
        self.instance = Some(instance);
        self
    }

    /// Whether the module lets this thread use it.
    fn is_usable_here(&self) -> bool {
        self.instance
            .as_ref()
            .is_none_or(|instance| instance.is_usable_here())
    }

    /// The next frame; `None` is the end, and stays the answer after it.
    pub fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<ForeignFrame, Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if !self.is_usable_here() {
            return Poll::Ready(Some(Err(Error::new(
                ErrorKind::Invalid,
                "a body of a single-threaded module, polled by another thread",
            ))));
        }
        let mut frame = GwFrame::asked();
        let Some(poll) = self.table().poll_frame else {
            self.ended = true;
            return Poll::Ready(Some(Err(Error::new(
                ErrorKind::Unsupported,
                "a body without poll_frame",
            ))));
        };
        let body = self.body.as_ptr();
        // SAFETY: a live body, polled by one thread at a time; the frame outlives the call.
        let answer = self.lender.lend(cx.waker(), |waker| unsafe {
            poll(body, waker, &raw mut frame)
        });
        match answer {
            code::PENDING => Poll::Pending,
            code::READY => {
                self.ended = frame.kind == frame_kind::END || frame.flags & frame_flag::LAST != 0;
                Poll::Ready(convert(&mut frame).transpose())
            }
            error => {
                self.ended = true;
                Poll::Ready(Some(Err(error_of(error, "the other side's body"))))
            }
        }
    }

    fn table(&self) -> &GwBodyVt {
        // SAFETY: live until `drop`.
        let body = unsafe { self.body.as_ref() };
        // SAFETY: checked by `take`.
        unsafe { &*body.vt }
    }
}

/// What stands in a frame; `None` for the end.
fn convert(frame: &mut GwFrame) -> Result<Option<ForeignFrame>, Error> {
    match frame.kind {
        frame_kind::END => Ok(None),
        frame_kind::DATA => {
            // SAFETY: a DATA frame's buffer is the receiver's.
            Ok(Some(ForeignFrame::Data(unsafe {
                OwnedBuffer::take(&raw mut frame.data)
            })))
        }
        frame_kind::FILE if frame.fd >= 0 => {
            let region = FileRegion {
                // SAFETY: a FILE frame's descriptor is the receiver's.
                file: unsafe { File::from_raw_fd(frame.fd) },
                offset: frame.offset,
                length: frame.length,
            };
            let end = region.offset.checked_add(region.length);
            if end.is_none_or(|end| end > LONGEST_FILE) {
                let (offset, length) = (region.offset, region.length);
                let text =
                    format!("expected a range of a file, found {length} bytes from {offset} on");
                return Err(Error::new(ErrorKind::Invalid, text));
            }
            Ok(Some(ForeignFrame::File(region)))
        }
        frame_kind::TRAILERS if !are_plausible(frame.trailers, frame.n_trailers) => {
            let count = frame.n_trailers;
            let text = format!("expected an array of trailers, found {count} lines that are none");
            Err(Error::new(ErrorKind::Invalid, text))
        }
        frame_kind::TRAILERS => {
            // SAFETY: borrowed until the next call on this body; copied here.
            let fields = unsafe { Field::foreign(frame.trailers, frame.n_trailers) };
            owned_fields(fields.iter()).map(|fields| Some(ForeignFrame::Trailers(fields)))
        }
        kind => Err(Error::new(
            ErrorKind::Invalid,
            format!("a frame of unknown kind {kind}"),
        )),
    }
}

/// Bytes that a file can have: whoever counts what was sent never exceeds 64 bits.
const LONGEST_FILE: u64 = i64::MAX as u64;

/// Whether an array of fields may be read: there, and no longer than anybody would send.
pub(crate) fn are_plausible(fields: *const GwHeader, count: u32) -> bool {
    count == 0 || (!fields.is_null() && count <= MAX_FIELDS)
}

/// Fields at once beyond which a count is taken for garbage and nothing is read.
const MAX_FIELDS: u32 = 65_536;

/// Copies of borrowed fields.
///
/// # Errors
///
/// [`ErrorKind::Invalid`] for a name or value that `http` refuses.
pub(crate) fn owned_fields<'f>(
    fields: impl Iterator<Item = &'f Field<'f>>,
) -> Result<Fields, Error> {
    let invalid = |what: &str, bytes: &[u8]| {
        let found = bytes.escape_ascii();
        Error::new(
            ErrorKind::Invalid,
            format!("expected a valid {what}, found {found}"),
        )
    };
    fields
        .map(|field| {
            let name = match field.known_name() {
                Some(name) => name,
                None => HeaderName::from_bytes(field.name())
                    .map_err(|_| invalid("field name", field.name()))?,
            };
            let mut value = HeaderValue::from_bytes(field.value())
                .map_err(|_| invalid("field value", field.value()))?;
            value.set_sensitive(field.is_sensitive());
            Ok((name, value))
        })
        .collect()
}

impl Drop for ForeignBody {
    fn drop(&mut self) {
        if !self.is_usable_here() {
            // Left to the process's exit: its module lets no other thread touch it.
            return;
        }
        if let Some(drop) = self.table().drop {
            // SAFETY: the owner drops once.
            unsafe { drop(self.body.as_ptr()) };
        }
    }
}

impl BodyStream for ForeignBody {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, Error>>> {
        Self::poll_frame(&mut self, cx).map(|frame| {
            frame.map(|frame| {
                frame.map(|frame| match frame {
                    ForeignFrame::Data(buffer) => Frame::Data(buffer.into()),
                    ForeignFrame::File(region) => Frame::File(region),
                    ForeignFrame::Trailers(fields) => Frame::Trailers(fields),
                })
            })
        })
    }
}

impl GwFrame {
    /// An empty frame that states our capacity.
    pub(crate) const fn asked() -> Self {
        Self {
            struct_size: struct_size::<Self>(),
            kind: frame_kind::END,
            flags: 0,
            fd: -1,
            offset: 0,
            length: 0,
            data: GwBuf::EMPTY,
            trailers: ptr::null(),
            n_trailers: 0,
            reserved: 0,
        }
    }
}

/// A body of ours that the other side polls; `E` is entered around every poll and the drop.
#[repr(C)]
pub(crate) struct OfferedBody<E> {
    abi: GwBody,
    body: Body,
    lent: Lent,
    entered: E,
}

/// What a frame borrows until the next call.
#[derive(Default)]
struct Lent {
    trailers: Fields,
    lines: Vec<GwHeader>,
}

impl<E: Entered> OfferedBody<E> {
    const VT: GwBodyVt = GwBodyVt {
        struct_size: struct_size::<GwBodyVt>(),
        reserved: 0,
        poll_frame: Some(Self::poll_frame),
        drop: Some(Self::drop),
    };

    /// The body as the ABI takes it; owned by whoever receives it.
    pub(crate) fn offer(body: Body, entered: E) -> *mut GwBody {
        let offered = Self {
            abi: GwBody {
                vt: &raw const *const { &Self::VT },
            },
            body,
            lent: Lent::default(),
            entered,
        };
        Box::into_raw(Box::new(offered)).cast()
    }

    unsafe extern "C" fn poll_frame(
        body: *mut GwBody,
        waker: *const GwWaker,
        frame: *mut GwFrame,
    ) -> i32 {
        contained("a response body", || {
            // SAFETY: made by `offer`; polled by one thread at a time.
            let this = unsafe { &mut *body.cast::<Self>() };
            // SAFETY: the poller's waker outlives the call.
            let waker = unsafe { waker::borrow(waker) };
            // SAFETY: the poller's frame, empty, with its capacity.
            let frame = unsafe { &mut *frame };
            if (frame.struct_size as usize) < size_of::<GwFrame>() {
                return code::INVALID;
            }
            let Self {
                body,
                lent,
                entered,
                ..
            } = this;
            let _entered = entered.enter();
            match body.poll_frame(&mut Context::from_waker(&waker)) {
                Poll::Pending => code::PENDING,
                Poll::Ready(None) => {
                    frame.kind = frame_kind::END;
                    code::READY
                }
                Poll::Ready(Some(Err(error))) => code_of(error.kind()),
                Poll::Ready(Some(Ok(next))) => {
                    if body.is_empty() {
                        frame.flags = frame_flag::LAST;
                    }
                    lent.fill(frame, next);
                    code::READY
                }
            }
        })
    }

    unsafe extern "C" fn drop(body: *mut GwBody) {
        let dropped = contained("a body's drop", || {
            // SAFETY: made by `offer`; the owner drops once.
            let this = unsafe { Box::from_raw(body.cast::<Self>()) };
            let Self { body, entered, .. } = *this;
            let _entered = entered.enter();
            drop(body);
            code::READY
        });
        debug_assert!(dropped <= code::READY);
    }
}

impl Lent {
    fn fill(&mut self, frame: &mut GwFrame, next: Frame) {
        match next {
            Frame::Data(bytes) => {
                frame.kind = frame_kind::DATA;
                frame.data = bytes.into();
            }
            Frame::File(region) => {
                frame.kind = frame_kind::FILE;
                frame.fd = region.file.into_raw_fd();
                frame.offset = region.offset;
                frame.length = region.length;
            }
            Frame::Trailers(fields) => {
                self.trailers = fields;
                self.lines = headers(&self.trailers);
                frame.kind = frame_kind::TRAILERS;
                frame.trailers = self.lines.as_ptr();
                frame.n_trailers = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
            }
        }
    }
}

/// The lines as the ABI takes them, borrowing from the fields.
pub(crate) fn headers(fields: &Fields) -> Vec<GwHeader> {
    let lines = fields.iter();
    lines
        .map(|(name, value)| Field::of(name, value).into_raw())
        .collect()
}
