//! [`Decoder`]: a web server's records as events.

use std::ops::Range;

use crate::error::Error;
use crate::management;
use crate::pairs::Pairs;
use crate::record::{HEADER, Protocol, VERSION, end_request, kind};

/// Reads one connection, in order. It keeps the variables of a request and nothing of its body:
/// [`Decoder::decode`] says where in the caller's buffer that is.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    request: Option<Request>,
    params: Vec<u8>,
    /// The record under way.
    content: Content,
    /// Bytes of it that are still to come.
    left: usize,
    padding: usize,
    /// Records since the last that a request has taken.
    idle: u32,
}

/// What a connection may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's variables, their lengths included.
    pub variables: usize,
    /// Connections that are served at once, which is what a server is told that asks.
    pub connections: u32,
    /// Records without content for a request that may follow one another.
    pub idle_records: u32,
}

/// What a step has found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// More bytes are needed.
    More,
    /// A request has begun.
    Begin,
    /// Its variables are all there.
    Variables,
    /// Its body goes on with the bytes in this range of what was given; never empty.
    Data(Range<usize>),
    /// Its body has ended.
    End,
    /// It is wanted no more. It is to be answered by [`end_request`].
    Abort,
    /// These bytes are to be sent, behind whole records.
    Reply(Vec<u8>),
}

/// One step through the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What they say.
    pub event: Event,
    /// How many bytes were read, to be given no more.
    pub consumed: usize,
}

/// A request that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// The server's number for it.
    pub id: u16,
    /// Whether the connection is to be kept behind the answer (`FCGI_KEEP_CONN`).
    pub keep: bool,
}

#[derive(Clone, Copy, Debug)]
struct Request {
    begun: Begun,
    stage: Stage,
    answered: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Params,
    Body,
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// None: a header is due.
    Header,
    Params,
    Body,
    /// Of no interest.
    Skipped,
}

