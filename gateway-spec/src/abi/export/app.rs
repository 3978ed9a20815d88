//! One instance of an exported application: start-up, calls, shutdown.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};

use super::call;
use super::commands::Table;
use super::form::{Exportable, Starting};
use super::head;
use super::host::{self, Host};
use super::runtime::Runtime;
use crate::abi::codes::code_of;
use crate::abi::contain::contained;
use crate::abi::size::struct_size;
use crate::abi::types::{
    EXT_COMMANDS, GwApp, GwAppVt, GwCall, GwConfig, GwError, GwHost, GwRequest, GwStr, GwWaker,
    code, config_flag,
};
use crate::abi::waker;
use crate::gateway::Gateway;
use crate::lifespan::{Startup, StartupError, Worker};
use crate::request::Request;
use crate::response::BoxFuture;

/// An instance. Behind the table there is nothing that another image looks into.
#[repr(C)]
struct Instance<G, R> {
    abi: GwApp,
    host: Host,
    runtime: OnceLock<R>,
    gateway: OnceLock<G>,
    starting: Mutex<Begin<G>>,
    stopping: Mutex<Option<BoxFuture>>,
    /// Made when the host asks for it.
    commands: OnceLock<Table>,
}

/// How far the start-up has come.
enum Begin<G> {
    Created(Box<dyn FnOnce() -> Starting<G> + Send>),
    Starting(Starting<G>),
    Over,
}

/// The body of `gw_module.create`, made for one application by `export!`.
///
/// `app` is what stands in `export!`; it is evaluated at start-up, not here.
///
/// # Safety
///
/// Called by a host with the arguments of `create`.
pub unsafe fn create<Form, A, R>(
    host: *const GwHost,
    config: *const GwConfig,
    out: *mut *const GwApp,
    error: *mut GwError,
    app: impl FnOnce() -> A + Send + 'static,
) -> i32
where
    A: Exportable<Form>,
    R: Runtime,
{
    contained("create", || {
        // SAFETY: the host's error buffer.
        let fail = |what: &str| unsafe { complain(error, code::INVALID, what) };
        // SAFETY: the host's configuration, borrowed for the call.
        let Some(config) = (unsafe { config.as_ref() }) else {
            return fail("no configuration");
        };
        if (config.struct_size as usize) < size_of::<GwConfig>() {
            return fail("a configuration shorter than ABI 1.0's");
        }
        // SAFETY: valid until the process exits.
        let host = unsafe { Host::from_raw(host) };
        if config.flags & config_flag::LINKED_IN == 0 {
            host::forward_panics(host);
            #[cfg(any(feature = "log", feature = "tracing"))]
            crate::bridge::install(host);
        }
        // SAFETY: borrowed for the call; copied here.
        let startup = unsafe { startup_of(config, host) };
        let instance = Instance::<A::Gateway, R> {
            abi: GwApp {
                vt: &raw const *const { &Instance::<A::Gateway, R>::VT },
            },
            host,
            runtime: OnceLock::new(),
            gateway: OnceLock::new(),
            starting: Mutex::new(Begin::Created(Box::new(move || app().start(startup)))),
            stopping: Mutex::new(None),
            commands: OnceLock::new(),
        };
        // SAFETY: the host's out pointer.
        unsafe { *out = Box::into_raw(Box::new(instance)).cast() };
        code::READY
    })
}

impl<G: Gateway, R: Runtime> Instance<G, R> {
    const VT: GwAppVt = GwAppVt {
        struct_size: struct_size::<GwAppVt>(),
        reserved: 0,
        startup: Some(Self::startup),
        call: Some(Self::call),
        shutdown: Some(Self::shutdown),
        destroy: Some(Self::destroy),
        ext: Some(Self::ext),
    };

