//! An application's own binary: the server's whole command line around one application.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use gateway_spec::abi::export::{Exportable, NoRuntime, Runtime, linked};

use crate::app_source::AppSource;
use crate::cli;

/// Serves `app` with the command line of `gatewayd`: the whole `main` of an application's own binary.
///
/// `app` is what [`gateway_spec::export!`] takes: a gateway, a function that makes one, or an async
/// constructor; functions are called in the workers. The application is named after the program; the
/// macro [`main!`](crate::main!) knows its name and version, and can give it a tokio runtime.
///
/// To be called first thing in `main`, in every case: workers are the same program started once more.
///
/// ```no_run
/// use gateway_server::gateway_spec::{Request, Response};
/// use std::process::ExitCode;
///
/// async fn hello(_: Request) -> Response {
///     Response::text("Hello, World!")
/// }
///
/// fn main() -> ExitCode {
///     gateway_server::main(hello)
/// }
/// ```
pub fn main<Form: 'static, A: Exportable<Form>>(app: A) -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let name = args.first().map(Path::new).and_then(Path::file_name);
    let name = name.unwrap_or_default().to_string_lossy();
    let module = linked::<Form, A, _, NoRuntime>(&name, "", move || app);
    cli::run(args, AppSource::LinkedIn(module))
}

/// The function behind [`main!`](crate::main!).
#[doc(hidden)]
pub fn run_linked<Form, A, F, R>(name: &str, version: &str, app: F) -> ExitCode
where
    Form: 'static,
    A: Exportable<Form>,
    F: FnOnce() -> A + Send + 'static,
    R: Runtime,
{
    let module = linked::<Form, A, F, R>(name, version, app);
    cli::run(std::env::args_os(), AppSource::LinkedIn(module))
}
