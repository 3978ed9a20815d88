//! How much a worker may be used before it is replaced. The limits ask; the arbiter grants.

use std::fmt;
use std::time::Duration;

use crate::value::ByteCount;

/// The limits for all workers; zero is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Requests answered.
    pub(crate) requests: u32,
    /// Time since it became ready.
    pub(crate) age: Duration,
    /// Memory held.
    pub(crate) memory: ByteCount,
    /// By how many percent chance may lower each worker's own limits, so that workers which began
    /// together do not end together; at most 100.
    pub(crate) jitter: u32,
}

/// What a worker has used, as far as is known from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Requests answered, as it claims.
    pub(crate) requests: u64,
    /// Memory held, as the kernel says.
    pub(crate) memory: ByteCount,
}

/// One worker's own limits; by default it has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Quota {
    requests: u64,
    age: Duration,
    memory: ByteCount,
}

/// Why a worker is to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    /// So many requests answered.
    Requests(u64),
    /// So old.
    Age(Duration),
    /// So much memory held.
    Memory(ByteCount),
    /// An operator has asked for it.
    Asked,
    /// Its application has asked for the end: it accepts no more.
    Retired,
}

impl Limits {
    /// Whether there is any.
    pub(super) fn any(&self) -> bool {
        self.requests > 0 || !self.age.is_zero() || self.memory.0 > 0
    }

    /// The limits of one worker.
    pub(super) fn quota(&self, chance: u32) -> Quota {
        let part = f64::from(self.jitter.min(100)) / 100.0;
        let left = 1.0 - part * (f64::from(chance) / f64::from(u32::MAX));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a part of a number; to a page and a request it does not matter"
        )]
        let lowered = |limit: u64| ((limit as f64 * left) as u64).max(u64::from(limit > 0));
        Quota {
            requests: lowered(self.requests.into()),
            age: self.age.mul_f64(left),
            memory: ByteCount(lowered(self.memory.0)),
        }
    }
}

impl Quota {
    /// Which limit has been reached, if any.
    pub(super) fn spent(&self, used: Usage, age: Duration) -> Option<Spent> {
        let memory = self.memory.0 > 0 && used.memory >= self.memory;
        let requests = self.requests > 0 && used.requests >= self.requests;
        let old = !self.age.is_zero() && age >= self.age;
        memory
            .then_some(Spent::Memory(used.memory))
            .or(requests.then_some(Spent::Requests(used.requests)))
            .or(old.then_some(Spent::Age(age)))
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requests(requests) => write!(f, "has answered {requests} requests"),
            Self::Age(age) => write!(f, "is {} s old", age.as_secs()),
            Self::Memory(memory) => write!(f, "holds {}", memory.rounded()),
            Self::Asked => f.write_str("was asked to go"),
            Self::Retired => f.write_str("accepts no more, as its application has asked"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        requests: 1000,
        age: Duration::from_secs(100),
        memory: ByteCount(1 << 30),
        jitter: 20,
    };

    #[test]
    fn chance_lowers_every_limit_by_the_jitter_at_most() {
        let used = |requests, memory| Usage {
            requests,
            memory: ByteCount(memory),
        };
        let (whole, least) = (LIMITS.quota(0), LIMITS.quota(u32::MAX));
        let none = Duration::ZERO;
        assert_eq!(whole.spent(used(999, 0), none), None);
        assert_eq!(
            whole.spent(used(1000, 0), none),
            Some(Spent::Requests(1000))
        );
        assert_eq!(least.spent(used(799, 0), none), None);
        assert!(least.spent(used(800, 0), none).is_some());
        assert!(least.spent(used(0, (1 << 30) * 4 / 5), none).is_some());
        assert!(whole.spent(used(0, (1 << 30) - 1), none).is_none());
        let age = Duration::from_secs(81);
        assert_eq!(least.spent(used(0, 0), age), Some(Spent::Age(age)));
        assert_eq!(whole.spent(used(0, 0), age), None);
    }

    #[test]
    fn zero_is_no_limit() {
        let none = Limits {
            requests: 0,
            age: Duration::ZERO,
            memory: ByteCount(0),
            jitter: 100,
        };
        assert!(!none.any());
        let used = Usage {
            requests: u64::MAX,
            memory: ByteCount(u64::MAX),
        };
        assert_eq!(none.quota(u32::MAX).spent(used, Duration::MAX), None);
    }
}
