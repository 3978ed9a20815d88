//! [`Stream`]: a request of HTTP/2 whose answer did not come at once, or could not be sent at once: a
//! task of the event loop.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf as _, Bytes};
use gateway_spec::ErrorKind;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::Response;

use super::super::answer::Given;
use super::super::bounds::{Passed, Progress, Waiting};
use super::super::case::{Case, Fault};
use super::super::content::Content;
use super::super::refusal;
use super::super::tunnel::{Pipe as _, Tunnel};
use super::base::{Base, Lodging};
use super::inflow::{Flowed, Inflow};
use super::outflow::Outflow;
use super::pipe::StreamPipe;
use crate::date::Date;
use crate::deadlines::Timer;
use crate::http1::{BodyFraming, Outgoing, Recipient};
use crate::http2::head_of;
use crate::limits::LINGER;
use crate::scoreboard::Deadline;

/// One request in progress.
pub(super) struct Stream {
    case: Case,
    base: Rc<Base>,
    respond: SendResponse<Bytes>,
    inflow: Option<Inflow>,
    outflow: Option<Outflow>,
    /// The other half of a tunnel, until that is there.
    behind: Option<RecvStream>,
    tunnel: Option<(Option<Tunnel>, StreamPipe)>,
    /// What the call wrote and was not sent.
    text: Outgoing,
    timer: Timer,
    ended: bool,
    _lodging: Lodging,
}

/// The stream is of no more use.
struct Broken;

impl Stream {
    /// For a call that was started. `behind` is what follows a request that may become a tunnel.
    pub(super) fn new(
        base: &Rc<Base>,
        case: Case,
        respond: SendResponse<Bytes>,
        inflow: Option<Inflow>,
        behind: Option<RecvStream>,
    ) -> Self {
        Self {
            case,
            base: Rc::clone(base),
            respond,
            inflow,
            outflow: None,
            behind,
            tunnel: None,
            text: Outgoing::default(),
            timer: base.service.clock.deadlines.timer(),
            ended: false,
            _lodging: base.lodge(),
        }
    }

    /// For an answer that is whole, and of which the body waits for the client's window.
    pub(super) fn sending(
        base: &Rc<Base>,
        mut case: Case,
        respond: SendResponse<Bytes>,
        send: SendStream<Bytes>,
        given: Given,
        body: Bytes,
    ) -> Self {
        case.note(&given);
        let source = Content::new(given.framing, given.rest, given.sent);
        let mut stream = Self::new(base, case, respond, None, None);
        stream.outflow = Some(Outflow::new(send, source, body));
        stream
    }

    /// For an answer of the server's own, of which the head stands in `out`.
    pub(super) fn giving(
        base: &Rc<Base>,
        mut case: Case,
        respond: SendResponse<Bytes>,
        out: &[u8],
        given: Given,
    ) -> Self {
        case.note(&given);
        let mut stream = Self::new(base, case, respond, None, None);
        stream.text.extend_from_slice(out);
        if stream.begin(given).is_err() {
            stream.break_off();
        }
        stream
    }

    /// Takes what the call has brought when it was started.
    pub(super) fn take_first_answer(&mut self) {
        if self.take_answer().is_err() {
            self.break_off();
        }
    }

    /// Goes on as far as it can; what it waits for otherwise.
    fn go_on(
        &mut self,
        mut woken: bool,
        cx: &mut Context<'_>,
    ) -> Result<Result<(), Broken>, Waiting> {
        self.tell_draining();
        if let Some(inflow) = &self.inflow {
            inflow.stay_awake();
        }
        loop {
            if woken && self.case.is_called() {
                self.case.poll(false, cx.waker());
                if self.take_answer().is_err() {
                    return Ok(Err(Broken));
                }
            }
            woken = false;
            self.case.take_informs(&mut self.text);
            if self.send_text().is_err() || self.poll_gone(cx).is_ready() {
                return Ok(Err(Broken));
            }
            if let Some(outflow) = &mut self.outflow {
                let polled = outflow.poll(&self.case.label, &self.base.gauge.budget, cx);
                if polled == Poll::Ready(Err(())) {
                    return Ok(Err(Broken));
                }
            }
            if self.is_all_given() {
                self.case.leave_place();
            }
            if self.case.is_upgraded() {
                if let Poll::Ready(end) = self.poll_tunnel(cx) {
                    return Ok(end);
                }
            } else if self.outflow.as_ref().is_some_and(Outflow::is_ended) {
                return Ok(Ok(()));
            }
            let budget = &self.base.gauge.budget;
            let flowed = self.inflow.as_mut().map(|inflow| inflow.poll(budget, cx));
            let waiting = match flowed {
                Some(Flowed::Fed) => {
                    woken = true;
                    continue;
                }
                Some(Flowed::Asked) => {
                    if self.outflow.is_none() {
                        self.text.extend_from_slice(crate::http1::encode::CONTINUE);
                    }
                    continue;
                }
                Some(Flowed::Waiting) => Waiting::Body,
                Some(Flowed::Nothing) | None => Waiting::Application,
            };
            if self.sleep(waiting == Waiting::Body, cx.waker()) {
                return Err(if self.is_blocked() {
                    Waiting::Write
                } else {
                    waiting
                });
            }
        }
    }

