//! A host and an application that do what a test tells them, right or wrong.

#![expect(
    clippy::multiple_unsafe_ops_per_block,
    reason = "a puppet plays on the whole ABI, with tables of its own that are known to be sound"
)]

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex};

use super::super::size::struct_size;
use crate::abi::types::*;
use crate::lint::Violation;
use crate::lint::violation::Reports;
use crate::rules::{self, Rule};

type OnRespond = Box<dyn FnMut(&mut GwResponse) -> i32>;
type OnPoll = Box<dyn FnMut(AppSide) -> i32>;
type OnFrame = Box<dyn FnMut(&mut GwFrame) -> i32>;

/// What the functions of the tables below look up: they have no other way to a test.
#[derive(Default)]
struct Script {
    on_call: Option<OnPoll>,
    on_poll: Option<OnPoll>,
    on_respond: Option<OnRespond>,
    on_frame: Option<OnFrame>,
    startup_answer: i32,
    create_stores: Option<*const GwApp>,
    extension_found: bool,
    accepts_everything: bool,
    keeps_exchanges: bool,
    responded: u32,
    body: Option<*mut GwBody>,
    ctx: Option<*mut GwCtx>,
    waker: Option<*const GwWaker>,
    call: Option<*mut GwCall>,
    host: Option<*const GwHost>,
}

thread_local! {
    static SCRIPT: RefCell<Script> = RefCell::default();
}

fn script<T>(with: impl FnOnce(&mut Script) -> T) -> T {
    SCRIPT.with(|script| with(&mut script.borrow_mut()))
}

/// Both sides of the border in a test's hands.
pub(super) struct Puppet {
    pub(super) request: GwRequest,
    pub(super) flags: u64,
    pub(super) keeps_exchanges: bool,
    pub(super) extension_found: bool,
    reports: Reports,
    module: Option<&'static GwModule>,
    app: *const GwApp,
    call: *mut GwCall,
    slot: Box<Slot>,
}

#[repr(align(16))]
struct Slot([u8; SLOT_MIN_SIZE]);

/// The application's side, inside a call.
#[derive(Clone, Copy)]
pub(super) struct AppSide;

/// Lets a test hand a pointer to another thread.
pub(super) struct Sendable<T>(pub(super) T);

// SAFETY: the tests join the thread before they go on.
unsafe impl<T> Send for Sendable<T> {}

/// Plays a scene and says which rules were reported, each once.
pub(super) fn reported(play: impl FnOnce(&mut Puppet)) -> Vec<&'static Rule> {
    SCRIPT.with(|script| *script.borrow_mut() = Script::default());
    let found = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&found);
    let reports = Reports::new(move |violation: Violation| {
        let mut found = sink.lock().unwrap();
        // On a busy machine any poll may take long.
        if !found.contains(&violation.rule) && violation.rule != rules::CALL_05 {
            found.push(violation.rule);
        }
    });
    let mut puppet = Puppet {
        request: request(),
        flags: 0,
        keeps_exchanges: false,
        extension_found: false,
        reports,
        module: None,
        app: ptr::null(),
        call: ptr::null_mut(),
        slot: Box::new(Slot([0; SLOT_MIN_SIZE])),
    };
    play(&mut puppet);
    let found = found.lock().unwrap();
    found.clone()
}

