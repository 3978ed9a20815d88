//! [`Listeners`]: who is told of which signal.

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use gateway_spec::Level;

use crate::context::Cx;

/// Who listens, by the type of the signal.
#[derive(Clone, Default)]
pub(super) struct Listeners {
    entries: Vec<(TypeId, Listener)>,
}

type Listener = Arc<dyn Fn(&Cx, &dyn Any) + Send + Sync>;

impl Listeners {
    pub(super) fn add<T: 'static>(&mut self, listener: Listener) {
        self.entries.push((TypeId::of::<T>(), listener));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn has<T: 'static>(&self) -> bool {
        self.of::<T>().next().is_some()
    }

    /// Calls those who listen, in order; one that panics keeps nobody else from hearing.
    pub(super) fn tell<T: 'static>(&self, cx: &Cx, event: &T) {
        for listener in self.of::<T>() {
            if catch_unwind(AssertUnwindSafe(|| listener(cx, event))).is_err() {
                let what = type_name::<T>();
                cx.log(Level::Error, &format!("a listener to {what} panicked"));
            }
        }
    }

    fn of<T: 'static>(&self) -> impl Iterator<Item = &Listener> {
        let wanted = TypeId::of::<T>();
        let entries = self.entries.iter().filter(move |(id, _)| *id == wanted);
        entries.map(|(_, listener)| listener)
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listeners({})", self.entries.len())
    }
}
