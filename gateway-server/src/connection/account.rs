//! [`Account`]: what the counters and the access log learn of a request, from when its head was read
//! until it is answered.

use gateway_spec::abi::method;

use super::answer::Given;
use super::ends::Ends;
use super::handover::Request;
use super::logged::Refused;
use super::noted::Values;
use super::service::Service;
use crate::clock::monotonic_ns;
use crate::logging::{Ended, Visit};
use crate::scoreboard::{self, Answered, Class, Counter, Deadline, Method, Refusal, RequestId};
use crate::traces::Span;

/// A request that is to be accounted for. There is none where nobody wants to know.
#[derive(Debug)]
pub(super) struct Account {
    /// When it was there to be read, on the system's monotonic clock.
    began_ns: u64,
    /// While it waited for a place, in nanoseconds.
    queued_ns: u64,
    /// From its beginning until its answer began.
    first_byte_ns: Option<u64>,
    method: Method,
    visit: Option<Visit>,
    span: Option<Span>,
    /// What the log wants of the response, where that was begun before the end.
    pub(super) noted: Values,
}

/// How a request has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome<'a> {
    pub(super) status: u16,
    /// Bytes of the request's content.
    pub(super) received: u64,
    /// Bytes of the response's body.
    pub(super) sent: u64,
    /// What the log wants of the response.
    pub(super) noted: &'a [Option<Box<[u8]>>],
}

impl<'a> Outcome<'a> {
    /// The answer that was given to a request with so many bytes of body.
    pub(super) fn of(given: &Given, received: u64) -> Self {
        Self {
            status: given.status,
            received,
            sent: given.sent,
            noted: &[],
        }
    }

    /// The same, with what the log wants of it.
    pub(super) fn noting(self, noted: &'a [Option<Box<[u8]>>]) -> Self {
        Self { noted, ..self }
    }
}

impl Account {
    /// The answer begins.
    pub(super) fn answers(&mut self) {
        if self.first_byte_ns.is_none() {
            self.first_byte_ns = Some(since(self.began_ns));
        }
    }

    /// The request is answered, or never will be.
    pub(super) fn close(self, service: &Service, outcome: Outcome<'_>) {
        let took_ns = since(self.began_ns);
        count(service, self.method, took_ns, outcome);
        if let Some(span) = self.span {
            span.end(outcome.status);
        }
        if let (Some(log), Some(visit)) = (&service.access_log, self.visit) {
            let ended = Ended {
                status: outcome.status,
                received: outcome.received,
                sent: outcome.sent,
                took_ns,
                first_byte_ns: self.first_byte_ns.unwrap_or(took_ns),
                queued_ns: self.queued_ns,
                fields: match &*self.noted {
                    [] => outcome.noted,
                    noted => noted,
                },
            };
            log.record(visit, &ended);
        }
    }
}

impl Ends {
    /// Begins to account for a request, if anybody wants to know. `queued_ns` is when it began to wait for
    /// a place, if it did; `id` what it is called, if that is settled.
    pub(super) fn account(
        &self,
        service: &Service,
        app: Option<&str>,
        request: &Request<'_>,
        queued_ns: Option<u64>,
        id: Option<RequestId>,
    ) -> Option<Account> {
        if !service.observed {
            return None;
        }
        let woke_ns = service.woke.get();
        let began_ns = queued_ns.unwrap_or(woke_ns);
        let visit = service.access_log.as_ref().map(|log| {
            let id = || id.unwrap_or_else(scoreboard::new_id);
            log.visit(&self.logged((service, log), app, request, began_ns, id))
        });
        Some(Account {
            began_ns,
            queued_ns: woke_ns.saturating_sub(began_ns),
            first_byte_ns: None,
            method: kind(request.method_id()),
            visit,
            span: self.traced(service, app, request),
            noted: Values::new(),
        })
    }

