//! The puppet's tables: what they answer stands in the script.

use std::ffi::c_void;
use std::ptr;

use super::script::{AppSide, bytes, script};
use crate::abi::size::struct_size;
use crate::abi::types::*;

pub(super) fn request() -> GwRequest {
    static HOST_FIELD: Constant<[GwHeader; 1]> = Constant([GwHeader {
        name: b"host".as_ptr(),
        value: b"example.org".as_ptr(),
        name_len: 4,
        value_len: 11,
        name_id: 1,
        flags: 0,
        reserved: 0,
    }]);
    let text = |text: &'static str| GwStr::from(bytes(text));
    GwRequest {
        struct_size: struct_size::<GwRequest>(),
        n_headers: 1,
        flags: 0,
        version: version::HTTP_11,
        scheme: scheme::HTTP,
        method_id: method::GET,
        method: text("GET"),
        target: text("/"),
        authority: text("example.org"),
        path: text("/"),
        query: GwStr::NONE,
        mount: GwStr::NONE,
        protocol: GwStr::NONE,
        id: GwStr::NONE,
        raw: GwStr::NONE,
        headers: HOST_FIELD.0.as_ptr(),
        content_length: 0,
        peer: ptr::null(),
        client: ptr::null(),
        local: ptr::null(),
        t_mono_ns: 0,
        first: ptr::null_mut(),
        body: ptr::null_mut(),
        ctx: ptr::null_mut(),
        slot: ptr::null_mut(),
        slot_len: SLOT_MIN_SIZE as u64,
    }
}

pub(super) fn module(flags: u64) -> GwModule {
    // SAFETY: all fields may be zero.
    let mut module: GwModule = unsafe { std::mem::zeroed() };
    module.magic = MAGIC;
    module.struct_size = MODULE_MIN_SIZE;
    module.abi_major = ABI_MAJOR;
    module.flags = flags;
    module.create = Some(create);
    module
}

// ---- the tables -----------------------------------------------------------------------------

/// A constant with pointers in it.
#[repr(transparent)]
pub(super) struct Constant<T>(pub(super) T);

// SAFETY: constant data.
unsafe impl<T> Sync for Constant<T> {}

pub(super) static WAKER: Constant<GwWaker> = Constant(GwWaker {
    vt: &raw const WAKER_TABLE,
});
static WAKER_TABLE: GwWakerVt = GwWakerVt {
    clone: waker_clone,
    wake: waker_nothing,
    wake_by_ref: waker_nothing,
    drop: waker_nothing,
};

unsafe extern "C" fn waker_clone(waker: *const GwWaker) -> *const GwWaker {
    waker
}

unsafe extern "C" fn waker_nothing(_: *const GwWaker) {}

static LEVEL: u32 = log_level::TRACE;
pub(super) static HOST: Constant<GwHost> = Constant(GwHost {
    struct_size: struct_size::<GwHost>(),
    abi_minor: ABI_MINOR,
    reserved: 0,
    log_level: &raw const LEVEL,
    log: Some(host_log),
    ext: None,
    request_shutdown: None,
    name: GwStr::NONE,
});

unsafe extern "C" fn host_log(
    _: *const GwHost,
    _: u32,
    _: *const GwStr,
    _: *const GwStr,
    _: *const GwKv,
    _: u32,
) {
}

pub(super) static APP: Constant<GwApp> = Constant(GwApp {
    vt: &raw const APP_TABLE,
});
static APP_TABLE: GwAppVt = GwAppVt {
    struct_size: struct_size::<GwAppVt>(),
    reserved: 0,
    startup: Some(app_startup),
    call: Some(app_call),
    shutdown: None,
    destroy: None,
    ext: None,
};

unsafe extern "C" fn create(
    host: *const GwHost,
    _: *const GwConfig,
    out: *mut *const GwApp,
    _: *mut GwError,
) -> i32 {
    script(|it| it.host = Some(host));
    let app = script(|it| it.create_stores).unwrap_or(&raw const APP.0);
    // SAFETY: the interposer's out pointer.
    unsafe { *out = app };
    code::READY
}

unsafe extern "C" fn app_startup(_: *const GwApp, _: *const GwWaker, _: *mut GwError) -> i32 {
    script(|it| it.startup_answer)
}

unsafe extern "C" fn app_call(
    _: *const GwApp,
    request: *const GwRequest,
    waker: *const GwWaker,
    out: *mut *mut GwCall,
) -> i32 {
    // SAFETY: whole, inside call.
    let ctx = unsafe { &*request }.ctx;
    let mut on_call = script(|it| {
        (it.ctx, it.waker) = (Some(ctx), Some(waker));
        it.on_call.take().expect("told by `call`")
    });
    let answer = on_call(AppSide);
    if answer == code::PENDING {
        if let Some(call) = script(|it| it.call.take()) {
            // SAFETY: the interposer's out pointer.
            unsafe { *out = call };
        }
    } else if !script(|it| it.keeps_exchanges) {
        AppSide.give_back();
    }
    answer
}

