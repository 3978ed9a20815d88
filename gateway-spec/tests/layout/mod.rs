//! The Rust side of the ABI as tables: structures, fields with their C types, constants.

use std::ffi::{c_char, c_void};
use std::mem::{MaybeUninit, offset_of};

use gateway_spec::abi;

/// A structure as the Rust compiler lays it out.
pub(crate) struct Struct {
    pub(crate) name: &'static str,
    pub(crate) size: usize,
    pub(crate) align: usize,
    pub(crate) fields: Vec<Field>,
}

/// One field of a structure.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) offset: usize,
    pub(crate) size: usize,
    /// The type in C++'s words.
    pub(crate) type_: String,
}

/// A numeric constant.
pub(crate) struct Constant {
    pub(crate) c_name: &'static str,
    /// What C prints after a cast to `uint64_t`.
    pub(crate) value: i128,
}

/// A Rust type as C++ spells it.
pub(crate) trait Spelling {
    fn spelling() -> String;
}

/// Spells the type of a field, which the closure picks.
fn field_type<S, F: Spelling>(_: fn(&S) -> &F) -> (String, usize) {
    (F::spelling(), size_of::<F>())
}

macro_rules! spell {
    ($($rust:ty = $c:literal),* $(,)?) => {
        $(impl Spelling for $rust {
            fn spelling() -> String {
                $c.to_owned()
            }
        })*
    };
}

spell!(
    u8 = "uint8_t",
    u16 = "uint16_t",
    u32 = "uint32_t",
    u64 = "uint64_t",
    i32 = "int32_t",
    usize = "size_t",
    f64 = "double",
    c_char = "char",
    c_void = "void",
    () = "void",
    [MaybeUninit<usize>; 4] = "uintptr_t[4]",
    // Addresses are bytes, texts are characters; Rust reads both as bytes.
    [u8; 16] = "uint8_t[16]",
    [u8; 24] = "char[24]",
    [u8; 48] = "char[48]",
    [u8; 64] = "char[64]",
);

impl<T: Spelling> Spelling for *const T {
    fn spelling() -> String {
        format!("{} const *", T::spelling())
    }
}

impl<T: Spelling> Spelling for *mut T {
    fn spelling() -> String {
        format!("{} *", T::spelling())
    }
}

impl<F: Spelling> Spelling for Option<F> {
    fn spelling() -> String {
        F::spelling()
    }
}

macro_rules! spell_functions {
    ($(($($argument:ident)*))*) => {
        $(impl<Result: Spelling, $($argument: Spelling),*> Spelling
            for unsafe extern "C" fn($($argument),*) -> Result
        {
            fn spelling() -> String {
                let types = [Result::spelling(), $($argument::spelling()),*];
                format!("fn<{}>", types.join(", "))
            }
        })*
    };
}

spell_functions!((A)(A B)(A B C)(A B C D)(A B C D E)(A B C D E F));

macro_rules! structs {
    ($($rust:ident = $c:literal { $($field:ident),* $(,)? }),* $(,)?) => {
        $(spell!(abi::$rust = $c);)*

        /// Every structure of the ABI.
        pub(crate) fn structs() -> Vec<Struct> {
            $({
                // Does not compile when a field is missing from the table below.
                let _ = |value: abi::$rust| {
                    let abi::$rust { $($field: _),* } = value;
                };
            })*
            vec![$(Struct {
                name: $c,
                size: size_of::<abi::$rust>(),
                align: align_of::<abi::$rust>(),
                fields: vec![$({
                    let (type_, size) = field_type(|value: &abi::$rust| &value.$field);
                    let name = stringify!($field);
                    Field {
                        // `private` is a word of C++, `priv` one of Rust.
                        name: if name == "private" { "priv" } else { name },
                        offset: offset_of!(abi::$rust, $field),
                        size,
                        type_,
                    }
                }),*],
            }),*]
        }
    };
}

macro_rules! constants {
    ($($prefix:literal = $($module:ident)::+ { $($name:ident),* $(,)? }),* $(,)?) => {
        /// Every numeric constant of the ABI except the ids of names.
        pub(crate) fn constants() -> Vec<Constant> {
            let mut list = Vec::new();
            $({
                use $($module)::+ as module;
                list.extend([$(Constant {
                    c_name: concat!($prefix, stringify!($name)),
                    value: (module::$name as i128).rem_euclid(1 << 64),
                }),*]);
            })*
            list
        }
    };
}

