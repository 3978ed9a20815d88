//! [`Host`]: the server as the application sees it.

use std::cell::Cell;
use std::ffi::c_void;
use std::fmt;
use std::panic::PanicHookInfo;
use std::ptr::{self, NonNull};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::abi::types::{GwHost, GwKv, GwStr, log_level};

/// The server: logging, and asking for the end. Copies are free; valid until the process exits.
///
/// Without a server (tests, requests made in process) nothing is logged.
#[derive(Clone, Copy, Default)]
pub struct Host {
    host: Option<HostPointer>,
}

/// A pointer, not a reference: behind the table stands what is the host's alone.
#[derive(Clone, Copy)]
struct HostPointer(NonNull<GwHost>);

impl HostPointer {
    fn table(self) -> &'static GwHost {
        // SAFETY: `from_raw` checked it; hosts keep it until the process exits.
        unsafe { self.0.as_ref() }
    }

    fn as_ptr(self) -> *const GwHost {
        self.0.as_ptr()
    }
}

// SAFETY: the host's functions may be called from any thread (SPEC.md, "Host").
unsafe impl Send for HostPointer {}
// SAFETY: as above.
unsafe impl Sync for HostPointer {}

/// How important a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
#[expect(clippy::exhaustive_enums, reason = "the ABI's five levels")]
pub enum Level {
    /// Something failed and somebody should look.
    Error = log_level::ERROR,
    /// Something is odd.
    Warn = log_level::WARN,
    /// Something happened.
    Info = log_level::INFO,
    /// For whoever looks for a fault.
    Debug = log_level::DEBUG,
    /// Everything.
    Trace = log_level::TRACE,
}

impl Host {
    /// # Safety
    ///
    /// `host` is NULL or valid until the process exits.
    pub(crate) unsafe fn from_raw(host: *const GwHost) -> Self {
        // SAFETY: the caller's promise.
        let size = unsafe { host.as_ref() }.map_or(0, |host| host.struct_size as usize);
        Self {
            host: NonNull::new(host.cast_mut())
                .filter(|_| size >= size_of::<GwHost>())
                .map(HostPointer),
        }
    }

    /// Whether a line of this level would be kept: one load.
    #[must_use]
    pub fn logs(&self, level: Level) -> bool {
        let Some(host) = self.host.map(HostPointer::table) else {
            return false;
        };
        if host.log_level.is_null() {
            return true;
        }
        // SAFETY: the host keeps the number alive and changes it atomically only.
        let most = unsafe { AtomicU32::from_ptr(host.log_level.cast_mut()) };
        level as u32 <= most.load(Ordering::Relaxed)
    }

    /// Writes one line to the server's log. Any bytes are accepted; the server escapes controls.
    pub fn log(&self, level: Level, target: &str, message: &str) {
        self.log_with::<&str>(level, target, message, &[]);
    }

    /// As [`log`](Self::log), with values by name, which the server shows behind the message.
    pub fn log_with<T: AsRef<str>>(
        &self,
        level: Level,
        target: &str,
        message: &str,
        pairs: &[(T, T)],
    ) {
        let Some(host) = self.host.filter(|_| self.logs(level)) else {
            return;
        };
        if let Some(log) = host.table().log {
            let [target, message] = [target, message].map(|text| GwStr::from(text.as_bytes()));
            let pairs: Vec<GwKv> = pairs
                .iter()
                .map(|(key, value)| GwKv {
                    key: key.as_ref().as_bytes().into(),
                    value: value.as_ref().as_bytes().into(),
                })
                .collect();
            let count = u32::try_from(pairs.len()).unwrap_or(u32::MAX);
            // SAFETY: thread-safe by contract; strings and pairs outlive the call.
            unsafe {
                log(
                    host.as_ptr(),
                    level as u32,
                    &raw const target,
                    &raw const message,
                    pairs.as_ptr(),
                    count,
                )
            };
        }
    }

    /// What the server has by this id, valid until the process exits; NULL if nothing.
    pub(crate) fn extension(&self, id: &[u8]) -> *const c_void {
        let Some(host) = self.host else {
            return ptr::null();
        };
        let id = GwStr::from(id);
        match host.table().ext {
            // SAFETY: thread-safe by contract; the id outlives the call.
            Some(ext) => unsafe { ext(host.as_ptr(), &raw const id) },
            None => ptr::null(),
        }
    }

    /// Asks the server to stop with this exit code, as TERM would.
    pub fn request_shutdown(&self, code: i32) {
        let Some(host) = self.host else {
            return;
        };
        if let Some(request) = host.table().request_shutdown {
            // SAFETY: thread-safe by contract.
            unsafe { request(host.as_ptr(), code) };
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.host.is_some() {
            "Host"
        } else {
            "Host(none)"
        })
    }
}

impl GwStr {
    /// No string, where that differs from an empty one.
    pub const NONE: Self = Self {
        ptr: ptr::null(),
        len: 0,
    };

    /// # Safety
    ///
    /// `ptr` and `len` describe bytes valid for `'a`, or `len` is 0.
    pub(crate) unsafe fn bytes<'a>(&self) -> &'a [u8] {
        if self.len == 0 || self.ptr.is_null() {
            return &[];
        }
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }
}

impl From<&[u8]> for GwStr {
    fn from(bytes: &[u8]) -> Self {
        Self {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
        }
    }
}

/// From now on this image's panics go to the host's log instead of raw stderr. Once per image.
pub(crate) fn forward_panics(host: Host) {
    if HOST.set(host).is_ok() {
        std::panic::set_hook(Box::new(report));
    }
}

fn report(panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let message = match payload.downcast_ref::<&'static str>() {
        Some(text) => text,
        None => payload
            .downcast_ref::<String>()
            .map_or("a panic without a message", String::as_str),
    };
    let line = match panic.location() {
        Some(place) => format!("panicked at {place}: {message}"),
        None => format!("panicked: {message}"),
    };
    REPORTED.set(true);
    if let Some(host) = HOST.get() {
        host.log(Level::Error, "panic", &line);
    }
}

/// Says which boundary held a panic, where the hook has said what it was.
pub(crate) fn note_panic(what: &'static str) {
    if REPORTED.replace(false)
        && let Some(host) = HOST.get()
    {
        host.log(Level::Debug, "panic", &format!("contained in {what}"));
    }
}

static HOST: OnceLock<Host> = OnceLock::new();

thread_local! {
    static REPORTED: Cell<bool> = const { Cell::new(false) };
}
