//! [`Docket`]: what is known of a request that goes on by itself, beside its call.

use std::rc::Rc;

use super::account::Account;
use super::application::Application;
use super::bounds::Bounds;
use super::ends::Ends;
use super::handover::Request;
use super::label::Label;
use super::places::{Place, Waited};
use super::service::Service;
use crate::http1::Recipient;
use crate::scoreboard::{self, Held, RequestId};

/// What is known of a request beside its call.
#[derive(Debug)]
pub(super) struct Docket {
    pub(super) recipient: Recipient,
    pub(super) account: Option<Account>,
    pub(super) label: Label,
    pub(super) bounds: Bounds,
    /// None where the application is not asked.
    pub(super) place: Option<Place>,
    pub(super) held: Held,
    /// Whom the request is for.
    pub(super) application: Rc<Application>,
}

impl Ends {
    /// Of a request whose call goes on, or whose answer cannot be sent at once. Its time runs from now, or from
    /// when it began to wait for its place.
    pub(super) fn docket(
        &self,
        service: &Service,
        application: &Rc<Application>,
        request: &Request<'_>,
        recipient: Recipient,
        waited: Option<Waited>,
        id: RequestId,
    ) -> Docket {
        let name = application.name();
        let label = Label::new(name, request.text(), id, self.told_id(service, request));
        let deadlines = &service.clock.deadlines;
        let queued_ns = waited.as_ref().map(|waited| waited.since_ns);
        let (place, arrival) = match waited {
            Some(waited) => (waited.place, waited.since),
            None => (None, deadlines.now()),
        };
        Docket {
            recipient,
            account: self.account(service, name, request, queued_ns, Some(id)),
            bounds: Bounds::new(arrival, &application.terms),
            place: Some(place.unwrap_or_else(|| application.places.take())),
            held: service.slot.hold(id, deadlines.now_ns(), label.text()),
            label,
            application: Rc::clone(application),
        }
    }

    /// Of a request that the server answers by itself, and not at once.
    pub(super) fn own_docket(
        &self,
        service: &Service,
        request: &Request<'_>,
        recipient: Recipient,
    ) -> Docket {
        let id = scoreboard::new_id();
        let label = Label::new(None, request.text(), id, self.told_id(service, request));
        let deadlines = &service.clock.deadlines;
        Docket {
            recipient,
            account: self.account(service, None, request, None, Some(id)),
            bounds: Bounds::new(deadlines.now(), &service.terms),
            place: None,
            held: service.slot.hold(id, deadlines.now_ns(), label.text()),
            label,
            application: Rc::clone(&service.applications[0]),
        }
    }
}
