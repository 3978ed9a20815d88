//! The host, as the application sees it.

use std::ffi::c_void;

use super::frozen::{GwKv, GwStr};

/// The host, as the application sees it; valid until the process exits.
#[repr(C)]
#[derive(Debug)]
pub struct GwHost {
    pub struct_size: u32,
    pub abi_minor: u16,
    pub reserved: u16,
    /// The most verbose level that is not discarded; read atomically (relaxed).
    pub log_level: *const u32,
    pub log: Option<
        unsafe extern "C" fn(*const Self, u32, *const GwStr, *const GwStr, *const GwKv, u32),
    >,
    pub ext: Option<unsafe extern "C" fn(*const Self, *const GwStr) -> *const c_void>,
    pub request_shutdown: Option<unsafe extern "C" fn(*const Self, i32)>,
    /// Name and version of the host, for diagnostics only.
    pub name: GwStr,
}

/// Log levels, as numbers that grow with verbosity.
pub mod log_level {
    pub const OFF: u32 = 0;
    pub const ERROR: u32 = 1;
    pub const WARN: u32 = 2;
    pub const INFO: u32 = 3;
    pub const DEBUG: u32 = 4;
    pub const TRACE: u32 = 5;
}
