//! An application that is linked into its server: the descriptor is made at run time, so that safe
//! code in the application's own `main` is enough.

use std::any::Any;
use std::sync::{Mutex, PoisonError};

use super::app::{complain, create};
use super::form::Exportable;
use super::module;
use super::runtime::Runtime;
use crate::abi::types::{GwApp, GwConfig, GwError, GwHost, GwModule, code};

/// A descriptor for what `app` evaluates to at start-up. It lasts as long as the process; its
/// `create` succeeds once, because `app` can be called once.
///
/// `gateway_server::main` is made of it.
#[must_use]
pub fn linked<Form, A, F, R>(name: &str, version: &str, app: F) -> &'static GwModule
where
    A: Exportable<Form>,
    F: FnOnce() -> A + Send + 'static,
    R: Runtime,
    Form: 'static,
{
    const {
        assert!(
            !cfg!(panic = "abort"),
            "a gateway must be built with panic = \"unwind\": one panicking request would end the worker",
        );
    }
    let mut applications = APPLICATIONS.lock().unwrap_or_else(PoisonError::into_inner);
    applications.push(Box::new(app));
    Box::leak(Box::new(module::<R>(
        name,
        version,
        create_linked::<Form, A, F, R>,
    )))
}

/// What is waiting for its `create`; told apart by type, of which each call of [`linked`] has its own.
static APPLICATIONS: Mutex<Vec<Box<dyn Any + Send>>> = Mutex::new(Vec::new());

/// The `create` of a linked application.
///
/// # Safety
///
/// Called by a host with the arguments of `create`.
unsafe extern "C" fn create_linked<Form, A, F, R>(
    host: *const GwHost,
    config: *const GwConfig,
    out: *mut *const GwApp,
    error: *mut GwError,
) -> i32
where
    A: Exportable<Form>,
    F: FnOnce() -> A + Send + 'static,
    R: Runtime,
{
    let Some(app) = take::<F>() else {
        let what = "it is linked into this program and was created before";
        // SAFETY: the host's error buffer.
        return unsafe { complain(error, code::INVALID, what) };
    };
    // SAFETY: the host's arguments, passed on.
    unsafe { create::<Form, A, R>(host, config, out, error, *app) }
}

fn take<F: 'static>() -> Option<Box<F>> {
    let mut applications = APPLICATIONS.lock().unwrap_or_else(PoisonError::into_inner);
    let at = applications.iter().position(|one| one.is::<F>())?;
    applications.swap_remove(at).downcast().ok()
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;
    use crate::abi::export::NoRuntime;
    use crate::{Request, Response};

    async fn hello(_: Request) -> Response {
        Response::text("hello")
    }

    #[test]
    fn the_descriptor_names_the_application_and_takes_it_once() {
        let module = linked::<_, _, _, NoRuntime>("hello", "1.2.3", || hello);
        assert_eq!(
            &module.name[..6],
            b"hello\0".map(|byte| byte as _).as_slice()
        );
        assert!(module.create.is_some());
        fn type_of<F>(_: &F) -> Option<Box<F>>
        where
            F: 'static,
        {
            take::<F>()
        }
        let other = || hello;
        assert!(type_of(&other).is_none(), "another call's application");
        assert!(!ptr::eq(
            module,
            linked::<_, _, _, NoRuntime>("hello", "1.2.3", other)
        ));
        assert!(type_of(&other).is_some());
        assert!(type_of(&other).is_none(), "it was taken");
    }
}