    /// Takes the response of a call that was started or polled.
    fn take_answer(&mut self) -> Result<(), Broken> {
        let taken = self.case.take(&mut self.text);
        if let Some(given) = taken.given {
            self.begin(given)?;
        }
        match taken.fault {
            None => Ok(()),
            Some(Fault::NoResponse(status)) => {
                self.answer_with(|out, to, date| refusal::write(out, status, to, date))
            }
            Some(Fault::Behind) => match &self.outflow {
                Some(outflow) if outflow.is_given() => Ok(()),
                _ => Err(Broken),
            },
        }
    }

    /// Gives an answer of the server's own, where the application has given none.
    fn answer_with(
        &mut self,
        write: impl FnOnce(&mut Outgoing, &Recipient, &Date) -> Given,
    ) -> Result<(), Broken> {
        let date = &self.base.service.clock.date;
        let given = write(&mut self.text, &self.case.recipient, date);
        self.case.note(&given);
        self.begin(given)
    }

    /// Sends the head that stands in the text, behind informational ones.
    fn begin(&mut self, given: Given) -> Result<(), Broken> {
        let framing = given.framing;
        let source = Content::new(framing, given.rest, given.sent);
        let mut body = self.take_text();
        let response = loop {
            let response = next_head(&mut body)?;
            if !response.status().is_informational() {
                break response;
            }
            let sent = self.respond.send_informational(response);
            sent.map_err(|_| Broken)?;
        };
        let tunnels = framing == BodyFraming::Upgraded;
        let ends = source.is_ended() && body.is_empty() && !tunnels;
        let send = self.respond.send_response(response, ends);
        let send = send.map_err(|_| Broken)?;
        match self.behind.take() {
            Some(recv) if tunnels => {
                self.tunnel = Some((None, StreamPipe::new(send, recv)));
            }
            _ if ends => self.outflow = Some(Outflow::ended(send, source)),
            _ => self.outflow = Some(Outflow::new(send, source, body)),
        }
        Ok(())
    }

    /// Sends informational responses that stand in the text.
    fn send_text(&mut self) -> Result<(), Broken> {
        let mut text = self.take_text();
        while !text.is_empty() {
            let sent = self.respond.send_informational(next_head(&mut text)?);
            sent.map_err(|_| Broken)?;
        }
        Ok(())
    }

    /// What the call wrote, in memory that the library may keep.
    fn take_text(&mut self) -> Bytes {
        let text = Bytes::copy_from_slice(&self.text);
        self.text.clear();
        text
    }

