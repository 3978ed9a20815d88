//! [`Module`] and [`App`]: a module's descriptor and an instance of its application.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::descriptor::{Descriptor, Refusal};
use super::lifespan::{Complaint, StartFailure, Step, poll_shutdown, poll_startup, refuse};
use super::services::HostTable;
use crate::abi::instance::{CallFunction, Instance};
use crate::abi::size::struct_size;
use crate::abi::types::{
    ABI_MAJOR, GwApp, GwAppVt, GwConfig, GwError, GwHost, GwKv, GwModule, GwStr, MODULE_MIN_SIZE,
    code, config_flag, module_flag,
};
use crate::abi::waker::Lender;
use crate::error::ErrorKind;
use crate::lifespan::Worker;

/// A checked descriptor in this process. Modules are never unloaded, so it lasts.
#[derive(Clone, Debug)]
pub struct Module {
    #[cfg(feature = "lint")]
    raw: &'static GwModule,
    create: unsafe extern "C" fn(
        *const GwHost,
        *const GwConfig,
        *mut *const GwApp,
        *mut GwError,
    ) -> i32,
    descriptor: Descriptor,
    linked: bool,
}

/// What an instance is told at `create`.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "hosts fill it field by field; a new field is a new minor version"
)]
pub struct Config {
    /// The application's own settings.
    pub settings: Vec<(String, String)>,
    /// The free-form argument.
    pub argument: Vec<u8>,
    /// Raw mount prefix.
    pub mount: Vec<u8>,
    /// Which worker this is.
    pub worker: Worker,
    /// The instance will serve no request.
    pub check_only: bool,
    /// The instance is there for its commands, and will serve no request.
    pub commands_only: bool,
}

/// One instance of an application, of this thread.
#[derive(Debug)]
pub struct App {
    pub(super) instance: Arc<Instance>,
    /// What a call calls: the application once it serves, a refusal before and behind.
    pub(super) call: Cell<CallFunction>,
    /// Startup and shutdown borrow it in turn.
    lender: RefCell<Lender>,
    /// Calls stay on the thread that created the instance.
    local: PhantomData<*const ()>,
}

impl Module {
    /// The descriptor of an application that is linked into this binary.
    ///
    /// # Errors
    ///
    /// Why this host cannot serve it.
    pub fn linked(raw: &'static GwModule) -> Result<Self, Refusal> {
        Self::check(raw, true)
    }

    /// The descriptor of a module that was loaded.
    #[cfg(feature = "load")]
    pub(crate) fn loaded(raw: &'static GwModule) -> Result<Self, Refusal> {
        Self::check(raw, false)
    }

