//! From a request that the library has read to a call, and to the answer if that comes at once.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use bytes::{Buf as _, Bytes};
use gateway_spec::abi::method;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::request::Parts;

use super::super::account::Outcome;
use super::super::answer::{Amends, Given, Terms};
use super::super::application::Application;
use super::super::case::Case;
use super::super::handover::{Dialect, Request, RequestLine};
use super::super::logged::Refused;
use super::super::places::{Places, Waited};
use super::super::service::Scratch;
use super::super::{files, redirect, refusal};
use super::base::Base;
use super::inflow::Inflow;
use super::stream::Stream;
use crate::drain;
use crate::http1::{BodyDecoder, Outgoing, Recipient, Version};
use crate::http2::{bring, head_of};
use crate::limits::{HeadLimits, LINGER};
use crate::proxies::Told;
use crate::scoreboard;
use crate::static_files::Reply;

/// A stream that the client has opened.
pub(super) type Arrival = (http::Request<RecvStream>, SendResponse<Bytes>);

/// A stream, as a request is answered on it.
struct Ways {
    recv: RecvStream,
    respond: SendResponse<Bytes>,
    /// Nothing follows the head.
    ended: bool,
}

/// Whether there is room for a request.
pub(super) enum Admission {
    /// There is.
    Free,
    /// There was not when it came; now it has a place.
    Waited(Waited),
    /// There was none since this time, in nanoseconds on the system's monotonic clock, nor will there be.
    Refused(u64),
}

/// A request whose application has no room, and the places to wait for.
pub(super) type Crowded = (Arrival, Rc<Places>);

/// Answers the request, or has it go on by itself; gives it back if it has to wait first.
pub(super) fn arrive(
    base: &Rc<Base>,
    scratch: &mut Scratch,
    arrival: Arrival,
    admission: Admission,
    waker: &Waker,
) -> Option<Crowded> {
    let (request, respond) = arrival;
    let (parts, recv) = request.into_parts();
    let ended = recv.is_end_stream();
    let ways = Ways {
        recv,
        respond,
        ended,
    };
    let request = match read(scratch, &parts, ended, &base.service.head_limits) {
        Ok(request) => request,
        Err((status, why)) => {
            tracing::debug!("a request is refused with {status}: {why}");
            refuse(base, &parts, (status, &why), ways);
            return None;
        }
    };
    let application = match chosen(base, &request) {
        Ok(application) => application,
        Err(own) => {
            answer_instead(base, &request, own, ways);
            return None;
        }
    };
    let places = &application.places;
    if matches!(admission, Admission::Free) && places.is_full() {
        let arrival = (http::Request::from_parts(parts, ways.recv), ways.respond);
        return Some((arrival, Rc::clone(places)));
    }
    dispatch(base, application, &request, ways, admission, waker);
    None
}

/// The request in HTTP/1's words, judged by its parser.
///
/// # Errors
///
/// The status with which it is to be refused, and why.
fn read<'s>(
    scratch: &'s mut Scratch,
    parts: &Parts,
    ended: bool,
    limits: &HeadLimits,
) -> Result<Request<'s>, (u16, String)> {
    let Scratch { buffer, head } = scratch;
    head.clear();
    let brought =
        bring(buffer, parts, ended).map_err(|error| (error.status(), error.to_string()))?;
    match head.parse_filled(buffer, brought.length, limits) {
        Ok(Some(length)) if length == brought.length => {}
        Ok(_) => return Err((400, "expected one whole head".to_owned())),
        Err(error) => return Err((error.status(), error.to_string())),
    }
    let raw = &buffer[..brought.length];
    Ok(Request {
        head,
        raw,
        offer: head.upgrade(raw),
        dialect: match brought.is_extended_connect {
            true => Dialect::ExtendedConnect,
            false => Dialect::Http2,
        },
    })
}

/// Answers a request that is none.
fn refuse(base: &Base, parts: &Parts, (status, why): (u16, &str), ways: Ways) {
    let to = Recipient {
        version: Version::Http11,
        method_id: if parts.method == http::Method::HEAD {
            method::HEAD
        } else {
            0
        },
        keep_alive: true,
    };
    let service = &base.service;
    let mut out = Outgoing::default();
    refusal::write(&mut out, status, &to, &service.clock.date);
    let target = parts.uri.path_and_query().map_or("-", |path| path.as_str());
    let line: RequestLine<'_> = (
        parts.method.as_str().as_bytes(),
        target.as_bytes(),
        Version::Http11,
    );
    let refused = Refused {
        status,
        why: &why,
        line: Some(line),
        came: b"",
        dialect: Dialect::Http2,
        told: Told::default(),
    };
    base.ends.note_unread(service, &refused);
    send_own(base, &out, ways);
}

/// Whom the request is for, or the answer if there is nobody.
fn chosen<'b>(base: &'b Base, request: &Request<'_>) -> Result<&'b Rc<Application>, Own> {
    let Request { head, raw, .. } = *request;
    if let Some(port) = base.ends.entrance.redirects {
        let location = redirect::location(head, raw, port);
        return Err(location.map_or(Own::Status(400), Own::Redirect));
    }
    if let Some(reply) = base.ends.ask_files(&base.service, request) {
        return Err(Own::File(Box::new(reply)));
    }
    let chosen = base.ends.choose(&base.service, head, raw);
    chosen.map_err(Own::Status)
}

