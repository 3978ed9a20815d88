//! What an application of another language may do, played by raw functions.

use std::future::Future;
use std::pin::pin;
use std::ptr;
use std::task::{Context, Poll, Waker};

use http::Method;
use http::header::{ETAG, HeaderMap, HeaderValue, VARY};

use super::Loaded;
use crate::abi::export::{NoRuntime, module};
use crate::abi::field::Field;
use crate::abi::host::{Config, HostTable, Module, Services};
use crate::abi::names;
use crate::abi::size::struct_size;
use crate::abi::types::{
    GwApp, GwAppVt, GwBuf, GwCall, GwConfig, GwCtx, GwError, GwHost, GwModule, GwRequest,
    GwResponse, GwStr, GwWaker, code, ctx_flag, response_flag,
};
use crate::{Fields, Gateway, Request, Response};

/// A response that an application in C would fill in.
fn response(status: u32, fields: &[Field<'_>], first: &'static [u8]) -> GwResponse {
    GwResponse {
        struct_size: struct_size::<GwResponse>(),
        status,
        flags: 0,
        headers: Field::as_headers(fields),
        n_headers: crate::head::length(fields.len()),
        reserved: 0,
        content_length: 0,
        first: GwBuf::from_static(first),
        body: ptr::null_mut(),
        protocol: GwStr::NONE,
    }
}

/// One whose fields the application promises never to change.
fn lasting(fields: &'static [Field<'static>]) -> GwResponse {
    let mut response = response(200, fields, b"");
    response.flags = response_flag::LASTING_HEADERS;
    response
}

const fn length(value: &[u8]) -> Field<'_> {
    Field::new(names::id("content-length"), b"content-length", value)
}

fn respond(ctx: *mut GwCtx, mut response: GwResponse) -> i32 {
    // SAFETY: the exchange of the call that is running.
    let vt = unsafe { (*ctx).vt };
    // SAFETY: hosts keep tables.
    let respond = unsafe { (*vt).respond }.unwrap();
    // SAFETY: inside `call`, with a response that outlives it.
    unsafe { respond(ctx, &raw mut response) }
}

fn set_flags(ctx: *mut GwCtx, flags: u64) -> i32 {
    // SAFETY: the exchange of the call that is running.
    let vt = unsafe { (*ctx).vt };
    // SAFETY: hosts keep tables.
    let set_flags = unsafe { (*vt).set_flags }.unwrap();
    // SAFETY: the application's reference is still there.
    unsafe { set_flags(ctx, flags) }
}

static LASTING: [Field<'_>; 3] = [
    Field::new(names::id("etag"), b"etag", b"with an id"),
    Field::new(0, b"x-own", b"without"),
    Field::new(0, b"etag", b"again"),
];

