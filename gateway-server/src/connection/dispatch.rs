//! From a head to a call: the parser's slices go across as they stand in the read buffer.

use std::io;
use std::rc::Rc;
use std::task::{Poll, Waker};

use arrayvec::ArrayVec;
use gateway_spec::Body;
use gateway_spec::abi::host::{Call, CallHead};
use gateway_spec::abi::{Field, method, names, request_flag, version};

use super::answer::{Answer, Given, Terms};
use super::bounds::Bounds;
use super::exchange::{Docket, Exchange};
use super::label::Label;
use super::output::{HIGH_WATER, Output};
use super::places::Waiter;
use super::service::Service;
use super::upload::{self, Upload};
use super::{Connection, Phase, refusal};
use crate::drain;
use crate::http1::{BodyDecoder, BodyLength, Form, Head, Outgoing, Recipient, Version};
use crate::limits::DISCARD;
use crate::logging::{LoggedRequest, Visit};
use crate::wire::Wire;
use crate::workbench::{Verdict, Workbench};

/// What a request line says: method, target, version.
pub(super) type RequestLine<'a> = (&'a [u8], &'a [u8], Version);

/// A request that is handed over.
#[derive(Clone, Copy)]
struct Request<'r> {
    head: &'r Head,
    raw: &'r [u8],
    /// The protocols that the client would like to switch to.
    offer: Option<&'r [u8]>,
}

/// What the requests of one turn share.
pub(super) struct Turn<'t> {
    service: &'t Rc<Service>,
    /// Where their answers are written. A call that goes on takes it along; then the turn is over.
    answer: Option<Box<Answer>>,
    drain: drain::Phase,
    /// Whether connections are kept for another request at all.
    keeps: bool,
    /// How many were handed to the application.
    requests: u64,
    waker: &'t Waker,
}

impl<'t> Turn<'t> {
    #[inline]
    pub(super) fn new(service: &'t Rc<Service>, waker: &'t Waker) -> Self {
        Self {
            service,
            answer: Some(service.take_answer()),
            drain: service.drain.phase(),
            keeps: !service.timeouts.keep_alive.is_zero(),
            requests: 0,
            waker,
        }
    }

    /// Whether more should be written before more is produced.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.answer
            .as_ref()
            .is_some_and(|answer| answer.out.len() >= HIGH_WATER)
    }

    /// The answer to another request.
    #[inline(always)]
    fn begin(&mut self, terms: Terms) -> Box<Answer> {
        let answer = self.answer.take();
        let mut answer = answer.unwrap_or_else(|| self.service.take_answer());
        answer.begin(terms);
        answer
    }

    /// Where answers of the server's own are written.
    pub(super) fn out(&mut self) -> &mut Outgoing {
        let answer = self
            .answer
            .get_or_insert_with(|| self.service.take_answer());
        &mut answer.out
    }

    /// Ends it: sends what was written.
    ///
    /// # Errors
    ///
    /// The connection broke.
    #[inline]
    pub(super) fn end(self, output: &mut Output, wire: &mut Wire) -> io::Result<()> {
        self.service.count_requests(self.requests);
        let Some(mut answer) = self.answer else {
            return Ok(());
        };
        let sent = if answer.out.is_empty() {
            Ok(())
        } else {
            output.send(&mut answer.out, wire)
        };
        self.service.give_answer(answer);
        sent
    }
}

impl Connection {
    /// Hands the request over. `raw` is its head, `behind` what has been read behind that; how many
    /// bytes of `behind` were its body.
    #[inline(always)]
    pub(super) fn dispatch(
        &mut self,
        turn: &mut Turn<'_>,
        head: &Head,
        raw: &[u8],
        behind: &[u8],
    ) -> usize {
        let service = turn.service;
        let mut recipient = Recipient::of(head);
        self.requests += 1;
        let more = self.requests < service.keep_alive_requests;
        recipient.keep_alive &= more && turn.keeps;
        let mut stale = false;
        if let Some(bench) = &service.workbench {
            match self.consult(bench, turn, head, raw) {
                Some(verdict) => stale = verdict,
                None => return 0,
            }
        }
        let offer = head.upgrade(raw);
        let terms = Terms {
            recipient,
            draining: turn.drain >= drain::Phase::Announced,
            upgradable: offer.is_some() || head.method_id() == method::CONNECT,
            stale,
            // A drain ends the connection with the answer to the last request that was read.
            closes: turn.drain >= drain::Phase::Retiring && behind.is_empty(),
        };
        let request = Request { head, raw, offer };
        if head.has_body() {
            return self.hand_over_with_body(turn, &request, terms, behind);
        }
        let answer = turn.begin(terms);
        let call = service.slot.at(raw, || {
            self.call(service, &request, None, answer, turn.waker)
        });
        self.called(turn, &request, recipient, call, None);
        0
    }

