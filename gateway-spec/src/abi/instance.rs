//! [`Instance`]: an application's instance, kept as long as anything of it is in use.

use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};

use super::types::{GwApp, GwAppVt, GwCall, GwRequest, GwWaker, module_flag};

/// What `create` gave. Pending calls and bodies hold it as its `host::App` does, so that
/// it is destroyed after the last of them, whichever order safe code drops them in.
pub(crate) struct Instance {
    raw: NonNull<GwApp>,
    vt: &'static GwAppVt,
    call: CallFunction,
    /// The only thread that may use it, where the module demands one.
    home: Option<ThreadId>,
    /// Nobody will call it any more: the last reference destroys it.
    is_over: AtomicBool,
}

pub(crate) type CallFunction =
    unsafe extern "C" fn(*const GwApp, *const GwRequest, *const GwWaker, *mut *mut GwCall) -> i32;

// SAFETY: the functions of an instance may be called from any thread unless the module's flags say
// otherwise. Then `App`, which is not `Send`, keeps calls on its thread, `Loaded` refuses the
// module, and `is_usable_here` guards what is left: bodies and the end.
unsafe impl Send for Instance {}
// SAFETY: as above.
unsafe impl Sync for Instance {}

impl Instance {
    /// # Safety
    ///
    /// `raw` was just created by a module with these flags; `vt` is its table.
    pub(super) unsafe fn new(
        raw: NonNull<GwApp>,
        vt: &'static GwAppVt,
        call: CallFunction,
        flags: u64,
    ) -> Self {
        let pinned = flags & module_flag::PINNED != 0;
        Self {
            raw,
            vt,
            call,
            home: pinned.then(|| thread::current().id()),
            is_over: AtomicBool::new(false),
        }
    }

    #[inline]
    pub(super) fn as_raw(&self) -> *const GwApp {
        self.raw.as_ptr()
    }

    pub(super) fn table(&self) -> &'static GwAppVt {
        self.vt
    }

    /// Its `call`, once it has started.
    pub(crate) fn call(&self) -> CallFunction {
        self.call
    }

    /// Whether this thread may use it.
    pub(crate) fn is_usable_here(&self) -> bool {
        self.home.is_none_or(|home| home == thread::current().id())
    }

    /// From now on it is not called any more; it is destroyed when nothing of it is in use.
    pub(crate) fn is_over(&self) {
        self.is_over.store(true, Ordering::Release);
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // An instance that was not shut down, or whose thread this is not, is left to the
        // process's exit.
        if !*self.is_over.get_mut() || !self.is_usable_here() {
            return;
        }
        if let Some(destroy) = self.vt.destroy {
            // SAFETY: the last reference: no call, body or stream of it is left.
            unsafe { destroy(self.raw.as_ptr()) };
        }
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Instance({:p})", self.raw)
    }
}
