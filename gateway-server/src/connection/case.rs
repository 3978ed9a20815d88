//! [`Case`]: a request whose answer did not come at once, in whatever version of HTTP it came: its
//! call, and what the log, the scoreboard and the deadlines know of it.

use std::rc::Rc;
use std::task::{Poll, Waker};

use gateway_spec::abi::host::Call;
use gateway_spec::{Duplex, ErrorKind};

use super::account::{Account, Outcome};
use super::after::{AfterWork, LeftBehind};
use super::answer::{Answer, Given};
use super::application::Application;
use super::bounds::Bounds;
use super::docket::Docket;
use super::label::Label;
use super::places::Place;
use super::service::Service;
use crate::http1::{BodyFraming, Outgoing, Recipient};
use crate::scoreboard::Held;

/// One request in progress.
pub(super) struct Case {
    call: Option<Call<Box<Answer>>>,
    /// Status of the answer, and whether the connection may be kept behind it.
    given: Option<(u16, bool)>,
    /// The answer switched protocols.
    upgraded: bool,
    pub(super) recipient: Recipient,
    account: Option<Account>,
    pub(super) label: Label,
    pub(super) bounds: Bounds,
    /// As long as the application has something to do.
    place: Option<Place>,
    held: Option<Held>,
    told_draining: bool,
    told_closed: bool,
    /// Whom the request is for.
    pub(super) application: Rc<Application>,
}

/// What a look at the call has brought.
pub(super) struct Taken {
    /// The application's response, of which the head stands in the output.
    pub(super) given: Option<Given>,
    pub(super) fault: Option<Fault>,
}

/// What the application has done wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The call ended and there is no response; this status is to be answered.
    NoResponse(u16),
    /// The call failed behind its response, which may be incomplete.
    Behind,
}

impl Case {
    /// The call is none if it has ended and all of its answer is there.
    pub(super) fn new(call: Option<Call<Box<Answer>>>, docket: Docket) -> Self {
        Self {
            call,
            given: None,
            upgraded: false,
            recipient: docket.recipient,
            account: docket.account,
            label: docket.label,
            bounds: docket.bounds,
            place: docket.place,
            held: Some(docket.held),
            application: docket.application,
            told_draining: false,
            told_closed: false,
        }
    }

    /// What is done from now on is done for this request.
    pub(super) fn attend(&self) {
        if let Some(held) = &self.held {
            held.attend();
        }
    }

    /// Whether the application is still at it.
    pub(super) fn is_called(&self) -> bool {
        self.call
            .as_ref()
            .is_some_and(|call| call.end().is_pending())
    }

    /// Status of the answer, and whether the connection may be kept behind it.
    pub(super) fn given(&self) -> Option<(u16, bool)> {
        self.given
    }

    /// Whether the answer switched protocols.
    pub(super) fn is_upgraded(&self) -> bool {
        self.upgraded
    }

    /// Polls the call if it goes on; `closes` says that the connection cannot be kept.
    pub(super) fn poll(&mut self, closes: bool, waker: &Waker) {
        if let Some(call) = self.call.as_mut().filter(|call| call.end().is_pending()) {
            call.exchange().terms.closes = closes;
            let _ = call.poll(waker);
        }
    }

    /// Takes what the call has brought when it was started or polled; what it wrote goes to `out`.
    pub(super) fn take(&mut self, out: &mut Outgoing) -> Taken {
        let mut taken = Taken {
            given: None,
            fault: None,
        };
        let Some(call) = &mut self.call else {
            return taken;
        };
        let ended = call.end();
        if ended.is_ready() {
            call.shared().forget_upgraded();
        }
        let answer = call.exchange();
        if out.is_empty() {
            std::mem::swap(out, &mut answer.out);
        } else {
            out.append(&mut answer.out);
        }
        if let Some(why) = answer.refused.take() {
            tracing::error!("{}: the response was refused: {why}", self.label);
        }
        taken.given = answer.given.take();
        let noted = answer.noted.as_mut().map(|noted| noted.take());
        if let Some(given) = &taken.given {
            if let (Some(account), Some(noted)) = (&mut self.account, noted) {
                account.noted = noted;
            }
            self.note(given);
        }
        // The call itself stays until the response is written: what its body holds of the exchange
        // lasts as long.
        let Poll::Ready(end) = ended else {
            return taken;
        };
        if self.given.is_none() {
            let kind = end.err().unwrap_or(ErrorKind::NoResponse);
            tracing::error!(
                "{}: the call ended without a response: {kind:?}",
                self.label
            );
            taken.fault = Some(Fault::NoResponse(kind.status().as_u16()));
        } else if let Err(kind) = end {
            tracing::error!(
                "{}: the call failed behind its response: {kind:?}",
                self.label
            );
            taken.fault = Some(Fault::Behind);
        }
        taken
    }

