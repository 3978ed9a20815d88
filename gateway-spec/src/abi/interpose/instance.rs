//! Watches one instance: its lifespan, and the books of what has crossed and not come back.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use super::lasting::Lasting;
use crate::abi::types::{GwApp, GwAppVt, GwModule, module_flag};
use crate::lint::PATIENCE;
use crate::lint::violation::Reports;
use crate::rules;

/// What is known of one instance.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) inner: AtomicPtr<GwApp>,
    pub(super) vt: &'static GwAppVt,
    module: &'static GwModule,
    pub(super) flags: u64,
    pub(super) reports: Reports,
    pub(super) ledger: Ledger,
    pub(super) lasting: Lasting,
    pub(super) calls: AtomicUsize,
    /// How long one poll may take.
    pub(super) patience: Duration,
    phase: AtomicU8,
    home: OnceLock<ThreadId>,
}

/// What has crossed and has to come back.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    counts: Mutex<[isize; NAMES.len()]>,
    given_back: Condvar,
    is_checked: AtomicBool,
}

/// An account of the ledger.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Exchange,
    Body,
    Buffer,
    Stream,
    Waker,
}

pub(super) const CREATED: u8 = 0;
pub(super) const SERVING: u8 = 1;
pub(super) const STOPPING: u8 = 2;
pub(super) const STOPPED: u8 = 3;
pub(super) const FAILED: u8 = 4;
pub(super) const DESTROYED: u8 = 5;

impl Instance {
    pub(super) fn new(
        inner: NonNull<GwApp>,
        vt: &'static GwAppVt,
        module: &'static GwModule,
        reports: &Reports,
    ) -> Self {
        let this = Self {
            inner: AtomicPtr::new(inner.as_ptr()),
            vt,
            module,
            flags: module.flags,
            reports: reports.clone(),
            ledger: Ledger::default(),
            lasting: Lasting::default(),
            calls: AtomicUsize::new(0),
            patience: match module.flags & module_flag::BLOCKING {
                0 => PATIENCE,
                _ => Duration::MAX,
            },
            phase: AtomicU8::new(CREATED),
            home: OnceLock::new(),
        };
        this.check_distinct();
        this
    }

    /// The instance was destroyed: another may have its address.
    pub(super) fn forget(&self) {
        let this = self.identity();
        LIVE.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|live| *live != this);
    }

    /// Reports an instance that is there already.
    fn check_distinct(&self) {
        //# [LIFE-08] Several instances of a module may live in one process: different objects with independent state.
        let this = self.identity();
        let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
        self.reports
            .expect(!live.contains(&this), rules::LIFE_08, || {
                "create returned an instance that lives already".to_owned()
            });
        live.push(this);
    }

    fn identity(&self) -> (usize, usize) {
        (std::ptr::from_ref(self.module).addr(), self.app().addr())
    }

    /// Checks the thread of a function that enters the application.
    pub(super) fn enter(&self, what: &str) {
        //# [CALL-06] The host enters no function of the application while the application is inside one of the host's,
        //# except to drop what was just moved, and to clone, wake or drop wakers.
        self.reports
            .expect(INSIDE_HOST.get() == 0, rules::CALL_06, || {
                format!("{what} from inside a function of the host")
            });
        //# [CALL-07] No object is entered by two threads at once. Calls of a module with LOCAL_CALLS stay on their
        //# thread, and all functions of an instance with SINGLE_THREAD are called by one thread.
        if self.flags & module_flag::SINGLE_THREAD != 0 {
            let home = *self.home.get_or_init(|| thread::current().id());
            self.reports
                .expect(home == thread::current().id(), rules::CALL_07, || {
                    format!("{what} on another thread than the instance's")
                });
        }
    }

    pub(super) fn app(&self) -> *const GwApp {
        self.inner.load(Ordering::Relaxed)
    }

    /// Whether calls may come now.
    pub(super) fn check_serving(&self) {
        let phase = self.phase.load(Ordering::Acquire);
        let is_serving = phase == SERVING || (phase == CREATED && self.vt.startup.is_none());
        self.reports.expect(is_serving, rules::LIFE_02, || {
            "a call before startup was READY or after shutdown began".to_owned()
        });
    }

    pub(super) fn step(&self, what: &str, from: &[u8], to: u8) {
        //# [LIFE-01] The host takes each instance through create, startup until READY, calls, shutdown and destroy, in
        //# this order, each of them once, and leaves out only what the end of the process cuts off.
        let phase = self.phase.swap(to, Ordering::AcqRel);
        self.reports
            .expect(from.contains(&phase), rules::LIFE_01, || {
                format!("{what} in phase {phase}, expected one of {from:?}")
            });
    }
}

impl Ledger {
    pub(super) fn take(&self, what: What) {
        self.lock()[what as usize] += 1;
    }

    pub(super) fn give_back(&self, what: What) {
        self.lock()[what as usize] -= 1;
        self.given_back.notify_all();
    }

    /// Reports what has not come back when the instance has shut down, or was destroyed without it.
    /// Threads of the application may still be about to let go, so it waits for a while. With calls
    /// pending, which is a breach of its own, nothing can be said.
    pub(super) fn check(&self, reports: &Reports, calls: usize) {
        //# [RES-14] Every buffer, body, descriptor, stream, reference and owned waker is given back exactly once, on
        //# every path, and not used afterwards.
        if calls > 0 || self.is_checked.swap(true, Ordering::AcqRel) {
            return;
        }
        let left = self.lock();
        let (left, _) = self
            .given_back
            .wait_timeout_while(left, GRACE, |left| left.iter().any(|count| *count != 0))
            .unwrap_or_else(PoisonError::into_inner);
        for (what, count) in NAMES.iter().zip(left.iter()) {
            reports.expect(*count == 0, rules::RES_14, || {
                format!("{count} {what} not given back when the instance had ended")
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, [isize; NAMES.len()]> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The application is inside a function of the host until this is dropped.
pub(super) struct InsideHost;

impl InsideHost {
    pub(super) fn new() -> Self {
        INSIDE_HOST.set(INSIDE_HOST.get() + 1);
        Self
    }
}

impl Drop for InsideHost {
    fn drop(&mut self) {
        INSIDE_HOST.set(INSIDE_HOST.get() - 1);
    }
}

thread_local! {
    static INSIDE_HOST: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// Addresses of modules and their instances that have not been destroyed.
static LIVE: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

/// How a call ended that the host dropped; no code of the ABI is positive and greater than PENDING.
pub(super) const CANCELLED: i32 = i32::MAX;

const NAMES: [&str; 5] = ["exchanges", "bodies", "buffers", "streams", "wakers"];

/// How long threads of a destroyed instance may take to let go of what they hold.
const GRACE: Duration = Duration::from_secs(1);
