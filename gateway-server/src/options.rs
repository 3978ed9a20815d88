//! What the rooms that serve requests are told: plain values, made by `config` from the settings.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::compression::CompressionOptions;
use crate::proxies::Proxies;
use crate::routes::{HostPattern, Mount};
use crate::static_files::StaticOptions;
use crate::traces::TraceOptions;
use crate::value::{ByteCount, ClientAuth, FieldName, TlsVersion};

/// The options of one worker's serving loop.
#[derive(Clone, Debug)]
pub(crate) struct ServeOptions {
    /// Sizes that a request may have.
    pub(crate) sizes: RequestSizes,
    /// How long each phase of a connection may take.
    pub(crate) timeouts: Timeouts,
    /// What a peer must move, in bytes a second.
    pub(crate) rates: MinimumRates,
    /// How much of everything there may be at once.
    pub(crate) capacity: Capacity,
    /// Who may speak for others, if anybody may.
    pub(crate) proxies: Option<Proxies>,
    /// What is compressed of what applications answer, if anything is.
    pub(crate) compression: Option<CompressionOptions>,
    /// Folders that are served without the application.
    pub(crate) static_files: StaticOptions,
    /// Oldest version of TLS that is spoken.
    pub(crate) tls_min_version: TlsVersion,
    /// Whether clients show certificates.
    pub(crate) client_auth: ClientAuth,
    /// How long a TLS session may be resumed, at least.
    pub(crate) ticket_lifetime: Duration,
    /// Where redirecting addresses send clients; none where nothing says.
    pub(crate) redirect_port: Option<u16>,
    /// What HTTP/2 may take.
    pub(crate) http2: Http2Options,
    /// Whether every call is checked against the specification.
    pub(crate) lint: bool,
    /// The applications; at least one.
    pub(crate) apps: Vec<AppOptions>,
    /// The field that a trusted proxy names requests by.
    pub(crate) request_id_field: Option<FieldName>,
    /// Whether somebody reads the counters of answers.
    pub(crate) counts: bool,
    /// How requests are traced, if they are.
    pub(crate) traces: Option<TraceOptions>,
    /// Most series of metrics of one application in a worker.
    pub(crate) metric_series: u32,
    /// The folder that the server shares with the `gatewayd dev` that has started it, if one has.
    pub(crate) workbench: Option<PathBuf>,
}

/// What is said of one application.
#[derive(Clone, Debug)]
pub(crate) struct AppOptions {
    /// What the log calls it.
    pub(crate) name: String,
    /// Its file; none in an application's own binary.
    pub(crate) path: Option<PathBuf>,
    /// The hosts that it answers for; none means any.
    pub(crate) hosts: Vec<HostPattern>,
    /// The prefix of the paths that it answers.
    pub(crate) mount: Mount,
    /// Its own arguments: what follows `--` on the command line.
    pub(crate) arguments: Vec<OsString>,
    /// Its own settings, from the configuration file.
    pub(crate) settings: AppSettings,
    /// Longest body of a request, without its framing.
    pub(crate) body: ByteCount,
    /// How long its requests may take.
    pub(crate) timeouts: Timeouts,
    /// What their clients must move.
    pub(crate) rates: MinimumRates,
    /// How many of them there may be at once.
    pub(crate) capacity: Capacity,
}

/// The application's own settings, which the server hands on and never looks into: keys and values in
/// the order of their keys. Any of them may be a password, so that none is shown by accident.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct AppSettings(pub(crate) Vec<(String, String)>);

impl fmt::Debug for AppSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = self.0.iter().map(|(key, _)| (key, "(hidden)"));
        f.debug_map().entries(hidden).finish()
    }
}

/// Sizes that a request may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestSizes {
    /// The request line, without its line end.
    pub(crate) line: ByteCount,
    /// Number of header fields.
    pub(crate) fields: u32,
    /// One header field line, without its line end.
    pub(crate) field: ByteCount,
    /// The head as a whole.
    pub(crate) head: ByteCount,
}

/// Bytes that a peer must move in each second that it is waited for, once it has used up the timeout
/// for a pause; with 0 any byte is enough.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MinimumRates {
    /// Of a request body.
    pub(crate) body: ByteCount,
    /// Of an answer.
    pub(crate) write: ByteCount,
}

/// How much there may be in one worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    /// Connections open at once; at least 1.
    pub(crate) connections: u32,
    /// Requests that the application works on at once; at least 1.
    pub(crate) in_flight: Option<u32>,
    /// Requests that wait until it has fewer; one more is refused.
    pub(crate) queue: u32,
    /// Requests on one connection; at least 1.
    pub(crate) keep_alive_requests: Option<u32>,
}

/// Where certificates and keys are, and what is wanted of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// Certificates: files, each with its key in the same place of `keys`, or folders.
    pub(crate) certificates: Vec<PathBuf>,
    /// Keys.
    pub(crate) keys: Vec<PathBuf>,
    /// Who signs clients' certificates.
    pub(crate) client_ca: Option<PathBuf>,
    /// Which of those are revoked.
    pub(crate) revocations: Option<PathBuf>,
    /// Whether clients show any.
    pub(crate) client_auth: ClientAuth,
}

/// What one connection in HTTP/2 may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Http2Options {
    /// Whether it is spoken.
    pub(crate) enabled: bool,
    /// Requests at once; at least 1.
    pub(crate) streams: u32,
    /// Bytes of a body that may be sent before the application takes some.
    pub(crate) stream_window: u32,
    /// Bytes of all bodies of a connection.
    pub(crate) window: u32,
}

/// How long each phase of a connection may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// From accepting to the end of the TLS handshake.
    pub(crate) handshake: Duration,
    /// From the first byte of a request, or from accepting, to the end of its head.
    pub(crate) head: Duration,
    /// Without progress within a body that is waited for.
    pub(crate) body: Duration,
    /// Idle between requests; zero closes after each answer.
    pub(crate) keep_alive: Duration,
    /// Without progress while an answer waits to be written.
    pub(crate) write: Duration,
    /// From a head's end to the end of what the application answers; zero sets no limit.
    pub(crate) request: Duration,
    /// Idle connections of a draining worker stay open this long after their last byte.
    pub(crate) linger: Duration,
    /// Draining as a whole; then calls are dropped.
    pub(crate) graceful: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_holds_no_value_of_the_application() {
        let settings = AppSettings(vec![("password".into(), "hunter2".into())]);
        assert_eq!(format!("{settings:?}"), r#"{"password": "(hidden)"}"#);
    }
}
