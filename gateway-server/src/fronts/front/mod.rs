//! [`Front`]: a connection of a web server in front, both ways.

use std::rc::Rc;

use bytes::BytesMut;

use super::inbound::{FrontLimits, Inbound, News, Protocol};
use super::outbound::Outbound;
use super::report::Report;

/// Turns the front's bytes into HTTP/1's words, and the answers in those into the front's.
#[derive(Debug)]
pub struct Front {
    inbound: Inbound,
    outbound: Outbound,
    report: Rc<Report>,
    /// The front wants no answer any more.
    aborted: bool,
    /// The front does not keep to its protocol.
    failed: bool,
    /// Nothing more comes.
    ended: bool,
    hears_end: bool,
}

/// What was taken of HTTP/1's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// So many bytes.
    Text(usize),
    /// More input is needed.
    More,
    /// Nothing, and more input is of no use now.
    Nothing,
    /// Nothing more comes.
    End,
    /// Nobody waits for the answer.
    Gone,
    /// The front does not keep to its protocol.
    Fault,
}

impl Front {
    /// For a new connection.
    #[must_use]
    pub fn new(protocol: Protocol, limits: FrontLimits) -> Self {
        let report = Rc::new(Report::default());
        Self {
            inbound: Inbound::new(protocol, limits, Rc::clone(&report)),
            outbound: Outbound::new(protocol),
            report,
            aborted: false,
            failed: false,
            ended: false,
            // A front of FastCGI ends its output only with the connection.
            hears_end: protocol == Protocol::FastCgi,
        }
    }

    /// What is said of the request whose words were taken last.
    pub(crate) fn report(&self) -> &Rc<Report> {
        &self.report
    }

    /// Where input is to be put, behind what is there.
    pub fn input(&mut self) -> &mut BytesMut {
        &mut self.inbound.raw
    }

    /// The front sends no more.
    pub fn end_input(&mut self) {
        self.ended = true;
    }

    /// Takes words of HTTP/1, as many as there are and fit.
    pub fn take(&mut self, into: &mut [u8]) -> Taken {
        if self.outbound.is_last() {
            // Only the end of it is waited for.
            self.inbound.raw.clear();
        } else if !self.failed {
            self.read();
        }
        let text = self.inbound.text();
        let count = text.len().min(into.len());
        if count > 0 {
            into[..count].copy_from_slice(&text[..count]);
            self.inbound.advance(count);
            return Taken::Text(count);
        }
        if self.aborted {
            return Taken::Gone;
        }
        if self.failed {
            return Taken::Fault;
        }
        if self.ended {
            return match self.hears_end && self.inbound.is_asked() {
                true => Taken::Gone,
                false => Taken::End,
            };
        }
        if self.inbound.raw.len() >= AHEAD {
            return Taken::Nothing;
        }
        Taken::More
    }

    /// Whether words can be taken without more input.
    #[must_use]
    pub fn has_text(&self) -> bool {
        !self.inbound.text().is_empty()
    }

    /// Takes what HTTP/1 would send next; [`Front::output`] has what is to be sent.
    pub fn write(&mut self, text: &[u8]) {
        self.outbound.write(text);
        self.note_end();
    }

    /// The server ends its output.
    pub fn finish(&mut self) {
        self.outbound.finish();
        self.note_end();
    }

    /// What is to be sent to the front; who has sent it clears it.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.outbound.bytes
    }

    /// Whether the connection ends behind what is to be sent.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.outbound.is_last()
    }

    /// Holds no memory that is not needed.
    pub fn rest(&mut self) {
        self.inbound.rest();
    }

    fn read(&mut self) {
        let Self {
            inbound,
            outbound,
            aborted,
            ..
        } = self;
        let read = inbound.read(|news| match news {
            News::Begun(id) => outbound.begin(id),
            News::Head => outbound.expect_no_body(),
            News::Reply(bytes) => outbound.bytes.extend_from_slice(&bytes),
            News::Aborted => {
                outbound.abort();
                *aborted = true;
            }
        });
        if let Err(fault) = read {
            tracing::debug!("a front's connection ends: {fault}");
            self.failed = true;
        }
    }

    fn note_end(&mut self) {
        if self.outbound.is_over() && self.inbound.is_asked() {
            self.inbound.answered();
        }
    }
}

/// Bytes that are held of what comes while a request is being answered.
const AHEAD: usize = 64 * 1024;

#[cfg(test)]
mod tests;
