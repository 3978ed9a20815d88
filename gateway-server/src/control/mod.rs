//! What an operator's program and the master say to each other over the control socket: a line of JSON
//! each way, and no more on a connection.

mod status;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use status::{
    MOST_REQUESTS, Operation, Outcome, Phase, PoolStatus, RequestStatus, Status, Work, WorkerStatus,
};

/// What an operator asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "command",
    rename_all = "kebab-case",
    deny_unknown_fields,
    expecting = "an object with a \"command\""
)]
pub(crate) enum Command {
    /// What the server does.
    Status,
    /// The values of its settings.
    Config,
    /// As HUP does, or of one application alone.
    Reload {
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app: Option<String>,
        /// Answer once it has come to an end.
        #[serde(default)]
        wait: bool,
    },
    /// As USR2 does.
    Upgrade {
        /// Answer once it has come to an end. The connection ends when the new program takes over.
        #[serde(default)]
        wait: bool,
    },
    /// Answer once no reload and no upgrade runs or waits.
    Wait,
    /// So many workers from now on, 1 to 512.
    Scale {
        /// The number.
        workers: u32,
        /// Those that load the application of this name; without it, those of the server's own addresses,
        /// or of the first pool.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app: Option<String>,
    },
    /// Replace a worker.
    Kill {
        /// Its number.
        worker: u32,
        /// End it before another is ready, with whatever it works on.
        #[serde(default)]
        now: bool,
    },
    /// As USR1 does.
    Reopen,
    /// As WINCH does: no workers until a reload or a number.
    Drain,
    /// As TERM does.
    Stop {
        /// As QUIT does.
        #[serde(default)]
        quick: bool,
        /// Do not answer: the connection ends with the server.
        #[serde(default)]
        wait: bool,
    },
}

/// What the master answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reply {
    /// Whether it was done, or will be.
    pub(crate) ok: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// To [`Command::Status`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Status>,
    /// To [`Command::Config`]: the values of each setting, none where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<BTreeMap<String, Vec<String>>>,
    /// What was waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<Operation>,
}

impl Reply {
    /// It was done, or will be.
    pub(crate) fn done() -> Self {
        Self {
            ok: true,
            ..Self::default()
        }
    }

    /// It was not, and why.
    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self {
            error: Some(why.into()),
            ..Self::default()
        }
    }

    /// How what was waited for has ended.
    pub(crate) fn of(operation: Option<Operation>) -> Self {
        let failed = operation
            .as_ref()
            .filter(|one| one.outcome == Outcome::Failed);
        Self {
            ok: failed.is_none(),
            error: failed.and_then(|one| one.reason.clone()),
            operation,
            ..Self::default()
        }
    }

    /// As it is sent.
    pub(crate) fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("numbers, texts and lists are JSON");
        line.push(b'\n');
        line
    }
}

impl Command {
    /// What it is called.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Config => "config",
            Self::Reload { .. } => "reload",
            Self::Upgrade { .. } => "upgrade",
            Self::Wait => "wait",
            Self::Scale { .. } => "scale",
            Self::Kill { .. } => "kill",
            Self::Reopen => "reopen",
            Self::Drain => "drain",
            Self::Stop { .. } => "stop",
        }
    }

    /// As it is sent.
    pub(crate) fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("numbers and texts are JSON");
        line.push(b'\n');
        line
    }
}

/// Longest line that is read, in bytes.
pub(crate) const LINE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_short_lines_of_json() {
        let text = r#"{"command":"kill","worker":3}"#;
        let kill: Command = serde_json::from_str(text).unwrap();
        let expected = Command::Kill {
            worker: 3,
            now: false,
        };
        assert_eq!(kill, expected);
        assert_eq!(Command::Reopen.line(), b"{\"command\":\"reopen\"}\n");
        for wrong in [
            r#"{"command":"kil"}"#,
            r#"{"command":"scale","workers":-1}"#,
            r#"{"command":"scale","workers":1,"more":2}"#,
            r#"{"command":"reload","app":7}"#,
            "7",
            "",
        ] {
            assert!(serde_json::from_str::<Command>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_operation_that_failed_is_a_refusal_with_its_reason() {
        let reply = Reply::of(Some(Operation {
            work: Work::Reload,
            outcome: Outcome::Failed,
            generation: 2,
            reason: Some("no such file".into()),
            seconds_ago: 0,
        }));
        assert_eq!(
            (reply.ok, reply.error.as_deref()),
            (false, Some("no such file"))
        );
        assert!(Reply::of(None).ok);
    }
}
