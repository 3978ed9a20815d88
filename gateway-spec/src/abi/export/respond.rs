//! From a `Response` to `respond`: the arrays stand on the stack, the body moves.

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::ptr;
use std::task::Poll;

use super::runtime::{Borrowed, Runtime};
use super::stream::ForeignStream;
use crate::abi::body::{ForeignBody, OfferedBody};
use crate::abi::field::Field;
use crate::abi::size::struct_size;
use crate::abi::types::{GwBuf, GwCtx, GwResponse, GwStr, code, response_flag};
use crate::abi::waker::Lender;
use crate::body::Content;
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
    let (mut flags, mut content_length, mut frames) = (0, 0, ptr::null_mut());
    let first = match body.into_content() {
        Content::Static(bytes) => GwBuf::from_static(bytes),
        Content::Owned(bytes) => bytes.into(),
        Content::Bytes(bytes) => bytes.into(),
        Content::Frames(mut body) => {
            if let Some(length) = body.length() {
                content_length = length;
                flags = response_flag::HAS_LENGTH;
            }
            let first = body.take_bytes();
            frames = OfferedBody::offer(body, Borrowed(runtime));
            if first.is_empty() {
                GwBuf::EMPTY
            } else {
                first.into()
            }
        }
    };
    let mut protocol = GwStr::NONE;
    if let Some(rest) = &rest {
        if let Some(upgrade) = &rest.upgrade {
            flags |= response_flag::UPGRADE;
            protocol = GwStr::from(upgrade.protocol.as_bytes());
        }
        if rest.without_date {
            flags |= response_flag::NO_AUTO_DATE;
        }
    }
    let (fixed, listed) = fields.crossing();
    let count = fixed.crossing.len() + listed.len();
    let mut few = [const { MaybeUninit::<Field<'_>>::uninit() }; LINES];
    let many: Vec<Field<'_>>;
    let lines = if listed.is_empty() {
        flags |= fixed.flags;
        Field::as_headers(fixed.crossing)
    } else {
        let listed = listed.iter().map(|(name, value)| Field::of(name, value));
        let all = fixed.crossing.iter().copied().chain(listed);
        if count <= LINES {
            for (slot, line) in few.iter_mut().zip(all) {
                slot.write(line);
            }
            few.as_ptr().cast()
        } else {
            many = all.collect();
            Field::as_headers(&many)
        }
    };
    let mut raw = GwResponse {
        struct_size: struct_size::<GwResponse>(),
        status: u32::from(status.as_u16()),
        flags,
        headers: lines,
        n_headers: crate::head::length(count),
        reserved: 0,
        content_length,
        first,
        body: frames,
        protocol,
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