/// What the application does for a path; its codes become the response's text where it can.
fn play(path: &[u8], ctx: *mut GwCtx) -> i32 {
    match path {
        b"/twice" => {
            assert_eq!(respond(ctx, response(200, &[], b"first")), code::READY);
            assert_eq!(respond(ctx, response(201, &[], b"second")), code::TOO_LATE);
        }
        b"/names" => {
            let fields = [
                Field::new(0, b"etag", b"without an id"),
                Field::new(names::id("etag"), b"etag", b"with one"),
                Field::new(u16::MAX, b"x-later", b"of a later version"),
                Field::new(0, b"x-secret", b"hush").sensitive(),
            ];
            assert_eq!(respond(ctx, response(200, &fields, b"")), code::READY);
        }
        b"/refused" => {
            for (status, field) in [
                (199, None),
                (101, None),
                (600, None),
                (u32::MAX, None),
                (200, Some(Field::new(0, b"connection", b"close"))),
                (200, Some(Field::new(0, b"trailer", b"x-sum"))),
                (200, Some(Field::new(0, b"transfer-encoding", b"chunked"))),
                (200, Some(Field::new(0, b"trailer", b"x-sum"))),
                (200, Some(Field::new(0, b"a b", b"no name"))),
                (200, Some(Field::new(0, b"x", b"a\r\nset-cookie: b"))),
                (200, Some(length(b"+5"))),
                (200, Some(length(b"99999999999999999999"))),
            ] {
                let fields: Vec<_> = field.into_iter().collect();
                let answer = respond(ctx, response(status, &fields, b"bad"));
                assert_eq!(answer, code::INVALID, "{status} {fields:?}");
            }
            let mut short = response(200, &[], b"short");
            short.struct_size -= 1;
            assert_eq!(respond(ctx, short), code::INVALID);
            assert_eq!(
                respond(ctx, response(200, &[], b"good at last")),
                code::READY
            );
        }
        b"/length" => {
            let fields = [length(b"7"), length(b"7")];
            let mut disagrees = response(200, &fields, b"1234567");
            disagrees.flags = response_flag::HAS_LENGTH;
            disagrees.content_length = 8;
            assert_eq!(respond(ctx, disagrees), code::INVALID);
            assert_eq!(
                respond(ctx, response(200, &fields, b"1234567")),
                code::READY
            );
        }
        b"/lasting" => assert_eq!(respond(ctx, lasting(&LASTING)), code::READY),
        b"/lasting/fewer" => assert_eq!(respond(ctx, lasting(&LASTING[..1])), code::READY),
        b"/lasting/refused" => {
            static LINES: [Field<'_>; 2] = [
                Field::new(0, b"connection", b"close"),
                Field::new(0, b"x", b"a\r\nset-cookie: b"),
            ];
            for line in &LINES {
                let line = std::slice::from_ref(line);
                // Nor when they are known.
                for _ in 0..2 {
                    assert_eq!(respond(ctx, lasting(line)), code::INVALID);
                }
            }
        }
        b"/lasting/length" => {
            static LINES: [Field<'_>; 1] = [length(b"8")];
            assert_eq!(respond(ctx, lasting(&LINES)), code::READY);
        }
        b"/dateless" => {
            let mut dateless = response(200, &[], b"");
            dateless.flags = response_flag::NO_AUTO_DATE;
            assert_eq!(respond(ctx, dateless), code::READY);
        }
        b"/tunnel" => {
            assert_eq!(respond(ctx, response(200, &[], b"none")), code::INVALID);
            assert_eq!(respond(ctx, response(299, &[], b"none")), code::INVALID);
            let mut odd = response(204, &[], b"");
            odd.flags = response_flag::UPGRADE;
            odd.protocol = GwStr::from(&b"any"[..]);
            assert_eq!(respond(ctx, odd), code::INVALID);
            assert_eq!(respond(ctx, response(300, &[], b"other")), code::READY);
        }
        b"/flags" => {
            assert_eq!(set_flags(ctx, ctx_flag::FINISH_ON_DISCONNECT), code::READY);
            assert_eq!(set_flags(ctx, 1 << 63), code::UNSUPPORTED);
            return code::TIMEOUT;
        }
        _ => {}
    }
    code::READY
}

unsafe extern "C" fn call(
    _: *const GwApp,
    request: *const GwRequest,
    _: *const GwWaker,
    _: *mut *mut GwCall,
) -> i32 {
    // SAFETY: the host's request, lent for the call.
    let request = unsafe { &*request };
    // SAFETY: as above.
    let answer = play(unsafe { request.path.bytes() }, request.ctx);
    // SAFETY: the application's reference is still there.
    let vt = unsafe { (*request.ctx).vt };
    // SAFETY: hosts keep tables.
    let drop = unsafe { (*vt).drop }.unwrap();
    // SAFETY: given back once.
    unsafe { drop(request.ctx) };
    answer
}

struct Shared<T>(T);

// SAFETY: nobody changes it.
unsafe impl<T> Sync for Shared<T> {}

static APP: Shared<GwApp> = Shared(GwApp {
    vt: &raw const TABLE,
});
static TABLE: GwAppVt = GwAppVt {
    struct_size: struct_size::<GwAppVt>(),
    reserved: 0,
    startup: None,
    call: Some(call),
    shutdown: None,
    destroy: None,
    ext: None,
};
static MODULE: GwModule = module::<NoRuntime>("raw", "0", create);

unsafe extern "C" fn create(
    _: *const GwHost,
    _: *const GwConfig,
    out: *mut *const GwApp,
    _: *mut GwError,
) -> i32 {
    // SAFETY: the host's out pointer.
    unsafe { *out = &raw const APP.0 };
    code::READY
}

struct Quiet;

impl Services for Quiet {
    fn log(&self, _: u32, _: &[u8], _: &[u8], _: &mut dyn Iterator<Item = (&[u8], &[u8])>) {}

    fn request_shutdown(&self, _: i32) {}
}

/// The value of a future that needs no wake-up.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("expected an answer at once"),
    }
}