    /// # Safety
    ///
    /// `app` was made by `create` and not destroyed. The reference is as long as the instance
    /// lives; the host destroys it after its last call, body and stream.
    unsafe fn of(app: *const GwApp) -> &'static Self {
        // SAFETY: the caller's promise.
        unsafe { &*app.cast::<Self>() }
    }

    unsafe extern "C" fn startup(
        app: *const GwApp,
        waker: *const GwWaker,
        error: *mut GwError,
    ) -> i32 {
        contained("startup", || {
            // SAFETY: a live instance.
            let this = unsafe { Self::of(app) };
            // SAFETY: the waker outlives this poll.
            let waker = unsafe { waker::borrow(waker) };
            match this.poll_startup(&mut Context::from_waker(&waker)) {
                Poll::Pending => code::PENDING,
                Poll::Ready(Ok(())) => code::READY,
                // SAFETY: the host's error buffer.
                Poll::Ready(Err(why)) => unsafe {
                    complain(error, code::INTERNAL, &why.to_string())
                },
            }
        })
    }

    fn poll_startup(&'static self, cx: &mut Context<'_>) -> Poll<Result<(), StartupError>> {
        if self.runtime.get().is_none() {
            let runtime = R::start().map_err(StartupError::new)?;
            let _ = self.runtime.set(runtime);
        }
        let _entered = self.runtime.get().map(|runtime| runtime.enter());
        let mut begin = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        *begin = match std::mem::replace(&mut *begin, Begin::Over) {
            Begin::Created(start) => Begin::Starting(start()),
            begun => begun,
        };
        let Begin::Starting(starting) = &mut *begin else {
            return Poll::Ready(Err(StartupError::new(
                "startup was called again after its end",
            )));
        };
        let gateway = std::task::ready!(starting.as_mut().poll(cx));
        *begin = Begin::Over;
        let _ = self.gateway.set(gateway?);
        Poll::Ready(Ok(()))
    }

    unsafe extern "C" fn call(
        app: *const GwApp,
        request: *const GwRequest,
        waker: *const GwWaker,
        out: *mut *mut GwCall,
    ) -> i32 {
        contained("call", || {
            // SAFETY: a live instance.
            let this = unsafe { Self::of(app) };
            // SAFETY: the host's request, borrowed for the call.
            let request = unsafe { &*request };
            // SAFETY: as above; takes what the request gives away, also on errors below.
            let head = match unsafe { head::import(request) } {
                Ok(head) => head,
                Err(error) => return code_of(error.kind()),
            };
            let (Some(gateway), Some(runtime)) = (this.gateway.get(), this.runtime.get()) else {
                return code::INVALID;
            };
            let _entered = runtime.enter();
            let future = gateway.call(Request::from_head(head));
            // SAFETY: inside call, entered; the gateway outlives its calls.
            unsafe { call::start(future, this.host, runtime, request, waker, out) }
        })
    }

    unsafe extern "C" fn shutdown(app: *const GwApp, waker: *const GwWaker, _: u64) -> i32 {
        contained("shutdown", || {
            // SAFETY: a live instance.
            let this = unsafe { Self::of(app) };
            // SAFETY: the waker outlives this poll.
            let waker = unsafe { waker::borrow(waker) };
            let (Some(gateway), Some(runtime)) = (this.gateway.get(), this.runtime.get()) else {
                return code::READY;
            };
            let _entered = runtime.enter();
            let mut stopping = this.stopping.lock().unwrap_or_else(PoisonError::into_inner);
            let work = stopping.get_or_insert_with(|| Box::pin(gateway.shutdown()));
            match work.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Pending => code::PENDING,
                Poll::Ready(()) => code::READY,
            }
        })
    }

    unsafe extern "C" fn destroy(app: *const GwApp) {
        contained("destroy", || {
            // SAFETY: a live instance, until the box below.
            let this = unsafe { Self::of(app) };
            let mut stopping = this.stopping.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(broken_off) = stopping.take() {
                // It borrows the gateway, so it goes first.
                let _entered = this.runtime.get().map(|runtime| runtime.enter());
                drop(broken_off);
            }
            drop(stopping);
            // SAFETY: made by `create`; nothing of it is in use any more, says the host.
            let mut this = unsafe { Box::from_raw(app.cast_mut().cast::<Self>()) };
            let runtime = this.runtime.take();
            let entered = runtime.as_ref().map(|runtime| runtime.enter());
            drop(this);
            drop(entered);
            code::READY
        });
    }

    unsafe extern "C" fn ext(app: *const GwApp, id: *const GwStr) -> *const c_void {
        let mut found = ptr::null();
        contained("ext", || {
            // SAFETY: a live instance.
            let this = unsafe { Self::of(app) };
            // SAFETY: the host's id, borrowed for the call.
            let id = unsafe { id.as_ref() }.map(|id| {
                // SAFETY: as above.
                unsafe { id.bytes() }
            });
            if id == Some(EXT_COMMANDS)
                && let Some(gateway) = this.gateway.get()
            {
                let table = this.commands.get_or_init(|| {
                    let run = move |words| {
                        let runtime = this.runtime.get()?;
                        Some(runtime.block_on(gateway.command(words)))
                    };
                    Table::new(gateway.commands(), run)
                });
                found = table.as_raw().cast();
            }
            code::READY
        });
        found
    }
}

/// # Safety
///
/// `config` and all it points to are valid.
unsafe fn startup_of(config: &GwConfig, host: Host) -> Startup {
    let text = |string: &GwStr| {
        // SAFETY: a string of the configuration, valid by the caller's promise.
        String::from_utf8_lossy(unsafe { string.bytes() }).into_owned()
    };
    let entries = if config.entries.is_null() {
        &[]
    } else {
        // SAFETY: an array of n_entries pairs, by the caller's promise.
        unsafe { std::slice::from_raw_parts(config.entries, config.n_entries as usize) }
    };
    let settings = entries
        .iter()
        .map(|entry| (text(&entry.key), text(&entry.value)));
    Startup {
        settings: settings.collect(),
        // SAFETY: the caller's promise.
        argument: unsafe { config.argument.bytes() }.to_vec(),
        // SAFETY: the caller's promise.
        mount: unsafe { config.mount.bytes() }.to_vec(),
        worker: Worker {
            index: config.worker_index,
            count: config.worker_count.max(1),
            threads: config.threads_per_worker.max(1),
        },
        host,
        commands_only: config.flags & config_flag::COMMANDS_ONLY != 0,
    }
}

/// Writes what went wrong into the host's buffer, cut to what fits.
///
/// # Safety
///
/// `error` is NULL or a valid buffer.
pub(super) unsafe fn complain(error: *mut GwError, code: i32, what: &str) -> i32 {
    // SAFETY: the caller's promise.
    if let Some(error) = unsafe { error.as_mut() } {
        let mut length = what.len().min(error.cap);
        while !what.is_char_boundary(length) {
            length -= 1;
        }
        error.code = code;
        error.len = length;
        if !error.text.is_null() {
            // SAFETY: `cap` bytes are writable, `length` is no more.
            unsafe { ptr::copy_nonoverlapping(what.as_ptr().cast::<c_char>(), error.text, length) };
        }
    }
    code
}
