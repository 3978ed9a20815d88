//! From a head to a call: the parser's slices go across as they stand in the read buffer.

use std::rc::Rc;
use std::task::{Context, Poll};

use arrayvec::ArrayVec;
use gateway_spec::Body;
use gateway_spec::abi::host::{Call, CallHead};
use gateway_spec::abi::{Field, method, names, request_flag, scheme, version};

use super::answer::{Answer, Given, Terms};
use super::bounds::Bounds;
use super::exchange::{Docket, Exchange, Io};
use super::label::Label;
use super::places::Waiter;
use super::upload::{self, Upload};
use super::{Connection, Phase, refusal};
use crate::drain;
use crate::http1::{BodyDecoder, BodyFraming, BodyLength, Form, Head, Recipient, Version};
use crate::limits::DISCARD;
use crate::logging::{LoggedRequest, Visit};
use crate::scoreboard::Counter;
use crate::workbench::Verdict;

impl Connection {
    /// Hands the request over. `raw` is its head, `behind` what has been read behind that; how many
    /// bytes of `behind` were its body.
    #[inline]
    pub(super) fn dispatch(
        &mut self,
        head: &Head,
        raw: &[u8],
        behind: &[u8],
        cx: &mut Context<'_>,
    ) -> usize {
        let service = Rc::clone(&self.service);
        let stage = service.drain.phase();
        let mut recipient = Recipient::of(head);
        // A drain ends the connection with the answer to the last request that was read.
        let last = stage >= drain::Phase::Retiring && behind.is_empty();
        self.requests += 1;
        let more = self.requests < service.keep_alive_requests;
        recipient.keep_alive &= more && !service.timeouts.keep_alive.is_zero();
        let mut stale = false;
        if let Some(bench) = &service.workbench {
            match bench.verdict(head.fields(raw)) {
                Verdict::Current => {}
                Verdict::Stale => stale = true,
                Verdict::Page(page) => {
                    self.show(head, raw, &page);
                    return 0;
                }
            }
        }
        let (body, upload, used) = match self.body(head, behind) {
            Ok(parts) => parts,
            Err(status) => {
                recipient.keep_alive = false;
                refusal::write(
                    &mut self.output.bytes,
                    status,
                    &recipient,
                    &service.clock.date,
                );
                self.log(head, raw, |log, visit| log.record(visit, status, 0));
                self.phase = Phase::Linger(DISCARD);
                return 0;
            }
        };
        let closes = last || upload.as_ref().is_some_and(Upload::spoils);
        let offer = head.upgrade(raw);
        let upgradable = offer.is_some() || head.method_id() == method::CONNECT;
        let terms = Terms {
            recipient,
            draining: stage >= drain::Phase::Announced,
            upgradable,
            stale,
            closes,
        };
        if self.output.bytes.capacity() == 0 {
            self.output.bytes = service.take_spare();
        }
        let out = std::mem::take(&mut self.output.bytes);
        let answer = Answer::new(out, terms, Rc::clone(&service.clock.date));
        let mut call = self.call(head, raw, offer, body, answer, cx);
        service.count(Counter::Requests);

        let complete = |answer: &Answer| answer.given.as_ref().is_some_and(Given::is_complete);
        if matches!(call.end(), Poll::Ready(Ok(())))
            && upload.is_none()
            && complete(call.exchange())
        {
            let answer = call.finish(&service.pool);
            self.output.bytes = answer.out;
            if let Some(given) = answer.given {
                self.answered(head, raw, &given);
            }
            return used;
        }
        let docket = self.docket(head, raw, recipient);
        self.go_on(Exchange::new(call, upload, docket));
        used
    }

    /// Answers with the page of `gatewayd dev`; a body is not waited for.
    fn show(&mut self, head: &Head, raw: &[u8], page: &[u8]) {
        let mut recipient = Recipient::of(head);
        recipient.keep_alive = false;
        let date = Rc::clone(&self.service.clock.date);
        let given = refusal::write_page(&mut self.output.bytes, page, &recipient, &date);
        self.log(head, raw, |log, visit| {
            log.record(visit, given.status, given.sent)
        });
        self.phase = Phase::Linger(DISCARD);
    }

    /// The whole answer came at once.
    #[inline]
    fn answered(&mut self, head: &Head, raw: &[u8], given: &Given) {
        if self.service.access_log.is_some() {
            self.log(head, raw, |log, visit| {
                log.record(visit, given.status, given.sent)
            });
        }
        if !given.keep_alive {
            // A client that wanted the end sends nothing behind it.
            let foreseen = !head.keep_alive();
            self.phase = if foreseen {
                Phase::Close
            } else {
                Phase::Linger(DISCARD)
            };
        }
    }

    /// What is to be known of a request that goes on by itself.
    fn docket(&mut self, head: &Head, raw: &[u8], recipient: Recipient) -> Docket {
        let service = &self.service;
        let waiter = self.waiter.take();
        let arrival = match &waiter {
            Some(waiter) => waiter.since,
            None => service.clock.deadlines.now(),
        };
        let place = waiter.and_then(Waiter::take);
        Docket {
            recipient,
            visit: self.visit(head, raw),
            label: Label::new(head.method(raw), head.path(raw)),
            bounds: Bounds::new(arrival, &service.terms),
            place: place.unwrap_or_else(|| service.places.take()),
        }
    }

