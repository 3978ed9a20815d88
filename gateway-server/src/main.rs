//! `gatewayd`: serves compiled gateway applications.

use std::process::ExitCode;

use gateway_server::AppSource;

fn main() -> ExitCode {
    gateway_server::run(std::env::args_os(), AppSource::CommandLine)
}
