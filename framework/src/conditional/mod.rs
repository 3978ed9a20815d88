//! Conditional and partial answers (RFC 9110 sections 13 and 14): whether a client's copy is still good, and
//! which part of a representation it asks for.

mod etag;
mod range;

use std::time::{Duration, SystemTime};

use http::{HeaderMap, Method, header};

pub use etag::{BadETag, ETag};
pub use range::{ByteRange, Ranged};

/// What a representation can be recognised by.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Validators {
    /// Its entity tag.
    pub etag: Option<ETag>,
    /// When it was last changed; fractions of a second do not count.
    pub last_modified: Option<SystemTime>,
}

/// What the request's preconditions say of the representation at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They hold, or there are none: answer as usual.
    Proceed,
    /// The client's copy is good: 304 without a body.
    NotModified,
    /// The request was meant for another state of the resource: 412.
    Failed,
}

impl Validators {
    /// Judges the request's If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since fields, in the
    /// order of RFC 9110 section 13.2.2.
    pub fn judge(&self, method: &Method, fields: &HeaderMap) -> Verdict {
        let reads = method == Method::GET || method == Method::HEAD;
        if fields.contains_key(header::IF_MATCH) {
            if !self.listed(fields, header::IF_MATCH, ETag::strong_eq) {
                return Verdict::Failed;
            }
        } else if let Some(then) = date(fields, header::IF_UNMODIFIED_SINCE)
            && self.changed_since(then) == Some(true)
        {
            return Verdict::Failed;
        }
        if fields.contains_key(header::IF_NONE_MATCH) {
            return match self.listed(fields, header::IF_NONE_MATCH, ETag::weak_eq) {
                false => Verdict::Proceed,
                true if reads => Verdict::NotModified,
                true => Verdict::Failed,
            };
        }
        match date(fields, header::IF_MODIFIED_SINCE).filter(|_| reads) {
            Some(then) if self.changed_since(then) == Some(false) => Verdict::NotModified,
            _ => Verdict::Proceed,
        }
    }

    /// Which part of `length` bytes the request's Range field asks for, if its If-Range condition holds.
    ///
    /// For GET alone (RFC 9110 section 14.2), behind [`judge`](Self::judge). A unit other than bytes, a
    /// malformed set and a set of several ranges are answered with the whole, as section 14.2 allows.
    pub fn ranged(&self, method: &Method, fields: &HeaderMap, length: u64) -> Ranged {
        let mut values = fields.get_all(header::RANGE).iter();
        match (values.next(), values.next()) {
            (Some(range), None) if method == Method::GET && self.unchanged(fields) => {
                ByteRange::parse(range.as_bytes(), length)
            }
            _ => Ranged::Whole,
        }
    }

    /// Whether the If-Range condition holds, or there is none: a strong comparison, or the exact date
    /// (RFC 9110 section 13.1.5).
    fn unchanged(&self, fields: &HeaderMap) -> bool {
        let Some(condition) = fields.get(header::IF_RANGE) else {
            return true;
        };
        match ETag::parse(condition.as_bytes()) {
            Ok(tag) => self.etag.as_ref().is_some_and(|etag| etag.strong_eq(&tag)),
            Err(_) => {
                let then = date(fields, header::IF_RANGE);
                then.is_some() && then == self.last_modified.map(whole_seconds)
            }
        }
    }

    /// Whether the field lists this representation's tag, or is `*`, which stands for any.
    fn listed(
        &self,
        fields: &HeaderMap,
        name: header::HeaderName,
        same: fn(&ETag, &ETag) -> bool,
    ) -> bool {
        let mut values = fields.get_all(name).iter();
        values.any(|value| {
            let value = value.as_bytes();
            let own = self.etag.as_ref();
            value.trim_ascii() == b"*"
                || own.is_some_and(|own| etag::list(value).any(|listed| same(own, &listed)))
        })
    }

    /// None if it is not known when the representation changed.
    fn changed_since(&self, then: SystemTime) -> Option<bool> {
        self.last_modified.map(|last| whole_seconds(last) > then)
    }
}

/// The date in the field `name`; a malformed one is as good as none (RFC 9110 section 13.1.3).
fn date(fields: &HeaderMap, name: header::HeaderName) -> Option<SystemTime> {
    let text = fields.get(name)?.to_str().ok()?;
    httpdate::parse_http_date(text.trim()).ok()
}

/// What a date in a field can say of `time`.
fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.map_or(0, |since| since.as_secs()))
}

#[cfg(test)]
mod tests;
