//! A request head.

use std::ffi::c_void;

use super::body::GwBody;
use super::exchange::GwCtx;
use super::frozen::{GwAddr, GwBuf, GwHeader, GwStr};

/// A request head and what belongs to it; borrowed for the duration of `call`.
#[repr(C)]
#[derive(Debug)]
pub struct GwRequest {
    pub struct_size: u32,
    pub n_headers: u32,
    pub flags: u64,
    pub version: u16,
    pub scheme: u16,
    pub method_id: u32,
    pub method: GwStr,
    /// Exactly as received.
    pub target: GwStr,
    pub authority: GwStr,
    /// Raw subslice of `target`.
    pub path: GwStr,
    /// Raw subslice of `target` after `?`; `ptr` NULL if there is no `?`.
    pub query: GwStr,
    pub mount: GwStr,
    /// `:protocol` or the value of a valid `Upgrade`; `ptr` NULL if none.
    pub protocol: GwStr,
    pub id: GwStr,
    /// One region that holds all slices of the head, or NULL.
    pub raw: GwStr,
    pub headers: *const GwHeader,
    pub content_length: u64,
    pub peer: *const GwAddr,
    pub client: *const GwAddr,
    pub local: *const GwAddr,
    /// Arrival, nanoseconds of CLOCK_MONOTONIC.
    pub t_mono_ns: u64,
    /// Body bytes that are there already, moved out by the application; NULL if none.
    pub first: *mut GwBuf,
    /// NULL if `first` is the whole body or there is none; owned by the application.
    pub body: *mut GwBody,
    /// Carries one reference, which the application gives back with `drop`.
    pub ctx: *mut GwCtx,
    /// Scratch memory aligned to 16 that lives until the call has ended.
    pub slot: *mut c_void,
    pub slot_len: u64,
}

/// Flags of [`GwRequest`].
pub mod request_flag {
    /// The request has a body, of a known length or not.
    pub const HAS_BODY: u64 = 1 << 0;
    /// `client` differs from `peer` because a trusted proxy said so.
    pub const CLIENT_FORWARDED: u64 = 1 << 1;
    /// `scheme` was set by a trusted proxy.
    pub const SCHEME_FORWARDED: u64 = 1 << 2;
    /// The request came in TLS early data and may be a replay.
    pub const EARLY_DATA: u64 = 1 << 3;
    /// `target` is in absolute-form (RFC 9112 §3.2.2).
    pub const ABSOLUTE_FORM: u64 = 1 << 4;
}

/// Values of `GwRequest::scheme`.
pub mod scheme {
    pub const HTTP: u16 = 0;
    pub const HTTPS: u16 = 1;
}

/// Values of `GwRequest::version`: major in the high byte, minor in the low one.
pub mod version {
    pub const HTTP_10: u16 = 0x0100;
    pub const HTTP_11: u16 = 0x0101;
    pub const HTTP_2: u16 = 0x0200;
    pub const HTTP_3: u16 = 0x0300;
}

/// Values of `GwRequest::method_id`; 0 means: read `method`.
pub mod method {
    pub const OTHER: u32 = 0;
    pub const GET: u32 = 1;
    pub const HEAD: u32 = 2;
    pub const POST: u32 = 3;
    pub const PUT: u32 = 4;
    pub const DELETE: u32 = 5;
    pub const CONNECT: u32 = 6;
    pub const OPTIONS: u32 = 7;
    pub const TRACE: u32 = 8;
    pub const PATCH: u32 = 9;
}

/// `content_length` of a request whose length is not known in advance.
pub const LENGTH_UNKNOWN: u64 = u64::MAX;
/// Bytes of `GwRequest::slot` that a host must offer at least, aligned to 16.
pub const SLOT_MIN_SIZE: usize = 1024;
