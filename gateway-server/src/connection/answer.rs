//! [`Answer`]: the half of an exchange that takes the application's response, and writes its head.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use gateway_spec::abi::host::{AppResponse, Exchange, HostTls};
use gateway_spec::abi::{Field, ForeignBody, OwnedBuffer, method};
use gateway_spec::{ErrorKind, FileRegion};

use super::link::Link;
use super::noted::Noted;
use super::output::COPIED;
use super::packing::{Packer, Plan};
use crate::compression::{Compression, Packing};
use crate::date::Date;
use crate::http1::encode::Lasting;
use crate::http1::{
    BodyFraming, EncodeError, Length, Outgoing, Recipient, ResponseHead, Version, encode,
};

/// What becomes of one request: where its response is written, and how it goes on from there.
///
/// It stays in one place, in turn with whoever has the request in hand, and serves one request after
/// another.
pub(super) struct Answer {
    /// Bytes to be written: earlier answers of the same turn, then this one.
    pub(super) out: Outgoing,
    /// The response, once there is one.
    pub(super) given: Option<Given>,
    /// Why the response was refused, or the one before it.
    pub(super) refused: Option<Refused>,
    pub(super) terms: Terms,
    /// The link has something to be told that does not stand in the terms.
    introduces: bool,
    /// Facts of the connection, on their way to the link.
    tls: Cell<Option<Arc<HostTls>>>,
    /// The id that a proxy has given the request, likewise.
    told: Cell<Option<Box<[u8]>>>,
    date: Rc<Date>,
    lasting: Rc<Lasting>,
    compression: Option<Rc<Compression>>,
    /// What the access log wants of responses, if anything.
    pub(super) noted: Option<Box<Noted>>,
    /// Nobody reads: the client has gone, and the call is finished for its own sake.
    discards: bool,
}

/// A response whose head stands in [`Answer::out`].
#[derive(Debug)]
pub(super) struct Given {
    pub(super) status: u16,
    pub(super) keep_alive: bool,
    pub(super) framing: BodyFraming,
    /// What does not stand there.
    pub(super) rest: Option<Box<Rest>>,
    /// Bytes of body that stand in [`Answer::out`].
    pub(super) sent: u64,
}

/// A body, or what of it follows the beginning in [`Answer::out`].
#[derive(Debug)]
pub(super) struct Rest {
    /// The beginning, if it is too large to be copied.
    pub(super) first: Option<OwnedBuffer>,
    /// What follows that.
    pub(super) frames: Option<ForeignBody>,
    /// All of it, if it is a file of the server's own.
    pub(super) file: Option<FileRegion>,
    /// What compresses it.
    pub(super) packer: Option<Box<Packer>>,
}

impl Rest {
    /// A part of a file, and nothing else.
    pub(super) fn of_file(region: FileRegion) -> Self {
        Self {
            first: None,
            frames: None,
            file: Some(region),
            packer: None,
        }
    }
}

/// Why a response is refused.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("{0}")]
    Head(#[from] EncodeError),
    #[error("expected no upgrade: the request offers none")]
    NotOffered,
}

/// What decides how an answer is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    recipient: Recipient,
    draining: bool,
    upgradable: bool,
    amends: Amends,
    /// The connection cannot be kept behind this answer, whoever wants that.
    pub(super) closes: bool,
    /// Nothing but the connection's end asks for anything but a 200 with its body.
    plain: bool,
}

/// What is changed of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amends {
    Nothing,
    /// Nothing, but what the access log wants of it is noted.
    Noted,
    /// It says that the application is older than its sources, under `gatewayd dev`.
    Stale,
    /// It is compressed if it is fit for that, or told to vary.
    Packs(Packing),
}

impl Answer {
    pub(super) fn new(
        date: Rc<Date>,
        lasting: Rc<Lasting>,
        compression: Option<Rc<Compression>>,
        noted: Option<Noted>,
    ) -> Self {
        Self {
            out: Outgoing::default(),
            given: None,
            refused: None,
            terms: Terms::NONE,
            introduces: false,
            tls: Cell::new(None),
            told: Cell::new(None),
            date,
            lasting,
            compression,
            noted: noted.map(Box::new),
            discards: false,
        }
    }

