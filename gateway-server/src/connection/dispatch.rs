//! The requests of a turn, one after another: called, answered or left to go on by themselves.

use std::io;
use std::rc::Rc;
use std::task::Waker;

use gateway_spec::Body;
use gateway_spec::abi::host::Call;
use gateway_spec::abi::method;

use super::account::Outcome;
use super::answer::{Amends, Answer, Given, Terms};
use super::application::Application;
use super::ends::Ends;
use super::exchange::Exchange;
use super::handover::Request;
use super::output::{HIGH_WATER, Output};
use super::places::Waiter;
use super::service::Service;
use super::upload::{self, Upload};
use super::{Connection, Phase, refusal};
use crate::drain;
use crate::http1::{BodyDecoder, Head, Outgoing, Recipient};
use crate::scoreboard;
use crate::wire::Wire;

/// What the requests of one turn share.
pub(super) struct Turn<'t> {
    pub(super) service: &'t Rc<Service>,
    /// Where their answers are written. A call that goes on takes it along; then the turn is over.
    answer: Option<Box<Answer>>,
    drain: drain::Phase,
    /// Whether connections are kept for another request at all.
    keeps: bool,
    /// Whether somebody else than the first application may answer them.
    pub(super) detours: bool,
    /// Whom the request is for that was read last.
    pub(super) application: &'t Rc<Application>,
    /// What is changed of the response.
    pub(super) amends: Amends,
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
            detours: ends.entrance.redirects.is_some() || service.detours,
            application: &service.applications[0],
            amends: service.amends,
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

    /// Has `output`, which is empty, send what was written, and what comes behind it.
    pub(super) fn hand_on(&mut self, output: &mut Output) {
        if let Some(mut answer) = self.answer.take() {
            std::mem::swap(&mut output.bytes, &mut answer.out);
            self.service.give_answer(answer);
        }
    }

    /// Whether a connection of which nothing more was read is to end with the next answer.
    pub(super) fn is_last(&self) -> bool {
        self.drain >= drain::Phase::Retiring
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
        let request = Request::http1(head, raw);
        let draining = turn.drain >= drain::Phase::Announced;
        let upgradable = request.offer.is_some() || head.method_id() == method::CONNECT;
        // A drain ends the connection with the answer to the last request that was read.
        let closes = turn.drain >= drain::Phase::Retiring && behind.is_empty();
        let terms = Terms::new(recipient, draining, upgradable, turn.amends).closing(closes);
        if turn.detours || head.has_body() {
            return self.hand_over_with_care(turn, &request, terms, behind);
        }
        let answer = turn.begin(terms);
        let to = (&**service, &**turn.application);
        let call = service.slot.at(raw, || {
            self.ends
                .call_without_body(to, &request, answer, turn.waker)
        });
        self.called(turn, &request, recipient, call, None, 0);
        0
    }

    /// The same, for a request with a body, or for one of several applications; how many bytes of
    /// `behind` were the body.
    #[inline(never)]
    fn hand_over_with_care(
        &mut self,
        turn: &mut Turn<'_>,
        request: &Request<'_>,
        terms: Terms,
        behind: &[u8],
    ) -> usize {
        match body(turn.application, request.head, behind) {
            Ok((body, upload, used)) => {
                let last = turn.drain >= drain::Phase::Retiring && used == behind.len();
                let spoilt = upload.as_ref().is_some_and(Upload::spoils);
                let answer = turn.begin(terms.closing(last || spoilt));
                let to = (&**turn.service, &**turn.application);
                let call = turn.application.at(&turn.service.slot, request.raw, || {
                    self.ends.call(to, request, body, answer, turn.waker)
                });
                self.called(turn, request, terms.recipient(), call, upload, used);
                used
            }
            Err(status) => {
                let mut recipient = terms.recipient();
                recipient.keep_alive = false;
                let date = &turn.service.clock.date;
                let given = refusal::write(turn.out(), status, &recipient, date);
                let outcome = Outcome::of(&given, 0);
                let (queued, name) = (self.queued_ns(), turn.application.name());
                self.ends
                    .note_refusal(turn.service, name, request, queued, outcome);
                self.phase = Phase::LINGER;
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
        received: usize,
    ) {
        turn.requests += 1;
        match called {
            Ok(mut answer) => {
                if let Some(given) = &answer.given {
                    self.answered(turn.application, request, given, &answer, received);
                }
                answer.given = None;
                turn.answer = Some(answer);
            }
            Err(call) => {
                let slot = &turn.service.slot;
                let make = || slot.named().unwrap_or_else(scoreboard::new_id);
                let id = call.shared().settle_id(make);
                let waited = self.waiter.take().map(Waiter::end);
                let (service, application) = (turn.service, turn.application);
                let docket = self
                    .ends
                    .docket(service, application, request, recipient, waited, id);
                self.go_on(Exchange::new(call, upload, docket, received as u64));
            }
        }
    }

    /// The whole answer came at once.
    #[inline(always)]
    fn answered(
        &mut self,
        application: &Application,
        request: &Request<'_>,
        given: &Given,
        answer: &Answer,
        received: usize,
    ) {
        let service = &self.io.service;
        if service.observed {
            if service.describes {
                self.describe(application, request, given, answer, received);
            } else {
                service.count_answer(request.method_id(), self.queued_ns(), given, received);
            }
        }
        if !given.keep_alive {
            // A client that wanted the end sends nothing behind it.
            let foreseen = !request.head.keep_alive();
            self.phase = if foreseen {
                Phase::Close
            } else {
                Phase::LINGER
            };
        }
    }

    /// Writes down an answer that came at once.
    #[inline(never)]
    fn describe(
        &self,
        application: &Application,
        request: &Request<'_>,
        given: &Given,
        answer: &Answer,
        received: usize,
    ) {
        let outcome = Outcome::of(given, received as u64).noting(answer.noted());
        let (queued, name) = (self.queued_ns(), application.name());
        self.ends
            .note(&self.io.service, name, request, queued, outcome);
    }

    /// When the request began to wait for its place, if it did.
    fn queued_ns(&self) -> Option<u64> {
        self.waiter.as_ref().map(|waiter| waiter.since_ns)
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
}

/// The body, if there is one: whole, or to be pulled; and how much of `behind` it took.
fn body(
    application: &Application,
    head: &Head,
    behind: &[u8],
) -> Result<(Option<Body>, Option<Upload>, usize), u16> {
    if !head.has_body() {
        return Ok((None, None, 0));
    }
    let mut decoder =
        BodyDecoder::new(head.body(), &application.body_limits).map_err(|error| error.status())?;
    if let Some((content, used)) = upload::whole(&mut decoder, behind) {
        return Ok((Some(Body::from(content)), None, used));
    }
    let (upload, body) = Upload::new(decoder, head.body().announced(), head.expect_continue());
    Ok((Some(body), Some(upload), 0))
}
