//! What an operator asks for, and the bytes of the answer.

use std::time::Duration;

use gateway_spec::abi::{method, names};

use super::exposition::{self, Dialect};
use super::figures::{Figures, Watch};
use super::{page, status};
use crate::board::WorkerState;
use crate::http1::{Head, encode};

/// A request, as far as it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    path: Vec<u8>,
    method: u32,
    /// Metrics are wanted in OpenMetrics' form.
    open_metrics: bool,
}

/// An answer before it is written down.
struct Answer {
    status: u16,
    content_type: &'static str,
    body: Vec<u8>,
}

impl Asked {
    pub(super) fn of(head: &Head, raw: &[u8]) -> Self {
        let accept = names::id_of(b"accept");
        let open_metrics = head
            .fields(raw)
            .filter(|field| field.name_id() == accept)
            .any(|field| wants_open_metrics(field.value()));
        Self {
            path: head.path(raw).to_vec(),
            method: head.method_id(),
            open_metrics,
        }
    }
}

/// Answers a request.
pub(super) async fn answer(asked: &Asked, watch: &Watch) -> Vec<u8> {
    let answer = match asked.method {
        method::GET | method::HEAD => look_up(asked, watch).await,
        _ => plain(405, "expected GET or HEAD\n"),
    };
    answer.to_bytes(asked.method == method::HEAD)
}

/// Answers what is no request.
pub(super) fn refusal(status: u16) -> Vec<u8> {
    plain(status, encode::reason(status)).to_bytes(false)
}

async fn look_up(asked: &Asked, watch: &Watch) -> Answer {
    let assets = page::asset(&asked.path).map(|(content_type, text)| Answer {
        status: 200,
        content_type,
        body: text.as_bytes().to_vec(),
    });
    if let Some(asset) = assets {
        return asset;
    }
    let of: fn(&Asked, &Figures) -> Answer = match &*asked.path {
        b"/metrics" => metrics,
        b"/livez" => alive,
        b"/readyz" => ready,
        b"/status.json" => json,
        _ => {
            return plain(
                404,
                "expected /, /metrics, /livez, /readyz or /status.json\n",
            );
        }
    };
    match watch.figures().await {
        Some(figures) => of(asked, &figures),
        None => plain(503, "the master has told nothing yet\n"),
    }
}

fn metrics(asked: &Asked, figures: &Figures) -> Answer {
    let dialect = match asked.open_metrics {
        true => Dialect::OpenMetrics,
        false => Dialect::Prometheus,
    };
    Answer {
        status: 200,
        content_type: dialect.content_type(),
        body: exposition::write(figures, dialect).into_bytes(),
    }
}

/// Whether there is anybody who would start a worker.
fn alive(_: &Asked, figures: &Figures) -> Answer {
    if figures.master_silent < MASTER_SILENT {
        return plain(200, "alive\n");
    }
    plain(503, "the master process does not turn\n")
}

/// Whether requests should be sent here.
fn ready(_: &Asked, figures: &Figures) -> Answer {
    let stage = figures.board.stage;
    let serves = |worker: &super::figures::WorkerFigures| {
        worker.row.state == WorkerState::Ready && worker.silent < WORKER_SILENT
    };
    if !figures.board.is_ready() {
        return plain(503, &format!("{}\n", stage.name()));
    }
    if !figures.workers.iter().any(serves) {
        return plain(503, "every worker is stuck\n");
    }
    plain(200, "ready\n")
}

fn json(_: &Asked, figures: &Figures) -> Answer {
    Answer {
        status: 200,
        content_type: "application/json",
        body: status::write(figures).into_bytes(),
    }
}

fn plain(status: u16, text: &str) -> Answer {
    Answer {
        status,
        content_type: "text/plain; charset=utf-8",
        body: text.as_bytes().to_vec(),
    }
}

impl Answer {
    fn to_bytes(&self, without_body: bool) -> Vec<u8> {
        let Self {
            status,
            content_type,
            body,
        } = self;
        let (reason, length) = (encode::reason(*status), body.len());
        let mut bytes = format!(
            "HTTP/1.1 {status} {reason}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\
             {FIELDS}connection: close\r\n\r\n"
        )
        .into_bytes();
        if !without_body {
            bytes.extend_from_slice(body);
        }
        bytes
    }
}

/// Whether `application/openmetrics-text` is accepted (RFC 9110 §12.5.1), and not with the weight 0.
fn wants_open_metrics(accept: &[u8]) -> bool {
    accept.split(|byte| *byte == b',').any(|range| {
        let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let named = parts.next() == Some(b"application/openmetrics-text");
        let refused = parts.any(|part| {
            let weight = part.strip_prefix(b"q=");
            weight.is_some_and(|digits| digits.iter().all(|digit| matches!(digit, b'0' | b'.')))
        });
        named && !refused
    })
}

/// For every answer: nothing is kept, guessed, framed, or loaded from elsewhere.
const FIELDS: &str = "cache-control: no-store\r\nx-content-type-options: nosniff\r\n\
     content-security-policy: default-src 'none'; style-src 'self'; script-src 'self'; \
     connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
     cross-origin-resource-policy: same-origin\r\nreferrer-policy: no-referrer\r\n";
/// A master says something each second.
const MASTER_SILENT: Duration = Duration::from_secs(10);
/// An event loop turns four times a second.
const WORKER_SILENT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::super::testing::figures;
    use super::*;

    #[test]
    fn open_metrics_is_what_prometheus_prefers_and_nobody_gets_unasked() {
        let prometheus: &[u8] = b"application/openmetrics-text;version=1.0.0,\
            application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert!(wants_open_metrics(prometheus));
        for other in [
            "*/*",
            "text/html, */*;q=0.1",
            "application/openmetrics-text;q=0.0",
        ] {
            assert!(!wants_open_metrics(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn health_follows_the_master_and_its_workers() {
        let asked = Asked {
            path: Vec::new(),
            method: method::GET,
            open_metrics: false,
        };
        let mut now = figures();
        let codes = |now: &Figures| [alive(&asked, now).status, ready(&asked, now).status];
        assert_eq!(codes(&now), [200, 200]);
        for worker in &mut now.workers {
            worker.silent = WORKER_SILENT;
        }
        assert_eq!(codes(&now), [200, 503]);
        let mut now = figures();
        now.board.stage = crate::board::Stage::Draining;
        assert_eq!(codes(&now), [200, 503]);
        now.master_silent = MASTER_SILENT;
        assert_eq!(codes(&now), [503, 503]);
    }
}
