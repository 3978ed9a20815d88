//! An application that is its own server: one file to copy, with the command line of `gatewayd`.

use std::process::ExitCode;

use gateway_spec::{Request, Response};

async fn hello(_: Request) -> Response {
    Response::text("Hello from my own binary!")
}

fn main() -> ExitCode {
    gateway_server::main!(hello)
}
