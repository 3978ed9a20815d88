//! [`current`]: the context of the code that runs now, for code that is too deep to be given it.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::Cx;

/// The context of the request that the calling code serves: in views, hooks, extractors, and what
/// they call or [spawn](Cx::spawn) through the context. Passing `Cx` on is clearer; this is for
/// where it cannot be, such as a trait of somebody else's.
#[must_use]
pub fn current() -> Option<Cx> {
    with_current(|cx| cx.cloned())
}

/// As [`current`], without keeping the context.
pub(crate) fn with_current<R>(look: impl FnOnce(Option<&Cx>) -> R) -> R {
    let cx = CURRENT.take();
    let seen = look(cx.as_ref());
    CURRENT.set(cx);
    seen
}

/// Runs code in the context of a request.
pub(crate) fn inside<R>(cx: &Cx, run: impl FnOnce() -> R) -> R {
    let mut home = Some(cx.clone());
    let _inside = Inside::enter(&mut home);
    run()
}

/// A future that is polled in the context of a request.
pub(crate) struct InContext<F> {
    cx: Option<Cx>,
    future: F,
}

impl<F: Future + Unpin> InContext<F> {
    pub(crate) fn new(cx: Cx, future: F) -> Self {
        Self {
            cx: Some(cx),
            future,
        }
    }
}

impl<F: Future + Unpin> Future for InContext<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, waker: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        // Moved in and out, not cloned: two writes.
        let _inside = Inside::enter(&mut this.cx);
        Pin::new(&mut this.future).poll(waker)
    }
}

/// Puts the context back where it was, also when the future panics.
struct Inside<'a> {
    home: &'a mut Option<Cx>,
    outer: Option<Cx>,
}

impl<'a> Inside<'a> {
    fn enter(home: &'a mut Option<Cx>) -> Self {
        let outer = CURRENT.replace(home.take());
        Self { home, outer }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        *self.home = CURRENT.replace(self.outer.take());
    }
}

thread_local! {
    static CURRENT: Cell<Option<Cx>> = const { Cell::new(None) };
}
