//! An application that does on request what tests need of one: panics, waits, streams, upgrades.
//!
//! Its argument decides the start-up: `fail`, `panic`, or anything else to serve. `/version` answers
//! the PROBE_VERSION that it was built with.

mod bodies;
mod events;
mod meter;
mod pool;
mod tunnels;

use std::fs::File;
use std::io::Write;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gateway_spec::http::StatusCode;
use gateway_spec::http::header::{HeaderName, HeaderValue, LINK, LOCATION};
use gateway_spec::{Body, Fields, Gateway, Request, Response, Startup, StartupError, export};

use events::Events;
use meter::Meter;
use pool::Pool;
use tunnels::{CountsWhenDropped, switched};

/// The application.
#[derive(Debug)]
struct Probe {
    /// Ten thousand bytes, for `/file`.
    file: File,
    /// What happened behind answers, for `/count`.
    count: Arc<AtomicU64>,
    /// Calls that have begun to wait for the end of their clients, for `/begun`.
    begun: AtomicU64,
    /// What the server has told, for `/startup`.
    startup: String,
    /// For `/pooled`.
    pool: Pool,
    /// For `/events`, from `/tell`.
    events: Events,
    /// For `/metered`.
    meter: Meter,
}

async fn start(startup: Startup) -> Result<Probe, StartupError> {
    match startup.argument() {
        b"fail" => return Err(StartupError::new("probe: no database at db.example:5432")),
        b"panic" => panic!("probe: panic in start-up"),
        _ => {}
    }
    // Proof that the constructor runs on a runtime of the application's own.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let mut file = tempfile::tempfile()?;
    file.write_all(&[b'f'; 10_000])?;
    Ok(Probe {
        file,
        count: Arc::default(),
        begun: AtomicU64::new(0),
        startup: told(&startup),
        pool: Pool::start(),
        events: Events::new(),
        meter: Meter::new(startup.metrics()),
    })
}

/// The argument and the settings, one a line.
fn told(startup: &Startup) -> String {
    let mut lines = vec![String::from_utf8_lossy(startup.argument()).into_owned()];
    lines.extend(
        startup
            .settings()
            .map(|(key, value)| format!("{key}={value}")),
    );
    lines.join("\n")
}

/// The names of the variables that there are, one a line.
fn variables() -> String {
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    names.collect::<Vec<_>>().join("\n")
}

/// What the server says of a request beside what its client has sent, one fact a line.
fn facts(request: &Request) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let client = request.client();
    let facts = [
        ("client", client.to_string()),
        ("client_is_peer", (client == request.peer()).to_string()),
        (
            "client_is_forwarded",
            request.client_is_forwarded().to_string(),
        ),
        ("scheme", format!("{:?}", request.scheme()).to_lowercase()),
        (
            "scheme_is_forwarded",
            request.scheme_is_forwarded().to_string(),
        ),
        ("authority", text(request.authority())),
        ("host", text(request.field("host").unwrap_or_default())),
        ("mount", text(request.mount())),
        ("path", text(request.path())),
        ("target", text(request.target())),
    ];
    facts
        .map(|(name, value)| format!("{name}: {value}\n"))
        .concat()
}

/// What is known of the connection's TLS: scheme, version, suite, protocol, name, how many
/// certificates the client has shown, and whether they were verified.
fn secured(request: &Request) -> String {
    let scheme = request.scheme();
    let Some(tls) = request.tls() else {
        return format!("{scheme:?}");
    };
    let [protocol, name] = [&tls.alpn, &tls.server_name].map(|text| String::from_utf8_lossy(text));
    format!(
        "{scheme:?} {:04x} {:04x} {protocol} {name} {} {}",
        tls.version,
        tls.cipher_suite,
        tls.peer_chain.len(),
        tls.peer_verified
    )
}