    /// The same, for a request with a body; how many bytes of `behind` were that.
    #[inline(never)]
    fn hand_over_with_body(
        &mut self,
        turn: &mut Turn<'_>,
        request: &Request<'_>,
        mut terms: Terms,
        behind: &[u8],
    ) -> usize {
        match self.body(request.head, behind) {
            Ok((body, upload, used)) => {
                terms.closes |= turn.drain >= drain::Phase::Retiring && used == behind.len();
                terms.closes |= upload.as_ref().is_some_and(Upload::spoils);
                let answer = turn.begin(terms);
                let call = turn.service.slot.at(request.raw, || {
                    self.call(turn.service, request, Some(body), answer, turn.waker)
                });
                self.called(turn, request, terms.recipient, call, upload);
                used
            }
            Err(status) => {
                terms.recipient.keep_alive = false;
                let date = &turn.service.clock.date;
                refusal::write(turn.out(), status, &terms.recipient, date);
                self.log(request.head, request.raw, |log, visit| {
                    log.record(visit, status, 0);
                });
                self.phase = Phase::Linger(DISCARD);
                0
            }
        }
    }

    /// The call has been started: the answer is there, or the request goes on by itself.
    #[inline(always)]
    fn called(
        &mut self,
        turn: &mut Turn<'_>,
        request: &Request<'_>,
        recipient: Recipient,
        mut call: Call<Box<Answer>>,
        upload: Option<Upload>,
    ) {
        turn.requests += 1;
        if upload.is_none()
            && matches!(call.end(), Poll::Ready(Ok(())))
            && call.exchange().is_complete()
        {
            let mut answer = call.finish(&turn.service.pool);
            if let Some(given) = answer.given.take() {
                self.answered(request.head, request.raw, &given);
            }
            turn.answer = Some(answer);
            return;
        }
        let docket = self.docket(request, recipient, turn.requests);
        self.go_on(Exchange::new(call, upload, docket));
    }

    /// Under `gatewayd dev`: whether the application is older than its sources, or `None` if the request
    /// was answered with a page instead.
    #[cold]
    fn consult(
        &mut self,
        bench: &Workbench,
        turn: &mut Turn<'_>,
        head: &Head,
        raw: &[u8],
    ) -> Option<bool> {
        match bench.verdict(head.fields(raw)) {
            Verdict::Current => Some(false),
            Verdict::Stale => Some(true),
            Verdict::Page(page) => {
                self.show(turn.out(), head, raw, &page);
                None
            }
        }
    }

    /// Answers with the page of `gatewayd dev`; a body is not waited for.
    fn show(&mut self, out: &mut Outgoing, head: &Head, raw: &[u8], page: &[u8]) {
        let mut recipient = Recipient::of(head);
        recipient.keep_alive = false;
        let given = refusal::write_page(out, page, &recipient, &self.io.service.clock.date);
        self.log(head, raw, |log, visit| {
            log.record(visit, given.status, given.sent)
        });
        self.phase = Phase::Linger(DISCARD);
    }