/// What the server answers itself.
enum Own {
    Status(u16),
    Redirect(Vec<u8>),
    File(Box<Reply>),
}

/// A request that the application is called with.
struct Admitted<'r> {
    application: &'r Rc<Application>,
    request: &'r Request<'r>,
    follows: Follows,
    amends: Amends,
    waited: Option<Waited>,
}

/// Hands a request over, or answers it if there is a reason not to.
fn dispatch(
    base: &Rc<Base>,
    application: &Rc<Application>,
    request: &Request<'_>,
    ways: Ways,
    admission: Admission,
    waker: &Waker,
) {
    let service = &base.service;
    let Request { head, raw, .. } = *request;
    let (recipient, date) = (recipient_of(request), &service.clock.date);
    let waited = match admission {
        Admission::Free => None,
        Admission::Waited(waited) => Some(waited),
        Admission::Refused(since_ns) => {
            return answer_with(base, request, Some(since_ns), ways, |out| {
                refusal::write_busy(out, &recipient, date)
            });
        }
    };
    let queued_ns = waited.as_ref().map(|waited| waited.since_ns);
    let amends = match service.amends(head, raw) {
        Ok(amends) => amends,
        Err(page) => {
            return answer_with(base, request, queued_ns, ways, |out| {
                refusal::write_page(out, &page, &recipient, date)
            });
        }
    };
    let follows = what_follows(request, &ways);
    if let Follows::Body = follows
        && let Err(error) = BodyDecoder::new(head.body(), &application.body_limits)
    {
        return answer_with(base, request, queued_ns, ways, |out| {
            refusal::write(out, error.status(), &recipient, date)
        });
    }
    let admitted = Admitted {
        application,
        request,
        follows,
        amends,
        waited,
    };
    call(base, admitted, ways, waker);
}

/// Calls the application; sends the answer if it comes at once.
fn call(base: &Rc<Base>, admitted: Admitted<'_>, ways: Ways, waker: &Waker) {
    let Admitted {
        application,
        request,
        follows,
        amends,
        waited,
    } = admitted;
    let service = &base.service;
    let Request { head, raw, .. } = *request;
    let Ways { recv, respond, .. } = ways;
    let (body, inflow, behind) = match follows {
        Follows::Nothing => (None, None, None),
        Follows::Tunnel => (None, None, Some(recv)),
        Follows::Body => {
            let (length, asks) = (head.body().announced(), head.expect_continue());
            let (inflow, body) = Inflow::new(recv, length, asks, application.body_limits);
            (Some(body), Some(inflow), None)
        }
    };
    let recipient = recipient_of(request);
    let draining = service.drain.phase() >= drain::Phase::Announced;
    let upgradable = behind.is_some() || request.offer.is_some();
    let mut answer = service.take_answer();
    answer.begin(Terms::new(recipient, draining, upgradable, amends));
    let to = (&**service, &**application);
    let called = application.at(&service.slot, raw, || {
        base.ends.call(to, request, body, answer, waker)
    });
    service.count_requests(1);
    let queued_ns = waited.as_ref().map(|waited| waited.since_ns);
    let docket = |id| {
        base.ends
            .docket(service, application, request, recipient, waited, id)
    };
    let mut answer = match called {
        Ok(answer) => answer,
        Err(call) => {
            let make = || service.slot.named().unwrap_or_else(scoreboard::new_id);
            let docket = docket(call.shared().settle_id(make));
            let case = Case::new(Some(call), docket);
            let mut stream = Stream::new(base, case, respond, inflow, behind);
            stream.take_first_answer();
            tokio::task::spawn_local(stream);
            return;
        }
    };
    let received = inflow.as_ref().map_or(0, |inflow| inflow.received);
    if let Some(inflow) = inflow {
        see_off(base, inflow);
    }
    if let Some(given) = answer.given.take() {
        let unsent = send_given(
            base,
            application.name(),
            request,
            queued_ns,
            Outcome::of(&given, received).noting(answer.noted()),
            &answer.out,
            respond,
        );
        if let Some((respond, send, body)) = unsent {
            // Its call is over, and nobody has said what it was called there.
            let mut docket = docket(scoreboard::new_id());
            if let (Some(account), Some(noted)) = (&mut docket.account, &mut answer.noted) {
                account.noted = noted.take();
            }
            let case = Case::new(None, docket);
            tokio::task::spawn_local(Stream::sending(base, case, respond, send, given, body));
        }
    }
    service.give_answer(answer);
}

/// What a client sends behind a request's head.
#[derive(Clone, Copy)]
enum Follows {
    Nothing,
    Body,
    /// Whatever is spoken in a tunnel.
    Tunnel,
}

fn what_follows(request: &Request<'_>, ways: &Ways) -> Follows {
    if request.method_id() == method::CONNECT {
        Follows::Tunnel
    } else if !ways.ended && request.head.has_body() {
        Follows::Body
    } else {
        Follows::Nothing
    }
}