structs! {
    GwStr = "gw_str" { ptr, len },
    GwBuf = "gw_buf" { ptr, len, drop, private },
    GwHeader = "gw_header" { name, value, name_len, value_len, name_id, flags, reserved },
    GwAddr = "gw_addr" { family, port, scope, ip, unix_path },
    GwIov = "gw_iov" { ptr, len },
    GwWaker = "gw_waker" { vt },
    GwWakerVt = "gw_waker_vt" { clone, wake, wake_by_ref, drop },
    GwModule = "gw_module" {
        magic, struct_size, abi_major, abi_minor, min_host_minor, reserved0, reserved1,
        flags, name, version, builder, create, ext,
    },
    GwKv = "gw_kv" { key, value },
    GwHost = "gw_host" {
        struct_size, abi_minor, reserved, log_level, log, ext, request_shutdown, name,
    },
    GwConfig = "gw_config" {
        struct_size, n_entries, entries, argument, worker_index, worker_count,
        threads_per_worker, reserved, mount, flags,
    },
    GwError = "gw_error" { struct_size, code, text, cap, len },
    GwApp = "gw_app" { vt },
    GwAppVt = "gw_app_vt" { struct_size, reserved, startup, call, shutdown, destroy, ext },
    GwRequest = "gw_request" {
        struct_size, n_headers, flags, version, scheme, method_id, method, target,
        authority, path, query, mount, protocol, id, raw, headers, content_length, peer,
        client, local, t_mono_ns, first, body, ctx, slot, slot_len,
    },
    GwResponse = "gw_response" {
        struct_size, status, flags, headers, n_headers, reserved, content_length, first,
        body, protocol,
    },
    GwCtx = "gw_ctx" { vt },
    GwCtxVt = "gw_ctx_vt" {
        struct_size, reserved, respond, inform, poll_closed, poll_draining, upgrade,
        set_flags, ext, drop,
    },
    GwCall = "gw_call" { vt },
    GwCallVt = "gw_call_vt" { struct_size, reserved, poll, drop },
    GwBody = "gw_body" { vt },
    GwBodyVt = "gw_body_vt" { struct_size, reserved, poll_frame, drop },
    GwFrame = "gw_frame" {
        struct_size, kind, flags, fd, offset, length, data, trailers, n_trailers, reserved,
    },
    GwStream = "gw_stream" { vt },
    GwStreamVt = "gw_stream_vt" {
        struct_size, reserved, poll_read, poll_write, poll_flush, poll_shutdown,
        poll_draining, drop,
    },
    GwTls = "gw_tls" {
        struct_size, version, cipher_suite, alpn, server_name, peer_chain, n_peer_chain,
        peer_verified,
    },
    GwCommand = "gw_command" { name, arguments, about },
    GwCommands = "gw_commands" { struct_size, n_commands, commands, run },
    GwMetricDefinition = "gw_metric_definition" {
        struct_size, kind, name, help, labels, bounds, n_labels, n_bounds,
    },
    GwMetric = "gw_metric" { vt },
    GwMetricVt = "gw_metric_vt" { struct_size, reserved, count, add, set, observe },
    GwMetrics = "gw_metrics" { struct_size, reserved, define },
}

constants! {
    "GW_" = abi { MAGIC, ABI_MAJOR, ABI_MINOR, MODULE_MIN_SIZE, LENGTH_UNKNOWN, SLOT_MIN_SIZE },
    "GW_" = abi::code {
        READY, PENDING, PANIC, UNSUPPORTED, INVALID, CLOSED, TOO_LATE, LIMIT, TIMEOUT, PROTOCOL, IO,
        BUSY, INTERNAL, NO_RESPONSE,
    },
    "GW_MODULE_" = abi::module_flag {
        PANIC_ABORT, USES_RUNTIME, BLOCKING, LOCAL_CALLS, SINGLE_THREAD, KNOWN_CRITICAL,
        CRITICAL_MASK,
    },
    "GW_REQUEST_" = abi::request_flag {
        HAS_BODY, CLIENT_FORWARDED, SCHEME_FORWARDED, EARLY_DATA, ABSOLUTE_FORM,
    },
    "GW_RESPONSE_" = abi::response_flag { HAS_LENGTH, UPGRADE, NO_AUTO_DATE, LASTING_HEADERS },
    "GW_CTX_" = abi::ctx_flag { FINISH_ON_DISCONNECT },
    "GW_CONFIG_" = abi::config_flag { LINKED_IN, CHECK_ONLY, COMMANDS_ONLY },
    "GW_HEADER_" = abi::header_flag { SENSITIVE },
    "GW_FRAME_" = abi::frame_kind { END, DATA, FILE, TRAILERS },
    "GW_FRAME_" = abi::frame_flag { LAST },
    "GW_SCHEME_" = abi::scheme { HTTP, HTTPS },
    "GW_VERSION_" = abi::version { HTTP_10, HTTP_11, HTTP_2, HTTP_3 },
    "GW_METHOD_" = abi::method {
        OTHER, GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH,
    },
    "GW_FAMILY_" = abi::family { NONE, IPV4, IPV6, UNIX },
    "GW_LOG_" = abi::log_level { OFF, ERROR, WARN, INFO, DEBUG, TRACE },
    "GW_METRIC_" = abi::metric_kind { COUNTER, GAUGE, HISTOGRAM },
    "GW_METRIC_MAX_" = abi::metric_limit { NAME, HELP, LABELS, VALUE, BOUNDS },
}
