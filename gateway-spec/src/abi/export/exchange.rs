//! [`ForeignExchange`]: the host's `gw_ctx`, held by a request or a handle.

use std::ptr::NonNull;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};

use http::StatusCode;

use crate::abi::body::headers;
use crate::abi::codes::error_of;
use crate::abi::types::{
    EXT_REQUEST_ID, EXT_TLS, GwCtx, GwCtxVt, GwStr, GwTls, GwWaker, code, ctx_flag,
};
use crate::abi::waker::Lender;
use crate::error::{Error, ErrorKind};
use crate::exchange_host::{HostExchange, TlsInfo};
use crate::fields::Fields;

/// One reference to the host's exchange; given back when dropped.
pub(crate) struct ForeignExchange {
    ctx: NonNull<GwCtx>,
    // Made only when somebody waits: most requests ask for neither.
    waiting: OnceLock<Box<Mutex<[Lender; 2]>>>,
}

// SAFETY: everything but `respond`, which is not called here, may be called from any thread.
unsafe impl Send for ForeignExchange {}
// SAFETY: as above.
unsafe impl Sync for ForeignExchange {}

impl ForeignExchange {
    /// Takes over the reference that a request carries.
    ///
    /// # Safety
    ///
    /// `ctx` is NULL or a live exchange with one reference for the caller.
    pub(super) unsafe fn take(ctx: *mut GwCtx) -> Option<Self> {
        let ctx = NonNull::new(ctx)?;
        Some(Self {
            ctx,
            waiting: OnceLock::new(),
        })
    }

    fn table(&self) -> &GwCtxVt {
        // SAFETY: `take`'s caller gave us a reference, and the host keeps what has references.
        let vt = unsafe { self.ctx.as_ref() }.vt;
        // SAFETY: hosts keep tables until the process exits, at least as long as version 1.0's.
        unsafe { &*vt }
    }

    fn poll(
        &self,
        which: usize,
        poll: Option<unsafe extern "C" fn(*mut GwCtx, *const GwWaker) -> i32>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let Some(poll) = poll else {
            return Poll::Pending;
        };
        let waiting = self.waiting.get_or_init(Box::default);
        let mut lenders = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let ctx = self.ctx.as_ptr();
        // SAFETY: callable from any thread while we hold the reference.
        let answer = lenders[which].lend(cx.waker(), |waker| unsafe { poll(ctx, waker) });
        if answer == code::PENDING {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

impl HostExchange for ForeignExchange {
    fn inform(&self, status: StatusCode, fields: &Fields) -> Result<(), Error> {
        let Some(inform) = self.table().inform else {
            return Err(Error::new(ErrorKind::Unsupported, "a host without inform"));
        };
        let lines = headers(fields);
        let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        // SAFETY: callable from any thread while we hold the reference; the lines outlive the call.
        match unsafe {
            inform(
                self.ctx.as_ptr(),
                status.as_u16().into(),
                lines.as_ptr(),
                count,
            )
        } {
            code::READY => Ok(()),
            error => Err(error_of(error, "inform")),
        }
    }

    fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll(0, self.table().poll_closed, cx)
    }

    fn poll_draining(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll(1, self.table().poll_draining, cx)
    }

    fn finish_on_disconnect(&self) {
        if let Some(set_flags) = self.table().set_flags {
            // SAFETY: callable from any thread while we hold the reference.
            unsafe { set_flags(self.ctx.as_ptr(), ctx_flag::FINISH_ON_DISCONNECT) };
        }
    }

    fn id(&self) -> Option<&[u8]> {
        let ext = self.table().ext?;
        let id = GwStr::from(EXT_REQUEST_ID);
        // SAFETY: callable from any thread while we hold the reference.
        let text = unsafe { ext(self.ctx.as_ptr(), &raw const id) };
        // SAFETY: gw.request-id/1 yields a `gw_str` that lives as long as our reference.
        let text = unsafe { text.cast::<GwStr>().as_ref() }?;
        // SAFETY: and so do its bytes.
        Some(unsafe { text.bytes() })
    }

    fn tls(&self) -> Option<TlsInfo> {
        let ext = self.table().ext?;
        let id = GwStr::from(EXT_TLS);
        // SAFETY: callable from any thread while we hold the reference.
        let facts = unsafe { ext(self.ctx.as_ptr(), &raw const id) };
        // SAFETY: gw.tls/1 yields a `gw_tls` that lives as long as our reference.
        let facts = unsafe { facts.cast::<GwTls>().as_ref() }?;
        if (facts.struct_size as usize) < size_of::<GwTls>() {
            return None;
        }
        let chain = if facts.peer_chain.is_null() {
            &[]
        } else {
            // SAFETY: gw.tls/1 says that it points to n_peer_chain strings.
            unsafe { std::slice::from_raw_parts(facts.peer_chain, facts.n_peer_chain as usize) }
        };
        let chain = chain.iter().map(|certificate| {
            // SAFETY: the host keeps the certificates as long as our reference.
            unsafe { certificate.bytes() }.to_vec()
        });
        Some(TlsInfo {
            version: facts.version,
            cipher_suite: facts.cipher_suite,
            // SAFETY: valid as long as our reference.
            alpn: unsafe { facts.alpn.bytes() }.to_vec(),
            // SAFETY: valid as long as our reference.
            server_name: unsafe { facts.server_name.bytes() }.to_vec(),
            peer_chain: chain.collect(),
            peer_verified: facts.peer_verified == 1,
        })
    }
}

impl Drop for ForeignExchange {
    fn drop(&mut self) {
        if let Some(drop) = self.table().drop {
            // SAFETY: gives back the reference once.
            unsafe { drop(self.ctx.as_ptr()) };
        }
    }
}
