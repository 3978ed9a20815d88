//! What a server needs before it may begin, and another that is just ending may still hold: its pid
//! file and its addresses. It waits for them a while.

use std::fmt::Display;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::net::{LockError, LockFile};
use crate::os::process;
use crate::os::signals::SignalSource;

/// Attempts something for as long as what is needed is `in_use`, for [`PATIENCE`] at most, or until
/// the server is told to stop before it has begun.
///
/// # Errors
///
/// Those of the last attempt.
pub(crate) fn patiently<T, E: Display>(
    signals: &SignalSource,
    in_use: impl Fn(&E) -> bool,
    attempt: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    // Signals that cannot be read are no reason to wait for them.
    let pause = || signals.rest(PAUSE).unwrap_or(false);
    repeat(in_use, attempt, pause)
}

/// The file that holds the master's number, if one is asked for.
///
/// # Errors
///
/// Another server has it, or it cannot be written.
pub(crate) fn pid_file(
    path: Option<&Path>,
    signals: &SignalSource,
) -> Result<Option<LockFile>, PidError> {
    let Some(path) = path else { return Ok(None) };
    let named = |why: LockError| PidError {
        path: path.display().to_string(),
        why,
    };
    let in_use = |error: &PidError| matches!(error.why, LockError::Held { .. });
    let mut file = patiently(signals, in_use, || take(path).map_err(named))?;
    file.write("").map_err(|error| named(error.into()))?;
    Ok(Some(file))
}

/// Takes a file that no living server has: not one of ours, which would have locked it, and none of
/// another kind, which has written its number there and still runs.
fn take(path: &Path) -> Result<LockFile, LockError> {
    let file = LockFile::take(path)?;
    let left = file.left.trim();
    let owner = left.parse().ok();
    let refusal = match owner {
        None if left.is_empty() => return Ok(file),
        None => LockError::NoNumber {
            found: left.chars().take(SHOWN).collect(),
        },
        Some(pid) if !is_owner(pid, &file) => return Ok(file),
        pid => LockError::Held { pid },
    };
    file.give_back();
    Err(refusal)
}

/// Whether the process with this number can have written it there: the number of one that has ended
/// may by now be that of another, which is younger than the file.
fn is_owner(pid: u32, file: &LockFile) -> bool {
    let lives = process::age(pid).filter(|_| pid != std::process::id());
    let written = file.age().unwrap_or_default();
    lives.is_some_and(|age| age + CLOCK_GRAIN >= written)
}

/// Why a server cannot have its pid file.
#[derive(Debug, thiserror::Error)]
#[error("--pid {path}: {why}")]
pub(crate) struct PidError {
    path: String,
    why: LockError,
}

/// How exactly the ages of files and processes can be compared.
const CLOCK_GRAIN: Duration = Duration::from_millis(100);
/// Letters of what stands in a file that are shown.
const SHOWN: usize = 40;
/// How long a server that starts waits for what it needs.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

fn repeat<T, E: Display>(
    in_use: impl Fn(&E) -> bool,
    mut attempt: impl FnMut() -> Result<T, E>,
    mut pause: impl FnMut() -> bool,
) -> Result<T, E> {
    let end = Instant::now() + PATIENCE;
    let mut told = false;
    loop {
        let why = match attempt() {
            Err(why) if in_use(&why) && Instant::now() < end => why,
            done => return done,
        };
        if !std::mem::replace(&mut told, true) {
            tracing::info!("{why}; trying again for {} s", PATIENCE.as_secs());
        }
        if !pause() {
            return Err(why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_had() {
        let mut left = 3;
        let attempt = || {
            left -= 1;
            if left > 0 { Err(left) } else { Ok("had") }
        };
        assert_eq!(repeat(|_| true, attempt, || true), Ok("had"));
    }

    #[test]
    fn neither_the_hopeless_nor_the_unwanted_is_waited_for() {
        let mut attempts = 0;
        let mut attempt = || -> Result<(), u32> {
            attempts += 1;
            Err(attempts)
        };
        let hopeless = repeat(|_| false, &mut attempt, || panic!("no pause"));
        assert_eq!(hopeless, Err(1));
        let unwanted = repeat(|_| true, &mut attempt, || false);
        assert_eq!(unwanted, Err(2));
    }
}
