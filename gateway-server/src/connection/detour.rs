//! Requests that are looked at before they are handed over: where an address only redirects, under
//! `gatewayd dev`, and where there are several applications.

use std::rc::Rc;

use gateway_spec::abi::names;

use super::account::Outcome;
use super::answer::{Amends, Given};
use super::application::Application;
use super::dispatch::Turn;
use super::ends::Ends;
use super::handover::Request;
use super::service::Service;
use super::{Connection, Phase, redirect, refusal};
use crate::coding::Accepted;
use crate::date::Date;
use crate::http1::{Head, Outgoing, Recipient};
use crate::routes::Choice;
use crate::workbench::Verdict;

impl Connection {
    /// Finds out whom the request is for; true if it has been answered instead: sent on to https, with a file, with a
    /// page of `gatewayd dev`, or because there is nobody.
    #[cold]
    pub(super) fn detour(
        &mut self,
        turn: &mut Turn<'_>,
        head: &Head,
        raw: &[u8],
        behind: &[u8],
    ) -> bool {
        let service = turn.service;
        if let Some(port) = self.ends.entrance.redirects {
            let location = redirect::location(head, raw, port);
            self.answer_instead(turn, head, raw, |out, to, date| match &location {
                Some(location) => refusal::write_redirect(out, location, to, date),
                None => refusal::write(out, 400, to, date),
            });
            return true;
        }
        let request = Request::http1(head, raw);
        if let Some(reply) = self.ends.ask_files(service, &request) {
            self.send_reply(turn, &request, behind, reply);
            return true;
        }
        turn.amends = match service.amends(head, raw) {
            Ok(amends) => amends,
            Err(page) => {
                self.show(turn.out(), head, raw, &page);
                return true;
            }
        };
        match self.ends.choose(service, head, raw) {
            Ok(application) => {
                turn.application = application;
                false
            }
            Err(status) => {
                self.answer_instead(turn, head, raw, |out, to, date| {
                    refusal::write(out, status, to, date)
                });
                true
            }
        }
    }

    /// Answers with the page of `gatewayd dev`; a body is not waited for.
    fn show(&mut self, out: &mut Outgoing, head: &Head, raw: &[u8], page: &[u8]) {
        let mut recipient = Recipient::of(head);
        recipient.keep_alive = false;
        let given = refusal::write_page(out, page, &recipient, &self.io.service.clock.date);
        let request = Request::http1(head, raw);
        self.ends.note(
            &self.io.service,
            None,
            &request,
            None,
            Outcome::of(&given, 0),
        );
        self.phase = Phase::LINGER;
    }

    /// Answers in the place of an application; a body is not waited for.
    fn answer_instead(
        &mut self,
        turn: &mut Turn<'_>,
        head: &Head,
        raw: &[u8],
        write: impl FnOnce(&mut Outgoing, &Recipient, &Date) -> Given,
    ) {
        let service = turn.service;
        self.requests += 1;
        let mut recipient = Recipient::of(head);
        let last = service.drain.is_draining() || self.requests >= service.keep_alive_requests;
        recipient.keep_alive &= !head.has_body() && !last && !service.timeouts.keep_alive.is_zero();
        let given = write(turn.out(), &recipient, &service.clock.date);
        let request = Request::http1(head, raw);
        self.ends
            .note(service, None, &request, None, Outcome::of(&given, 0));
        if !given.keep_alive {
            self.phase = Phase::LINGER;
        }
    }
}

impl Service {
    /// What is changed of the response to a request: it is compressed as the client wants, or marked as that of
    /// an application that is older than its sources.
    ///
    /// # Errors
    ///
    /// The page of `gatewayd dev` that is to be answered with instead.
    pub(super) fn amends(&self, head: &Head, raw: &[u8]) -> Result<Amends, Vec<u8>> {
        let bench = self.workbench.as_ref();
        match bench.map(|bench| bench.verdict(head.fields(raw))) {
            None | Some(Verdict::Current) => Ok(self.packing(head, raw)),
            Some(Verdict::Stale) => Ok(Amends::Stale),
            Some(Verdict::Page(page)) => Err(page),
        }
    }

    /// How the response is compressed, if it is.
    fn packing(&self, head: &Head, raw: &[u8]) -> Amends {
        let Some(compression) = &self.compression else {
            return self.amends;
        };
        let mut accepted = Accepted::default();
        for field in head.fields(raw) {
            if field.name_id() == ACCEPT_ENCODING {
                accepted.hear(field.value());
            }
        }
        Amends::Packs(compression.packing(accepted))
    }
}

impl Ends {
    /// Whom a request is for; by the host that a trusted proxy names, if it names one.
    ///
    /// # Errors
    ///
    /// The status that says that there is nobody: 421 if nobody answers for the host (RFC 9110 §15.5.20),
    /// 404 if nobody does for the path.
    pub(super) fn choose<'s>(
        &self,
        service: &'s Service,
        head: &Head,
        raw: &[u8],
    ) -> Result<&'s Rc<Application>, u16> {
        let Some(routes) = &service.routes else {
            return Ok(&service.applications[0]);
        };
        let told = self.hear(head, raw).authority;
        let authority = told.unwrap_or_else(|| head.authority(raw));
        match routes.choose(authority, head.path(raw)) {
            Choice::App(at) => Ok(&service.applications[at]),
            Choice::NoSuchHost => Err(421),
            Choice::NoSuchPath => Err(404),
        }
    }
}

const ACCEPT_ENCODING: u16 = names::id("accept-encoding");
