//! From a head to a call, in whatever version of HTTP the head came: the parser's slices go across as they
//! stand in the buffer that was parsed.

use std::sync::Arc;
use std::task::Waker;

use arrayvec::ArrayVec;
use gateway_spec::Body;
use gateway_spec::abi::host::{Call, CallHead};
use gateway_spec::abi::{Field, method};
use smallvec::SmallVec;

use super::answer::Answer;
use super::application::Application;
pub(super) use super::dialect::Dialect;
use super::ends::{Ends, Facts, Retold};
use super::service::Service;
use crate::http1::{BodyLength, Head, Version};

/// What a request line says: method, target, version.
pub(super) type RequestLine<'a> = (&'a [u8], &'a [u8], Version);

/// A request that is handed over.
#[derive(Clone, Copy)]
pub(super) struct Request<'r> {
    pub(super) head: &'r Head,
    pub(super) raw: &'r [u8],
    /// The protocols that the client would like to switch to.
    pub(super) offer: Option<&'r [u8]>,
    pub(super) dialect: Dialect,
}

impl<'r> Request<'r> {
    /// One in HTTP/1.
    #[inline(always)]
    pub(super) fn http1(head: &'r Head, raw: &'r [u8]) -> Self {
        Self {
            head,
            raw,
            offer: head.upgrade(raw),
            dialect: Dialect::Http1,
        }
    }

    /// Its method and path.
    pub(super) fn text(&self) -> [&'r [u8]; 2] {
        [self.method(), self.head.path(self.raw)]
    }

    /// The method, as the client sent it.
    #[inline(always)]
    pub(super) fn method(&self) -> &'r [u8] {
        match self.dialect {
            Dialect::ExtendedConnect => b"CONNECT",
            _ => self.head.method(self.raw),
        }
    }

    /// Its id.
    #[inline(always)]
    pub(super) fn method_id(&self) -> u32 {
        match self.dialect {
            Dialect::ExtendedConnect => method::CONNECT,
            _ => self.head.method_id(),
        }
    }
}

/// Who is called, and in which worker.
pub(super) type To<'a> = (&'a Service, &'a Application);

impl Ends {
    /// Calls the only application with a request that has no body; as [`Call::serve`].
    #[inline(always)]
    pub(super) fn call_without_body(
        &self,
        to: To<'_>,
        request: &Request<'_>,
        answer: Box<Answer>,
        waker: &Waker,
    ) -> Result<Box<Answer>, Call<Box<Answer>>> {
        let lines = request.head.fields(request.raw);
        if lines.len() > MANY || self.is_proxied() {
            return self.call(to, request, None, answer, waker);
        }
        let mut fields = ArrayVec::<Field<'_>, MANY>::new();
        for line in lines {
            fields.push(line);
        }
        let facts = Facts::direct(self, request.head, request.raw);
        self.start(to, request, (&facts, &fields), None, answer, waker)
    }

    /// The same, for any application and request: also with a body, with more field lines than clients
    /// send, or that a proxy passes on.
    #[inline(never)]
    pub(super) fn call(
        &self,
        to: To<'_>,
        request: &Request<'_>,
        body: Option<Body>,
        mut answer: Box<Answer>,
        waker: &Waker,
    ) -> Result<Box<Answer>, Call<Box<Answer>>> {
        if let Some(id) = self.told_id(to.0, request) {
            answer.introduce_id(id.into());
        }
        let traced = self.trace(to.0, request);
        let Request { head, raw, .. } = *request;
        let mut fields = SmallVec::<[Field<'_>; MANY]>::new();
        fields.extend(head.fields(raw));
        let mut facts = Facts::direct(self, head, raw);
        let retold = self.is_proxied().then(|| Retold::new(self, head, raw));
        let (mut found, mut dialect) = (0, request.dialect);
        if let Some(retold) = &retold {
            retold.amend(&mut facts);
            (found, dialect) = (retold.mount(), retold.dialect(dialect));
            if let Some(host) = retold.host() {
                match fields
                    .iter_mut()
                    .find(|field| field.name_id() == host.name_id())
                {
                    Some(field) => *field = host,
                    None => fields.push(host),
                }
            }
        }
        // Behind what a proxy has taken off; what a front has found stands there still.
        let mount = match found {
            0 => facts.mount.len() + to.1.mount,
            found => found.max(to.1.mount),
        };
        facts.mount = facts.path.get(..mount).unwrap_or_default();
        let request = &Request {
            dialect,
            ..*request
        };
        if let Some(traced) = &traced {
            traced.amend(&mut fields);
            // Its text stands elsewhere.
            facts.region = b"";
        }
        self.start(to, request, (&facts, &fields), body, answer, waker)
    }

    #[inline(always)]
    fn start(
        &self,
        (service, application): To<'_>,
        request: &Request<'_>,
        (facts, fields): (&Facts<'_>, &[Field<'_>]),
        body: Option<Body>,
        mut answer: Box<Answer>,
        waker: &Waker,
    ) -> Result<Box<Answer>, Call<Box<Answer>>> {
        let Request { head, offer, .. } = *request;
        // What has no body is not asked how long it is.
        let content_length = match body.as_ref().map(|_| head.body()) {
            None | Some(BodyLength::None) => Some(0),
            Some(BodyLength::Length(length)) => Some(length),
            Some(BodyLength::Chunked) => None,
        };
        // Its method does not stand in the head, so not everything does.
        let extended = request.dialect == Dialect::ExtendedConnect;
        let mut call = CallHead::new(if extended { b"" } else { facts.region });
        call.set_method(request.method_id(), request.method());
        call.set_version(request.dialect.version(head.version()));
        call.set_scheme(facts.scheme);
        call.set_flags(facts.flags);
        call.set_target(facts.target, facts.path, facts.query);
        call.set_mount(facts.mount);
        call.set_authority(facts.authority);
        call.set_protocol(offer);
        call.set_fields(fields);
        call.set_content_length(content_length);
        call.set_addresses(&self.peer, facts.client, &self.entrance.local);
        if let Some(tls) = &self.tls {
            answer.introduce_tls(Arc::clone(tls));
        }
        call.set_arrival(service.clock.deadlines.now_ns());
        let (app, pool) = (&application.app, &service.pool);
        Call::serve(app, pool, call, body, answer, waker, |answer| {
            answer.is_complete()
        })
    }

    /// The id that a trusted proxy has given the request, where that is believed.
    pub(super) fn told_id<'r>(&self, service: &Service, request: &Request<'r>) -> Option<&'r [u8]> {
        let name = service.id_field.as_ref()?;
        self.word.as_ref()?.fields.as_ref()?;
        let fields = request.head.fields(request.raw);
        // A proxy that does not replace what the client has sent appends its own.
        let value = fields
            .filter(|field| field.name() == &**name)
            .last()?
            .value();
        let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b',');
        let good = !value.is_empty() && value.len() <= ID_BYTES && value.iter().all(plain);
        good.then_some(value)
    }
}

/// Longest id that is taken from a proxy, in bytes.
const ID_BYTES: usize = 128;
/// Field lines that stand on the stack; more are put on the heap.
const MANY: usize = 64;