    /// An answer has begun, be it the server's own.
    pub(super) fn note(&mut self, given: &Given) {
        self.given = Some((given.status, given.keep_alive));
        if let Some(account) = &mut self.account {
            account.answers();
        }
        self.upgraded = given.framing == BodyFraming::Upgraded;
    }

    /// Nothing more is expected of the application.
    pub(super) fn leave_place(&mut self) {
        self.place = None;
    }

    /// Appends informational responses that wait, unless the answer has begun: one that another thread
    /// gives while the response comes is too late.
    pub(super) fn take_informs(&self, out: &mut Outgoing) {
        if let (Some(call), None) = (&self.call, self.given) {
            call.shared().take_informs(out);
        }
    }

    /// Whoever drives this is about to sleep: whom to wake. False if an informational response waits.
    pub(super) fn sleep(&self, waker: &Waker) -> bool {
        self.call.as_ref().is_none_or(|call| {
            let quiet = call.shared().sleep(waker);
            quiet || self.given.is_some()
        })
    }

    /// Hands the application its end of an upgraded stream, if it is still at it; `made` is told whether
    /// the server drains, and the other end is returned.
    pub(super) fn give_stream<T>(
        &self,
        made: impl FnOnce(bool) -> (T, Box<dyn Duplex>),
    ) -> Option<T> {
        let call = self.call.as_ref().filter(|call| call.end().is_pending())?;
        let (ours, theirs) = made(self.told_draining);
        call.shared().give_upgraded(theirs);
        Some(ours)
    }

    /// A client that sends no more may be gone for good: the application may want to know.
    pub(super) fn tell_closed(&mut self) {
        if !std::mem::replace(&mut self.told_closed, true)
            && let Some(call) = &self.call
        {
            call.shared().tell_closed();
        }
    }

    /// Tells the application of a drain, once; whether this was the time.
    pub(super) fn tell_draining(&mut self, service: &Service) -> bool {
        let tells = !self.told_draining && service.drain.is_announced();
        if tells {
            self.told_draining = true;
            if let Some(call) = &self.call {
                call.shared().tell_draining();
            }
        }
        tells
    }

    /// Nobody waits for the application any more: the call goes on by itself if it wants that, or else
    /// ends.
    pub(super) fn let_go(&mut self, service: &Rc<Service>, left: &mut LeftBehind) {
        if let Some(mut call) = self.call.take() {
            call.shared().tell_closed();
            let answered = self.given.is_some();
            let goes_on = call.shared().finishes_on_disconnect() || answered && !self.upgraded;
            if goes_on && call.end().is_pending() {
                call.exchange().discard();
                AfterWork::spawn(call, self.held.take(), service, left);
            } else {
                service.give_answer(call.finish(&service.pool));
            }
        }
    }

    /// The answer is written: the call may go on behind it. What was written leaves its memory, `out`, to
    /// the next answer.
    pub(super) fn finish(
        &mut self,
        out: &mut Outgoing,
        service: &Rc<Service>,
        left: &mut LeftBehind,
    ) {
        if let Some(call) = self.call.take() {
            if call.end().is_pending() {
                AfterWork::spawn(call, self.held.take(), service, left);
            } else {
                let mut answer = call.finish(&service.pool);
                std::mem::swap(&mut answer.out, out);
                service.give_answer(answer);
            }
        }
    }

    /// Accounts for the request, once: with the answer's status, or this one if there was none, and with
    /// so many bytes of body either way.
    pub(super) fn record(&mut self, service: &Service, status: u16, received: u64, sent: u64) {
        if let Some(account) = self.account.take() {
            let status = self.given.map_or(status, |(status, _)| status);
            let outcome = Outcome {
                status,
                received,
                sent,
                noted: &[],
            };
            account.close(service, outcome);
        }
    }
}
