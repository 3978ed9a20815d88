//! The border that no panic crosses, and what is entered behind it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::types::code;

/// Something to be inside of while foreign code polls or drops ours: the application's runtime.
pub trait Entered {
    /// Left when dropped.
    type Guard<'a>
    where
        Self: 'a;

    /// Enters.
    fn enter(&self) -> Self::Guard<'_>;
}

/// Nothing to enter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nothing;

impl Entered for Nothing {
    type Guard<'a> = ();

    fn enter(&self) {}
}

/// Runs `body`; a panic becomes [`code::PANIC`]. The panic's message was printed by the hook.
#[inline(always)]
pub(crate) fn contained(what: &'static str, body: impl FnOnce() -> i32) -> i32 {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| panicked(what, payload))
}

/// Drops a panic's payload, whose own drop may panic; what is left of it then is leaked.
#[cold]
fn panicked(what: &'static str, payload: Box<dyn Any + Send>) -> i32 {
    if let Err(second) = catch_unwind(AssertUnwindSafe(move || drop(payload))) {
        #[expect(
            clippy::mem_forget,
            reason = "a payload that panics when dropped twice over"
        )]
        std::mem::forget(second);
    }
    super::export::host::note_panic(what);
    code::PANIC
}