    /// Ready once the client has reset the stream, or is gone.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match (&mut self.outflow, &mut self.tunnel) {
            (Some(outflow), _) if outflow.is_ended() => Poll::Pending,
            (Some(outflow), _) => outflow.send.poll_reset(cx).map(drop),
            (None, Some((_, pipe))) => pipe.send.poll_reset(cx).map(drop),
            (None, None) => self.respond.poll_reset(cx).map(drop),
        }
    }

    /// Moves a tunnel's bytes; ready once it is over.
    fn poll_tunnel(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        let Some((tunnel, pipe)) = &mut self.tunnel else {
            return Poll::Ready(Err(Broken));
        };
        if tunnel.is_none() {
            *tunnel = self.case.give_stream(|draining| Tunnel::new(&[], draining));
        }
        let Some(tunnel) = tunnel else {
            // A call that ended without it has no use for the stream.
            pipe.shut_down_output();
            return Poll::Ready(Ok(()));
        };
        let mut scratch = self.base.service.scratch.borrow_mut();
        let end = ready!(tunnel.poll(pipe, &mut scratch.buffer, cx));
        pipe.shut_down_output();
        Poll::Ready(end.map_err(|_| Broken))
    }

    /// Whether nothing more is expected of the application, or it speaks another protocol now.
    fn is_all_given(&self) -> bool {
        let answered = self.outflow.as_ref().is_some_and(Outflow::is_given);
        self.case.is_upgraded() || answered && !self.case.is_called()
    }

    fn is_blocked(&self) -> bool {
        let tunnel = self.tunnel.as_ref().and_then(|(tunnel, _)| tunnel.as_ref());
        self.outflow.as_ref().is_some_and(Outflow::is_blocked)
            || tunnel.is_some_and(Tunnel::is_blocked)
    }

    fn sleep(&self, for_body: bool, waker: &Waker) -> bool {
        let quiet = self.case.sleep(waker);
        let fed = self
            .inflow
            .as_ref()
            .is_none_or(|inflow| inflow.sleep(waker) || for_body);
        quiet && fed
    }

    fn tell_draining(&mut self) {
        if self.case.tell_draining(&self.base.service)
            && let Some((Some(tunnel), _)) = &self.tunnel
        {
            tunnel.tell_draining();
        }
    }

    /// Sets the deadline of what is waited for.
    fn set_deadline(&mut self, waiting: Waiting) {
        if self.is_all_given() {
            self.case.bounds.fulfil();
        }
        let tunnel = self.tunnel.as_ref().and_then(|(tunnel, _)| tunnel.as_ref());
        let progress = Progress {
            received: self.inflow.as_ref().map_or(0, |inflow| inflow.received),
            sent: self.outflow.as_ref().map_or(0, Outflow::passed)
                + tunnel.map_or(0, Tunnel::written),
        };
        let now = self.base.service.clock.deadlines.now();
        let terms = &self.case.application.terms;
        let due = self.case.bounds.wait(waiting, progress, now, terms);
        self.timer.set_tick(due);
    }

    /// A deadline may have passed.
    fn time_is_up(&mut self) -> Result<(), Broken> {
        let service = Rc::clone(&self.base.service);
        self.timer.set_tick(0);
        match self.case.bounds.passed(service.clock.deadlines.now()) {
            None => Ok(()),
            Some(Passed::Request) => self.expire(),
            // The application decides what to answer.
            Some(Passed::Waiting(Waiting::Body)) => {
                service.count_timeout(Deadline::Body);
                let inflow = self.inflow.as_mut();
                let told = inflow.is_some_and(|inflow| inflow.fail(ErrorKind::Timeout));
                told.then_some(()).ok_or(Broken)
            }
            Some(Passed::Waiting(_)) => {
                service.count_timeout(Deadline::Write);
                Err(Broken)
            }
        }
    }

    /// The application has had its time: the call ends here, with an answer if none has begun.
    fn expire(&mut self) -> Result<(), Broken> {
        self.base.service.count_timeout(Deadline::Request);
        let after = self.case.application.places.patience();
        let label = &self.case.label;
        self.case.bounds.fulfil();
        if self.case.given().is_some() {
            tracing::warn!("{label}: still being answered after {after:?}: broken off");
            return Err(Broken);
        }
        tracing::warn!("{label}: no answer within {after:?}: cancelled");
        self.let_go(ErrorKind::Timeout);
        self.answer_with(|out, to, date| refusal::write(out, 504, to, date))
    }

    /// The answer is sent, or never will be. A client that still sends its request is reset a little
    /// later, for some forget the answer when that comes with it.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.inflow {
            Some(inflow) if !self.timer.is_due() => inflow.poll_discard(cx),
            _ => Poll::Ready(()),
        }
    }

    /// Nobody waits for the application any more.
    fn let_go(&mut self, kind: ErrorKind) {
        if let Some(inflow) = &mut self.inflow {
            inflow.fail(kind);
        }
        if let Some((tunnel, _)) = &mut self.tunnel {
            *tunnel = None;
        }
        let left = &mut *self.base.left_behind.borrow_mut();
        self.case.let_go(&self.base.service, left);
    }

    /// The answer is sent, or the tunnel over.
    fn finish(&mut self) {
        self.record(200);
        self.ended = true;
        self.base.gauge.budget.credit_answer();
        self.timer
            .set_tick(self.base.service.clock.deadlines.after(LINGER));
        let left = &mut *self.base.left_behind.borrow_mut();
        self.case.finish(&mut self.text, &self.base.service, left);
    }

    fn break_off(&mut self) {
        self.ended = true;
        self.let_go(ErrorKind::Closed);
        self.record(499);
        match (&mut self.outflow, &mut self.tunnel) {
            (Some(outflow), _) => outflow.send.send_reset(Reason::INTERNAL_ERROR),
            (None, Some((_, pipe))) => pipe.send.send_reset(Reason::INTERNAL_ERROR),
            (None, None) => self.respond.send_reset(Reason::INTERNAL_ERROR),
        }
    }

    fn record(&mut self, status: u16) {
        let sent = self.outflow.as_ref().map_or(0, Outflow::sent);
        let received = self.inflow.as_ref().map_or(0, |inflow| inflow.received);
        self.case.record(&self.base.service, status, received, sent);
    }
}

/// Takes the head off the beginning of `text`.
fn next_head(text: &mut Bytes) -> Result<Response<()>, Broken> {
    let (response, length) = head_of(text).ok_or(Broken)?;
    text.advance(length);
    Ok(response)
}

impl Future for Stream {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.timer.watch(cx.waker());
        if this.ended {
            return this.poll_rest(cx);
        }
        if this.base.service.drain.is_stopping() {
            this.break_off();
            return Poll::Ready(());
        }
        this.case.attend();
        let end = if this.timer.is_due() && this.time_is_up().is_err() {
            Ok(Err(Broken))
        } else {
            this.go_on(true, cx)
        };
        this.base.service.slot.rest();
        match end {
            Ok(Ok(())) => this.finish(),
            Ok(Err(Broken)) => this.break_off(),
            Err(waiting) => {
                this.set_deadline(waiting);
                return Poll::Pending;
            }
        }
        this.poll_rest(cx)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if !self.ended {
            self.break_off();
        }
    }
}
