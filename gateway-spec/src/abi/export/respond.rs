//! From a `Response` to `respond`: the arrays stand on the stack, the body moves.

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::ptr;
use std::task::Poll;

use super::runtime::{Borrowed, Runtime};
use super::stream::ForeignStream;
use crate::abi::body::{ForeignBody, OfferedBody, header};
use crate::abi::buffer::OwnedBuffer;
use crate::abi::size::struct_size;
use crate::abi::types::{GwBuf, GwCtx, GwHeader, GwResponse, GwStr, code, response_flag};
use crate::abi::waker::Lender;
use crate::response::{BoxFuture, Response, Upgrade};
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
    mut response: Response,
    runtime: &'static R,
) -> Result<Option<BoxFuture>, i32> {
    let upgrade = response.take_upgrade();
    let after = response.take_after();
    // SAFETY: this function's own promise.
    unsafe { give(ctx, &mut response, upgrade.as_ref(), runtime) }?;
    Ok(match (upgrade, after) {
        (None, after) => after,
        (Some(upgrade), after) => {
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
    })
}

/// # Safety
///
/// As for [`respond`].
#[inline]
unsafe fn give<R: Runtime>(
    ctx: *mut GwCtx,
    response: &mut Response,
    upgrade: Option<&Upgrade>,
    runtime: &'static R,
) -> Result<(), i32> {
    let mut lines = [const { MaybeUninit::<GwHeader>::uninit() }; LINES];
    let count = response.fields().len();
    let mut spilled = Vec::new();
    let headers = if count <= LINES {
        for (slot, (name, value)) in lines.iter_mut().zip(response.fields().iter()) {
            slot.write(header(name, value));
        }
        lines.as_ptr().cast::<GwHeader>()
    } else {
        spilled.extend(
            response
                .fields()
                .iter()
                .map(|(name, value)| header(name, value)),
        );
        spilled.as_ptr()
    };
    let mut flags = 0;
    let mut protocol = GwStr::NONE;
    if let Some(upgrade) = upgrade {
        flags |= response_flag::UPGRADE;
        protocol = GwStr::from(upgrade.protocol.as_bytes());
    }
    let status = u32::from(response.status_code().as_u16());
    let body = response.body_mut();
    let mut content_length = 0;
    let mut rest = ptr::null_mut();
    let first = match body.as_static() {
        Some(bytes) => GwBuf::from_static(bytes),
        None if body.is_stream() => {
            if let Some(length) = body.length() {
                content_length = length;
                flags |= response_flag::HAS_LENGTH;
            }
            let first = body.take_bytes();
            rest = OfferedBody::offer(std::mem::take(body), Borrowed(runtime));
            if first.is_empty() {
                GwBuf::EMPTY
            } else {
                first.into()
            }
        }
        None => body.take_bytes().into(),
    };
    let mut raw = GwResponse {
        struct_size: struct_size::<GwResponse>(),
        status,
        flags,
        headers,
        n_headers: crate::head::length(count),
        reserved: 0,
        content_length,
        first,
        body: rest,
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
    drop(unsafe { OwnedBuffer::take(&raw mut raw.first) });
    if answer == code::READY {
        return Ok(());
    }
    // SAFETY: refused, so the body is ours still.
    drop(unsafe { ForeignBody::take(raw.body) });
    Err(answer)
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
