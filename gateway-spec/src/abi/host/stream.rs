//! [`OfferedStream`]: a duplex stream of the host's as a `gw_stream`.

use std::io::{self, IoSlice};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use crate::abi::contain::contained;
use crate::abi::size::struct_size;
use crate::abi::types::{GwIov, GwStream, GwStreamVt, GwWaker, code};
use crate::abi::waker;
use crate::upgrade::Duplex;

#[repr(C)]
pub(super) struct OfferedStream {
    abi: GwStream,
    /// Guards the stream against its two halves being polled by two threads at once.
    stream: Mutex<Box<dyn Duplex>>,
}

impl OfferedStream {
    /// The stream as the ABI takes it; owned by whoever receives it.
    pub(super) fn offer(stream: Box<dyn Duplex>) -> *mut GwStream {
        Box::into_raw(Box::new(Self {
            abi: GwStream { vt: &raw const VT },
            stream: Mutex::new(stream),
        }))
        .cast()
    }
}

static VT: GwStreamVt = GwStreamVt {
    struct_size: struct_size::<GwStreamVt>(),
    reserved: 0,
    poll_read: Some(poll_read),
    poll_write: Some(poll_write),
    poll_flush: Some(poll_flush),
    poll_shutdown: Some(poll_shutdown),
    poll_draining: Some(poll_draining),
    drop: Some(drop_stream),
};

/// Runs `poll` on the stream with the application's waker.
///
/// # Safety
///
/// `stream` was made by `offer` and is live; `waker` outlives the call.
unsafe fn with(
    stream: *mut GwStream,
    waker: *const GwWaker,
    poll: impl FnOnce(&mut dyn Duplex, &mut Context<'_>) -> Poll<io::Result<()>>,
) -> i32 {
    contained("an upgraded stream", || {
        // SAFETY: the caller's promise.
        let this = unsafe { &*stream.cast::<OfferedStream>() };
        let mut stream = this.stream.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the caller's promise.
        let waker = unsafe { waker::borrow(waker) };
        match poll(&mut **stream, &mut Context::from_waker(&waker)) {
            Poll::Pending => code::PENDING,
            Poll::Ready(Ok(())) => code::READY,
            Poll::Ready(Err(error)) => match error.kind() {
                io::ErrorKind::TimedOut => code::TIMEOUT,
                io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::UnexpectedEof => code::CLOSED,
                _ => code::IO,
            },
        }
    })
}

unsafe extern "C" fn poll_read(
    stream: *mut GwStream,
    waker: *const GwWaker,
    start: *mut u8,
    capacity: usize,
    count: *mut usize,
) -> i32 {
    let buffer = if capacity == 0 {
        &mut []
    } else {
        // SAFETY: the application's buffer, writable for the call. It may be uninitialised, so it
        // is zeroed before a Rust slice of it exists.
        unsafe { std::ptr::write_bytes(start, 0, capacity) };
        // SAFETY: as above, and initialised.
        unsafe { std::slice::from_raw_parts_mut(start, capacity) }
    };
    let read = |stream: &mut dyn Duplex, cx: &mut Context<'_>| {
        stream.poll_read(cx, buffer).map_ok(|read| {
            // SAFETY: the application's out pointer, valid for the call.
            unsafe { count.write(read) };
        })
    };
    // SAFETY: called by the application with its stream and waker.
    unsafe { with(stream, waker, read) }
}

unsafe extern "C" fn poll_write(
    stream: *mut GwStream,
    waker: *const GwWaker,
    buffers: *const GwIov,
    count: u32,
    written: *mut usize,
) -> i32 {
    let buffers = if count == 0 {
        &[]
    } else {
        // SAFETY: an array of `count` buffers that the application lends for the call.
        unsafe { std::slice::from_raw_parts(buffers, count as usize) }
    };
    let mut slices = [IoSlice::new(&[]); GATHERED];
    let mut used = 0;
    for (slice, buffer) in slices
        .iter_mut()
        .zip(buffers.iter().filter(|buffer| buffer.len > 0))
    {
        // SAFETY: bytes that the application lends for the call.
        *slice = IoSlice::new(unsafe { std::slice::from_raw_parts(buffer.ptr, buffer.len) });
        used += 1;
    }
    let write = |stream: &mut dyn Duplex, cx: &mut Context<'_>| {
        stream.poll_write(cx, &slices[..used]).map_ok(|count| {
            // SAFETY: the application's out pointer, valid for the call.
            unsafe { written.write(count) };
        })
    };
    // SAFETY: called by the application with its stream and waker.
    unsafe { with(stream, waker, write) }
}

unsafe extern "C" fn poll_flush(stream: *mut GwStream, waker: *const GwWaker) -> i32 {
    // SAFETY: called by the application with its stream and waker.
    unsafe { with(stream, waker, |stream, cx| stream.poll_flush(cx)) }
}

unsafe extern "C" fn poll_shutdown(stream: *mut GwStream, waker: *const GwWaker) -> i32 {
    // SAFETY: called by the application with its stream and waker.
    unsafe { with(stream, waker, |stream, cx| stream.poll_shutdown(cx)) }
}

unsafe extern "C" fn poll_draining(stream: *mut GwStream, waker: *const GwWaker) -> i32 {
    let draining = |stream: &mut dyn Duplex, cx: &mut Context<'_>| stream.poll_draining(cx).map(Ok);
    // SAFETY: called by the application with its stream and waker.
    unsafe { with(stream, waker, draining) }
}

unsafe extern "C" fn drop_stream(stream: *mut GwStream) {
    contained("an upgraded stream's drop", || {
        // SAFETY: made by `offer`; the owner drops once.
        drop(unsafe { Box::from_raw(stream.cast::<OfferedStream>()) });
        code::READY
    });
}

/// Buffers of one gathered write; further ones wait for the next.
const GATHERED: usize = 16;
