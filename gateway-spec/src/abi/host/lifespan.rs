//! Start-up and shutdown of an instance, and what one says that fails to start.

use std::ffi::c_char;
use std::fmt;
use std::ptr;
use std::task::{Poll, Waker};

use crate::abi::body::ForeignBody;
use crate::abi::codes::kind_of;
use crate::abi::instance::Instance;
use crate::abi::size::struct_size;
use crate::abi::types::{GwApp, GwCall, GwError, GwRequest, GwWaker, code};
use crate::abi::waker::Lender;
use crate::error::ErrorKind;

/// Why an instance could not be made or started.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StartFailure {
    /// Which step failed.
    pub step: Step,
    /// The kind that the application's code means.
    pub kind: ErrorKind,
    /// What the application said; may be empty.
    pub message: String,
}

/// The steps before the first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the lifespan has these two")]
pub enum Step {
    /// `create`.
    Create,
    /// `startup`.
    Startup,
}

pub(crate) fn poll_startup(
    instance: &Instance,
    lender: &mut Lender,
    waker: &Waker,
) -> Poll<Result<(), StartFailure>> {
    let Some(startup) = instance.table().startup else {
        return Poll::Ready(Ok(()));
    };
    let mut complaint = Complaint::new();
    let app = instance.as_raw();
    // SAFETY: a created instance, before its first call.
    let answer = lender.lend(waker, |waker| unsafe {
        startup(app, waker, complaint.raw())
    });
    match answer {
        code::READY => Poll::Ready(Ok(())),
        code::PENDING => Poll::Pending,
        failed => Poll::Ready(Err(complaint.failure(Step::Startup, failed))),
    }
}

pub(crate) fn poll_shutdown(
    instance: &Instance,
    lender: &mut Lender,
    waker: &Waker,
    deadline_ns: u64,
) -> Poll<()> {
    let Some(shutdown) = instance.table().shutdown else {
        return Poll::Ready(());
    };
    let app = instance.as_raw();
    // SAFETY: a live instance.
    let answer = lender.lend(waker, |waker| unsafe { shutdown(app, waker, deadline_ns) });
    if answer == code::PENDING {
        Poll::Pending
    } else {
        Poll::Ready(())
    }
}

/// Stands in for the `call` of an instance that has not started or is shutting down.
///
/// # Safety
///
/// As for `call`.
pub(super) unsafe extern "C" fn refuse(
    _: *const GwApp,
    request: *const GwRequest,
    _: *const GwWaker,
    _: *mut *mut GwCall,
) -> i32 {
    // SAFETY: the request of a call, lent for it.
    let request = unsafe { &*request };
    // SAFETY: a call owns its body, ...
    drop(unsafe { ForeignBody::take(request.body) });
    // SAFETY: ... and one reference to its exchange, ...
    let vt = unsafe { (*request.ctx).vt };
    // SAFETY: ... whose table the host keeps.
    if let Some(drop) = unsafe { (*vt).drop } {
        // SAFETY: given back once.
        unsafe { drop(request.ctx) };
    }
    code::BUSY
}

impl fmt::Display for StartFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.step {
            Step::Create => "create",
            Step::Startup => "start-up",
        };
        if self.message.is_empty() {
            return write!(f, "{step} failed without a message ({:?})", self.kind);
        }
        write!(f, "{step} failed: {}", self.message)
    }
}

impl std::error::Error for StartFailure {}

/// The buffer into which a failing start writes why.
pub(super) struct Complaint {
    text: Box<[u8]>,
    raw: GwError,
}

impl Complaint {
    pub(super) fn new() -> Self {
        let raw = GwError {
            struct_size: struct_size::<GwError>(),
            code: code::READY,
            text: ptr::null_mut(),
            cap: COMPLAINT_BYTES,
            len: 0,
        };
        Self {
            text: vec![0; COMPLAINT_BYTES].into(),
            raw,
        }
    }

    pub(super) fn raw(&mut self) -> *mut GwError {
        self.raw.text = self.text.as_mut_ptr().cast::<c_char>();
        &raw mut self.raw
    }

    pub(super) fn failure(&self, step: Step, answer: i32) -> StartFailure {
        let length = self.raw.len.min(self.text.len());
        let message = String::from_utf8_lossy(&self.text[..length])
            .trim_end()
            .to_owned();
        let message = match (message.is_empty(), answer) {
            (true, code::PANIC) => "it panicked; see the log".to_owned(),
            _ => message,
        };
        StartFailure {
            step,
            kind: kind_of(answer),
            message,
        }
    }
}

/// Longest message of a failed start; the rest is cut.
const COMPLAINT_BYTES: usize = 4096;