    /// The descriptor itself.
    #[cfg(feature = "lint")]
    pub(crate) fn raw(&self) -> &'static GwModule {
        self.raw
    }

    /// The same module behind another descriptor, which stands between it and the host.
    #[cfg(feature = "lint")]
    pub(crate) fn with_raw(&self, raw: &'static GwModule) -> Result<Self, Refusal> {
        Self::check(raw, self.linked)
    }

    fn check(raw: &'static GwModule, linked: bool) -> Result<Self, Refusal> {
        if raw.magic != crate::abi::MAGIC {
            return Err(Refusal::WrongMagic(raw.magic));
        }
        // The size is that of another structure if the major version is another.
        if raw.abi_major != ABI_MAJOR {
            return Err(Refusal::OtherMajor(raw.abi_major, raw.abi_minor));
        }
        if raw.struct_size < MODULE_MIN_SIZE {
            return Err(Refusal::Truncated(raw.struct_size));
        }
        // SAFETY: a static descriptor of at least this many initialised bytes without padding.
        let bytes = unsafe {
            std::slice::from_raw_parts(ptr::from_ref(raw).cast::<u8>(), MODULE_MIN_SIZE as usize)
        };
        let descriptor = Descriptor::parse(bytes, HONOURED)?;
        let create = raw.create.ok_or(Refusal::NoCreate)?;
        Ok(Self {
            #[cfg(feature = "lint")]
            raw,
            create,
            descriptor,
            linked,
        })
    }

    /// What the module says of itself.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Makes an instance; it serves once [`App::poll_startup`] was ready.
    ///
    /// # Errors
    ///
    /// What the application reported.
    pub fn create(&self, host: &'static HostTable, config: &Config) -> Result<App, StartFailure> {
        Ok(App {
            instance: self.instance(host, config)?,
            call: Cell::new(refuse),
            lender: RefCell::new(Lender::new()),
            local: PhantomData,
        })
    }

    /// As [`create`](Self::create), for whoever keeps the instance's thread rules by other means.
    pub(crate) fn instance(
        &self,
        host: &'static HostTable,
        config: &Config,
    ) -> Result<Arc<Instance>, StartFailure> {
        let pair = |(key, value): &(String, String)| GwKv {
            key: GwStr::from(key.as_bytes()),
            value: GwStr::from(value.as_bytes()),
        };
        let entries: Vec<GwKv> = config.settings.iter().map(pair).collect();
        let linked = if self.linked {
            config_flag::LINKED_IN
        } else {
            0
        };
        let check = if config.check_only {
            config_flag::CHECK_ONLY
        } else {
            0
        };
        let commands = if config.commands_only {
            config_flag::COMMANDS_ONLY
        } else {
            0
        };
        let raw_config = GwConfig {
            struct_size: struct_size::<GwConfig>(),
            n_entries: crate::head::length(entries.len()),
            entries: entries.as_ptr(),
            argument: GwStr::from(&*config.argument),
            worker_index: config.worker.index,
            worker_count: config.worker.count,
            threads_per_worker: config.worker.threads,
            reserved: 0,
            mount: GwStr::from(&*config.mount),
            flags: linked | check | commands,
        };
        let mut complaint = Complaint::new();
        let mut app = ptr::null();
        // SAFETY: the module's create, with arguments that outlive the call.
        let answer = unsafe {
            (self.create)(
                host.as_raw(),
                &raw const raw_config,
                &raw mut app,
                complaint.raw(),
            )
        };
        if answer != code::READY {
            return Err(complaint.failure(Step::Create, answer));
        }
        let unusable = |what: &str| StartFailure {
            step: Step::Create,
            kind: ErrorKind::Invalid,
            message: what.into(),
        };
        let raw =
            NonNull::new(app.cast_mut()).ok_or_else(|| unusable("create gave no application"))?;
        // SAFETY: `create` succeeded, so it gave an application.
        let vt = unsafe { raw.as_ref() }.vt;
        // SAFETY: applications keep tables until the process exits.
        let vt = unsafe { vt.as_ref() }
            .filter(|vt| vt.struct_size as usize >= size_of::<GwAppVt>())
            .ok_or_else(|| unusable("the application's table is shorter than ABI 1.0's"))?;
        let call = vt
            .call
            .ok_or_else(|| unusable("the application's table has no call function"))?;
        // SAFETY: just created; the table is its own.
        Ok(Arc::new(unsafe {
            Instance::new(raw, vt, call, self.descriptor.flags)
        }))
    }
}

impl App {
    /// Starts the application; it serves once this is ready. Until then, and once it shuts down,
    /// calls end with [`ErrorKind::Busy`].
    ///
    /// # Errors
    ///
    /// What the application reported.
    pub fn poll_startup(&self, cx: &mut Context<'_>) -> Poll<Result<(), StartFailure>> {
        let mut lender = self.lender.borrow_mut();
        let started = poll_startup(&self.instance, &mut lender, cx.waker());
        if let Poll::Ready(Ok(())) = started {
            self.call.set(self.instance.call());
        }
        started
    }

    /// Ends the application after its last call; `deadline_ns` is on the monotonic clock.
    pub fn poll_shutdown(&self, cx: &mut Context<'_>, deadline_ns: u64) -> Poll<()> {
        self.call.set(refuse);
        let mut lender = self.lender.borrow_mut();
        poll_shutdown(&self.instance, &mut lender, cx.waker(), deadline_ns)
    }

    /// Frees the instance, after shutdown or a failed start-up: now, or when its last pending call
    /// and body are dropped. Without it the process's exit frees.
    pub fn destroy(self) {
        self.instance.is_over();
    }
}

/// The critical flags that [`App`] honours: one thread calls it.
pub const HONOURED: u64 = module_flag::LOCAL_CALLS | module_flag::SINGLE_THREAD;
