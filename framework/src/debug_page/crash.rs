//! [`Crash`]: where a request's code panicked, noted while it happens.

use std::backtrace::Backtrace;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use crate::context::with_current;

/// A panic: what is gone once it has been caught.
pub(super) struct Crash {
    /// File and line.
    pub(super) place: Option<(String, u32)>,
    pub(super) backtrace: Backtrace,
}

/// Lets panics in a debug run's requests be noted from now on, besides what is done about them already.
pub(super) fn watch() {
    static WATCHES: Once = Once::new();
    WATCHES.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            note(panic);
            others(panic);
        }));
    });
}

fn note(panic: &PanicHookInfo<'_>) {
    with_current(|cx| {
        if let Some(cx) = cx.filter(|cx| cx.debug()) {
            cx.put(Crash {
                place: panic.location().map(|at| (at.file().to_owned(), at.line())),
                backtrace: Backtrace::force_capture(),
            });
        }
    });
}