impl Decoder {
    /// For a new connection.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            request: None,
            params: Vec::new(),
            content: Content::Header,
            left: 0,
            padding: 0,
            idle: 0,
        }
    }

    /// The request under way, until it is [answered](Self::answered).
    #[must_use]
    pub fn request(&self) -> Option<Begun> {
        let request = self.request.filter(|request| !request.answered);
        request.map(|request| request.begun)
    }

    /// The variables of the request, from [`Event::Variables`] on until the next one begins.
    #[must_use]
    pub fn variables(&self) -> Pairs<'_> {
        Pairs::new(&self.params)
    }

    /// The request was answered to its end; what still comes of its body is told all the same, and
    /// another may begin.
    pub fn answered(&mut self) {
        match &mut self.request {
            Some(request) if request.stage != Stage::Ended => request.answered = true,
            _ => {
                self.request = None;
                self.params = Vec::new();
            }
        }
    }

    /// Reads one step of `input`, which begins behind what was consumed before.
    ///
    /// # Errors
    ///
    /// An [`Error`]: the connection is of no more use.
    pub fn decode(&mut self, input: &[u8]) -> Result<Step, Error> {
        let mut at = 0;
        loop {
            let there = &input[at..];
            if self.left == 0 && self.content != Content::Header {
                // Padding belongs to the record; an empty stream has ended with its header already.
                let skipped = self.padding.min(there.len());
                self.padding -= skipped;
                at += skipped;
                if self.padding > 0 {
                    return step(Event::More, at);
                }
                self.content = Content::Header;
                continue;
            }
            let taken = self.left.min(there.len());
            match self.content {
                Content::Header => {
                    let (event, consumed) = self.header(there)?;
                    at += consumed;
                    if let Some(event) = event {
                        return step(event, at);
                    }
                }
                _ if taken == 0 => return step(Event::More, at),
                Content::Params => {
                    self.params.extend_from_slice(&there[..taken]);
                    self.left -= taken;
                    at += taken;
                }
                Content::Body => {
                    self.left -= taken;
                    return step(Event::Data(at..at + taken), at + taken);
                }
                Content::Skipped => {
                    self.left -= taken;
                    at += taken;
                }
            }
        }
    }

    /// Reads a record's header, and its content if that is short: what is to be told, and how many
    /// bytes that were.
    fn header(&mut self, there: &[u8]) -> Result<(Option<Event>, usize), Error> {
        let Some(&[version, kind, id1, id0, length1, length0, padding, _]) = there.first_chunk()
        else {
            return Ok((Some(Event::More), 0));
        };
        if version != VERSION {
            return Err(Error::Version(version));
        }
        let id = u16::from_be_bytes([id1, id0]);
        let length = usize::from(u16::from_be_bytes([length1, length0]));
        let is_ours = self.request.is_some_and(|request| request.begun.id == id);
        let rest = &there[HEADER..];
        let (content, event) = match (kind, self.request) {
            (kind::BEGIN_REQUEST, _) => {
                if length != BEGIN || id == 0 {
                    return Err(Error::Begin);
                }
                let Some(body) = rest.first_chunk() else {
                    return Ok((Some(Event::More), 0));
                };
                let event = self.begin(id, *body)?;
                self.expect(Content::Skipped, 0, padding);
                return Ok((Some(event), HEADER + BEGIN));
            }
            _ if id == 0 => {
                if length > MANAGEMENT {
                    return Err(Error::Management(length));
                }
                let Some(content) = rest.get(..length) else {
                    return Ok((Some(Event::More), 0));
                };
                self.note_idle()?;
                let mut reply = Vec::new();
                management::answer(&mut reply, kind, content, self.limits.connections);
                self.expect(Content::Skipped, 0, padding);
                return Ok((Some(Event::Reply(reply)), HEADER + length));
            }
            (kind::PARAMS, Some(request)) if is_ours => {
                (Content::Params, self.params(request, length)?)
            }
            (kind::STDIN, Some(request)) if is_ours => (Content::Body, self.body(request, length)?),
            (kind::ABORT_REQUEST, Some(request)) if is_ours && !request.answered => {
                (Content::Skipped, Some(Event::Abort))
            }
            // FCGI_DATA is for filters; other ids are those of requests that were refused, or answered.
            _ => {
                self.note_idle()?;
                (Content::Skipped, None)
            }
        };
        self.expect(content, length, padding);
        Ok((event, HEADER))
    }

    fn begin(&mut self, id: u16, body: [u8; BEGIN]) -> Result<Event, Error> {
        let [role1, role0, flags, ..] = body;
        let refusal = match self.request {
            Some(request) if !request.answered && request.begun.id == id => {
                return Err(Error::BegunTwice);
            }
            Some(request) if !request.answered => Some(Protocol::CannotMultiplex),
            _ if [role1, role0] != RESPONDER => Some(Protocol::UnknownRole),
            _ => None,
        };
        if let Some(why) = refusal {
            self.note_idle()?;
            let mut reply = Vec::new();
            end_request(&mut reply, id, why);
            return Ok(Event::Reply(reply));
        }
        let keep = flags & KEEP_CONNECTION != 0;
        self.idle = 0;
        self.params.clear();
        self.request = Some(Request {
            begun: Begun { id, keep },
            stage: Stage::Params,
            answered: false,
        });
        Ok(Event::Begin)
    }

    fn params(&mut self, request: Request, length: usize) -> Result<Option<Event>, Error> {
        if request.stage != Stage::Params {
            return Err(Error::Order);
        }
        if length == 0 {
            self.enter(Stage::Body);
            return Ok(Some(Event::Variables));
        }
        if self.params.len() + length > self.limits.variables {
            return Err(Error::TooManyVariables);
        }
        Ok(None)
    }

    fn body(&mut self, request: Request, length: usize) -> Result<Option<Event>, Error> {
        if request.stage != Stage::Body {
            return Err(Error::Order);
        }
        self.idle = 0;
        if length > 0 {
            return Ok(None);
        }
        self.enter(Stage::Ended);
        if request.answered {
            self.request = None;
        }
        Ok(Some(Event::End))
    }

    fn enter(&mut self, stage: Stage) {
        if let Some(request) = &mut self.request {
            request.stage = stage;
        }
    }

    fn expect(&mut self, content: Content, length: usize, padding: u8) {
        self.content = content;
        self.left = length;
        self.padding = usize::from(padding);
    }

    fn note_idle(&mut self) -> Result<(), Error> {
        self.idle += 1;
        if self.idle > self.limits.idle_records {
            return Err(Error::TooManyRecords);
        }
        Ok(())
    }
}

fn step(event: Event, consumed: usize) -> Result<Step, Error> {
    Ok(Step { event, consumed })
}

/// Bytes of content of `FCGI_BEGIN_REQUEST`.
const BEGIN: usize = 8;
const RESPONDER: [u8; 2] = [0, 1];
const KEEP_CONNECTION: u8 = 1;
/// Bytes of content of a management record.
const MANAGEMENT: usize = 1024;

#[cfg(test)]
mod tests;