    /// Accounts for a request that has been answered at once, or once it had a place.
    #[inline(never)]
    pub(super) fn note(
        &self,
        service: &Service,
        app: Option<&str>,
        request: &Request<'_>,
        queued_ns: Option<u64>,
        outcome: Outcome<'_>,
    ) {
        if let (Some(log), None) = (&service.access_log, &service.tracer) {
            let woke_ns = service.woke.get();
            let began_ns = queued_ns.unwrap_or(woke_ns);
            let took_ns = match service.counts || log.names_times {
                true => since(began_ns),
                false => 0,
            };
            count(service, kind(request.method_id()), took_ns, outcome);
            let id = || service.slot.named().unwrap_or_else(scoreboard::new_id);
            let request = self.logged((service, log), app, request, began_ns, id);
            let ended = Ended {
                status: outcome.status,
                received: outcome.received,
                sent: outcome.sent,
                took_ns,
                first_byte_ns: took_ns,
                queued_ns: woke_ns.saturating_sub(began_ns),
                fields: outcome.noted,
            };
            return log.write(&request, &ended);
        }
        if service.describes {
            let id = service.slot.named();
            let account = self.account(service, app, request, queued_ns, id);
            if let Some(account) = account {
                account.close(service, outcome);
            }
            return;
        }
        let began_ns = queued_ns.unwrap_or_else(|| service.woke.get());
        let took_ns = since(began_ns);
        count(service, kind(request.method_id()), took_ns, outcome);
    }

    /// Accounts for a request that the server itself has answered with an error.
    pub(super) fn note_refusal(
        &self,
        service: &Service,
        app: Option<&str>,
        request: &Request<'_>,
        queued_ns: Option<u64>,
        outcome: Outcome<'_>,
    ) {
        service
            .slot
            .add(Counter::Refused(Refusal::of(outcome.status)));
        self.note(service, app, request, queued_ns, outcome);
    }

    /// The same for one whose head could not be read, or none of it but its first line.
    pub(super) fn note_unread(&self, service: &Service, refused: &Refused<'_>) {
        service
            .slot
            .add(Counter::Refused(Refusal::of(refused.status)));
        if service.counts {
            let class = Class::of(refused.status);
            service.slot.add(Counter::Answers(Method::Other, class));
        }
        self.log_refusal(service, refused);
    }
}

impl Service {
    /// Counts an answer that came at once, where nobody wants more of it: all that metrics cost a request.
    #[inline(never)]
    pub(super) fn count_answer(
        &self,
        method_id: u32,
        queued_ns: Option<u64>,
        given: &Given,
        received: usize,
    ) {
        let began_ns = queued_ns.unwrap_or_else(|| self.woke.get());
        let took_ns = since(began_ns);
        self.slot.count_answer(&Answered {
            method: kind(method_id),
            class: Class::of(given.status),
            received: received as u64,
            sent: given.sent,
            // One that switches to another protocol never comes at once.
            took_ns: Some(took_ns),
        });
    }

    /// Counts a deadline that has passed.
    pub(super) fn count_timeout(&self, whose: Deadline) {
        self.slot.add(Counter::TimedOut(whose));
    }
}

/// How long ago a time of the monotonic clock is, in nanoseconds.
#[inline]
fn since(began_ns: u64) -> u64 {
    monotonic_ns().saturating_sub(began_ns)
}

/// Counts an answer, if anybody reads the counters.
#[inline]
fn count(service: &Service, method: Method, took_ns: u64, outcome: Outcome<'_>) {
    if service.counts {
        let Outcome {
            status,
            received,
            sent,
            ..
        } = outcome;
        service.slot.count_answer(&Answered {
            method,
            class: Class::of(status),
            received,
            sent,
            // Another protocol's life is no answer's time.
            took_ns: (status != SWITCHING).then_some(took_ns),
        });
    }
}

#[inline]
fn kind(id: u32) -> Method {
    match id {
        method::GET => Method::Get,
        method::HEAD => Method::Head,
        method::POST => Method::Post,
        method::PUT => Method::Put,
        method::DELETE => Method::Delete,
        method::PATCH => Method::Patch,
        method::OPTIONS => Method::Options,
        _ => Method::Other,
    }
}

/// Switching Protocols.
const SWITCHING: u16 = 101;