fn answer(path: &str) -> Response {
    answer_to(Request::build(Method::GET, path).unwrap())
}

fn answer_to(request: Request) -> Response {
    let module = Module::linked(&MODULE).unwrap();
    let host = HostTable::leak(Quiet, "raw", 0);
    let app = now(Loaded::start(&module, host, &Config::default())).unwrap();
    now(app.call(request))
}

fn fields(path: &str) -> Fields {
    std::mem::take(answer(path).fields_mut())
}

fn content(response: Response) -> Vec<u8> {
    now(response.into_body().collect(100)).unwrap().to_vec()
}

#[test]
fn a_second_response_is_too_late_and_changes_nothing() {
    let response = answer("/twice");
    assert_eq!(response.status_code(), 200);
    assert_eq!(content(response), b"first");
}

#[test]
fn fields_go_by_their_names_whatever_their_ids() {
    let response = answer("/names");
    let lines: Vec<_> = response.fields().iter().collect();
    let names: Vec<_> = lines.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["etag", "etag", "x-later", "x-secret"]);
    assert!(lines[3].1.is_sensitive());
}

#[test]
fn lasting_fields_are_those_of_their_response_each_time() {
    let lines = |path: &str| {
        let response = answer(path);
        let lines = response.fields().iter();
        let lines = lines.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        lines.collect::<Vec<_>>()
    };
    for _ in 0..2 {
        let all = ["etag: with an id", "x-own: without", "etag: again"];
        assert_eq!(lines("/lasting"), all);
        assert_eq!(lines("/lasting/fewer"), ["etag: with an id"]);
        // A length is none of the fields, and holds the content to it.
        let response = answer("/lasting/length");
        assert!(response.fields().is_empty());
        assert_eq!(response.body().length(), Some(8));
        assert_eq!(answer("/lasting/refused").status_code(), 500);
    }
    let once: HeaderMap = Fields::from(&HeaderMap::from(fields("/lasting"))).into();
    assert_eq!(once, HeaderMap::from(fields("/lasting")));
}

#[test]
fn what_is_added_to_lasting_fields_stays_with_one_response() {
    let mut more = fields("/lasting");
    more.append(VARY, HeaderValue::from_static("accept"));
    more.remove(&ETAG);
    let more = HeaderMap::from(more);
    assert_eq!((more.len(), more.get(ETAG)), (2, None));
    assert_eq!(more["x-own"], "without");
    assert_eq!(more[VARY], "accept");
    let mut map = HeaderMap::from(fields("/lasting"));
    map.clear();
    assert_eq!(HeaderMap::from(fields("/lasting")).len(), 3);
}

#[test]
fn a_refused_response_leaves_the_way_to_another() {
    assert_eq!(content(answer("/refused")), b"good at last");
}

#[test]
fn a_success_alone_is_no_answer_to_connect_nor_any_status_to_an_upgrade() {
    let connect = Request::build(Method::CONNECT, "/tunnel").unwrap();
    let response = answer_to(connect.with_protocol("any"));
    assert_eq!(response.status_code(), 300);
    assert_eq!(content(response), b"other");
}

#[test]
fn a_response_without_a_date_stays_without_one() {
    assert!(!answer("/dateless").wants_date());
    assert!(answer("/length").wants_date());
}

#[test]
fn a_length_field_is_a_declaration_and_no_field() {
    let response = answer("/length");
    assert_eq!(response.body().length(), Some(7));
    assert!(response.fields().is_empty());
}

#[test]
fn a_call_that_fails_or_forgets_to_respond_gets_the_status_of_its_error() {
    assert_eq!(answer("/flags").status_code(), 408);
    assert_eq!(answer("/nothing").status_code(), 500);
}
