//! The byte stream of an upgraded connection.

use super::frozen::{GwIov, GwWaker};

/// The duplex byte stream of an upgraded connection.
#[repr(C)]
#[derive(Debug)]
pub struct GwStream {
    pub vt: *const GwStreamVt,
}

/// Functions of an upgraded stream, from any thread, each half by one thread at a time.
#[repr(C)]
#[derive(Debug)]
pub struct GwStreamVt {
    pub struct_size: u32,
    pub reserved: u32,
    /// READY with `*n == 0` and a non-zero capacity is the end of input.
    pub poll_read: Option<
        unsafe extern "C" fn(*mut GwStream, *const GwWaker, *mut u8, usize, *mut usize) -> i32,
    >,
    pub poll_write: Option<
        unsafe extern "C" fn(*mut GwStream, *const GwWaker, *const GwIov, u32, *mut usize) -> i32,
    >,
    pub poll_flush: Option<unsafe extern "C" fn(*mut GwStream, *const GwWaker) -> i32>,
    pub poll_shutdown: Option<unsafe extern "C" fn(*mut GwStream, *const GwWaker) -> i32>,
    pub poll_draining: Option<unsafe extern "C" fn(*mut GwStream, *const GwWaker) -> i32>,
    pub drop: Option<unsafe extern "C" fn(*mut GwStream)>,
}