    /// Begins another one behind what `out` holds.
    #[inline]
    pub(super) fn begin(&mut self, terms: Terms) {
        debug_assert!(self.given.is_none());
        self.terms = terms;
        self.introduces = false;
        self.discards = false;
    }

    /// Has the application know of TLS.
    #[inline]
    pub(super) fn introduce_tls(&mut self, tls: Arc<HostTls>) {
        self.introduces = true;
        self.tls.set(Some(tls));
    }

    /// Has the application know the request by the id that a proxy has given it.
    pub(super) fn introduce_id(&mut self, id: Box<[u8]>) {
        self.introduces = true;
        self.told.set(Some(id));
    }

    /// Whether all of the response stands in the output, and there is nothing to be said of it.
    #[inline]
    pub(super) fn is_complete(&self) -> bool {
        let whole = |given: &Given| given.rest.is_none() && given.framing != BodyFraming::Upgraded;
        self.refused.is_none() && self.given.as_ref().is_some_and(whole)
    }

    /// What the access log wants of the response.
    pub(super) fn noted(&self) -> &[Option<Box<[u8]>>] {
        self.noted.as_ref().map_or(&[], |noted| noted.values())
    }

    /// Forgets what it was and keeps its memory.
    #[inline]
    pub(super) fn recycle(&mut self) {
        self.out.clear();
        self.given = None;
        self.refused = None;
    }

    /// Writes a response that is as most are, with its body; `None` if it is another, and nothing was
    /// written.
    #[inline(always)]
    fn write_plain(&mut self, response: &AppResponse<'_>) -> Option<Given> {
        let body = response.first();
        let plain = response.is_plain() && self.terms.are_plain();
        if !plain || response.status() != 200 || body.len() > COPIED {
            return None;
        }
        let (date, fields) = (self.date.line(), response.fields());
        let lasting = match response.fields_are_lasting() {
            true => self.lasting.beginning(fields),
            false => None,
        };
        let written = match lasting {
            Some(beginning) => {
                encode::begun_response(&mut self.out, beginning, body, date);
                true
            }
            None => encode::plain_response(&mut self.out, fields, body, date),
        };
        let sent = body.len() as u64;
        written.then_some(Given {
            status: 200,
            keep_alive: true,
            framing: BodyFraming::Sized(sent),
            rest: None,
            sent,
        })
    }

    fn write(&mut self, response: &mut AppResponse<'_>) -> Result<Given, Refused> {
        let status = u16::try_from(response.status()).unwrap_or(u16::MAX);
        let whole = response.first().len() as u64;
        let length = match response.declared_length() {
            Some(length) => Length::Declared(length),
            None if response.has_body() => Length::Unknown,
            None => Length::Actual(whole),
        };
        if response.upgrade().is_some() && !self.terms.upgradable {
            return Err(Refused::NotOffered);
        }
        self.terms.recipient.keep_alive &= !self.terms.closes;
        let date = self.date.line();
        let mut plan = Plan::Untouched;
        let mut weak = Vec::new();
        let amended = match (self.terms.amends, &self.compression) {
            (Amends::Stale, _) => {
                let mark = Field::new(0, b"gatewayd-dev", b"stale");
                Some(response.fields().iter().copied().chain([mark]).collect())
            }
            (Amends::Packs(packing), Some(compression)) => {
                let method_id = self.terms.recipient.method_id;
                plan = Plan::of(compression, packing, method_id, response, length);
                plan.amend(response.fields(), &mut weak)
            }
            _ => None,
        };
        let fields = amended.as_deref().unwrap_or(response.fields());
        let length = plan.length(length);
        let head = ResponseHead {
            status,
            fields,
            length,
            upgrade: response.upgrade(),
            date: response.wants_date().then_some(date),
        };
        let framing = encode::response_head(&mut self.out, &head, &self.terms.recipient)?;
        if let Some(noted) = &mut self.noted {
            noted.keep(fields);
        }
        let mut given = Given {
            status,
            keep_alive: framing.keep_alive,
            framing: framing.body,
            rest: None,
            sent: 0,
        };
        match (framing.body, plan) {
            (BodyFraming::None | BodyFraming::Upgraded, _) => {}
            (_, Plan::Whole(_, packed)) if packed.len() <= COPIED => {
                self.out.extend_from_slice(&packed);
                given.sent = packed.len() as u64;
            }
            (_, Plan::Whole(_, packed)) => {
                given.rest = Some(Box::new(Rest {
                    first: Some(Bytes::from(packed).into()),
                    frames: None,
                    file: None,
                    packer: None,
                }));
            }
            (BodyFraming::Sized(length), _) if length == whole && whole <= COPIED as u64 => {
                self.out.extend_from_slice(response.first());
                given.sent = whole;
            }
            (_, plan) => {
                let first = (whole > 0).then(|| response.take_first());
                let frames = response.take_body();
                given.rest = Some(Box::new(Rest {
                    first,
                    frames,
                    file: None,
                    packer: match plan {
                        Plan::Pieces(_, packer) => Some(packer),
                        _ => None,
                    },
                }));
            }
        }
        Ok(given)
    }
}

