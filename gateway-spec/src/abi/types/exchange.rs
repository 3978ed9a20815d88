//! One exchange: what the host offers for it, and the call that is pending.

use std::ffi::c_void;

use super::frozen::{GwHeader, GwStr, GwWaker};
use super::response::GwResponse;
use super::stream::GwStream;

/// What the host offers for one exchange.
#[repr(C)]
#[derive(Debug)]
pub struct GwCtx {
    pub vt: *const GwCtxVt,
}

/// Functions of an exchange. `respond` only inside `call` or `poll`; the rest from any thread.
#[repr(C)]
#[derive(Debug)]
pub struct GwCtxVt {
    pub struct_size: u32,
    pub reserved: u32,
    pub respond: Option<unsafe extern "C" fn(*mut GwCtx, *mut GwResponse) -> i32>,
    pub inform: Option<unsafe extern "C" fn(*mut GwCtx, u32, *const GwHeader, u32) -> i32>,
    pub poll_closed: Option<unsafe extern "C" fn(*mut GwCtx, *const GwWaker) -> i32>,
    pub poll_draining: Option<unsafe extern "C" fn(*mut GwCtx, *const GwWaker) -> i32>,
    pub upgrade:
        Option<unsafe extern "C" fn(*mut GwCtx, *const GwWaker, *mut *mut GwStream) -> i32>,
    pub set_flags: Option<unsafe extern "C" fn(*mut GwCtx, u64) -> i32>,
    pub ext: Option<unsafe extern "C" fn(*mut GwCtx, *const GwStr) -> *const c_void>,
    pub drop: Option<unsafe extern "C" fn(*mut GwCtx)>,
}

/// Flags of `set_flags` on [`GwCtx`].
pub mod ctx_flag {
    /// Poll the call to its end although the client has gone; its output is discarded.
    pub const FINISH_ON_DISCONNECT: u64 = 1 << 0;
}

/// Id of the extension that yields a [`GwStr`], the request's id, made when it is first asked for.
pub const EXT_REQUEST_ID: &[u8] = b"gw.request-id/1";

/// A pending call.
#[repr(C)]
#[derive(Debug)]
pub struct GwCall {
    pub vt: *const GwCallVt,
}

/// Functions of a pending call.
#[repr(C)]
#[derive(Debug)]
pub struct GwCallVt {
    pub struct_size: u32,
    pub reserved: u32,
    /// Anything but PENDING ends the call; it must not be touched afterwards.
    pub poll: Option<unsafe extern "C" fn(*mut GwCall, *const GwWaker) -> i32>,
    /// Cancels and ends the call.
    pub drop: Option<unsafe extern "C" fn(*mut GwCall)>,
}
