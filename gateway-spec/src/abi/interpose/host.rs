//! Watches what the application asks of the host as a whole: the log.

use std::ffi::c_void;

use crate::abi::size::struct_size;
use crate::abi::types::{GwHost, GwKv, GwStr, log_level};
use crate::lint::violation::Reports;
use crate::rules;

/// A `gw_host` with a watch before it.
#[repr(C)]
struct Watched {
    abi: GwHost,
    inner: *const GwHost,
    reports: Reports,
}

/// The same host, watched; leaked, as hosts live until the process exits.
///
/// # Safety
///
/// `inner` is a valid host of version 1.0 at least.
pub(super) unsafe fn watched(inner: *const GwHost, reports: &Reports) -> *const GwHost {
    // SAFETY: the caller's promise.
    let host = unsafe { &*inner };
    if (host.struct_size as usize) < size_of::<GwHost>() {
        reports.breach(rules::LOAD_06, "a gw_host smaller than version 1.0's");
        return inner;
    }
    let abi = GwHost {
        struct_size: struct_size::<GwHost>(),
        abi_minor: host.abi_minor,
        reserved: 0,
        log_level: host.log_level,
        log: host.log.map(|_| log as _),
        ext: host.ext.map(|_| ext as _),
        request_shutdown: host.request_shutdown.map(|_| request_shutdown as _),
        name: host.name,
    };
    let watched = Watched {
        abi,
        inner,
        reports: reports.clone(),
    };
    (&raw const *Box::leak(Box::new(watched))).cast()
}

unsafe extern "C" fn log(
    host: *const GwHost,
    level: u32,
    target: *const GwStr,
    message: *const GwStr,
    pairs: *const GwKv,
    count: u32,
) {
    // SAFETY: hosts with this function are ours, and leaked.
    let this = unsafe { &*host.cast::<Watched>() };
    //# [LOG-02] Records have a level from ERROR to TRACE and a message; `kv` is there if `n` is not 0.
    let is_level = (log_level::ERROR..=log_level::TRACE).contains(&level);
    let is_whole = !message.is_null() && (count == 0 || !pairs.is_null());
    this.reports
        .expect(is_level && is_whole, rules::LOG_02, || {
            format!("a record of level {level} with {count} pairs")
        });
    // SAFETY: the host lives until the process exits.
    let inner = unsafe { &*this.inner };
    if let Some(log) = inner.log {
        // SAFETY: the application's arguments, passed on as they came.
        unsafe { log(this.inner, level, target, message, pairs, count) };
    }
}

unsafe extern "C" fn ext(host: *const GwHost, id: *const GwStr) -> *const c_void {
    // SAFETY: as in `log`.
    let this = unsafe { &*host.cast::<Watched>() };
    // SAFETY: the host lives until the process exits.
    match unsafe { &*this.inner }.ext {
        // SAFETY: the application's arguments, passed on as they came.
        Some(ext) => unsafe { ext(this.inner, id) },
        None => std::ptr::null(),
    }
}

unsafe extern "C" fn request_shutdown(host: *const GwHost, exit: i32) {
    // SAFETY: as in `log`.
    let this = unsafe { &*host.cast::<Watched>() };
    // SAFETY: the host lives until the process exits.
    if let Some(request_shutdown) = unsafe { &*this.inner }.request_shutdown {
        // SAFETY: the application's arguments, passed on as they came.
        unsafe { request_shutdown(this.inner, exit) };
    }
}
