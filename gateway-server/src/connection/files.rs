//! Requests that the server answers with files of its own.

use std::os::unix::fs::FileExt as _;
use std::time::SystemTime;

use gateway_spec::FileRegion;

use super::account::Outcome;
use super::answer::{Given, Rest};
use super::dispatch::Turn;
use super::ends::Ends;
use super::exchange::Exchange;
use super::handover::Request;
use super::service::Service;
use super::{Connection, Phase, refusal};
use crate::date::Date;
use crate::http1::{BodyFraming, Form, Length, Outgoing, Recipient, ResponseHead, encode};
use crate::static_files::{Asked, Content, Line, Reply};

impl Ends {
    /// What the server's own files have to say to a request; `None` if it is the application's.
    pub(super) fn ask_files(&self, service: &Service, request: &Request<'_>) -> Option<Reply> {
        let files = service.static_files.as_ref()?;
        let Request { head, raw, .. } = *request;
        let path = head.path(raw);
        if !files.concern(path) {
            return None;
        }
        let told = self.hear(head, raw);
        let prefix = told.prefix.filter(|_| head.form() == Form::Origin);
        let target = (prefix.unwrap_or_default(), path, head.query(raw));
        let asked = Asked::new(request.method_id(), target, head.fields(raw));
        files.answer(&asked, SystemTime::now())
    }
}

impl Connection {
    /// Gives a reply of the files'; a body is not waited for.
    pub(super) fn send_reply(
        &mut self,
        turn: &mut Turn<'_>,
        request: &Request<'_>,
        behind: &[u8],
        reply: Reply,
    ) {
        let service = turn.service;
        self.requests += 1;
        let more =
            self.requests < service.keep_alive_requests && !service.timeouts.keep_alive.is_zero();
        // A drain ends the connection with the answer to the last request that was read.
        let last = turn.is_last() && behind.is_empty();
        let mut recipient = Recipient::of(request.head);
        recipient.keep_alive &= more && !last && !request.head.has_body();
        let given = write(turn.out(), reply, &recipient, &service.clock.date);
        if given.rest.is_some() {
            turn.hand_on(&mut self.io.output);
            let docket = self.ends.own_docket(service, request, recipient);
            let exchange = Exchange::sending(given, docket);
            self.phase = Phase::Exchange(Box::new(exchange));
            return;
        }
        self.ends
            .note(service, None, request, None, Outcome::of(&given, 0));
        if !given.keep_alive {
            self.phase = Phase::LINGER;
        }
    }
}

/// Writes a reply's head and, if it is short, its content.
pub(super) fn write(out: &mut Outgoing, reply: Reply, to: &Recipient, date: &Date) -> Given {
    let Reply {
        status,
        fields,
        content,
    } = reply;
    let fields: Vec<_> = fields.iter().map(Line::as_field).collect();
    let (region, length) = match content {
        Content::Status => return refusal::write_with(out, status, &fields, to, date),
        Content::None => (None, Length::Unknown),
        Content::File {
            file,
            offset,
            length,
        } => {
            let region = FileRegion {
                file,
                offset,
                length,
            };
            (Some(region), Length::Declared(length))
        }
    };
    let head = ResponseHead {
        status,
        fields: &fields,
        length,
        upgrade: None,
        date: Some(date.line()),
    };
    let framing = encode::response_head(out, &head, to)
        .expect("registered statuses and the files' own fields make a head");
    let mut given = Given {
        status,
        keep_alive: framing.keep_alive,
        framing: framing.body,
        rest: None,
        sent: 0,
    };
    if let (Some(region), BodyFraming::Sized(length)) = (region, framing.body) {
        match read(&region) {
            Some(content) => {
                out.extend_from_slice(&content);
                given.sent = length;
            }
            None => given.rest = Some(Box::new(Rest::of_file(region))),
        }
    }
    given
}

/// The content if it is short: then a read costs less than a body of its own. One that has become
/// shorter meanwhile is left to who sends bodies, and breaks the answer off.
fn read(region: &FileRegion) -> Option<Vec<u8>> {
    let length = usize::try_from(region.length).ok()?;
    if length > SHORT {
        return None;
    }
    let mut content = vec![0; length];
    let read = region.file.read_exact_at(&mut content, region.offset);
    read.ok().map(|()| content)
}

/// Bytes of a file that are read, not sent by the kernel.
const SHORT: usize = 16 * 1024;
