//! Watches an upgraded stream in the application's hands.

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::instance::{InsideHost, Instance, What};
use super::quarantine;
use crate::abi::size::struct_size;
use crate::abi::types::{GwIov, GwStream, GwStreamVt, GwWaker, code};
use crate::rules;

/// A stream with a watch before it.
#[repr(C)]
struct Watched {
    abi: GwStream,
    inner: *mut GwStream,
    vt: &'static GwStreamVt,
    is_reading: AtomicBool,
    is_writing: AtomicBool,
    is_shut: AtomicBool,
    is_dropped: AtomicBool,
    instance: Arc<Instance>,
}

// SAFETY: each half is used by one thread at a time, which is checked.
unsafe impl Send for Watched {}
// SAFETY: as above.
unsafe impl Sync for Watched {}

/// The same stream, watched; an unusable one as it is.
///
/// # Safety
///
/// `inner` is NULL or a valid stream that the caller hands over.
pub(super) unsafe fn watched(instance: &Arc<Instance>, inner: *mut GwStream) -> *mut GwStream {
    // SAFETY: the caller's promise.
    let Some(stream) = (unsafe { inner.as_ref() }) else {
        instance
            .reports
            .breach(rules::UPG_04, "upgrade was READY without a stream");
        return inner;
    };
    // SAFETY: tables live until the process exits.
    let table = unsafe { stream.vt.as_ref() };
    let Some(vt) = table.filter(|vt| vt.struct_size as usize >= size_of::<GwStreamVt>()) else {
        instance
            .reports
            .breach(rules::LOAD_06, "a stream's table is short");
        return inner;
    };
    instance.ledger.take(What::Stream);
    let watched = quarantine::allocate(Watched {
        abi: GwStream {
            vt: &raw const TABLE,
        },
        inner,
        vt,
        is_reading: AtomicBool::new(false),
        is_writing: AtomicBool::new(false),
        is_shut: AtomicBool::new(false),
        is_dropped: AtomicBool::new(false),
        instance: Arc::clone(instance),
    });
    watched.as_ptr().cast()
}

impl Watched {
    /// Enters one half, unless the stream was dropped or the half is entered; then an error.
    fn enter<'a>(&'a self, what: &str, half: &'a AtomicBool) -> Result<Half<'a>, i32> {
        //# [UPG-04] Reads and writes report no more bytes than they were offered; nothing is written after
        //# `poll_shutdown`; each half is used by one thread at a time; the stream is dropped once and not used afterwards.
        let reports = &self.instance.reports;
        if self.is_dropped.load(Ordering::Acquire) {
            reports.breach(
                rules::UPG_04,
                format!("{what} on a stream that was dropped"),
            );
            return Err(code::CLOSED);
        }
        if half.swap(true, Ordering::AcqRel) {
            reports.breach(rules::UPG_04, format!("{what} by two threads at once"));
            return Err(code::BUSY);
        }
        Ok(Half {
            half,
            _inside: InsideHost::new(),
        })
    }

    fn check_count(&self, what: &str, answer: i32, count: usize, offered: usize) {
        let is_within = answer != code::READY || count <= offered;
        self.instance.reports.expect(is_within, rules::UPG_04, || {
            format!("{what} reports {count} bytes of {offered}")
        });
    }
}

/// One half of a stream, entered.
struct Half<'a> {
    half: &'a AtomicBool,
    _inside: InsideHost,
}

impl Drop for Half<'_> {
    fn drop(&mut self) {
        self.half.store(false, Ordering::Release);
    }
}

/// # Safety
///
/// `stream` is one of ours.
unsafe fn watched_of<'a>(stream: *mut GwStream) -> &'a Watched {
    // SAFETY: the caller's promise; kept beyond its end.
    unsafe { &*stream.cast::<Watched>() }
}

unsafe extern "C" fn poll_read(
    stream: *mut GwStream,
    waker: *const GwWaker,
    bytes: *mut u8,
    capacity: usize,
    count: *mut usize,
) -> i32 {
    // SAFETY: streams with this table are ours.
    let this = unsafe { watched_of(stream) };
    let entered = match this.enter("poll_read", &this.is_reading) {
        Ok(entered) => entered,
        Err(code) => return code,
    };
    let answer = match this.vt.poll_read {
        // SAFETY: the application's arguments, passed on.
        Some(read) => unsafe { read(this.inner, waker, bytes, capacity, count) },
        None => code::UNSUPPORTED,
    };
    drop(entered);
    // SAFETY: the application's out pointer.
    this.check_count("poll_read", answer, unsafe { *count }, capacity);
    answer
}

