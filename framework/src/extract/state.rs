//! [`State`]: what all requests share.

use std::any::type_name;
use std::ops::Deref;
use std::sync::Arc;

use super::{Arg, Check, Take};
use crate::error::{Error, Result};

/// Shared state that [`App::state`](crate::App::state) or an extension provided. An application
/// that asks for state which nobody provides does not start.
#[derive(Debug)]
pub struct State<T> {
    shared: Arc<T>,
}

impl<T> State<T> {
    /// The state, to be kept by whoever outlives the request.
    #[must_use]
    pub fn shared(&self) -> Arc<T> {
        Arc::clone(&self.shared)
    }
}

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.shared
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared(),
        }
    }
}

impl<T: Send + Sync + 'static> Arg for State<T> {
    type Path<Rest> = Rest;

    fn check(check: &mut Check<'_>) {
        check.needs_state::<T>();
    }

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        let shared = t.cx().state().ok_or_else(|| {
            let name = type_name::<T>();
            Error::message(format!("nobody provides `State<{name}>`"))
        })?;
        Ok(Self { shared })
    }
}
