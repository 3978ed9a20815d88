//! A body and its frames.

use super::frozen::{GwBuf, GwHeader, GwWaker};

/// A body, implemented by the host for requests and by the application for responses.
#[repr(C)]
#[derive(Debug)]
pub struct GwBody {
    pub vt: *const GwBodyVt,
}

/// Functions of a body.
#[repr(C)]
#[derive(Debug)]
pub struct GwBodyVt {
    pub struct_size: u32,
    pub reserved: u32,
    pub poll_frame: Option<unsafe extern "C" fn(*mut GwBody, *const GwWaker, *mut GwFrame) -> i32>,
    pub drop: Option<unsafe extern "C" fn(*mut GwBody)>,
}

/// One frame of a body; the caller of `poll_frame` fills `struct_size` with its capacity.
#[repr(C)]
#[derive(Debug)]
pub struct GwFrame {
    pub struct_size: u32,
    pub kind: u32,
    pub flags: u32,
    /// FILE: a regular file's descriptor, owned by the receiver.
    pub fd: i32,
    pub offset: u64,
    pub length: u64,
    /// DATA: the bytes, owned by the receiver.
    pub data: GwBuf,
    /// TRAILERS: borrowed until the next call on this body.
    pub trailers: *const GwHeader,
    pub n_trailers: u32,
    pub reserved: u32,
}

/// Kinds of [`GwFrame`].
pub mod frame_kind {
    pub const END: u32 = 0;
    pub const DATA: u32 = 1;
    pub const FILE: u32 = 2;
    pub const TRAILERS: u32 = 3;
}

/// Flags of [`GwFrame`].
pub mod frame_flag {
    /// Nothing follows this frame; END need not be asked for.
    pub const LAST: u32 = 1 << 0;
}
