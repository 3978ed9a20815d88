//! `bootstrap`, as Lambda's custom runtimes call it: serves the application that the function's
//! handler names, a file like `libecho.so` beside this one.
//!
//! `GATEWAY_STREAMS=1` for functions whose URL is set to `RESPONSE_STREAM`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use gateway_lambda::{Api, Mode, Options, load, serve};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .without_time()
        .init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut api = Api::from_environment()?;
    let variable = |name: &str| std::env::var_os(name);
    let handler = variable("_HANDLER").ok_or("expected the application's file in _HANDLER")?;
    let folder = variable("LAMBDA_TASK_ROOT").unwrap_or_default();
    let mode = match variable("GATEWAY_STREAMS") {
        Some(value) if value == "1" => Mode::Streamed,
        _ => Mode::Whole,
    };
    let module = PathBuf::from(folder).join(handler);
    let (app, stop) = match load(module, Options::new()).await {
        Ok(loaded) => loaded,
        Err(failure) => {
            api.start_failed(&failure.to_string()).await?;
            return Err(failure.into());
        }
    };
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = serve(&app, &mut api, mode) => ended?,
        _ = terminate.recv() => {}
        _ = stop.asked() => {}
    }
    app.shutdown(GRACE).await?;
    Ok(())
}

/// What Lambda leaves a function between TERM and KILL is 500 ms at least.
const GRACE: Duration = Duration::from_millis(300);
