//! [`Counter`]: what workers count, in the order of their pages.

use std::borrow::Cow;

/// One number of a worker's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counter {
    /// Connections accepted.
    Connections,
    /// Connections open now.
    ConnectionsActive,
    /// Requests answered, or given up after the application was called.
    Requests,
    /// Requests that the application is working on.
    RequestsActive,
    /// Requests that came on a connection which a draining worker was just closing.
    DrainRaces,
    /// Bytes of request bodies, as they came.
    BytesIn,
    /// Bytes of response bodies.
    BytesOut,
    /// Nanoseconds that all answers together took.
    Took,
    /// TLS handshakes that came to their end.
    Handshakes,
    /// TLS handshakes that did not.
    HandshakesFailed,
    /// Answers that took no longer than this one of [`BOUNDS`], and longer than the one before; the last
    /// is for all others.
    TookUpTo(usize),
    /// Answers by their request's method and their status.
    Answers(Method, Class),
    /// Requests that the server has answered in the application's place, by why.
    Refused(Refusal),
    /// Deadlines that have passed, by whose.
    TimedOut(Deadline),
}

/// The method of a request, as far as it is told apart: clients may invent any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Patch,
    Options,
    Other,
}

/// The first digit of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Class {
    Informational,
    Success,
    Redirection,
    ClientError,
    ServerError,
}

/// Why the server has answered a request itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Refusal {
    /// It is no request (400 and others).
    Malformed,
    /// Its target is too long (414).
    TargetTooLong,
    /// Its head is too large (431).
    HeadTooLarge,
    /// Its body is too large (413).
    BodyTooLarge,
    /// Its head did not come in time (408).
    Late,
    /// It asks for what this server does not do (417, 501, 505).
    Unsupported,
    /// There was no room for it (503).
    Busy,
}

/// What has taken too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Deadline {
    Handshake,
    Head,
    Body,
    /// The client did not read.
    Write,
    /// The application did not answer.
    Request,
    /// An idle connection was closed.
    KeepAlive,
    /// There was no place for the request.
    Queue,
}

/// Upper bounds of the histogram, in nanoseconds.
pub(crate) const BOUNDS: [u64; 18] = [
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
    30_000_000_000,
    60_000_000_000,
];

impl Counter {
    /// How many there are.
    pub(crate) const COUNT: usize = FIRST_DEADLINE + Deadline::ALL.len();

    /// All counters, in the order of the page.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let plain = PLAIN.into_iter();
        let took = (0..=BOUNDS.len()).map(Self::TookUpTo);
        let answers = Method::ALL
            .into_iter()
            .flat_map(|method| Class::ALL.map(|class| Self::Answers(method, class)));
        let refused = Refusal::ALL.into_iter().map(Self::Refused);
        let late = Deadline::ALL.into_iter().map(Self::TimedOut);
        plain.chain(took).chain(answers).chain(refused).chain(late)
    }

    /// Its place among all.
    #[inline(always)]
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Connections => 0,
            Self::ConnectionsActive => 1,
            Self::Requests => 2,
            Self::RequestsActive => 3,
            Self::DrainRaces => 4,
            Self::BytesIn => 5,
            Self::BytesOut => 6,
            Self::Took => 7,
            Self::Handshakes => 8,
            Self::HandshakesFailed => 9,
            Self::TookUpTo(bound) => FIRST_BOUND + bound,
            Self::Answers(method, class) => {
                FIRST_ANSWER + method as usize * Class::ALL.len() + class as usize
            }
            Self::Refused(why) => FIRST_REFUSAL + why as usize,
            Self::TimedOut(whose) => FIRST_DEADLINE + whose as usize,
        }
    }

    /// The bound that an answer is counted by which took so many nanoseconds.
    #[inline]
    pub(crate) fn took(nanoseconds: u64) -> Self {
        let mut bound = 0;
        while bound < BOUNDS.len() && nanoseconds > BOUNDS[bound] {
            bound += 1;
        }
        Self::TookUpTo(bound)
    }

    /// Whether it says how many there are now, rather than how many there have been.
    pub(crate) fn is_gauge(self) -> bool {
        matches!(self, Self::ConnectionsActive | Self::RequestsActive)
    }

    /// The name in the page, at most 24 bytes long. What a name counts never changes: programs of
    /// different versions add up each other's pages by it.
    pub(crate) fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Connections => "connections_total",
            Self::ConnectionsActive => "connections_active",
            Self::Requests => "requests_total",
            Self::RequestsActive => "requests_active",
            Self::DrainRaces => "drain_races_total",
            Self::BytesIn => "bytes_in_total",
            Self::BytesOut => "bytes_out_total",
            Self::Took => "took_ns_total",
            Self::Handshakes => "handshakes_total",
            Self::HandshakesFailed => "handshakes_failed_total",
            Self::TookUpTo(bound) => {
                return match BOUNDS.get(bound) {
                    Some(bound) => format!("took_{bound}ns").into(),
                    None => "took_longer".into(),
                };
            }
            Self::Answers(method, class) => {
                return format!("answers_{}_{}", method.name(), class.name()).into();
            }
            Self::Refused(why) => return format!("refused_{}", why.name()).into(),
            Self::TimedOut(whose) => return format!("timeout_{}", whose.name()).into(),
        })
    }
}

