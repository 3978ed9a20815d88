//! A host and an application that do what a test tells them, right or wrong.

#![expect(
    clippy::multiple_unsafe_ops_per_block,
    reason = "a puppet plays on the whole ABI, with tables of its own that are known to be sound"
)]

mod script;
mod tables;

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex};

use crate::abi::size::struct_size;
use crate::abi::types::*;
use crate::lint::Violation;
use crate::lint::violation::Reports;
use crate::rules::{self, Rule};

use script::{AppSide, OnPoll, SCRIPT, Script, bytes, script};
use tables::{BODY, CALL, CTX, HOST, WAKER, module, request};

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
            crate::abi::interpose::app::create(
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

    /// With headers of one place that are said to stay as they are.
    pub(super) fn respond_lasting(self, value: &'static str) -> i32 {
        thread_local! {
            static LASTING: Cell<GwHeader> = Cell::new(header("x-lasting", ""));
        }
        LASTING.with(|place| {
            place.set(header("x-lasting", value));
            let mut response = self.response(200);
            response.flags = response_flag::LASTING_HEADERS;
            response.headers = place.as_ptr();
            response.n_headers = 1;
            self.give(&mut response)
        })
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
