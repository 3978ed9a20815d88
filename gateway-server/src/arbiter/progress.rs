//! How far the upgrade to a new program has come; pure. Up to the moment when the master becomes the new program, nothing
//! has changed, and everything can be called off.

use std::time::Duration;

use super::event::{Action, Generation};
use super::roster::LAST_GRACE;

/// The check of a new program, if one runs.
#[derive(Debug, Default)]
pub(super) struct Progress {
    stage: Stage,
    /// What the check said was wrong.
    words: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Idle,
    /// The new program starts the application and reads our state.
    Checking {
        generation: Generation,
        deadline: Duration,
    },
    /// Told to end: its answer counts no more.
    Dismissed { deadline: Duration },
    /// Sent KILL.
    Killed,
}

impl Progress {
    /// Whether a check runs, or has not ended yet.
    pub(super) fn is_busy(&self) -> bool {
        self.stage != Stage::Idle
    }

    /// The check begins, and may take until `deadline`.
    pub(super) fn begin(&mut self, generation: Generation, deadline: Duration) -> Action {
        self.stage = Stage::Checking {
            generation,
            deadline,
        };
        self.words = None;
        Action::Check(generation)
    }

    /// The check found nothing wrong: the master becomes the new program.
    pub(super) fn pass(&mut self) -> Option<Action> {
        match self.stage {
            Stage::Checking { generation, .. } => Some(Action::Become(generation)),
            _ => None,
        }
    }

    /// The check says what is wrong, and ends.
    pub(super) fn hear(&mut self, reason: String) {
        self.words.get_or_insert(reason);
    }

    /// The check could not be started: the upgrade is off.
    pub(super) fn refuse(&mut self) {
        self.stage = Stage::Idle;
    }

    /// The check has ended; why the upgrade is off, unless that was known before. `how` serves when it
    /// said nothing.
    pub(super) fn ended(&mut self, how: impl FnOnce() -> String) -> Option<String> {
        let before = std::mem::take(&mut self.stage);
        let words = self.words.take();
        matches!(before, Stage::Checking { .. }).then(|| words.unwrap_or_else(how))
    }

    /// Calls the upgrade off; whether there was one.
    pub(super) fn dismiss(&mut self, now: Duration, out: &mut Vec<Action>) -> bool {
        let checking = matches!(self.stage, Stage::Checking { .. });
        if checking {
            self.stage = Stage::Dismissed {
                deadline: now + LAST_GRACE,
            };
            out.push(Action::EndCheck);
        }
        checking
    }

    /// Ends the check at once.
    pub(super) fn kill(&mut self, out: &mut Vec<Action>) {
        if matches!(self.stage, Stage::Checking { .. } | Stage::Dismissed { .. }) {
            self.stage = Stage::Killed;
            out.push(Action::KillCheck);
        }
    }

    /// The master was held up: every deadline is put off by the pause.
    pub(super) fn forgive(&mut self, pause: Duration) {
        if let Stage::Checking { deadline, .. } | Stage::Dismissed { deadline } = &mut self.stage {
            *deadline += pause;
        }
    }

    /// Moves on at a deadline; true if the check has just taken too long.
    pub(super) fn expire(&mut self, now: Duration, out: &mut Vec<Action>) -> bool {
        match self.stage {
            Stage::Checking { deadline, .. } if now >= deadline => self.dismiss(now, out),
            Stage::Dismissed { deadline } if now >= deadline => {
                self.kill(out);
                false
            }
            _ => false,
        }
    }

    /// The next deadline.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        match self.stage {
            Stage::Checking { deadline, .. } | Stage::Dismissed { deadline } => Some(deadline),
            Stage::Idle | Stage::Killed => None,
        }
    }
}