pub(super) static CALL: Constant<GwCall> = Constant(GwCall {
    vt: &raw const CALL_TABLE,
});
static CALL_TABLE: GwCallVt = GwCallVt {
    struct_size: struct_size::<GwCallVt>(),
    reserved: 0,
    poll: Some(call_poll),
    drop: Some(call_drop),
};

unsafe extern "C" fn call_poll(_: *mut GwCall, waker: *const GwWaker) -> i32 {
    let on_poll = script(|it| {
        it.waker = Some(waker);
        it.on_poll.take()
    });
    on_poll.map_or(code::PENDING, |mut on_poll| on_poll(AppSide))
}

unsafe extern "C" fn call_drop(_: *mut GwCall) {}

pub(super) static BODY: Constant<GwBody> = Constant(GwBody {
    vt: &raw const BODY_TABLE,
});
static BODY_TABLE: GwBodyVt = GwBodyVt {
    struct_size: struct_size::<GwBodyVt>(),
    reserved: 0,
    poll_frame: Some(body_poll),
    drop: Some(body_drop),
};

unsafe extern "C" fn body_poll(_: *mut GwBody, _: *const GwWaker, out: *mut GwFrame) -> i32 {
    let mut on_frame = script(|it| it.on_frame.take()).expect("told by `on_frame`");
    // SAFETY: the poller's frame.
    let answer = on_frame(unsafe { &mut *out });
    script(|it| it.on_frame = Some(on_frame));
    answer
}

unsafe extern "C" fn body_drop(_: *mut GwBody) {}

pub(super) static CTX: Constant<GwCtx> = Constant(GwCtx {
    vt: &raw const CTX_TABLE,
});
static CTX_TABLE: GwCtxVt = GwCtxVt {
    struct_size: struct_size::<GwCtxVt>(),
    reserved: 0,
    respond: Some(ctx_respond),
    inform: Some(ctx_inform),
    poll_closed: None,
    poll_draining: None,
    upgrade: Some(ctx_upgrade),
    set_flags: None,
    ext: Some(ctx_ext),
    drop: Some(ctx_drop),
};

unsafe extern "C" fn ctx_respond(_: *mut GwCtx, response: *mut GwResponse) -> i32 {
    // SAFETY: the interposer's response.
    let response = unsafe { &mut *response };
    if let Some(mut on_respond) = script(|it| it.on_respond.take()) {
        return on_respond(response);
    }
    let accepts = script(|it| {
        it.responded += 1;
        it.accepts_everything || it.responded == 1
    });
    if !accepts {
        return code::TOO_LATE;
    }
    if !script(|it| it.accepts_everything) && response.flags >> 32 != 0 {
        return code::UNSUPPORTED;
    }
    response.first = GwBuf::EMPTY;
    let body = std::mem::replace(&mut response.body, ptr::null_mut());
    if !body.is_null() {
        script(|it| it.body = Some(body));
    }
    code::READY
}

unsafe extern "C" fn ctx_inform(_: *mut GwCtx, _: u32, _: *const GwHeader, _: u32) -> i32 {
    if script(|it| it.accepts_everything) {
        code::READY
    } else {
        code::INVALID
    }
}

unsafe extern "C" fn ctx_upgrade(_: *mut GwCtx, _: *const GwWaker, out: *mut *mut GwStream) -> i32 {
    if script(|it| it.responded) == 0 {
        return code::INVALID;
    }
    // SAFETY: the interposer's out pointer.
    unsafe { *out = (&raw const STREAM.0).cast_mut() };
    code::READY
}

unsafe extern "C" fn ctx_ext(_: *mut GwCtx, _: *const GwStr) -> *const c_void {
    let found = script(|it| it.extension_found);
    if found {
        (&raw const LEVEL).cast()
    } else {
        ptr::null()
    }
}

unsafe extern "C" fn ctx_drop(_: *mut GwCtx) {}

pub(super) static STREAM: Constant<GwStream> = Constant(GwStream {
    vt: &raw const STREAM_TABLE,
});
static STREAM_TABLE: GwStreamVt = GwStreamVt {
    struct_size: struct_size::<GwStreamVt>(),
    reserved: 0,
    poll_read: Some(stream_read),
    poll_write: None,
    poll_flush: None,
    poll_shutdown: None,
    poll_draining: None,
    drop: Some(stream_drop),
};

unsafe extern "C" fn stream_read(
    _: *mut GwStream,
    _: *const GwWaker,
    _: *mut u8,
    _: usize,
    count: *mut usize,
) -> i32 {
    // SAFETY: the interposer's out pointer.
    unsafe { *count = 1000 };
    code::READY
}

unsafe extern "C" fn stream_drop(_: *mut GwStream) {}
