//! What a module exports, and what is told to `create`.

use std::ffi::c_void;

use super::app::{GwApp, GwError};
use super::frozen::{GwKv, GwStr};
use super::host::GwHost;

/// `"GATEWAY1"` read as a little-endian integer on every machine: the first eight bytes of
/// [`GwModule`] in native byte order.
pub const MAGIC: u64 = u64::from_le_bytes(*b"GATEWAY1");
/// Major version of the ABI described here; part of the symbol's name.
pub const ABI_MAJOR: u16 = 1;
/// Minor version of the ABI described here; grows when fields or functions are appended.
pub const ABI_MINOR: u16 = 0;
/// The exported data symbol, NUL-terminated for `dlsym`.
pub const MODULE_SYMBOL: &[u8] = b"gateway_module_v1\0";
/// Size of [`GwModule`] in ABI 1.0; a descriptor that says less is refused.
pub const MODULE_MIN_SIZE: u32 = 184;

/// The exported descriptor. Data, so that it can be read from the file without running the module.
#[repr(C)]
#[derive(Debug)]
pub struct GwModule {
    pub magic: u64,
    pub struct_size: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    pub min_host_minor: u16,
    pub reserved0: u16,
    pub reserved1: u32,
    pub flags: u64,
    pub name: [u8; 48],
    pub version: [u8; 24],
    pub builder: [u8; 64],
    pub create: Option<
        unsafe extern "C" fn(
            *const GwHost,
            *const GwConfig,
            *mut *const GwApp,
            *mut GwError,
        ) -> i32,
    >,
    pub ext: Option<unsafe extern "C" fn(*const GwStr) -> *const c_void>,
}

/// Flags of [`GwModule`]: the low half may be ignored, an unknown bit of the high half must be refused.
pub mod module_flag {
    /// A panic or an uncaught exception ends the process.
    pub const PANIC_ABORT: u64 = 1 << 0;
    /// The application brings an asynchronous runtime of its own.
    pub const USES_RUNTIME: u64 = 1 << 1;
    /// `call` and `poll` may block their thread; the host must not run them on its event loop.
    pub const BLOCKING: u64 = 1 << 32;
    /// A call must be polled and dropped by the thread that started it.
    pub const LOCAL_CALLS: u64 = 1 << 33;
    /// All functions of one application instance must be called by one thread.
    pub const SINGLE_THREAD: u64 = 1 << 34;
    /// The high bits that version 1.0 defines.
    pub const KNOWN_CRITICAL: u64 = BLOCKING | LOCAL_CALLS | SINGLE_THREAD;
    /// What pins an instance's calls to one thread.
    pub(crate) const PINNED: u64 = LOCAL_CALLS | SINGLE_THREAD;
    /// The half whose unknown bits must be refused.
    pub const CRITICAL_MASK: u64 = 0xFFFF_FFFF_0000_0000;
}

/// What an application instance is told at `create`; borrowed for the duration of that call.
#[repr(C)]
#[derive(Debug)]
pub struct GwConfig {
    pub struct_size: u32,
    pub n_entries: u32,
    pub entries: *const GwKv,
    /// Free-form argument of the application (`gatewayd app.so -- ...`).
    pub argument: GwStr,
    pub worker_index: u32,
    pub worker_count: u32,
    pub threads_per_worker: u32,
    pub reserved: u32,
    /// Raw mount prefix, empty at the root.
    pub mount: GwStr,
    pub flags: u64,
}

/// Flags of [`GwConfig`].
pub mod config_flag {
    /// The application is linked into the host's own image: it installs no panic hook and no log bridge.
    pub const LINKED_IN: u64 = 1 << 0;
    /// The instance is being checked (`gatewayd check --load`): it will serve no request.
    pub const CHECK_ONLY: u64 = 1 << 1;
    /// The instance is there for its commands (`gatewayd routes app.so`): it will serve no request.
    pub const COMMANDS_ONLY: u64 = 1 << 2;
}

const _: () = assert!(size_of::<GwModule>() == MODULE_MIN_SIZE as usize);