/// The response with the fields that the query names: `content-type=text/plain&x-other=1`.
fn with_fields(response: Response, request: &Request) -> Response {
    let query = String::from_utf8_lossy(request.query().unwrap_or_default()).into_owned();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.fold(response, |response, (name, value)| {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => response.with(name, value),
            _ => response,
        }
    })
}

impl Gateway for Probe {
    async fn call(&self, mut request: Request) -> Response {
        let path = String::from_utf8_lossy(request.path_below_mount()).into_owned();
        if path.is_empty() {
            return tunnels::connect(&request);
        }
        let (name, argument) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
        let number = argument.parse().unwrap_or(0);
        match name {
            "version" => Response::text(option_env!("PROBE_VERSION").unwrap_or("unset")),
            "startup" => Response::text(self.startup.clone()),
            "environment" => Response::text(variables()),
            "tls" => Response::text(secured(&request)),
            "pid" => Response::text(process::id().to_string()),
            "count" => Response::text(self.count.load(Ordering::SeqCst).to_string()),
            "begun" => Response::text(self.begun.load(Ordering::SeqCst).to_string()),
            "facts" => Response::text(facts(&request)),
            "dateless" => Response::text("dateless").without_date(),
            "id" => {
                let id = String::from_utf8_lossy(request.id()).into_owned();
                log::info!("answering {id}");
                match argument {
                    "" => Response::text(id),
                    // The same at every time, on any thread, before and after waiting.
                    _ => {
                        tokio::time::sleep(Duration::from_millis(number)).await;
                        let again = async move { request.id() == id.as_bytes() };
                        let same = tokio::spawn(again).await;
                        Response::text(same.is_ok_and(|same| same).to_string())
                    }
                }
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "to block the loop is the purpose"
            )]
            "block-named" => {
                let id = String::from_utf8_lossy(request.id());
                log::info!("blocking the loop for {id}");
                std::thread::sleep(Duration::from_millis(number));
                Response::text("blocked")
            }
            "log" => {
                log::info!(answer = 42; "by log");
                let _ended = tracing::info_span!("unkept").entered();
                tracing::warn!(answer = 43, name = "a b", "by tracing");
                tracing::debug!("not wanted");
                Response::text("logged")
            }
            "status" => {
                let status = StatusCode::from_u16(u16::try_from(number).unwrap_or(0));
                Response::status(status.unwrap_or(StatusCode::IM_A_TEAPOT))
            }
            "redirect" => {
                Response::status(StatusCode::FOUND).with(LOCATION, HeaderValue::from_static("/pid"))
            }
            "accelerated" => {
                let name = HeaderName::from_static("x-accel-redirect");
                let file = HeaderValue::from_static("/protected/report.txt");
                Response::text("not this").with(name, file)
            }
            "sleep" => {
                tokio::time::sleep(Duration::from_millis(number)).await;
                Response::text("slept")
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "to block the loop is the purpose"
            )]
            "block" => {
                log::info!("blocking the loop");
                std::thread::sleep(Duration::from_millis(number));
                Response::text("blocked")
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "to block the loop is the purpose"
            )]
            "block-later" => {
                let _length = bodies::count(request.take_body()).await;
                std::thread::sleep(Duration::from_millis(number));
                Response::text("blocked")
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "to block a thread of the pool is the purpose"
            )]
            "pooled" => {
                let nap = Duration::from_millis(number);
                let slept = self.pool.run(move || std::thread::sleep(nap)).await;
                Response::text(if slept.is_some() { "slept" } else { "no pool" })
            }
            "hoard" => {
                let hoard = vec![1_u8; usize::try_from(number).unwrap_or(0) << 20];
                // Held as long as the answer takes.
                tokio::time::sleep(Duration::from_millis(1)).await;
                Response::text(hoard.len().to_string())
            }
            "abort" => process::abort(),
            "panic" => panic!("probe: panic in call"),
            "panic-later" => {
                tokio::time::sleep(Duration::from_millis(1)).await;
                panic!("probe: panic after an await");
            }
            "panic-in-body" => Response::new(bodies::panicking()),
            "panic-in-drop" => Response::new(bodies::panicking_when_dropped()),
            "hints" => {
                let hint = (LINK, HeaderValue::from_static("</a.css>; rel=preload"));
                match request.inform(StatusCode::EARLY_HINTS, &Fields::from_iter([hint])) {
                    Ok(()) => Response::text("hinted"),
                    Err(error) => Response::text(error.to_string()),
                }
            }
            "after" => {
                let count = Arc::clone(&self.count);
                Response::text("answered").after(async move {
                    tokio::time::sleep(Duration::from_millis(number)).await;
                    count.fetch_add(1, Ordering::SeqCst);
                })
            }
            "chunks" => Response::new(bodies::chunks(number)),
            "mebibytes" => Response::new(bodies::mebibytes(number)),
            "hole" => match bodies::hole(number) {
                Ok(body) => Response::new(body),
                Err(error) => Response::text(error.to_string()),
            },
            "trailers" => Response::new(bodies::with_trailers()),
            "file" => match bodies::file(&self.file) {
                Ok(body) => Response::new(body),
                Err(error) => Response::text(error.to_string()),
            },
            "spawned" => {
                let body = request.take_body();
                match tokio::spawn(bodies::count(body)).await {
                    Ok(Ok(length)) => Response::text(length.to_string()),
                    Ok(Err(error)) => Response::from((StatusCode::BAD_REQUEST, error.to_string())),
                    Err(error) => Response::text(error.to_string()),
                }
            }
            "unread" => Response::text("not read"),
            "impatient" => {
                let body = bodies::count(request.take_body());
                let brief = Duration::from_millis(1);
                // Given up while it is waited for.
                let given_up = tokio::time::timeout(brief, body).await.is_err();
                tokio::time::sleep(brief).await;
                Response::text(if given_up { "given up" } else { "read" })
            }
            "unended" => Response::new(bodies::unended()),
            "mirror" => Response::new(request.take_body()),
            "draining" => {
                log::info!("waiting for the drain");
                request.draining().await;
                Response::text("draining")
            }
            "cancelled" => {
                let _counts = CountsWhenDropped(Arc::clone(&self.count));
                self.begun.fetch_add(1, Ordering::SeqCst);
                std::future::pending().await
            }
            "finished" => {
                request.finish_on_disconnect();
                self.begun.fetch_add(1, Ordering::SeqCst);
                request.closed().await;
                self.count.fetch_add(1, Ordering::SeqCst);
                Response::text("nobody reads this")
            }
            "upgrade" => {
                if number > 0 {
                    tokio::time::sleep(Duration::from_millis(number)).await;
                }
                switched(tunnels::mirror)
            }
            "farewell" => switched(tunnels::farewell),
            "answer-late" => switched(tunnels::answer_late),
            "part" => switched(tunnels::part),
            "listen" => {
                let count = Arc::clone(&self.count);
                switched(|stream| tunnels::listen(stream, count))
            }
            "flood" => {
                let counts = CountsWhenDropped(Arc::clone(&self.count));
                switched(|stream| tunnels::flood(stream, counts))
            }
            "events" => {
                let counts = CountsWhenDropped(Arc::clone(&self.count));
                self.events.stream(counts)
            }
            "told" => {
                let counts = CountsWhenDropped(Arc::clone(&self.count));
                let mut events = self.events.stream(counts);
                let body = std::mem::replace(events.body_mut(), Body::empty());
                with_fields(Response::new(body), &request)
            }
            "lines" => with_fields(Response::new(bodies::lines(number)), &request),
            "lines-streamed" => {
                with_fields(Response::new(bodies::lines_one_by_one(number)), &request)
            }
            "tell" => self.events.tell(argument),
            "metered" => self.meter.note(argument),
            _ => StatusCode::NOT_FOUND.into(),
        }
    }
}

export!(tokio: start);
