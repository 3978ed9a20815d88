//! Where in its life a worker is, as text.

use std::time::Duration;

use crate::arbiter::recycling::Quota;
use crate::arbiter::roster::Phase;

/// The text that [`read`] reads.
pub(super) fn show(phase: Phase) -> String {
    let with = |word: &str, deadline: Duration| format!("{word} {}", deadline.as_nanos());
    match phase {
        Phase::Booting { deadline } => with("booting", deadline),
        Phase::Ready {
            since, beat, fresh, ..
        } => format!("ready {} {beat} {}", since.as_nanos(), fresh.as_nanos()),
        Phase::Draining { deadline, .. } => with("draining", deadline),
        Phase::Stopping { deadline } => with("stopping", deadline),
        Phase::Aborting { deadline } => with("aborting", deadline),
        Phase::Killed => "killed".to_owned(),
    }
}

/// What [`show`] wrote.
pub(super) fn read(text: &str) -> Option<Phase> {
    let words: Vec<&str> = text.split(' ').collect();
    Some(match words.as_slice() {
        ["booting", deadline] => Phase::Booting {
            deadline: nanoseconds(deadline)?,
        },
        ["ready", since, beat, fresh] => Phase::Ready {
            since: nanoseconds(since)?,
            // It is to be replaced in any case.
            quota: Quota::default(),
            beat: beat.parse().ok()?,
            fresh: nanoseconds(fresh)?,
            marked: None,
        },
        ["draining", deadline] => Phase::Draining {
            deadline: nanoseconds(deadline)?,
            // It was told by the program of before, and has had the time of an upgrade to hear it.
            may_accept: None,
        },
        ["stopping", deadline] => Phase::Stopping {
            deadline: nanoseconds(deadline)?,
        },
        ["aborting", deadline] => Phase::Aborting {
            deadline: nanoseconds(deadline)?,
        },
        ["killed"] => Phase::Killed,
        _ => return None,
    })
}

/// A time in the form that all of a state has it in.
pub(super) fn nanoseconds(text: &str) -> Option<Duration> {
    Some(Duration::from_nanos(text.parse().ok()?))
}
