//! Watches what an application asks of its exchange.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http::StatusCode;

use super::fields::{Line, line_is_valid};
use super::violation::Reports;
use crate::error::Error;
use crate::exchange_host::{HostExchange, TlsInfo};
use crate::fields::Fields;
use crate::rules;

/// The host's exchange with a watch before it.
pub(super) struct WatchedExchange {
    pub(super) host: Arc<dyn HostExchange>,
    pub(super) reports: Reports,
    /// Set once the gateway has returned its response.
    pub(super) is_answered: Arc<AtomicBool>,
}

impl HostExchange for WatchedExchange {
    fn inform(&self, status: StatusCode, fields: &Fields) -> Result<(), Error> {
        let lines = fields.iter().map(|(name, value)| Line {
            name: name.as_str().as_bytes(),
            value: value.as_bytes(),
        });
        let is_answered = self.is_answered.load(Ordering::Acquire);
        check_inform(
            &self.reports,
            u32::from(status.as_u16()),
            lines,
            is_answered,
        );
        self.host.inform(status, fields)
    }

    fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.host.poll_closed(cx)
    }

    fn poll_draining(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.host.poll_draining(cx)
    }

    fn finish_on_disconnect(&self) {
        self.host.finish_on_disconnect();
    }

    fn id(&self) -> Option<&[u8]> {
        self.host.id()
    }

    fn tls(&self) -> Option<TlsInfo> {
        self.host.tls()
    }
}

/// Reports what is wrong with an interim response.
pub(crate) fn check_inform<'a>(
    reports: &Reports,
    status: u32,
    lines: impl IntoIterator<Item = Line<'a>>,
    is_answered: bool,
) {
    //# [RES-16] Interim responses have a status of 102 to 199, with valid fields, and come before the response. 100
    //# is the host's own; 101 is a response.
    reports.expect((102..=199).contains(&status), rules::RES_16, || {
        format!("expected 102 to 199, found an interim response with status {status}")
    });
    reports.expect(!is_answered, rules::RES_16, || {
        format!("interim response {status} after the response")
    });
    for line in lines {
        reports.expect(line_is_valid(&line), rules::RES_16, || {
            format!("field {} of an interim response", line.describe())
        });
    }
}
