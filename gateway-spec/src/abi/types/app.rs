//! An application instance, and how it says that something failed.

use std::ffi::{c_char, c_void};

use super::exchange::GwCall;
use super::frozen::{GwStr, GwWaker};
use super::request::GwRequest;

/// One application instance.
#[repr(C)]
#[derive(Debug)]
pub struct GwApp {
    pub vt: *const GwAppVt,
}

/// Functions of an application.
#[repr(C)]
#[derive(Debug)]
pub struct GwAppVt {
    pub struct_size: u32,
    pub reserved: u32,
    pub startup: Option<unsafe extern "C" fn(*const GwApp, *const GwWaker, *mut GwError) -> i32>,
    pub call: Option<
        unsafe extern "C" fn(
            *const GwApp,
            *const GwRequest,
            *const GwWaker,
            *mut *mut GwCall,
        ) -> i32,
    >,
    pub shutdown: Option<unsafe extern "C" fn(*const GwApp, *const GwWaker, u64) -> i32>,
    pub destroy: Option<unsafe extern "C" fn(*const GwApp)>,
    pub ext: Option<unsafe extern "C" fn(*const GwApp, *const GwStr) -> *const c_void>,
}

/// Where a failing function writes what went wrong. The caller fills `struct_size`, `text`, `cap`.
#[repr(C)]
#[derive(Debug)]
pub struct GwError {
    pub struct_size: u32,
    pub code: i32,
    /// UTF-8, not NUL-terminated; the caller's buffer.
    pub text: *mut c_char,
    pub cap: usize,
    pub len: usize,
}