    /// The whole answer came at once.
    #[inline]
    fn answered(&mut self, head: &Head, raw: &[u8], given: &Given) {
        if self.io.service.access_log.is_some() {
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

    /// What is to be known of a request that goes on by itself, the `nth` of its turn.
    fn docket(&mut self, request: &Request<'_>, recipient: Recipient, nth: u64) -> Docket {
        let Request { head, raw, .. } = *request;
        let text = [head.method(raw), head.path(raw)];
        let service = &self.io.service;
        let waiter = self.waiter.take();
        let arrival = match &waiter {
            Some(waiter) => waiter.since,
            None => service.clock.deadlines.now(),
        };
        let place = waiter.and_then(Waiter::take);
        Docket {
            recipient,
            visit: self.visit(head, raw),
            label: Label::new(text[0], text[1]),
            bounds: Bounds::new(arrival, &service.terms),
            place: place.unwrap_or_else(|| service.places.take()),
            held: service
                .slot
                .hold(nth, service.clock.deadlines.now_ns(), text),
        }
    }

    /// The request goes on by itself.
    fn go_on(&mut self, mut exchange: Exchange) {
        if exchange.take_answer(&mut self.io) {
            self.phase = Phase::Exchange(Box::new(exchange));
        } else {
            exchange.broken_off(&mut self.io);
            self.phase = Phase::Closed;
        }
    }

    #[inline(always)]
    fn call(
        &self,
        service: &Service,
        request: &Request<'_>,
        body: Option<Body>,
        answer: Box<Answer>,
        waker: &Waker,
    ) -> Call<Box<Answer>> {
        let Request { head, raw, .. } = *request;
        let lines = head.fields(raw);
        let count = lines.len();
        if count > FEW {
            return self.call_with_many(service, request, body, answer, waker);
        }
        let mut few = [Field::new(0, b"", b""); FEW];
        for (place, line) in few.iter_mut().zip(lines) {
            *place = line;
        }
        self.start(service, request, &few[..count], body, answer, waker)
    }

    /// The same, for a request with more field lines than clients other than browsers send.
    #[inline(never)]
    fn call_with_many(
        &self,
        service: &Service,
        request: &Request<'_>,
        body: Option<Body>,
        answer: Box<Answer>,
        waker: &Waker,
    ) -> Call<Box<Answer>> {
        let lines = request.head.fields(request.raw);
        let mut many = ArrayVec::<Field<'_>, MANY>::new();
        if lines.len() <= MANY {
            for line in lines {
                many.push(line);
            }
            return self.start(service, request, &many, body, answer, waker);
        }
        let all: Vec<Field<'_>> = lines.collect();
        self.start(service, request, &all, body, answer, waker)
    }

    #[inline(always)]
    fn start(
        &self,
        service: &Service,
        request: &Request<'_>,
        fields: &[Field<'_>],
        body: Option<Body>,
        answer: Box<Answer>,
        waker: &Waker,
    ) -> Call<Box<Answer>> {
        let Request { head, raw, offer } = *request;
        let content_length = match head.body() {
            BodyLength::None => Some(0),
            BodyLength::Length(length) => Some(length),
            BodyLength::Chunked => None,
        };
        let mut request = CallHead::new(raw);
        request.set_method(head.method_id(), head.method(raw));
        request.set_version(match head.version() {
            Version::Http10 => version::HTTP_10,
            Version::Http11 => version::HTTP_11,
        });
        if head.form() == Form::Absolute {
            request.set_flags(request_flag::ABSOLUTE_FORM);
        }
        request.set_target(head.target(raw), head.path(raw), head.query(raw));
        request.set_authority(head.authority(raw));
        request.set_protocol(offer);
        request.set_fields(fields);
        request.set_content_length(content_length);
        request.set_addresses(&self.peer, &self.peer, &self.local);
        request.set_arrival(service.clock.deadlines.now_ns());
        Call::start(&service.app, &service.pool, request, body, answer, waker)
    }

    /// The body: whole, or to be pulled; and how much of `behind` it took.
    fn body(&self, head: &Head, behind: &[u8]) -> Result<(Body, Option<Upload>, usize), u16> {
        let length = match head.body() {
            BodyLength::Length(length) => Some(length),
            BodyLength::None | BodyLength::Chunked => None,
        };
        let mut decoder = BodyDecoder::new(head.body(), &self.io.service.body_limits)
            .map_err(|error| error.status())?;
        if let Some((content, used)) = upload::whole(&mut decoder, behind) {
            return Ok((Body::from(content), None, used));
        }
        let (upload, body) = Upload::new(decoder, length, head.expect_continue());
        Ok((body, Some(upload), 0))
    }

    fn visit(&self, head: &Head, raw: &[u8]) -> Option<Visit> {
        let log = self.io.service.access_log.as_ref()?;
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
            version: name_of(head.version()),
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
        if let (Some(log), Some(visit)) = (&self.io.service.access_log, self.visit(head, raw)) {
            record(log, visit);
        }
    }

    /// Logs a request whose head could not be read, or none of it but its first line.
    pub(super) fn log_refusal(&self, status: u16, line: Option<RequestLine<'_>>) {
        if let Some(log) = &self.io.service.access_log {
            let (method, target, version) = match line {
                Some((method, target, version)) => (method, target, name_of(version)),
                None => (&b"-"[..], &b"-"[..], "-"),
            };
            let visit = log.visit(&LoggedRequest {
                client: &self.peer,
                method,
                target,
                version,
                referer: None,
                user_agent: None,
            });
            log.record(visit, status, 0);
        }
    }
}

fn name_of(version: Version) -> &'static str {
    match version {
        Version::Http10 => "HTTP/1.0",
        Version::Http11 => "HTTP/1.1",
    }
}

/// Field lines that stand in a table whose making costs next to nothing.
const FEW: usize = 8;
/// Field lines that stand on the stack; more are put on the heap.
const MANY: usize = 64;
