//! A module that stands for another one and watches it and its host, whatever that is written in.

use std::sync::OnceLock;

use super::app::complain;
use crate::abi::contain::contained;
use crate::abi::host::Module;
use crate::abi::types::{GwApp, GwConfig, GwError, GwHost, code, module_flag};

/// Exports a module that stands in another one's place, from a `cdylib` with the feature `lint`: a host that
/// cannot look at the rules itself, in C or in Python, loads it instead of the application, and is watched.
///
/// Takes a function that answers the application, [watched](crate::abi::interpose::watch), or why there is
/// none: `fn() -> Result<Module, String>`. It is asked once, however many instances the host makes. The module has
/// no critical flags; applications that have some are refused.
#[macro_export]
macro_rules! export_watched {
    ($module:expr) => {
        $crate::__export!($crate::__descriptor!(
            $crate::abi::export::NoRuntime,
            $crate::abi::export::create_watched,
            || {
                static MODULE: $crate::abi::export::Watched = $crate::abi::export::Watched::new();
                MODULE.get_or_init($module)
            }
        ));
    };
}

/// What stands behind a module of [`export_watched!`](crate::export_watched).
pub type Watched = OnceLock<Result<Module, String>>;

/// The `create` of [`export_watched!`](crate::export_watched).
///
/// # Safety
///
/// The arguments of a host's call to `create`.
pub unsafe fn create_watched(
    host: *const GwHost,
    config: *const GwConfig,
    out: *mut *const GwApp,
    error: *mut GwError,
    module: impl FnOnce() -> &'static Result<Module, String>,
) -> i32 {
    contained("create", || {
        let module = module().as_ref().map_err(String::clone);
        let module = module.and_then(|module| {
            let critical = module.descriptor().flags & module_flag::CRITICAL_MASK;
            match (critical, module.raw().create) {
                (0, Some(create)) => Ok(create),
                (0, None) => Err("the module has no create".to_owned()),
                _ => Err(format!("the module sets critical flags: {critical:#x}")),
            }
        });
        match module {
            // SAFETY: the host's arguments, passed on.
            Ok(create) => unsafe { create(host, config, out, error) },
            // SAFETY: the host's error buffer.
            Err(why) => unsafe { complain(error, code::INVALID, &why) },
        }
    })
}
