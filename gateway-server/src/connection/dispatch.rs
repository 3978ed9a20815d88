//! The requests of a turn, one after another: called, answered or left to go on by themselves.

use std::io;
use std::rc::Rc;
use std::task::Waker;

use gateway_spec::Body;
use gateway_spec::abi::host::Call;
use gateway_spec::abi::method;

use super::answer::{Answer, Given, Terms};
use super::bounds::Bounds;
use super::case::Docket;
use super::ends::Ends;
use super::exchange::Exchange;
use super::handover::Request;
use super::label::Label;
use super::output::{HIGH_WATER, Output};
use super::places::Waiter;
use super::service::Service;
use super::upload::{self, Upload};
use super::{Connection, Phase, redirect, refusal};
use crate::drain;
use crate::http1::{BodyDecoder, BodyLength, Head, Outgoing, Recipient};
use crate::limits::DISCARD;
use crate::scoreboard::RequestId;
use crate::wire::Wire;
use crate::workbench::{Verdict, Workbench};

/// What the requests of one turn share.
pub(super) struct Turn<'t> {
    service: &'t Rc<Service>,
    /// Where their answers are written. A call that goes on takes it along; then the turn is over.
    answer: Option<Box<Answer>>,
    drain: drain::Phase,
    /// Whether connections are kept for another request at all.
    keeps: bool,
    /// Whether somebody else than the application may answer them.
    detours: bool,
    /// How many were handed to the application.
    requests: u64,
    waker: &'t Waker,
}

impl<'t> Turn<'t> {
    #[inline]
    pub(super) fn new(service: &'t Rc<Service>, ends: &Ends, waker: &'t Waker) -> Self {
        Self {
            service,
            answer: Some(service.take_answer()),
            drain: service.drain.phase(),
            keeps: !service.timeouts.keep_alive.is_zero(),
            detours: ends.entrance.redirects.is_some() || service.workbench.is_some(),
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
        if turn.detours {
            match self.detour(turn, head, raw) {
                Some(verdict) => stale = verdict,
                None => return 0,
            }
        }
        let request = Request::http1(head, raw);
        let terms = Terms {
            recipient,
            draining: turn.drain >= drain::Phase::Announced,
            upgradable: request.offer.is_some() || head.method_id() == method::CONNECT,
            stale,
            // A drain ends the connection with the answer to the last request that was read.
            closes: turn.drain >= drain::Phase::Retiring && behind.is_empty(),
        };
        if head.has_body() {
            return self.hand_over_with_body(turn, &request, terms, behind);
        }
        let answer = turn.begin(terms);
        let call = service.slot.at(raw, || {
            self.ends
                .call_without_body(service, &request, answer, turn.waker)
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
                    self.ends
                        .call(turn.service, request, Some(body), answer, turn.waker)
                });
                self.called(turn, request, terms.recipient, call, upload);
                used
            }
            Err(status) => {
                terms.recipient.keep_alive = false;
                let date = &turn.service.clock.date;
                refusal::write(turn.out(), status, &terms.recipient, date);
                self.ends.log(turn.service, request, |log, visit| {
                    log.record(visit, status, 0);
                });
                self.phase = Phase::Linger(DISCARD);
                0
            }
        }
    }

    /// The application was called: the answer is there, or the request goes on by itself.
    #[inline(always)]
    fn called(
        &mut self,
        turn: &mut Turn<'_>,
        request: &Request<'_>,
        recipient: Recipient,
        called: Result<Box<Answer>, Call<Box<Answer>>>,
        upload: Option<Upload>,
    ) {
        turn.requests += 1;
        match called {
            Ok(mut answer) => {
                if let Some(given) = &answer.given {
                    self.answered(request, given);
                }
                answer.given = None;
                turn.answer = Some(answer);
            }
            Err(call) => {
                let docket = self.docket(request, recipient, call.shared().request_id());
                self.go_on(Exchange::new(call, upload, docket));
            }
        }
    }

    /// Whether the application is older than its sources, or `None` if the request was answered already:
    /// sent on to https, or with a page of `gatewayd dev`.
    #[cold]
    fn detour(&mut self, turn: &mut Turn<'_>, head: &Head, raw: &[u8]) -> Option<bool> {
        if let Some(port) = self.ends.entrance.redirects {
            self.send_on(turn.out(), head, raw, port);
            return None;
        }
        match &turn.service.workbench {
            Some(bench) => self.consult(bench, turn, head, raw),
            None => Some(false),
        }
    }

    /// Under `gatewayd dev`: whether the application is older than its sources, or `None` if the request
    /// was answered with a page instead.
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
        let request = Request::http1(head, raw);
        self.ends.log(&self.io.service, &request, |log, visit| {
            log.record(visit, given.status, given.sent)
        });
        self.phase = Phase::Linger(DISCARD);
    }

    /// Sends the client on to https; a body is not waited for.
    fn send_on(&mut self, out: &mut Outgoing, head: &Head, raw: &[u8], port: u16) {
        let mut recipient = Recipient::of(head);
        let last = self.io.service.drain.is_draining();
        recipient.keep_alive &= !head.has_body() && !last;
        let date = &self.io.service.clock.date;
        let given = match redirect::location(head, raw, port) {
            Some(location) => refusal::write_redirect(out, &location, &recipient, date),
            None => refusal::write(out, 400, &recipient, date),
        };
        let request = Request::http1(head, raw);
        self.ends.log(&self.io.service, &request, |log, visit| {
            log.record(visit, given.status, given.sent)
        });
        if !given.keep_alive {
            self.phase = Phase::Linger(DISCARD);
        }
    }

    /// The whole answer came at once.
    #[inline(always)]
    fn answered(&mut self, request: &Request<'_>, given: &Given) {
        if self.io.service.access_log.is_some() {
            self.log_answered(request, given);
        }
        if !given.keep_alive {
            // A client that wanted the end sends nothing behind it.
            let foreseen = !request.head.keep_alive();
            self.phase = if foreseen {
                Phase::Close
            } else {
                Phase::Linger(DISCARD)
            };
        }
    }

    #[inline(never)]
    fn log_answered(&self, request: &Request<'_>, given: &Given) {
        self.ends.log(&self.io.service, request, |log, visit| {
            log.record(visit, given.status, given.sent);
        });
    }

    /// What is to be known of a request that goes on by itself.
    fn docket(&mut self, request: &Request<'_>, recipient: Recipient, id: RequestId) -> Docket {
        let text = request.text();
        let service = &self.io.service;
        let waiter = self.waiter.take();
        let arrival = match &waiter {
            Some(waiter) => waiter.since,
            None => service.clock.deadlines.now(),
        };
        let place = waiter.and_then(Waiter::take);
        Docket {
            recipient,
            visit: self.ends.visit(&self.io.service, request),
            label: Label::new(text[0], text[1], id),
            bounds: Bounds::new(arrival, &service.terms),
            place: place.unwrap_or_else(|| service.places.take()),
            held: service
                .slot
                .hold(id, service.clock.deadlines.now_ns(), text),
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
}