unsafe extern "C" fn poll_write(
    stream: *mut GwStream,
    waker: *const GwWaker,
    pieces: *const GwIov,
    n_pieces: u32,
    count: *mut usize,
) -> i32 {
    // SAFETY: streams with this table are ours.
    let this = unsafe { watched_of(stream) };
    let is_shut = this.is_shut.load(Ordering::Acquire);
    this.instance.reports.expect(!is_shut, rules::UPG_04, || {
        "poll_write after poll_shutdown".to_owned()
    });
    let entered = match this.enter("poll_write", &this.is_writing) {
        Ok(entered) => entered,
        Err(code) => return code,
    };
    let answer = match this.vt.poll_write {
        // SAFETY: the application's arguments, passed on.
        Some(write) => unsafe { write(this.inner, waker, pieces, n_pieces, count) },
        None => code::UNSUPPORTED,
    };
    drop(entered);
    let offered = (0..n_pieces as usize).map(|index| {
        let piece = pieces.wrapping_add(index);
        // SAFETY: an array of as many pieces.
        unsafe { &*piece }.len
    });
    // SAFETY: the application's out pointer.
    this.check_count("poll_write", answer, unsafe { *count }, offered.sum());
    answer
}

unsafe extern "C" fn poll_flush(stream: *mut GwStream, waker: *const GwWaker) -> i32 {
    // SAFETY: streams with this table are ours.
    let this = unsafe { watched_of(stream) };
    let _entered = match this.enter("poll_flush", &this.is_writing) {
        Ok(entered) => entered,
        Err(code) => return code,
    };
    match this.vt.poll_flush {
        // SAFETY: the application's arguments, passed on.
        Some(flush) => unsafe { flush(this.inner, waker) },
        None => code::UNSUPPORTED,
    }
}

unsafe extern "C" fn poll_shutdown(stream: *mut GwStream, waker: *const GwWaker) -> i32 {
    // SAFETY: streams with this table are ours.
    let this = unsafe { watched_of(stream) };
    let _entered = match this.enter("poll_shutdown", &this.is_writing) {
        Ok(entered) => entered,
        Err(code) => return code,
    };
    this.is_shut.store(true, Ordering::Release);
    match this.vt.poll_shutdown {
        // SAFETY: the application's arguments, passed on.
        Some(shutdown) => unsafe { shutdown(this.inner, waker) },
        None => code::UNSUPPORTED,
    }
}

unsafe extern "C" fn poll_draining(stream: *mut GwStream, waker: *const GwWaker) -> i32 {
    // SAFETY: streams with this table are ours.
    let this = unsafe { watched_of(stream) };
    let _inside = InsideHost::new();
    if this.is_dropped.load(Ordering::Acquire) {
        this.instance
            .reports
            .breach(rules::UPG_04, "poll_draining on a stream that was dropped");
        return code::CLOSED;
    }
    match this.vt.poll_draining {
        // SAFETY: the application's arguments, passed on.
        Some(draining) => unsafe { draining(this.inner, waker) },
        None => code::UNSUPPORTED,
    }
}

unsafe extern "C" fn close(stream: *mut GwStream) {
    // SAFETY: streams with this table are ours.
    let this = unsafe { watched_of(stream) };
    if this.is_dropped.swap(true, Ordering::AcqRel) {
        this.instance
            .reports
            .breach(rules::UPG_04, "a stream dropped a second time");
        return;
    }
    this.instance.ledger.give_back(What::Stream);
    if let Some(drop) = this.vt.drop {
        // SAFETY: the application's last word to it, said once.
        unsafe { drop(this.inner) };
    }
    // SAFETY: dropped for the first time.
    unsafe { quarantine::retire(NonNull::from(this)) };
}

static TABLE: GwStreamVt = GwStreamVt {
    struct_size: struct_size::<GwStreamVt>(),
    reserved: 0,
    poll_read: Some(poll_read),
    poll_write: Some(poll_write),
    poll_flush: Some(poll_flush),
    poll_shutdown: Some(poll_shutdown),
    poll_draining: Some(poll_draining),
    drop: Some(close),
};
