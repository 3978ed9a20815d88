//! [`Known`]: what is known of a request, from whoever is believed, for whoever writes it down.

use std::net::IpAddr;

use gateway_spec::abi::scheme;

use super::dialect::Dialect;
use super::ends::Ends;
use super::handover::Request;
use crate::proxies::Told;

/// A request with what is said beside its head. Everything else is looked up when it is asked for.
pub(super) struct Known<'k> {
    pub(super) ends: &'k Ends,
    pub(super) request: &'k Request<'k>,
    told: Option<Told<'k>>,
}

impl Ends {
    #[inline(always)]
    pub(super) fn known<'k>(&'k self, request: &'k Request<'k>) -> Known<'k> {
        let hear = || self.hear(request.head, request.raw);
        Known {
            ends: self,
            request,
            told: self.is_proxied().then(hear),
        }
    }
}

impl Known<'_> {
    /// The client's address, if that is one of IP.
    #[inline]
    pub(super) fn client(&self) -> Option<IpAddr> {
        let told = self.told.as_ref().and_then(|told| told.client);
        match told {
            Some(client) => Some(client.ip()),
            None => self.ends.client().ip(),
        }
    }

    pub(super) fn path(&self) -> &[u8] {
        self.request.head.path(self.request.raw)
    }

    #[inline]
    pub(super) fn version(&self) -> &'static str {
        self.dialect().name(self.request.head.version())
    }

    /// Method, target and version, if the head says them as the client did.
    #[inline]
    pub(super) fn line(&self) -> Option<&[u8]> {
        let Request { head, raw, .. } = self.request;
        (self.dialect() == Dialect::Http1).then(|| head.line(raw))
    }

    #[inline]
    fn dialect(&self) -> Dialect {
        let told = self.told.as_ref().and_then(|told| told.version);
        Dialect::told(told).unwrap_or(self.request.dialect)
    }

    pub(super) fn scheme(&self) -> &'static str {
        let told = self.told.as_ref().and_then(|told| told.scheme);
        let word = self.ends.word.as_ref().and_then(|word| word.scheme);
        match told.or(word) {
            Some(scheme::HTTPS) => "https",
            Some(_) => "http",
            None => self.ends.entrance.scheme(),
        }
    }

    pub(super) fn host(&self) -> &[u8] {
        let told = self.told.as_ref().and_then(|told| told.authority);
        told.unwrap_or_else(|| self.request.head.authority(self.request.raw))
    }
}