    /// The request goes on by itself.
    fn go_on(&mut self, mut exchange: Exchange) {
        let mut io = Io {
            socket: &mut self.socket,
            input: &mut self.input,
            input_ended: &mut self.input_ended,
            output: &mut self.output,
            service: &self.service,
            left_behind: &mut self.left_behind,
        };
        if exchange.take_answer(&mut io) {
            self.phase = Phase::Exchange(Box::new(exchange));
        } else {
            exchange.broken_off(&mut io);
            self.phase = Phase::Closed;
        }
    }

    #[inline]
    fn call(
        &self,
        head: &Head,
        raw: &[u8],
        offer: Option<&[u8]>,
        body: Option<Body>,
        answer: Answer,
        cx: &mut Context<'_>,
    ) -> Call<Answer> {
        let lines = head.fields(raw);
        let mut few = ArrayVec::<Field<'_>, FEW>::new();
        let many: Vec<Field<'_>>;
        let fields: &[Field<'_>] = if lines.len() <= FEW {
            few.extend(lines);
            &few
        } else {
            many = lines.collect();
            &many
        };
        let content_length = match head.body() {
            BodyLength::None => Some(0),
            BodyLength::Length(length) => Some(length),
            BodyLength::Chunked => None,
        };
        let service = &*self.service;
        let request = CallHead {
            raw,
            method: head.method(raw),
            method_id: head.method_id(),
            version: match head.version() {
                Version::Http10 => version::HTTP_10,
                Version::Http11 => version::HTTP_11,
            },
            scheme: scheme::HTTP,
            flags: if head.form() == Form::Absolute {
                request_flag::ABSOLUTE_FORM
            } else {
                0
            },
            target: head.target(raw),
            authority: head.authority(raw),
            path: head.path(raw),
            query: head.query(raw),
            mount: &[],
            protocol: offer,
            id: &[],
            fields,
            content_length,
            peer: &self.peer,
            client: &self.peer,
            local: &self.local,
            arrival_ns: service.clock.deadlines.now_ns(),
        };
        Call::start(
            &service.app,
            &service.pool,
            &request,
            body,
            answer,
            cx.waker(),
        )
    }

    /// The body: none, whole, or to be pulled; and how much of `behind` it took.
    #[inline]
    fn body(
        &self,
        head: &Head,
        behind: &[u8],
    ) -> Result<(Option<Body>, Option<Upload>, usize), u16> {
        let length = match head.body() {
            BodyLength::None | BodyLength::Length(0) => return Ok((None, None, 0)),
            BodyLength::Length(length) => Some(length),
            BodyLength::Chunked => None,
        };
        let mut decoder = BodyDecoder::new(head.body(), &self.service.body_limits)
            .map_err(|error| error.status())?;
        if let Some((content, used)) = upload::whole(&mut decoder, behind) {
            return Ok((Some(Body::from(content)), None, used));
        }
        let (upload, body) = Upload::new(decoder, length, head.expect_continue());
        Ok((Some(body), Some(upload), 0))
    }

    fn visit(&self, head: &Head, raw: &[u8]) -> Option<Visit> {
        let log = self.service.access_log.as_ref()?;
        let field = |name| {
            let id = names::id_of(name);
            head.fields(raw)
                .find(|field| field.name_id() == id)
                .map(|field| field.value())
        };
        Some(log.visit(&LoggedRequest {
            client: &self.peer,
            method: head.method(raw),
            target: head.target(raw),
            version: match head.version() {
                Version::Http10 => "HTTP/1.0",
                Version::Http11 => "HTTP/1.1",
            },
            referer: field(b"referer"),
            user_agent: field(b"user-agent"),
        }))
    }

    pub(super) fn log(
        &self,
        head: &Head,
        raw: &[u8],
        record: impl FnOnce(&crate::logging::AccessLog, Visit),
    ) {
        if let (Some(log), Some(visit)) = (&self.service.access_log, self.visit(head, raw)) {
            record(log, visit);
        }
    }

    /// Logs a request whose head could not be read.
    pub(super) fn log_refusal(&self, status: u16) {
        if let Some(log) = &self.service.access_log {
            let visit = log.visit(&LoggedRequest {
                client: &self.peer,
                method: b"-",
                target: b"-",
                version: "-",
                referer: None,
                user_agent: None,
            });
            log.record(visit, status, 0);
        }
    }
}

impl Given {
    /// Whether all of the response stands in the output.
    #[inline]
    fn is_complete(&self) -> bool {
        match self.framing {
            BodyFraming::None => true,
            BodyFraming::Sized(length) => self.rest.is_none() && self.sent == length,
            _ => false,
        }
    }
}

/// Field lines that stand on the stack.
const FEW: usize = 64;