impl Terms {
    /// Of no request.
    const NONE: Self = Self {
        recipient: Recipient {
            version: Version::Http11,
            method_id: 0,
            keep_alive: false,
        },
        draining: false,
        upgradable: false,
        amends: Amends::Nothing,
        closes: false,
        plain: false,
    };

    /// For a request that may offer a protocol to switch to.
    #[inline(always)]
    pub(super) fn new(
        recipient: Recipient,
        draining: bool,
        upgradable: bool,
        amends: Amends,
    ) -> Self {
        let whole = recipient.version == Version::Http11 && recipient.method_id != method::HEAD;
        Self {
            recipient,
            draining,
            upgradable,
            amends,
            closes: false,
            plain: whole && !draining && !upgradable && amends == Amends::Nothing,
        }
    }

    /// The same, on a connection that ends behind the answer if `closes` says so.
    #[inline(always)]
    pub(super) fn closing(self, closes: bool) -> Self {
        Self {
            closes: self.closes | closes,
            ..self
        }
    }

    /// To whom it is written.
    pub(super) fn recipient(&self) -> Recipient {
        self.recipient
    }

    /// Whether nothing here asks for anything but a 200 with its body, on a connection that stays.
    #[inline(always)]
    fn are_plain(&self) -> bool {
        self.plain && self.recipient.keep_alive && !self.closes
    }
}

impl Exchange for Box<Answer> {
    type Shared = Link;

    #[inline(always)]
    fn open(&self, link: &Link) {
        if self.introduces || !self.terms.plain {
            self.tell(link);
        }
    }

    #[inline(always)]
    fn respond(&mut self, link: &Link, response: &mut AppResponse<'_>) -> Result<(), ErrorKind> {
        if link.is_untouched()
            && let Some(given) = self.write_plain(response)
        {
            link.close_to_informs(false);
            // There is none yet. To ask costs less than to drop what might be there.
            if self.given.is_none() {
                self.given = Some(given);
            }
            return Ok(());
        }
        self.respond_at_length(link, response)
    }
}

impl Answer {
    /// Tells the link what it is to know from the beginning.
    #[inline(never)]
    fn tell(&self, link: &Link) {
        link.open(self.terms.recipient.version, self.terms.draining);
        if let Some(tls) = self.tls.take() {
            link.tell_tls(tls);
        }
        if let Some(id) = self.told.take() {
            link.tell_id(id);
        }
    }

    /// Nobody will read what is still to come.
    pub(super) fn discard(&mut self) {
        self.discards = true;
        self.terms.plain = false;
    }

    /// Takes any response.
    #[inline(never)]
    fn respond_at_length(
        &mut self,
        link: &Link,
        response: &mut AppResponse<'_>,
    ) -> Result<(), ErrorKind> {
        link.take_informs(&mut self.out);
        if self.discards {
            link.close_to_informs(false);
            return Ok(());
        }
        match self.write(response) {
            Ok(given) => {
                link.close_to_informs(given.framing == BodyFraming::Upgraded);
                self.given = Some(given);
                Ok(())
            }
            Err(why) => {
                self.refused = Some(why);
                Err(ErrorKind::Invalid)
            }
        }
    }
}
