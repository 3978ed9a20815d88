//! The types and constants of the C ABI, as `include/gateway.h` declares them.
//!
//! Layout rules (SPEC.md, chapter "The C ABI"): structures that may grow begin with `struct_size`,
//! written by whoever fills them; a field may be read only if it lies wholly below that size, and
//! counts as zero otherwise. [`GwStr`], [`GwBuf`], [`GwHeader`], [`GwAddr`], [`GwIov`], [`GwKv`] and
//! [`GwWaker`] are frozen for ever, because they occur in arrays or by value.
//!
//! Names are C's without the underscore: `gw_request` is [`GwRequest`].
#![expect(
    missing_docs,
    reason = "gateway.h documents every field; a second copy here would drift"
)]
#![expect(
    clippy::exhaustive_structs,
    reason = "the layout is the contract: a new field is a new minor version, never a surprise"
)]

use std::ffi::{c_char, c_void};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the gateway ABI v1 is defined for 64-bit targets only");

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

/// Result codes: every function that can fail returns one of these as `int32_t`.
pub mod code {
    pub const READY: i32 = 0;
    pub const PENDING: i32 = 1;
    pub const PANIC: i32 = -1;
    pub const UNSUPPORTED: i32 = -2;
    pub const INVALID: i32 = -3;
    pub const CLOSED: i32 = -4;
    pub const TOO_LATE: i32 = -5;
    pub const LIMIT: i32 = -6;
    pub const TIMEOUT: i32 = -7;
    pub const PROTOCOL: i32 = -8;
    pub const IO: i32 = -9;
    pub const BUSY: i32 = -10;
    pub const INTERNAL: i32 = -11;
    pub const NO_RESPONSE: i32 = -12;
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

/// Flags of `set_flags` on [`GwCtx`].
pub mod ctx_flag {
    /// Poll the call to its end although the client has gone; its output is discarded.
    pub const FINISH_ON_DISCONNECT: u64 = 1 << 0;
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

/// Flags of [`GwHeader`].
pub mod header_flag {
    /// The value is a secret: never logged, never indexed by HPACK.
    pub const SENSITIVE: u16 = 1 << 0;
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

/// Values of `GwAddr::family`.
pub mod family {
    pub const NONE: u16 = 0;
    pub const IPV4: u16 = 4;
    pub const IPV6: u16 = 6;
    pub const UNIX: u16 = 1;
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

/// `content_length` of a request whose length is not known in advance.
pub const LENGTH_UNKNOWN: u64 = u64::MAX;
/// Bytes of `GwRequest::slot` that a host must offer at least, aligned to 16.
pub const SLOT_MIN_SIZE: usize = 1024;

// ---- frozen ---------------------------------------------------------------------------------

/// Borrowed bytes. `ptr` may be NULL only if `len` is 0; where the difference means something
/// (an absent query), the field says so.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GwStr {
    pub ptr: *const u8,
    pub len: usize,
}

/// Owned bytes; moves by copying the structure, after which the taker zeroes the original.
#[repr(C)]
#[derive(Debug)]
pub struct GwBuf {
    pub ptr: *const u8,
    pub len: usize,
    /// NULL: the bytes are static and nothing is to be freed.
    pub drop: Option<unsafe extern "C" fn(*mut Self)>,
    /// The owner's; may hold pointers, hence not an integer type.
    pub private: [std::mem::MaybeUninit<usize>; 4],
}

/// One field line, borrowed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GwHeader {
    pub name: *const u8,
    pub value: *const u8,
    pub name_len: u32,
    pub value_len: u32,
    /// Id of a well-known name (`abi::names`), or 0.
    pub name_id: u16,
    pub flags: u16,
    pub reserved: u32,
}

/// A socket address.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GwAddr {
    pub family: u16,
    pub port: u16,
    /// IPv6 scope id, else 0.
    pub scope: u32,
    /// IPv4 in the first four bytes.
    pub ip: [u8; 16],
    /// Bytes of a unix socket's path; a leading NUL marks an abstract name; empty if unnamed.
    pub unix_path: GwStr,
}

/// One buffer of a gathered write.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GwIov {
    pub ptr: *const u8,
    pub len: usize,
}

/// A waker: a thin pointer whose target begins with its table. Equal live pointers mean the same waker.
#[repr(C)]
#[derive(Debug)]
pub struct GwWaker {
    pub vt: *const GwWakerVt,
}

