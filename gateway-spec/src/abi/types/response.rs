//! A response.

use super::body::GwBody;
use super::frozen::{GwBuf, GwHeader, GwStr};

/// A response; borrowed for the duration of `respond`.
#[repr(C)]
#[derive(Debug)]
pub struct GwResponse {
    pub struct_size: u32,
    pub status: u32,
    pub flags: u64,
    pub headers: *const GwHeader,
    pub n_headers: u32,
    pub reserved: u32,
    pub content_length: u64,
    /// The body, or its beginning; moved out by the host.
    pub first: GwBuf,
    /// What follows `first`; the host's after success.
    pub body: *mut GwBody,
    /// With UPGRADE: the protocol chosen.
    pub protocol: GwStr,
}

/// Flags of [`GwResponse`].
pub mod response_flag {
    /// `content_length` counts; without it the length is `first.len` if `body` is NULL, else unknown.
    pub const HAS_LENGTH: u64 = 1 << 0;
    /// The connection switches protocols; the call stays pending and asks for the stream.
    pub const UPGRADE: u64 = 1 << 1;
    /// The host must not add a Date field.
    pub const NO_AUTO_DATE: u64 = 1 << 2;
    /// The array of headers, and all that it points to, stays as it is until the process exits: the
    /// host may keep what it made of it, and know it again by its address and length.
    pub const LASTING_HEADERS: u64 = 1 << 3;
}
