//! [`Inbound`]: a front's bytes, as HTTP/1 would have brought them.

use std::rc::Rc;

use bytes::{Buf as _, BytesMut};
use gateway_fastcgi::{self as fastcgi, Decoder, Event};

use super::report::{Report, Unwritable};
use super::request::{Brought, RequestError, bring};

/// What a front speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// FastCGI 1.0, responders.
    FastCgi,
    /// SCGI.
    Scgi,
    /// uwsgi, with 0 as first modifier.
    Uwsgi,
}

/// What a front's connection may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrontLimits {
    /// Bytes of a request's variables; more of them are answered 431.
    pub variables: usize,
    /// Connections that are served at once, for a front that asks.
    pub connections: u32,
    /// Records of FastCGI that carry nothing for a request and may follow one another.
    pub idle_records: u32,
}

/// One connection, from the front to us.
#[derive(Debug)]
pub(super) struct Inbound {
    records: Records,
    limit: usize,
    /// What was received and not read yet.
    pub(super) raw: BytesMut,
    /// HTTP/1's words, from `taken` on.
    text: Vec<u8>,
    taken: usize,
    stage: Stage,
    /// The last byte of a body, until nothing follows it.
    held: Option<u8>,
    /// The beginning of a request has been told.
    is_begun: bool,
    /// What was refused is not read again, nor what follows it.
    is_refused: bool,
    report: Rc<Report>,
}

#[derive(Debug)]
enum Records {
    FastCgi(Box<Decoder>),
    Scgi,
    Uwsgi,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Its variables are due.
    Variables,
    /// Its head stands there but for its end: whether a body follows is seen by what comes next. It
    /// was said that there is none.
    Undecided { denied: bool },
    /// So many bytes of its body are due.
    Sized(u64),
    /// Its body goes on until it ends, and is written in chunks.
    Chunked,
    /// Its body goes on as it is.
    Verbatim,
    /// Nothing of it is due.
    Whole,
}

/// What only the answer has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// A request has begun, with the front's number for it.
    Begun(u16),
    /// The answer to it has no body.
    Head,
    /// It is wanted no more.
    Aborted,
    /// These bytes are to be sent.
    Reply(Vec<u8>),
}

