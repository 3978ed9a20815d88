//! An application's own binary, by the plain function and with an async constructor.
//!
//! It answers its process's number and the argument that it was started with; the argument `fail`
//! makes the start-up fail.

use std::process::ExitCode;

use gateway_spec::{Gateway, Request, Response, Startup, StartupError};

async fn start(startup: Startup) -> Result<impl Gateway, StartupError> {
    if startup.argument() == b"fail" {
        return Err(StartupError::new("linked: told to fail"));
    }
    let argument = String::from_utf8_lossy(startup.argument()).into_owned();
    let text = format!("{} {argument}", std::process::id());
    Ok(move |_: Request| {
        let text = text.clone();
        async move { Response::text(text) }
    })
}

fn main() -> ExitCode {
    gateway_server::main(start)
}
