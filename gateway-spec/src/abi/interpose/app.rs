//! The instance as the host sees it: create, startup, calls, shutdown, destroy.

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::instance::{CREATED, DESTROYED, FAILED, Instance, SERVING, STOPPED, STOPPING};
use super::{call, host, waker};
use crate::abi::size::struct_size;
use crate::abi::types::{
    GwApp, GwAppVt, GwCall, GwConfig, GwError, GwHost, GwModule, GwRequest, GwStr, GwWaker, code,
};
use crate::lint::violation::Reports;
use crate::rules;

/// The instance as the host sees it. Never freed: there are few.
#[repr(C)]
struct Watched {
    abi: GwApp,
    instance: Arc<Instance>,
}

/// The module's `create` with a watch around it.
///
/// # Safety
///
/// The arguments of a host's call to `create`.
pub(super) unsafe fn create(
    module: &'static GwModule,
    reports: &Reports,
    host: *const GwHost,
    config: *const GwConfig,
    out: *mut *const GwApp,
    error: *mut GwError,
) -> i32 {
    let Some(create) = module.create else {
        return code::UNSUPPORTED;
    };
    // SAFETY: the host's own, valid until the process exits.
    let host = unsafe { host::watched(host, reports) };
    let mut app = std::ptr::null();
    // SAFETY: the host's arguments, passed on.
    let answer = unsafe { create(host, config, &raw mut app, error) };
    //# [LIFE-04] `create` stores an instance if and only if it returns READY, and a message in `error` is no longer
    //# than the buffer. `create`, `startup` and `shutdown` return READY or an error, and the latter two PENDING;
    //# nothing else.
    reports.expect(answer <= code::READY, rules::LIFE_04, || {
        format!("create returned {answer}")
    });
    reports.expect(
        (answer == code::READY) != app.is_null(),
        rules::LIFE_04,
        || format!("create returned {answer} and stored {app:?}"),
    );
    // SAFETY: the host's own structure.
    unsafe { check_error(reports, error) };
    let (code::READY, Some(inner)) = (answer, NonNull::new(app.cast_mut())) else {
        return answer;
    };
    // SAFETY: READY means an object.
    let object = unsafe { inner.as_ref() };
    // SAFETY: tables live until the process exits.
    let table = unsafe { object.vt.as_ref() };
    //# [LOAD-06] Tables are constant, outlive every object that points to them, are at least as large as in version
    //# 1.0, and have no NULL entry except where the header allows it.
    let usable = table.filter(|vt| {
        vt.struct_size as usize >= size_of::<GwAppVt>() && vt.call.is_some() && vt.reserved == 0
    });
    let Some(vt) = usable else {
        reports.breach(
            rules::LOAD_06,
            "the application's table is short or has no `call`",
        );
        // SAFETY: the host's out pointer; it will refuse the table itself.
        unsafe { *out = app };
        return answer;
    };
    let instance = Instance::new(inner, vt, module, reports);
    let abi = GwApp {
        vt: &raw const TABLE,
    };
    let watched = Box::leak(Box::new(Watched {
        abi,
        instance: Arc::new(instance),
    }));
    // SAFETY: the host's out pointer.
    unsafe { *out = (&raw const *watched).cast() };
    answer
}

/// # Safety
///
/// `error` is NULL or valid.
unsafe fn check_error(reports: &Reports, error: *const GwError) {
    // SAFETY: the caller's promise.
    if let Some(error) = unsafe { error.as_ref() } {
        reports.expect(error.len <= error.cap, rules::LIFE_04, || {
            format!(
                "a message of {} bytes in a buffer of {}",
                error.len, error.cap
            )
        });
    }
}

/// # Safety
///
/// `app` is one of ours.
unsafe fn instance<'a>(app: *const GwApp) -> &'a Arc<Instance> {
    // SAFETY: the caller's promise; never freed.
    &unsafe { &*app.cast::<Watched>() }.instance
}

