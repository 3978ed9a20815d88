//! From a `Response` to `respond`: the arrays stand on the stack, the body moves.

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::ptr;
use std::task::Poll;

use super::runtime::{Borrowed, Runtime};
use super::stream::ForeignStream;
use crate::abi::body::{ForeignBody, OfferedBody, header};
use crate::abi::size::struct_size;
use crate::abi::types::{GwBuf, GwCtx, GwHeader, GwResponse, GwStr, code, response_flag};
use crate::abi::waker::Lender;
use crate::body::{Body, Content};
use crate::response::{BoxFuture, Response, Rest};
use crate::upgrade::Upgraded;

/// Gives the response to the host. What remains to be polled afterwards (an upgraded connection,
/// work behind the answer) comes back; an error code if the host refused.
///
/// # Safety
///
/// `ctx` is the exchange of a call that has not ended, inside its `call` or `poll`.
#[inline]
pub(super) unsafe fn respond<R: Runtime>(
    ctx: *mut GwCtx,
    response: Response,
    runtime: &'static R,
) -> Result<Option<BoxFuture>, i32> {
    let (status, fields, body, rest) = response.into_parts();
    let mut raw = GwResponse {
        struct_size: struct_size::<GwResponse>(),
        status: u32::from(status.as_u16()),
        flags: 0,
        headers: ptr::null(),
        n_headers: crate::head::length(fields.len()),
        reserved: 0,
        content_length: 0,
        first: GwBuf::EMPTY,
        body: ptr::null_mut(),
        protocol: GwStr::NONE,
    };
    match body.into_content() {
        Content::Static(bytes) => raw.first = GwBuf::from_static(bytes),
        Content::Bytes(bytes) => raw.first = bytes.into(),
        Content::Frames(body) => offer(&mut raw, body, runtime),
    }
    if let Some(upgrade) = rest.as_ref().and_then(|rest| rest.upgrade.as_ref()) {
        raw.flags |= response_flag::UPGRADE;
        raw.protocol = GwStr::from(upgrade.protocol.as_bytes());
    }
    let mut few = [const { MaybeUninit::<GwHeader>::uninit() }; LINES];
    let many: Vec<GwHeader>;
    let lines = fields.iter().map(|(name, value)| header(name, value));
    raw.headers = if lines.len() <= LINES {
        for (slot, line) in few.iter_mut().zip(lines) {
            slot.write(line);
        }
        few.as_ptr().cast()
    } else {
        many = lines.collect();
        many.as_ptr()
    };
    // SAFETY: a live exchange, by the caller's promise.
    let vt = unsafe { (*ctx).vt };
    // SAFETY: hosts keep tables until the process exits.
    let respond = unsafe { (*vt).respond };
    let answer = match respond {
        // SAFETY: inside call or poll; everything lent outlives the call.
        Some(respond) => unsafe { respond(ctx, &raw mut raw) },
        None => code::UNSUPPORTED,
    };
    // Whatever the host did not move is ours still: after success nothing, after a refusal all.
    // SAFETY: an initialised buffer, ours or left zeroed.
    unsafe { raw.first.release() };
    if answer != code::READY {
        // SAFETY: refused, so the body is ours still.
        drop(unsafe { ForeignBody::take(raw.body) });
        return Err(answer);
    }
    Ok(rest.and_then(|rest| behind(ctx, *rest)))
}

/// A body of which frames have to be pulled.
fn offer<R: Runtime>(raw: &mut GwResponse, mut body: Body, runtime: &'static R) {
    if let Some(length) = body.length() {
        raw.content_length = length;
        raw.flags |= response_flag::HAS_LENGTH;
    }
    let first = body.take_bytes();
    if !first.is_empty() {
        raw.first = first.into();
    }
    raw.body = OfferedBody::offer(body, Borrowed(runtime));
}

/// What is to be polled behind a response, if anything.
fn behind(ctx: *mut GwCtx, rest: Rest) -> Option<BoxFuture> {
    let Rest { upgrade, after, .. } = rest;
    let Some(upgrade) = upgrade else {
        return after;
    };
    let ctx = Ctx(ctx);
    Some(Box::pin(async move {
        // SAFETY: polled only inside the call's `poll`, so the exchange is live.
        if let Some(stream) = unsafe { stream_of(ctx) }.await {
            upgrade.run(stream).await;
        }
        if let Some(after) = after {
            after.await;
        }
    }))
}

#[derive(Clone, Copy)]
struct Ctx(*mut GwCtx);

// SAFETY: a call may migrate between polls; the pointer is used inside them only.
unsafe impl Send for Ctx {}

/// Waits for the host to hand over the upgraded connection; `None` if it was lost before.
///
/// # Safety
///
/// The future is polled only inside the `poll` of the call to which `ctx` belongs.
async unsafe fn stream_of(ctx: Ctx) -> Option<Upgraded> {
    let mut lender = Lender::new();
    let stream = poll_fn(move |cx| {
        let ctx = { ctx }.0;
        // SAFETY: inside the call's `poll`, by the caller's promise, so the exchange is live.
        let vt = unsafe { (*ctx).vt };
        // SAFETY: hosts keep tables until the process exits.
        let Some(upgrade) = (unsafe { (*vt).upgrade }) else {
            return Poll::Ready(None);
        };
        let mut stream = ptr::null_mut();
        // SAFETY: as above; the out pointer outlives the call.
        match lender.lend(cx.waker(), |waker| unsafe {
            upgrade(ctx, waker, &raw mut stream)
        }) {
            code::PENDING => Poll::Pending,
            code::READY => {
                // SAFETY: READY hands the stream over.
                Poll::Ready(unsafe { ForeignStream::take(stream) })
            }
            _ => Poll::Ready(None),
        }
    });
    Pin::from(Box::new(stream)).await.map(Upgraded::new)
}

/// Field lines that stand on the stack; a response with more of them takes a vector.
const LINES: usize = 24;