pub(super) fn bytes(text: &'static str) -> &'static [u8] {
    text.as_bytes()
}

pub(super) fn header(name: &'static str, value: &'static str) -> GwHeader {
    crate::abi::Field::new(0, bytes(name), bytes(value)).into_raw()
}

/// A copy of a buffer, so that one of them is one too many.
pub(super) fn copy(buffer: &GwBuf) -> GwBuf {
    // SAFETY: plain data; that the copy is dropped as well is what the test is about.
    unsafe { ptr::read(buffer) }
}

impl Puppet {
    pub(super) fn create(&mut self) {
        script(|it| {
            it.keeps_exchanges = self.keeps_exchanges;
            it.extension_found = self.extension_found;
        });
        let flags = self.flags;
        let module = *self
            .module
            .get_or_insert_with(|| Box::leak(Box::new(module(flags))));
        let mut app = ptr::null();
        // SAFETY: the puppet's own tables.
        let answer = unsafe {
            super::super::app::create(
                module,
                &self.reports,
                &raw const HOST.0,
                ptr::null(),
                &raw mut app,
                ptr::null_mut(),
            )
        };
        if answer == code::READY {
            self.app = app;
        }
    }

    pub(super) fn create_stores(&mut self, app: *const GwApp) {
        script(|it| it.create_stores = Some(app));
        self.create();
    }

    pub(super) fn startup_answers(&mut self, answer: i32) {
        script(|it| it.startup_answer = answer);
    }

    pub(super) fn start(&mut self) {
        self.create();
        self.startup();
    }

    fn table(&self) -> &'static GwAppVt {
        // SAFETY: made by `create`.
        let app = unsafe { &*self.app };
        // SAFETY: a static table.
        unsafe { &*app.vt }
    }

    pub(super) fn startup(&mut self) {
        let startup = self.table().startup.unwrap();
        // SAFETY: a live instance.
        unsafe { startup(self.app, &raw const WAKER.0, ptr::null_mut()) };
    }

    pub(super) fn shutdown(&mut self) {
        let shutdown = self.table().shutdown.unwrap();
        // SAFETY: a live instance.
        unsafe { shutdown(self.app, &raw const WAKER.0, 0) };
    }

    pub(super) fn destroy(&mut self) {
        let destroy = self.table().destroy.unwrap();
        // SAFETY: a live instance.
        unsafe { destroy(self.app) };
    }

    pub(super) fn stop(&mut self) {
        self.shutdown();
        self.destroy();
    }

    /// Makes one request, which the application answers as told.
    pub(super) fn call(&mut self, answer: impl FnMut(AppSide) -> i32) -> i32 {
        script(|it| {
            it.keeps_exchanges = self.keeps_exchanges;
            it.extension_found = self.extension_found;
            it.responded = 0;
        });
        let answer: Box<dyn FnMut(AppSide) -> i32 + '_> = Box::new(answer);
        // SAFETY: taken out again before this function returns.
        let answer =
            unsafe { std::mem::transmute::<Box<dyn FnMut(AppSide) -> i32 + '_>, OnPoll>(answer) };
        script(|it| it.on_call = Some(answer));
        self.request.ctx = (&raw const CTX.0).cast_mut();
        self.request.slot = (&raw mut self.slot.0).cast();
        let call = self.table().call.unwrap();
        // SAFETY: a live instance and a whole request.
        let answer = unsafe {
            call(
                self.app,
                &raw const self.request,
                &raw const WAKER.0,
                &raw mut self.call,
            )
        };
        script(|it| it.on_call = None);
        answer
    }

    pub(super) fn app(&self) -> AppSide {
        AppSide
    }

    pub(super) fn take_call(&mut self) -> *mut GwCall {
        std::mem::replace(&mut self.call, ptr::null_mut())
    }

    pub(super) fn poll(&mut self) -> i32 {
        poll_raw(self.call)
    }

    pub(super) fn cancel(&mut self) {
        // SAFETY: a call that the interposer made.
        let drop = unsafe { &*(*self.call).vt }.drop.unwrap();
        // SAFETY: as above; it survives being dropped twice.
        unsafe { drop(self.call) };
    }

    pub(super) fn on_poll(&mut self, answer: impl FnMut(AppSide) -> i32 + 'static) {
        script(|it| it.on_poll = Some(Box::new(answer)));
    }

    pub(super) fn on_respond(&mut self, answer: impl FnMut(&mut GwResponse) -> i32 + 'static) {
        script(|it| it.on_respond = Some(Box::new(answer)));
    }

    pub(super) fn on_frame(&mut self, answer: impl FnMut(&mut GwFrame) -> i32 + 'static) {
        script(|it| it.on_frame = Some(Box::new(answer)));
    }

    pub(super) fn host_accepts_everything(&mut self) {
        script(|it| it.accepts_everything = true);
    }

    /// Polls the body that the host took to its end, then drops it.
    pub(super) fn read_body(&mut self) -> Vec<u8> {
        let body = script(|it| it.body.take()).expect("a response with a body");
        // SAFETY: a body that the interposer made.
        let table = unsafe { &*(*body).vt };
        let mut content = Vec::new();
        for _ in 0..100 {
            // SAFETY: all fields may be zero.
            let mut frame: GwFrame = unsafe { std::mem::zeroed() };
            frame.struct_size = struct_size::<GwFrame>();
            let poll = table.poll_frame.unwrap();
            // SAFETY: live, with a frame of our own.
            let answer = unsafe { poll(body, &raw const WAKER.0, &raw mut frame) };
            // SAFETY: the puppet's buffers are static.
            content.extend_from_slice(unsafe { frame.data.bytes() });
            let is_last = frame.flags & frame_flag::LAST != 0;
            if answer != code::READY || frame.kind == frame_kind::END || is_last {
                break;
            }
        }
        // SAFETY: dropped once.
        unsafe { table.drop.unwrap()(body) };
        content
    }
}

impl AppSide {
    fn ctx() -> (*mut GwCtx, &'static GwCtxVt) {
        let ctx = script(|it| it.ctx).expect("after the first call");
        // SAFETY: the interposer's exchange.
        (ctx, unsafe { &*(*ctx).vt })
    }

    pub(super) fn response(self, status: u32) -> GwResponse {
        // SAFETY: all fields may be zero.
        let mut response: GwResponse = unsafe { std::mem::zeroed() };
        response.struct_size = struct_size::<GwResponse>();
        response.status = status;
        response
    }

    pub(super) fn give(self, response: &mut GwResponse) -> i32 {
        let (ctx, table) = Self::ctx();
        // SAFETY: a whole response.
        unsafe { table.respond.unwrap()(ctx, response) }
    }

    pub(super) fn respond(self, status: u32) -> i32 {
        let mut response = self.response(status);
        response.first = GwBuf::from_static(b"ok");
        self.give(&mut response)
    }

    pub(super) fn respond_owned(self, content: &'static [u8]) -> i32 {
        let mut response = self.response(200);
        response.first = bytes::Bytes::from(content.to_vec()).into();
        self.give(&mut response)
    }

    pub(super) fn respond_with(self, fields: &[(&'static str, &'static str)]) -> i32 {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| header(name, value))
            .collect();
        let mut response = self.response(200);
        response.headers = fields.as_ptr();
        response.n_headers = u32::try_from(fields.len()).unwrap();
        self.give(&mut response)
    }

    pub(super) fn respond_flagged(self, flags: u64) -> i32 {
        let mut response = self.response(200);
        response.flags = flags;
        self.give(&mut response)
    }

    pub(super) fn respond_streaming(self, length: Option<u64>) -> i32 {
        let mut response = self.response(200);
        response.body = (&raw const BODY.0).cast_mut();
        if let Some(length) = length {
            response.flags = response_flag::HAS_LENGTH;
            response.content_length = length;
        }
        self.give(&mut response)
    }

    /// Stays pending with a call of the puppet's.
    pub(super) fn pend(self) -> i32 {
        script(|it| it.call = Some((&raw const CALL.0).cast_mut()));
        code::PENDING
    }

    pub(super) fn inform(self, status: u32) -> i32 {
        let (ctx, table) = Self::ctx();
        // SAFETY: no fields.
        unsafe { table.inform.unwrap()(ctx, status, ptr::null(), 0) }
    }

    pub(super) fn give_back(self) {
        let (ctx, table) = Self::ctx();
        // SAFETY: the interposer survives one too many.
        unsafe { table.drop.unwrap()(ctx) };
    }

    pub(super) fn upgrade(self) -> *mut GwStream {
        let (ctx, table) = Self::ctx();
        let mut stream = ptr::null_mut();
        // SAFETY: the out pointer outlives the call.
        unsafe { table.upgrade.unwrap()(ctx, &raw const WAKER.0, &raw mut stream) };
        stream
    }

    pub(super) fn ext(self, id: &[u8]) -> *const c_void {
        let (ctx, table) = Self::ctx();
        let id = GwStr::from(id);
        // SAFETY: the id outlives the call.
        unsafe { table.ext.unwrap()(ctx, &raw const id) }
    }

    pub(super) fn log(self, level: u32) {
        let host = script(|it| it.host).expect("after create");
        let message = GwStr::from(&b"message"[..]);
        // SAFETY: the interposer's host.
        let log = unsafe { &*host }.log.unwrap();
        // SAFETY: no target, no pairs.
        unsafe { log(host, level, ptr::null(), &raw const message, ptr::null(), 0) };
    }

    pub(super) fn waker(self) -> *const GwWaker {
        script(|it| it.waker).expect("inside a call")
    }

    pub(super) fn clone_waker(self) -> *const GwWaker {
        let waker = self.waker();
        // SAFETY: the waker lent to the running call.
        let clone = unsafe { &*(*waker).vt }.clone;
        // SAFETY: as above.
        unsafe { clone(waker) }
    }

    pub(super) fn drop_waker(self, waker: *const GwWaker) {
        // SAFETY: kept by the interposer beyond its end.
        let drop = unsafe { &*(*waker).vt }.drop;
        // SAFETY: as above.
        unsafe { drop(waker) };
    }

    pub(super) fn wake_by_ref(self, waker: *const GwWaker) {
        // SAFETY: kept by the interposer beyond its end.
        let wake = unsafe { &*(*waker).vt }.wake_by_ref;
        // SAFETY: as above.
        unsafe { wake(waker) };
    }
}

