//! `gateway-cgi app.so`: answers one request of CGI 1.1 (RFC 3875) with a compiled application.

mod answer;
mod diagnostics;
mod input;
mod meta;
mod wait;

use std::env;
use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::JoinHandle;

use gateway_spec::abi::host::{Config, HostTable};
use gateway_spec::abi::import::Loaded;
use gateway_spec::abi::{interpose, load, log_level};
use gateway_spec::http::StatusCode;
use gateway_spec::lint::Violation;
use gateway_spec::{Gateway as _, Response, Worker};

use crate::diagnostics::Diagnostics;
use crate::wait::block_on;

/// Why a request has no answer of the application's.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("expected the application's path, as in `gateway-cgi app.so` or GATEWAY_CGI_APP")]
    NoApplication,
    #[error("expected the application's path from the configuration, found it in the query")]
    PathOfClient,
    #[error("{0}")]
    Load(#[from] load::LoadError),
    #[error("the application cannot be watched: {0}")]
    Lint(String),
    #[error("the application does not start: {0}")]
    Start(String),
}

fn main() -> ExitCode {
    if env::var_os("REQUEST_METHOD").is_none() {
        let _ = io::stderr().write_all(USAGE.as_bytes());
        return ExitCode::from(2);
    }
    let end = match application() {
        Ok(application) => block_on(serve(&application)),
        Err(failure) => {
            diagnostics::say(&failure.to_string());
            let apology = Response::from(StatusCode::INTERNAL_SERVER_ERROR);
            let _ = block_on(answer::write(apology, false));
            discard();
            return ExitCode::FAILURE;
        }
    };
    match end {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            diagnostics::say(&format!("the answer was broken off: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// The application, started.
fn application() -> Result<Loaded, Failure> {
    let path = path()?;
    let mut module = load::load(&path)?;
    if env::var_os("GATEWAY_CGI_LINT").is_some() {
        let report = |violation: Violation| diagnostics::say(&format!("ERROR {violation}"));
        let watched = interpose::watch(&module, report);
        module = watched.map_err(|refusal| Failure::Lint(refusal.to_string()))?;
    }
    let host = HostTable::leak(Diagnostics, "gateway-cgi", log_level::INFO);
    let argument = env::var_os("GATEWAY_CGI_ARGUMENT").map(OsString::into_vec);
    let config = Config {
        settings: Vec::new(),
        argument: argument.unwrap_or_default(),
        mount: Vec::new(),
        worker: Worker::new(0, 1, 1),
        check_only: false,
        commands_only: false,
    };
    let started = block_on(Loaded::start(&module, host, &config));
    started.map_err(|failure| Failure::Start(format!("{:?}: {}", failure.step, failure.message)))
}

/// Answers the one request.
async fn serve(application: &Loaded) -> Result<(), answer::Broken> {
    let is_head = env::var_os("REQUEST_METHOD").is_some_and(|method| method == "HEAD");
    let end = match meta::request(env::vars_os(), io::stdin()) {
        Ok(received) => {
            let end = answer::write(application.call(received.request).await, is_head).await;
            // One that has failed has said so to the application.
            received.reading.map(JoinHandle::join);
            end
        }
        Err(refusal) => {
            diagnostics::say(&refusal.to_string());
            let end = answer::write(Response::from(refusal.status()), is_head).await;
            discard();
            end
        }
    };
    application.shutdown().await;
    end
}

/// Reads the body that nobody wants, or the server may take it for a failure and lose the answer.
fn discard() {
    let length = env::var("CONTENT_LENGTH").ok();
    let length: u64 = length.and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = io::stdin().take(length.min(meta::MAX_BODY));
    // Who does not send it has the answer already.
    let _ = io::copy(&mut body, &mut io::sink());
}

/// Where the application is.
///
/// A query without `=` comes as command line (RFC 3875 §4.4): where the server's configuration gives no
/// argument, the first one is the client's.
fn path() -> Result<PathBuf, Failure> {
    if let Some(path) = env::var_os("GATEWAY_CGI_APP") {
        return Ok(path.into());
    }
    let path = env::args_os().nth(1).ok_or(Failure::NoApplication)?;
    let query = env::var_os("QUERY_STRING").unwrap_or_default();
    if meta::is_first_word(&path, &query) {
        return Err(Failure::PathOfClient);
    }
    Ok(path.into())
}

const USAGE: &str = "\
gateway-cgi answers one request of CGI 1.1; a web server runs it:

    gateway-cgi /srv/app.so           the application, or in GATEWAY_CGI_APP

GATEWAY_CGI_ARGUMENT is what stands behind `--` on gatewayd's command line. With GATEWAY_CGI_LINT every
breach of the interface is told on the standard error, by its rule's name.
";
