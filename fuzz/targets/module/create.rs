//! The module's descriptor, its making and its start.

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;
use std::task::{Context, Waker};

use gateway_spec::abi::host::{Config, Descriptor, HONOURED, HostTable, Module, Services};
use gateway_spec::abi::types::*;

use super::call::start_call;
use super::play::{begin, choice, next, number, text};

/// The descriptor of a module that behaves for as long as there are no bytes.
pub(super) fn good() -> &'static GwModule {
    static GOOD: Constant<GwModule> = Constant(GwModule {
        magic: MAGIC,
        struct_size: MODULE_MIN_SIZE,
        abi_major: ABI_MAJOR,
        abi_minor: ABI_MINOR,
        min_host_minor: 0,
        reserved0: 0,
        reserved1: 0,
        flags: 0,
        name: [b'm'; 48],
        version: [0; 24],
        builder: [b'b'; 64],
        create: Some(create),
        ext: None,
    });
    &GOOD.0
}

/// Offers the host a descriptor of any kind, and what it takes, to make and to start.
pub(super) fn try_another() {
    let raw = another();
    // SAFETY: all its bytes are initialised, and it has no padding.
    let bytes = unsafe {
        std::slice::from_raw_parts(ptr::from_ref(raw).cast::<u8>(), size_of::<GwModule>())
    };
    for end in [0, 8, 20, 40, 100, bytes.len()] {
        // A verdict of either kind.
        let _ = Descriptor::parse(&bytes[..end], HONOURED);
    }
    let Ok(module) = Module::linked(raw) else {
        return;
    };
    assert_eq!((raw.magic, raw.abi_major), (MAGIC, ABI_MAJOR));
    assert_eq!(raw.flags & module_flag::CRITICAL_MASK & !HONOURED, 0);
    let config = Config {
        argument: text(),
        ..Config::default()
    };
    let Ok(app) = module.create(host(), &config) else {
        return;
    };
    let mut cx = Context::from_waker(Waker::noop());
    let _ = app.poll_startup(&mut cx);
    let _ = app.poll_shutdown(&mut cx, number());
    app.destroy();
}

/// One for this thread, written anew for each input: a host that keeps it keeps what it checked.
fn another() -> &'static GwModule {
    thread_local! {
        // What was made of a descriptor before may still look at that one.
        static ALL: RefCell<Vec<&'static GwModule>> = const { RefCell::new(Vec::new()) };
    }
    let mut raw = GwModule {
        create: Some(create),
        ..*good()
    };
    for _ in 0..choice(3) {
        let odd = number();
        #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
        match choice(8) {
            0 => raw.magic ^= odd,
            1 => raw.struct_size = odd as u32,
            2 => raw.abi_major = odd as u16,
            3 => raw.abi_minor = odd as u16,
            4 => raw.min_host_minor = odd as u16,
            5 => raw.flags = odd,
            6 => raw.create = None,
            _ => raw.name[usize::from(next()) % 48] = next(),
        }
    }
    ALL.with(|all| {
        let all = &mut *all.borrow_mut();
        let same = |one: &&&GwModule| format!("{one:?}") == format!("{raw:?}");
        match all.iter().find(same) {
            Some(known) => *known,
            None => {
                all.push(Box::leak(Box::new(raw)));
                all[all.len() - 1]
            }
        }
    })
}

/// The host of modules that no server serves.
pub(super) fn host() -> &'static HostTable {
    struct Silent;
    impl Services for Silent {
        fn log(
            &self,
            _: u32,
            target: &[u8],
            message: &[u8],
            pairs: &mut dyn Iterator<Item = (&[u8], &[u8])>,
        ) {
            let length = |(key, value): (&[u8], &[u8])| key.len() + value.len();
            let all = target.len() + message.len() + pairs.map(length).sum::<usize>();
            assert!(all < 10_000, "more than was said");
        }

        fn request_shutdown(&self, _: i32) {}
    }
    thread_local! {
        static HOST: &'static HostTable = HostTable::leak(Silent, "a fuzzer", log_level::TRACE);
    }
    HOST.with(|host| *host)
}

