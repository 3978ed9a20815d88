//! [`HostTable`]: the `gw_host` that applications see, over a safe trait.

use std::ffi::c_void;
use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use super::metrics::{MetricsTable, Recorder};
use crate::abi::contain::contained;
use crate::abi::size::struct_size;
use crate::abi::types::{ABI_MINOR, EXT_METRICS, GwHost, GwKv, GwStr, code};

/// What a host offers an application beyond exchanges. Called from any thread, before start-up
/// and after shutdown too.
pub trait Services: Send + Sync + 'static {
    /// One log line. Any bytes may come; escape controls. `level` is one of `abi::log_level`.
    fn log(
        &self,
        level: u32,
        target: &[u8],
        message: &[u8],
        pairs: &mut dyn Iterator<Item = (&[u8], &[u8])>,
    );

    /// The application asks for the end, with this exit code.
    fn request_shutdown(&self, code: i32);

    /// What keeps the application's metrics, asked for once; none if nobody reads them.
    fn recorder(&mut self) -> Option<Box<dyn Recorder>> {
        None
    }
}

/// A `gw_host` with its services: leaked, since applications may use it until the process exits.
#[repr(C)]
pub struct HostTable {
    abi: GwHost,
    level: AtomicU32,
    services: Box<dyn Services>,
    metrics: Option<MetricsTable>,
}

// SAFETY: the raw pointers in `abi` point into this structure and to static strings.
unsafe impl Send for HostTable {}
// SAFETY: as above; the level is atomic and the services `Sync`.
unsafe impl Sync for HostTable {}

impl HostTable {
    /// Makes a table. `name` is for diagnostics; `level` the most verbose level that is kept.
    pub fn leak(mut services: impl Services, name: &'static str, level: u32) -> &'static Self {
        let table = Box::leak(Box::new(Self {
            abi: GwHost {
                struct_size: struct_size::<GwHost>(),
                abi_minor: ABI_MINOR,
                reserved: 0,
                log_level: ptr::null(),
                log: Some(log),
                ext: Some(ext),
                request_shutdown: Some(request_shutdown),
                name: GwStr::from(name.as_bytes()),
            },
            level: AtomicU32::new(level),
            metrics: services.recorder().map(MetricsTable::new),
            services: Box::new(services),
        }));
        table.abi.log_level = table.level.as_ptr();
        table
    }

    /// Changes the most verbose level that is kept.
    pub fn set_level(&self, level: u32) {
        self.level.store(level, Ordering::Relaxed);
    }

    pub(crate) fn as_raw(&'static self) -> *const GwHost {
        ptr::from_ref(self).cast()
    }
}

impl fmt::Debug for HostTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostTable")
    }
}

unsafe extern "C" fn log(
    host: *const GwHost,
    level: u32,
    target: *const GwStr,
    message: *const GwStr,
    pairs: *const GwKv,
    count: u32,
) {
    contained("log", || {
        // SAFETY: `leak` made every `gw_host` that carries this function.
        let table = unsafe { &*host.cast::<HostTable>() };
        let text = |string: *const GwStr| {
            // SAFETY: NULL or a string that the application lends for the call.
            let string = unsafe { string.as_ref() };
            // SAFETY: the application lends the bytes for the call.
            string.map_or(&[][..], |string| unsafe { string.bytes() })
        };
        let pairs = if pairs.is_null() {
            &[]
        } else {
            // SAFETY: an array of `count` pairs that the application lends for the call.
            unsafe { std::slice::from_raw_parts(pairs, count as usize) }
        };
        let mut pairs = pairs.iter().map(|pair| {
            // SAFETY: the application lends the strings for the call.
            let key = unsafe { pair.key.bytes() };
            // SAFETY: as above.
            (key, unsafe { pair.value.bytes() })
        });
        table
            .services
            .log(level, text(target), text(message), &mut pairs);
        code::READY
    });
}

unsafe extern "C" fn ext(host: *const GwHost, id: *const GwStr) -> *const c_void {
    let mut found = ptr::null();
    contained("ext", || {
        // SAFETY: `leak` made every `gw_host` that carries this function.
        let table = unsafe { &*host.cast::<HostTable>() };
        // SAFETY: NULL or an id that the application lends for the call.
        let id = unsafe { id.as_ref() }.map(|id| {
            // SAFETY: as above.
            unsafe { id.bytes() }
        });
        if id == Some(EXT_METRICS)
            && let Some(metrics) = &table.metrics
        {
            found = metrics.as_raw().cast();
        }
        code::READY
    });
    found
}

unsafe extern "C" fn request_shutdown(host: *const GwHost, exit: i32) {
    contained("request_shutdown", || {
        // SAFETY: `leak` made every `gw_host` that carries this function.
        let table = unsafe { &*host.cast::<HostTable>() };
        table.services.request_shutdown(exit);
        code::READY
    });
}