/// Answers with what the server's own files have to say.
fn give_file(base: &Rc<Base>, request: &Request<'_>, reply: Reply, ways: Ways) {
    let Ways {
        recv,
        respond,
        ended,
    } = ways;
    if !ended {
        see_off(base, Inflow::unwanted(recv));
    }
    let recipient = recipient_of(request);
    let mut out = Outgoing::default();
    let given = files::write(&mut out, reply, &recipient, &base.service.clock.date);
    let case = || {
        Case::new(
            None,
            base.ends.own_docket(&base.service, request, recipient),
        )
    };
    if given.rest.is_some() {
        let stream = Stream::giving(base, case(), respond, &out, given);
        tokio::task::spawn_local(stream);
    } else if let Some((respond, send, body)) = send_given(
        base,
        None,
        request,
        None,
        Outcome::of(&given, 0),
        &out,
        respond,
    ) {
        tokio::task::spawn_local(Stream::sending(base, case(), respond, send, given, body));
    }
}

/// Sends an answer that stands in `out` with its body, and accounts for it; what could not be sent at once is
/// returned.
fn send_given(
    base: &Base,
    name: Option<&str>,
    request: &Request<'_>,
    queued_ns: Option<u64>,
    outcome: Outcome<'_>,
    out: &Outgoing,
    respond: SendResponse<Bytes>,
) -> Option<Unsent> {
    // An error means that the client has gone, or taken the request back.
    let unsent = send_whole(out, respond).ok()?;
    if unsent.is_none() {
        let service = &base.service;
        base.ends.note(service, name, request, queued_ns, outcome);
        base.gauge.budget.credit_answer();
    }
    unsent
}

fn recipient_of(request: &Request<'_>) -> Recipient {
    Recipient {
        version: Version::Http11,
        method_id: request.method_id(),
        keep_alive: true,
    }
}

/// Answers in the place of an application.
fn answer_instead(base: &Rc<Base>, request: &Request<'_>, own: Own, ways: Ways) {
    let (to, date) = (recipient_of(request), &base.service.clock.date);
    match own {
        Own::Status(status) => answer_with(base, request, None, ways, |out| {
            refusal::write(out, status, &to, date)
        }),
        Own::Redirect(url) => answer_with(base, request, None, ways, |out| {
            refusal::write_redirect(out, &url, &to, date)
        }),
        Own::File(reply) => give_file(base, request, *reply, ways),
    }
}

/// Gives an answer of the server's own, which is written at once, to a request that has waited since
/// `queued_ns`, if it has.
fn answer_with(
    base: &Base,
    request: &Request<'_>,
    queued_ns: Option<u64>,
    ways: Ways,
    write: impl FnOnce(&mut Outgoing) -> Given,
) {
    let mut out = Outgoing::default();
    let given = write(&mut out);
    let outcome = Outcome::of(&given, 0);
    match given.status {
        400.. => base
            .ends
            .note_refusal(&base.service, None, request, queued_ns, outcome),
        _ => base
            .ends
            .note(&base.service, None, request, queued_ns, outcome),
    }
    send_own(base, &out, ways);
}

/// Sends an answer of the server's own. It is so short that it may wait for the client's window
/// wherever it stands.
fn send_own(base: &Base, out: &Outgoing, ways: Ways) {
    if let Ok(Some((_, mut send, body))) = send_whole(out, ways.respond) {
        // A client that has gone needs no answer.
        let _ = send.send_data(body, true);
    }
    if !ways.ended {
        see_off(base, Inflow::unwanted(ways.recv));
    }
}

/// Throws away, within limits, what a client still sends behind a request that was answered. It is reset
/// a little later, for some clients forget the answer when that comes with it.
fn see_off(base: &Base, mut inflow: Inflow) {
    let deadlines = &base.service.clock.deadlines;
    let timer = deadlines.timer();
    timer.set_tick(deadlines.after(LINGER));
    tokio::task::spawn_local(poll_fn(move |cx| {
        timer.watch(cx.waker());
        if timer.is_due() {
            Poll::Ready(())
        } else {
            inflow.poll_discard(cx)
        }
    }));
}

/// An answer of which the body waits for the client's window.
type Unsent = (SendResponse<Bytes>, SendStream<Bytes>, Bytes);

/// Sends an answer that stands in `out` with its body.
fn send_whole(
    out: &Outgoing,
    mut respond: SendResponse<Bytes>,
) -> Result<Option<Unsent>, h2::Error> {
    let mut body = Bytes::copy_from_slice(out);
    let response = loop {
        let Some((response, length)) = head_of(&body) else {
            respond.send_reset(Reason::INTERNAL_ERROR);
            return Ok(None);
        };
        body.advance(length);
        if !response.status().is_informational() {
            break response;
        }
        respond.send_informational(response)?;
    };
    let mut send = respond.send_response(response, body.is_empty())?;
    if body.is_empty() {
        return Ok(None);
    }
    send.reserve_capacity(body.len());
    if send.capacity() < body.len() {
        return Ok(Some((respond, send, body)));
    }
    send.send_data(body, true)?;
    Ok(None)
}