/// The front does not keep to its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("{0}")]
    FastCgi(#[from] fastcgi::Error),
    /// The body is not as long as was said.
    #[error("expected a body of CONTENT_LENGTH bytes, found {0}")]
    Length(&'static str),
}

impl Inbound {
    pub(super) fn new(protocol: Protocol, limits: FrontLimits, report: Rc<Report>) -> Self {
        let decoder = fastcgi::Limits {
            variables: limits.variables,
            connections: limits.connections,
            idle_records: limits.idle_records,
        };
        Self {
            records: match protocol {
                Protocol::FastCgi => Records::FastCgi(Box::new(Decoder::new(decoder))),
                Protocol::Scgi => Records::Scgi,
                Protocol::Uwsgi => Records::Uwsgi,
            },
            limit: limits.variables,
            raw: BytesMut::new(),
            text: Vec::new(),
            taken: 0,
            stage: Stage::Variables,
            held: None,
            is_begun: false,
            is_refused: false,
            report,
        }
    }

    /// Words that are ready to be taken.
    pub(super) fn text(&self) -> &[u8] {
        match self.stage {
            Stage::Undecided { .. } => b"",
            _ => &self.text[self.taken..],
        }
    }

    /// Words were taken.
    pub(super) fn advance(&mut self, count: usize) {
        self.taken += count;
        if self.taken == self.text.len() {
            self.text.clear();
            self.taken = 0;
        }
    }

    /// Whether the answer to a request is due.
    pub(super) fn is_asked(&self) -> bool {
        match &self.records {
            Records::FastCgi(decoder) => decoder.request().is_some(),
            _ => self.stage != Stage::Variables,
        }
    }

    /// The request was answered to its end.
    pub(super) fn answered(&mut self) {
        if let Records::FastCgi(decoder) = &mut self.records {
            decoder.answered();
            self.is_begun = false;
            if self.stage == Stage::Whole {
                self.stage = Stage::Variables;
            }
        }
    }

    /// Holds no memory between requests.
    pub(super) fn rest(&mut self) {
        if self.raw.is_empty() {
            self.raw = BytesMut::new();
        }
        if self.text.is_empty() {
            self.text = Vec::new();
        }
    }

    /// Reads on, as far as there is something to read and little waits to be taken.
    pub(super) fn read(&mut self, mut tell: impl FnMut(News)) -> Result<(), Fault> {
        if self.is_refused {
            self.raw.clear();
            return Ok(());
        }
        match self.records {
            Records::FastCgi(_) => self.read_records(&mut tell)?,
            _ => self.read_stream(&mut tell),
        }
        // Variables that come piece by piece have the time of a head: an empty line begins it, which
        // HTTP/1 lets stand before a request.
        let begun = self.stage == Stage::Variables && (self.is_asked() || !self.raw.is_empty());
        if begun && self.text().is_empty() && !std::mem::replace(&mut self.is_begun, true) {
            self.text.extend_from_slice(b"\r\n");
        }
        Ok(())
    }

    fn read_records(&mut self, tell: &mut impl FnMut(News)) -> Result<(), Fault> {
        while self.text.len() - self.taken < ENOUGH && !self.is_refused {
            let Records::FastCgi(decoder) = &mut self.records else {
                break;
            };
            let step = match decoder.decode(&self.raw) {
                Ok(step) => step,
                Err(fastcgi::Error::TooManyVariables) => {
                    self.refuse(431, &"the variables are longer than their limit");
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            match step.event {
                Event::Begin => {
                    if let Some(begun) = decoder.request() {
                        self.stage = Stage::Variables;
                        tell(News::Begun(begun.id));
                    }
                }
                Event::Variables => {
                    let keep = decoder.request().is_some_and(|begun| begun.keep);
                    let pairs = decoder.variables().map(Result::ok);
                    let brought = bring(&mut self.text, pairs, keep);
                    self.begin(brought, tell);
                }
                Event::Data(ref range) => {
                    let piece = range.clone();
                    self.data(piece)?;
                }
                Event::End => self.end()?,
                Event::Abort => tell(News::Aborted),
                Event::Reply(bytes) => tell(News::Reply(bytes)),
                _ => {
                    self.raw.advance(step.consumed);
                    break;
                }
            }
            self.raw.advance(step.consumed);
        }
        Ok(())
    }

    /// A head, then its body.
    fn read_stream(&mut self, tell: &mut impl FnMut(News)) {
        if self.stage == Stage::Variables && !self.raw.is_empty() {
            let (limit, text) = (self.limit, &mut self.text);
            let read = match self.records {
                Records::Scgi => match gateway_scgi::head(&self.raw, limit) {
                    Ok(None) => return,
                    Ok(Some(head)) => {
                        let pairs = head.variables().map(Some);
                        Ok((bring(text, pairs, false), head.length))
                    }
                    Err(gateway_scgi::Error::TooLong) => {
                        Err((431, gateway_scgi::Error::TooLong.to_string()))
                    }
                    Err(error) => Err((400, error.to_string())),
                },
                _ => match gateway_uwsgi::head(&self.raw, limit) {
                    Ok(None) => return,
                    Ok(Some(head)) => {
                        let pairs = head.variables().map(Some);
                        Ok((bring(text, pairs, false), head.length))
                    }
                    Err(gateway_uwsgi::Error::TooLong) => {
                        Err((431, gateway_uwsgi::Error::TooLong.to_string()))
                    }
                    Err(error) => Err((400, error.to_string())),
                },
            };
            match read {
                Ok((brought, length)) => {
                    self.raw.advance(length);
                    self.begin(brought, tell);
                }
                Err((status, why)) => self.refuse(status, &why),
            }
        }
        let left = match self.stage {
            Stage::Sized(left) => usize::try_from(left).unwrap_or(usize::MAX),
            Stage::Verbatim => usize::MAX,
            _ => return,
        };
        let piece = self.raw.len().min(left).min(ENOUGH);
        self.text.extend_from_slice(&self.raw[..piece]);
        self.raw.advance(piece);
        if let Stage::Sized(left) = &mut self.stage {
            *left -= piece as u64;
            if *left == 0 {
                self.stage = Stage::Whole;
            }
        }
    }

    /// The variables were written down, or cannot be.
    fn begin(&mut self, brought: Result<Brought, RequestError>, tell: &mut impl FnMut(News)) {
        let brought = match brought {
            Ok(brought) => brought,
            Err(error) => return self.refuse(error.status(), &error),
        };
        self.report.tell(brought.told);
        if brought.is_head {
            tell(News::Head);
        }
        let is_framed = matches!(self.records, Records::FastCgi(_));
        self.stage = match brought.length {
            Some(length) if length > 0 || !is_framed => {
                let line = format!("content-length: {length}\r\n\r\n");
                self.text.extend_from_slice(line.as_bytes());
                match length {
                    0 => Stage::Whole,
                    length => Stage::Sized(length),
                }
            }
            length if is_framed => Stage::Undecided {
                denied: length.is_some(),
            },
            _ if brought.chunked => {
                self.text
                    .extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
                Stage::Verbatim
            }
            _ => {
                self.text.extend_from_slice(b"\r\n");
                Stage::Whole
            }
        };
    }

    /// A piece of a body that comes in records.
    fn data(&mut self, range: std::ops::Range<usize>) -> Result<(), Fault> {
        let piece = &self.raw[range];
        match &mut self.stage {
            Stage::Undecided { denied: false } => {
                self.text
                    .extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
                chunk(&mut self.text, piece);
                self.stage = Stage::Chunked;
            }
            Stage::Undecided { denied: true } => {
                self.refuse(400, &Fault::Length("more"));
            }
            Stage::Chunked => chunk(&mut self.text, piece),
            Stage::Sized(left) => {
                let length = piece.len() as u64;
                if length > *left {
                    return Err(Fault::Length("more"));
                }
                self.text.extend_from_slice(piece);
                *left -= length;
                if *left == 0 {
                    // Only the end tells that it is the last.
                    self.held = self.text.pop();
                }
            }
            // What belongs to a request that was refused.
            Stage::Variables | Stage::Verbatim | Stage::Whole => {}
        }
        Ok(())
    }

    /// The end of a body that comes in records.
    fn end(&mut self) -> Result<(), Fault> {
        match self.stage {
            Stage::Undecided { denied } => {
                let line: &[u8] = if denied {
                    b"content-length: 0\r\n\r\n"
                } else {
                    b"\r\n"
                };
                self.text.extend_from_slice(line);
            }
            Stage::Chunked => self.text.extend_from_slice(b"0\r\n\r\n"),
            Stage::Sized(0) => self.text.extend(self.held.take()),
            Stage::Sized(_) => return Err(Fault::Length("less")),
            Stage::Variables | Stage::Verbatim | Stage::Whole => {}
        }
        self.stage = if self.is_asked() {
            Stage::Whole
        } else {
            Stage::Variables
        };
        Ok(())
    }

    /// Puts something in the request's place that is no head.
    fn refuse(&mut self, status: u16, why: &dyn std::fmt::Display) {
        let why = why.to_string();
        self.report.refuse(Unwritable { status, why });
        self.text.clear();
        self.taken = 0;
        self.text.push(0);
        self.is_refused = true;
        self.stage = Stage::Whole;
    }
}

/// As HTTP/1 writes it; `piece` is not empty.
fn chunk(text: &mut Vec<u8>, piece: &[u8]) {
    text.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
    text.extend_from_slice(piece);
    text.extend_from_slice(b"\r\n");
}

/// Bytes of text that wait before more is read.
const ENOUGH: usize = 64 * 1024;