impl Method {
    pub(crate) const ALL: [Self; 8] = [
        Self::Get,
        Self::Head,
        Self::Post,
        Self::Put,
        Self::Delete,
        Self::Patch,
        Self::Options,
        Self::Other,
    ];

    /// What it is called in metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
            Self::Options => "OPTIONS",
            Self::Other => "other",
        }
    }
}

impl Class {
    pub(crate) const ALL: [Self; 5] = [
        Self::Informational,
        Self::Success,
        Self::Redirection,
        Self::ClientError,
        Self::ServerError,
    ];

    /// That of a status.
    #[inline]
    pub(crate) fn of(status: u16) -> Self {
        match status {
            200..300 => Self::Success,
            300..400 => Self::Redirection,
            400..500 => Self::ClientError,
            500.. => Self::ServerError,
            _ => Self::Informational,
        }
    }

    /// What it is called in metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Informational => "1xx",
            Self::Success => "2xx",
            Self::Redirection => "3xx",
            Self::ClientError => "4xx",
            Self::ServerError => "5xx",
        }
    }
}

impl Refusal {
    pub(crate) const ALL: [Self; 7] = [
        Self::Malformed,
        Self::TargetTooLong,
        Self::HeadTooLarge,
        Self::BodyTooLarge,
        Self::Late,
        Self::Unsupported,
        Self::Busy,
    ];

    /// Why the server refuses a request with this status.
    pub(crate) fn of(status: u16) -> Self {
        match status {
            408 => Self::Late,
            413 => Self::BodyTooLarge,
            414 => Self::TargetTooLong,
            431 => Self::HeadTooLarge,
            417 | 501 | 505 => Self::Unsupported,
            503 => Self::Busy,
            _ => Self::Malformed,
        }
    }

    /// What it is called in metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TargetTooLong => "target_too_long",
            Self::HeadTooLarge => "head_too_large",
            Self::BodyTooLarge => "body_too_large",
            Self::Late => "late",
            Self::Unsupported => "unsupported",
            Self::Busy => "busy",
        }
    }
}

impl Deadline {
    pub(crate) const ALL: [Self; 7] = [
        Self::Handshake,
        Self::Head,
        Self::Body,
        Self::Write,
        Self::Request,
        Self::KeepAlive,
        Self::Queue,
    ];

    /// What it is called in metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Head => "head",
            Self::Body => "body",
            Self::Write => "write",
            Self::Request => "request",
            Self::KeepAlive => "keep_alive",
            Self::Queue => "queue",
        }
    }
}

const PLAIN: [Counter; 10] = [
    Counter::Connections,
    Counter::ConnectionsActive,
    Counter::Requests,
    Counter::RequestsActive,
    Counter::DrainRaces,
    Counter::BytesIn,
    Counter::BytesOut,
    Counter::Took,
    Counter::Handshakes,
    Counter::HandshakesFailed,
];
const FIRST_BOUND: usize = PLAIN.len();
const FIRST_ANSWER: usize = FIRST_BOUND + BOUNDS.len() + 1;
const FIRST_REFUSAL: usize = FIRST_ANSWER + Method::ALL.len() * Class::ALL.len();
const FIRST_DEADLINE: usize = FIRST_REFUSAL + Refusal::ALL.len();

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_counter_has_a_place_and_a_name_of_its_own() {
        let places: Vec<_> = Counter::all().map(Counter::index).collect();
        assert_eq!(places, (0..Counter::COUNT).collect::<Vec<_>>());
        let names: BTreeSet<_> = Counter::all().map(Counter::name).collect();
        assert_eq!(names.len(), Counter::COUNT);
    }

    #[test]
    fn an_answer_is_counted_by_the_first_bound_that_it_keeps() {
        let bound = |ns| match Counter::took(ns) {
            Counter::TookUpTo(bound) => bound,
            other => panic!("{other:?}"),
        };
        let found = [0, 100_000, 100_001, 60_000_000_000, u64::MAX].map(bound);
        assert_eq!(found, [0, 0, 1, 17, 18]);
    }
}
