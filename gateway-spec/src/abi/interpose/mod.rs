//! The interposer: stands between a host and a foreign module and reports what either does against
//! the rules of SPEC.md (`gatewayd --lint`).
//!
//! [`watch`] yields a module that looks like the one given. Every object that crosses is replaced by
//! one of ours whose table checks, reports and passes on. Objects that have ended are kept for a
//! while, so that using them is seen instead of undefined.
//! [`export_watched!`](crate::export_watched) does it for hosts that cannot do it themselves.

mod app;
mod body;
mod buffer;
mod call;
mod exchange;
mod head;
mod host;
mod instance;
mod lasting;
mod quarantine;
mod stream;
mod waker;

#[cfg(test)]
mod tests;

use std::ptr;
use std::sync::{Mutex, PoisonError};

use super::host::{Module, Refusal};
use super::types::{GwApp, GwConfig, GwError, GwHost, GwModule, code};
use crate::lint::Sink;
use crate::lint::violation::Reports;

/// The same module with a watch on everything that crosses its border.
///
/// # Errors
///
/// [`Refusal::NoCreate`] if [`MAX_WATCHED`] modules of this process are watched already.
pub fn watch(module: &Module, sink: impl Sink) -> Result<Module, Refusal> {
    let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(create) = CREATES.get(watched.len()) else {
        return Err(Refusal::NoCreate);
    };
    // SAFETY: a descriptor is plain data; the copy stands for the same module.
    let mut raw = unsafe { ptr::read(module.raw()) };
    raw.create = Some(*create);
    watched.push(Watched {
        raw: module.raw(),
        reports: Reports::new(sink),
    });
    module.with_raw(Box::leak(Box::new(raw)))
}

/// A module that is watched.
struct Watched {
    raw: &'static GwModule,
    reports: Reports,
}

/// `create` has no argument that could carry context, so each watched module has a function of its
/// own.
unsafe extern "C" fn create<const N: usize>(
    host: *const GwHost,
    config: *const GwConfig,
    out: *mut *const GwApp,
    error: *mut GwError,
) -> i32 {
    let (raw, reports) = {
        let watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
        match watched.get(N) {
            Some(watched) => (watched.raw, watched.reports.clone()),
            None => return code::INTERNAL,
        }
    };
    // SAFETY: the host's arguments, passed on as they came.
    unsafe { app::create(raw, &reports, host, config, out, error) }
}

static WATCHED: Mutex<Vec<Watched>> = Mutex::new(Vec::new());

type Create =
    unsafe extern "C" fn(*const GwHost, *const GwConfig, *mut *const GwApp, *mut GwError) -> i32;

/// How many modules one process can watch.
pub const MAX_WATCHED: usize = CREATES.len();

const CREATES: [Create; 16] = [
    create::<0>,
    create::<1>,
    create::<2>,
    create::<3>,
    create::<4>,
    create::<5>,
    create::<6>,
    create::<7>,
    create::<8>,
    create::<9>,
    create::<10>,
    create::<11>,
    create::<12>,
    create::<13>,
    create::<14>,
    create::<15>,
];