thread_local! {
    /// The host that this thread's module was made by last.
    pub(super) static MADE_BY: RefCell<*const GwHost> = const { RefCell::new(ptr::null()) };
}

unsafe extern "C" fn create(
    host: *const GwHost,
    config: *const GwConfig,
    out: *mut *const GwApp,
    error: *mut GwError,
) -> i32 {
    MADE_BY.with(|by| *by.borrow_mut() = host);
    // SAFETY: the host lends its configuration.
    let config = unsafe { &*config };
    assert!(config.struct_size as usize >= size_of::<GwConfig>());
    let app = match choice(8) {
        0..=3 => &raw const APP.0,
        4 => ptr::null(),
        5 => &raw const NO_TABLE.0,
        6 => &raw const SHORT.0,
        _ => &raw const NO_CALL.0,
    };
    // SAFETY: the host's out pointer.
    unsafe { *out = app };
    // SAFETY: the host's buffer.
    unsafe { answer(error) }
}

unsafe extern "C" fn startup(_: *const GwApp, _: *const GwWaker, error: *mut GwError) -> i32 {
    // SAFETY: the host's buffer.
    unsafe { answer(error) }
}

unsafe extern "C" fn shutdown(_: *const GwApp, _: *const GwWaker, _: u64) -> i32 {
    outcome()
}

unsafe extern "C" fn destroy(_: *const GwApp) {}

/// Says something in the host's buffer, and how much, which may be more than fits.
unsafe fn answer(error: *mut GwError) -> i32 {
    let answer = outcome();
    // SAFETY: the caller's promise.
    let error = unsafe { &mut *error };
    let said = text();
    let count = said.len().min(error.cap);
    // SAFETY: within both, and they are not the same.
    unsafe { ptr::copy_nonoverlapping(said.as_ptr(), error.text.cast(), count) };
    #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
    {
        error.len = number() as usize;
        error.code = number() as i32;
    }
    answer
}

/// Good, or any number.
pub(super) fn outcome() -> i32 {
    match choice(4) {
        0 | 1 => code::READY,
        2 => code::PENDING,
        #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
        _ => number() as i32,
    }
}

/// A constant with pointers in it.
#[repr(transparent)]
pub(super) struct Constant<T>(pub(super) T);

// SAFETY: constant data.
unsafe impl<T> Sync for Constant<T> {}

const TABLE: GwAppVt = GwAppVt {
    struct_size: table_size::<GwAppVt>(),
    reserved: 0,
    startup: Some(startup),
    call: Some(start_call),
    shutdown: Some(shutdown),
    destroy: Some(destroy),
    ext: Some(ext),
};
static WHOLE: GwAppVt = TABLE;
static CUT: GwAppVt = GwAppVt {
    struct_size: 16,
    ..TABLE
};
static WITHOUT_CALL: GwAppVt = GwAppVt {
    call: None,
    ..TABLE
};
static APP: Constant<GwApp> = Constant(GwApp {
    vt: &raw const WHOLE,
});
static NO_TABLE: Constant<GwApp> = Constant(GwApp { vt: ptr::null() });
static SHORT: Constant<GwApp> = Constant(GwApp { vt: &raw const CUT });
static NO_CALL: Constant<GwApp> = Constant(GwApp {
    vt: &raw const WITHOUT_CALL,
});

unsafe extern "C" fn ext(_: *const GwApp, _: *const GwStr) -> *const c_void {
    ptr::null()
}

/// What a table says of itself.
#[expect(clippy::cast_possible_truncation, reason = "tables are small")]
pub(super) const fn table_size<T>() -> u32 {
    size_of::<T>() as u32
}

/// Behaves from here on.
pub(super) fn behave() {
    begin(b"");
}