unsafe extern "C" fn startup(app: *const GwApp, waker: *const GwWaker, error: *mut GwError) -> i32 {
    // SAFETY: applications with this table are ours.
    let this = unsafe { instance(app) };
    this.enter("startup");
    let Some(startup) = this.vt.startup else {
        this.step("startup", &[CREATED], SERVING);
        return code::READY;
    };
    // SAFETY: the host's waker is valid during this poll.
    let waker = unsafe { waker::Lent::new(this, waker) };
    // SAFETY: the host's arguments, its waker watched.
    let answer = unsafe { startup(this.app(), waker.as_ptr(), error) };
    drop(waker);
    this.reports
        .expect(answer <= code::PENDING, rules::LIFE_04, || {
            format!("startup returned {answer}")
        });
    // SAFETY: the host's own structure.
    unsafe { check_error(&this.reports, error) };
    let next = match answer {
        code::READY => SERVING,
        code::PENDING => CREATED,
        _ => FAILED,
    };
    this.step("startup", &[CREATED], next);
    answer
}

unsafe extern "C" fn enter_call(
    app: *const GwApp,
    request: *const GwRequest,
    waker: *const GwWaker,
    out: *mut *mut GwCall,
) -> i32 {
    // SAFETY: applications with this table are ours.
    let this = unsafe { instance(app) };
    // SAFETY: the host's arguments.
    unsafe { call::start(this, request, waker, out) }
}

unsafe extern "C" fn shutdown(app: *const GwApp, waker: *const GwWaker, deadline_ns: u64) -> i32 {
    // SAFETY: applications with this table are ours.
    let this = unsafe { instance(app) };
    this.enter("shutdown");
    let calls = this.calls.load(Ordering::Acquire);
    this.reports.expect(calls == 0, rules::LIFE_03, || {
        format!("shutdown with {calls} calls pending")
    });
    this.step("shutdown", &[SERVING, STOPPING], STOPPING);
    let Some(shutdown) = this.vt.shutdown else {
        this.step("shutdown", &[STOPPING], STOPPED);
        this.ledger.check(&this.reports, calls);
        return code::READY;
    };
    // SAFETY: the host's waker is valid during this poll.
    let waker = unsafe { waker::Lent::new(this, waker) };
    // SAFETY: the host's arguments, its waker watched.
    let answer = unsafe { shutdown(this.app(), waker.as_ptr(), deadline_ns) };
    drop(waker);
    this.reports
        .expect(answer <= code::PENDING, rules::LIFE_04, || {
            format!("shutdown returned {answer}")
        });
    if answer != code::PENDING {
        this.step("shutdown", &[STOPPING], STOPPED);
        this.ledger.check(&this.reports, calls);
    }
    answer
}

unsafe extern "C" fn destroy(app: *const GwApp) {
    // SAFETY: applications with this table are ours.
    let this = unsafe { instance(app) };
    this.enter("destroy");
    // A host may give up a shutdown at its deadline.
    this.step("destroy", &[STOPPING, STOPPED, FAILED], DESTROYED);
    if let Some(destroy) = this.vt.destroy {
        // SAFETY: the host's last word to this instance.
        unsafe { destroy(this.app()) };
    }
    this.forget();
    this.ledger
        .check(&this.reports, this.calls.load(Ordering::Acquire));
}

unsafe extern "C" fn ext(app: *const GwApp, id: *const GwStr) -> *const c_void {
    // SAFETY: applications with this table are ours.
    let this = unsafe { instance(app) };
    match this.vt.ext {
        // SAFETY: the host's arguments, passed on.
        Some(ext) => unsafe { ext(this.app(), id) },
        None => std::ptr::null(),
    }
}

static TABLE: GwAppVt = GwAppVt {
    struct_size: struct_size::<GwAppVt>(),
    reserved: 0,
    startup: Some(startup),
    call: Some(enter_call),
    shutdown: Some(shutdown),
    destroy: Some(destroy),
    ext: Some(ext),
};
