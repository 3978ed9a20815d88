//! Watches bodies of both directions.

use std::fs::File;
use std::os::fd::{BorrowedFd, RawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::instance::{InsideHost, Instance, What};
use super::{buffer, head, quarantine, waker};
use crate::abi::body::are_plausible;
use crate::abi::size::struct_size;
use crate::abi::types::{GwBody, GwBodyVt, GwBuf, GwFrame, GwWaker, code, frame_flag, frame_kind};
use crate::lint::body::{BodyWatch, Side};
use crate::lint::timed;
use crate::rules;

/// What is known of a body's length before it is polled.
pub(super) struct Length {
    pub(super) declared: Option<u64>,
    pub(super) seen: u64,
}

/// A body with a watch before it.
#[repr(C)]
struct Watched {
    abi: GwBody,
    inner: *mut GwBody,
    vt: &'static GwBodyVt,
    side: Side,
    watch: Mutex<BodyWatch>,
    is_busy: AtomicBool,
    is_over: AtomicBool,
    is_dropped: AtomicBool,
    instance: Arc<Instance>,
}

// SAFETY: the inner body is used by one thread at a time, which is checked.
unsafe impl Send for Watched {}
// SAFETY: as above.
unsafe impl Sync for Watched {}

/// The same body, watched; NULL and unusable ones as they are.
///
/// # Safety
///
/// `inner` is NULL or a valid body that the caller hands over.
pub(super) unsafe fn watched(
    instance: &Arc<Instance>,
    inner: *mut GwBody,
    side: Side,
    length: Length,
) -> *mut GwBody {
    // SAFETY: the caller's promise.
    let Some(body) = (unsafe { inner.as_ref() }) else {
        return inner;
    };
    // SAFETY: tables live until the process exits.
    let table = unsafe { body.vt.as_ref() }.filter(|vt| {
        vt.struct_size as usize >= size_of::<GwBodyVt>()
            && vt.poll_frame.is_some()
            && vt.drop.is_some()
    });
    let Some(vt) = table else {
        instance
            .reports
            .breach(rules::LOAD_06, "a body's table is short or incomplete");
        return inner;
    };
    instance.ledger.take(What::Body);
    let reports = instance.reports.clone();
    let watched = quarantine::allocate(Watched {
        abi: GwBody {
            vt: &raw const TABLE,
        },
        inner,
        vt,
        side,
        watch: Mutex::new(BodyWatch::new(side, reports, length.declared, length.seen)),
        is_busy: AtomicBool::new(false),
        is_over: AtomicBool::new(false),
        is_dropped: AtomicBool::new(false),
        instance: Arc::clone(instance),
    });
    watched.as_ptr().cast()
}

/// Takes the watch off a body that [`watched`] made and nobody took.
///
/// # Safety
///
/// `outer` came from [`watched`] and was not dropped.
pub(super) unsafe fn unwatch(outer: *mut GwBody) {
    // SAFETY: the caller's promise.
    let Some(body) = (unsafe { outer.as_ref() }) else {
        return;
    };
    if !std::ptr::eq(body.vt, &raw const TABLE) {
        return;
    }
    // SAFETY: a body with this table is one of ours.
    let this = unsafe { &*outer.cast::<Watched>() };
    this.is_dropped.store(true, Ordering::Release);
    this.instance.ledger.give_back(What::Body);
    // SAFETY: marked just now, so it is retired once.
    unsafe { quarantine::retire(NonNull::from(this)) };
}

unsafe extern "C" fn poll_frame(
    body: *mut GwBody,
    waker: *const GwWaker,
    out: *mut GwFrame,
) -> i32 {
    // SAFETY: bodies with this table are ours, and kept beyond their end.
    let this = unsafe { &*body.cast::<Watched>() };
    let reports = &this.instance.reports;
    if this.is_dropped.load(Ordering::Acquire) {
        reports.breach(
            rules::RES_14,
            format!("{:?} body polled after its drop", this.side),
        );
        return code::CLOSED;
    }
    if this.is_busy.swap(true, Ordering::AcqRel) {
        reports.breach(
            rules::BODY_09,
            format!("{:?} body polled by two threads", this.side),
        );
        return code::BUSY;
    }
    let answer = if this.is_over.load(Ordering::Acquire) {
        this.lock().poll();
        code::CLOSED
    } else {
        // SAFETY: the poller's arguments; entered by this thread alone.
        unsafe { this.poll(waker, out) }
    };
    this.is_busy.store(false, Ordering::Release);
    answer
}

impl Watched {
    fn lock(&self) -> std::sync::MutexGuard<'_, BodyWatch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Safety
    ///
    /// The arguments of `poll_frame`, by one thread at a time.
    unsafe fn poll(&self, waker: *const GwWaker, out: *mut GwFrame) -> i32 {
        let Some(poll_frame) = self.vt.poll_frame else {
            return code::UNSUPPORTED;
        };
        let instance = &self.instance;
        let answer = match self.side {
            Side::Request => {
                let _inside = InsideHost::new();
                // SAFETY: the application's arguments, passed on.
                unsafe { poll_frame(self.inner, waker, out) }
            }
            Side::Response => {
                instance.enter("poll_frame");
                // SAFETY: the host's waker is valid during this poll.
                let waker = unsafe { waker::Lent::new(instance, waker) };
                timed(&instance.reports, instance.patience, "body", || {
                    // SAFETY: the host's arguments, its waker watched.
                    unsafe { poll_frame(self.inner, waker.as_ptr(), out) }
                })
            }
        };
        if answer == code::READY {
            // SAFETY: READY means a frame; the poller's structure.
            let frame = unsafe { &mut *out };
            // SAFETY: as above.
            unsafe { self.look_at(frame) };
        } else if answer != code::PENDING {
            self.is_over.store(true, Ordering::Release);
            self.lock().error();
            instance.reports.expect(answer < 0, rules::CALL_08, || {
                format!("a body's poll returned {answer}")
            });
        }
        answer
    }

    /// # Safety
    ///
    /// `frame` was filled by the body just now.
    unsafe fn look_at(&self, frame: &mut GwFrame) {
        let mut watch = self.lock();
        match frame.kind {
            frame_kind::END => watch.end(),
            frame_kind::DATA => {
                watch.data(frame.data.len as u64);
                let data = std::mem::replace(&mut frame.data, GwBuf::EMPTY);
                frame.data = buffer::watched(&self.instance, data);
            }
            frame_kind::FILE => match duplicate(frame.fd) {
                Some(file) => watch.file(&file, frame.offset, frame.length),
                None => {
                    let detail = format!("descriptor {} of a FILE frame is none", frame.fd);
                    self.instance.reports.breach(rules::RES_18, detail);
                }
            },
            frame_kind::TRAILERS if are_plausible(frame.trailers, frame.n_trailers) => {
                // SAFETY: borrowed until the next function on this body.
                let lines = unsafe { head::lines(frame.trailers, frame.n_trailers) };
                watch.trailers(&lines);
            }
            kind => watch.unfit(&format!("a frame of kind {kind}")),
        }
        self.instance
            .reports
            .expect(frame.reserved == 0, rules::LOAD_05, || {
                "gw_frame.reserved".to_owned()
            });
        let is_last = frame.flags & frame_flag::LAST != 0;
        if is_last && frame.kind != frame_kind::END {
            watch.end();
        }
        if is_last || frame.kind == frame_kind::END {
            self.is_over.store(true, Ordering::Release);
        }
    }
}

unsafe extern "C" fn drop(body: *mut GwBody) {
    // SAFETY: bodies with this table are ours, and kept beyond their end.
    let this = unsafe { &*body.cast::<Watched>() };
    if this.is_dropped.swap(true, Ordering::AcqRel) {
        let detail = format!("{:?} body dropped a second time", this.side);
        this.instance.reports.breach(rules::RES_14, detail);
        return;
    }
    this.instance.ledger.give_back(What::Body);
    if let Some(drop) = this.vt.drop {
        // SAFETY: the owner's last word to it, said once.
        unsafe { drop(this.inner) };
    }
    // SAFETY: dropped for the first time.
    unsafe { quarantine::retire(NonNull::from(this)) };
}

/// The file behind a descriptor that stays its owner's.
fn duplicate(fd: RawFd) -> Option<File> {
    if fd < 0 {
        return None;
    }
    // SAFETY: the frame's descriptor is open while the frame is looked at; if it is not, the
    // duplication fails and nothing else happens.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    fd.try_clone_to_owned().ok().map(File::from)
}

static TABLE: GwBodyVt = GwBodyVt {
    struct_size: struct_size::<GwBodyVt>(),
    reserved: 0,
    poll_frame: Some(poll_frame),
    drop: Some(drop),
};