pub(super) fn poll_raw(call: *mut GwCall) -> i32 {
    // SAFETY: a call that the interposer made, kept beyond its end.
    let poll = unsafe { &*(*call).vt }.poll.unwrap();
    // SAFETY: as above.
    unsafe { poll(call, &raw const WAKER.0) }
}

pub(super) fn drop_stream(stream: *mut GwStream) {
    // SAFETY: a stream that the interposer made, kept beyond its end.
    let drop = unsafe { &*(*stream).vt }.drop.unwrap();
    // SAFETY: as above.
    unsafe { drop(stream) };
}

pub(super) fn read_stream(stream: *mut GwStream, capacity: usize) {
    // SAFETY: a stream that the interposer made.
    let read = unsafe { &*(*stream).vt }.poll_read.unwrap();
    let (mut buffer, mut count) = (vec![0; capacity], 0);
    // SAFETY: the buffer holds `capacity` bytes; the puppet's stream writes none.
    unsafe {
        read(
            stream,
            &raw const WAKER.0,
            buffer.as_mut_ptr(),
            capacity,
            &raw mut count,
        )
    };
}

fn request() -> GwRequest {
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

fn module(flags: u64) -> GwModule {
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
struct Constant<T>(T);

// SAFETY: constant data.
unsafe impl<T> Sync for Constant<T> {}

static WAKER: Constant<GwWaker> = Constant(GwWaker {
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
static HOST: Constant<GwHost> = Constant(GwHost {
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

static APP: Constant<GwApp> = Constant(GwApp {
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

static CALL: Constant<GwCall> = Constant(GwCall {
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

static BODY: Constant<GwBody> = Constant(GwBody {
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

static CTX: Constant<GwCtx> = Constant(GwCtx {
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

static STREAM: Constant<GwStream> = Constant(GwStream {
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