/// Functions of a waker (frozen). All may be called from any thread.
#[repr(C)]
#[derive(Debug)]
pub struct GwWakerVt {
    /// Returns an owned waker, ended by `wake` or `drop`.
    pub clone: unsafe extern "C" fn(*const GwWaker) -> *const GwWaker,
    /// Wakes and ends an owned waker.
    pub wake: unsafe extern "C" fn(*const GwWaker),
    /// Wakes; the waker stays its owner's.
    pub wake_by_ref: unsafe extern "C" fn(*const GwWaker),
    /// Ends an owned waker.
    pub drop: unsafe extern "C" fn(*const GwWaker),
}

// ---- descriptor, host, application -----------------------------------------------------------

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

/// A key and its value.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GwKv {
    pub key: GwStr,
    pub value: GwStr,
}

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

// ---- one exchange ---------------------------------------------------------------------------

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

/// What the host offers for one exchange.
#[repr(C)]
#[derive(Debug)]
pub struct GwCtx {
    pub vt: *const GwCtxVt,
}

/// Functions of an exchange. `respond` only inside `call` or `poll`; the rest from any thread.
#[repr(C)]
#[derive(Debug)]
pub struct GwCtxVt {
    pub struct_size: u32,
    pub reserved: u32,
    pub respond: Option<unsafe extern "C" fn(*mut GwCtx, *mut GwResponse) -> i32>,
    pub inform: Option<unsafe extern "C" fn(*mut GwCtx, u32, *const GwHeader, u32) -> i32>,
    pub poll_closed: Option<unsafe extern "C" fn(*mut GwCtx, *const GwWaker) -> i32>,
    pub poll_draining: Option<unsafe extern "C" fn(*mut GwCtx, *const GwWaker) -> i32>,
    pub upgrade:
        Option<unsafe extern "C" fn(*mut GwCtx, *const GwWaker, *mut *mut GwStream) -> i32>,
    pub set_flags: Option<unsafe extern "C" fn(*mut GwCtx, u64) -> i32>,
    pub ext: Option<unsafe extern "C" fn(*mut GwCtx, *const GwStr) -> *const c_void>,
    pub drop: Option<unsafe extern "C" fn(*mut GwCtx)>,
}

/// A pending call.
#[repr(C)]
#[derive(Debug)]
pub struct GwCall {
    pub vt: *const GwCallVt,
}

/// Functions of a pending call.
#[repr(C)]
#[derive(Debug)]
pub struct GwCallVt {
    pub struct_size: u32,
    pub reserved: u32,
    /// Anything but PENDING ends the call; it must not be touched afterwards.
    pub poll: Option<unsafe extern "C" fn(*mut GwCall, *const GwWaker) -> i32>,
    /// Cancels and ends the call.
    pub drop: Option<unsafe extern "C" fn(*mut GwCall)>,
}

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

/// Id of the extension that yields a [`GwStr`], the request's id, made when it is first asked for.
pub const EXT_REQUEST_ID: &[u8] = b"gw.request-id/1";

// ---- the extension gw.tls/1 -----------------------------------------------------------------

/// Id of the extension that yields [`GwTls`] for an exchange over TLS.
pub const EXT_TLS: &[u8] = b"gw.tls/1";

/// Facts of the TLS connection; lives as long as the reference to the exchange.
#[repr(C)]
#[derive(Debug)]
pub struct GwTls {
    pub struct_size: u32,
    /// 0x0303 for TLS 1.2, 0x0304 for TLS 1.3.
    pub version: u16,
    pub cipher_suite: u16,
    pub alpn: GwStr,
    pub server_name: GwStr,
    /// The client's verified chain, leaf first, DER.
    pub peer_chain: *const GwStr,
    pub n_peer_chain: u32,
    /// 1 if the client's chain was verified, else 0.
    pub peer_verified: u32,
}

// ---- the extension gw.commands/1 ------------------------------------------------------------

/// Id of the extension that yields [`GwCommands`] for an instance.
pub const EXT_COMMANDS: &[u8] = b"gw.commands/1";

/// One command of an application. Frozen.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GwCommand {
    pub name: GwStr,
    pub arguments: GwStr,
    pub about: GwStr,
}

/// The commands of an instance; lives as long as it.
#[repr(C)]
#[derive(Debug)]
pub struct GwCommands {
    pub struct_size: u32,
    pub n_commands: u32,
    pub commands: *const GwCommand,
    pub run: Option<unsafe extern "C" fn(*const Self, *const GwStr, u32) -> i32>,
}

const _: () = {
    assert!(size_of::<GwStr>() == 16);
    assert!(size_of::<GwBuf>() == 56);
    assert!(size_of::<GwHeader>() == 32);
    assert!(size_of::<GwAddr>() == 40);
    assert!(size_of::<GwModule>() == MODULE_MIN_SIZE as usize);
};
