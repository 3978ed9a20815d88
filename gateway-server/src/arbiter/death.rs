//! How a worker ended, and what is known of why.

use std::fmt;

use nix::sys::signal::Signal;

use crate::os::process::Ended;
use crate::value::ByteCount;

/// The end of a worker process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Death {
    /// Its exit code, or the signal.
    pub(crate) ended: Ended,
    /// The most memory that it held at one time.
    pub(crate) peak: ByteCount,
    /// Whether the kernel has just counted a process of ours that it killed for want of memory.
    pub(crate) out_of_memory: bool,
}

/// Who may have sent a KILL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Executioner {
    /// This server.
    Ourselves,
    /// Anybody else.
    Unknown,
}

impl Death {
    /// The words for it, to follow the worker's name.
    pub(super) fn words(self, executioner: Executioner) -> impl fmt::Display {
        let peak = self.peak.rounded();
        fmt::from_fn(move |f| match self.ended {
            Ended::Code(code) => write!(f, "exited with code {code} (it held up to {peak})"),
            Ended::Signal(signal) => {
                write!(f, "was ended by {signal} (it held up to {peak}")?;
                f.write_str(match (signal, executioner) {
                    (Signal::SIGKILL, Executioner::Unknown) if self.out_of_memory => {
                        "; by the kernel, for want of memory)"
                    }
                    (Signal::SIGKILL, Executioner::Unknown) => {
                        "; not by this server: possibly by the kernel's OOM killer)"
                    }
                    _ => ")",
                })
            }
        })
    }
}

#[cfg(test)]
impl From<Ended> for Death {
    fn from(ended: Ended) -> Self {
        Self {
            ended,
            peak: ByteCount(0),
            out_of_memory: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_by_nobody_knows_whom_is_explained() {
        let mut death = Death {
            peak: ByteCount(3 << 19),
            ..Death::from(Ended::Signal(Signal::SIGKILL))
        };
        let said = |death: Death, by| death.words(by).to_string();
        let words = "was ended by SIGKILL (it held up to 1.5 MiB";
        assert_eq!(said(death, Executioner::Ourselves), format!("{words})"));
        let unknown = said(death, Executioner::Unknown);
        assert_eq!(
            unknown,
            format!("{words}; not by this server: possibly by the kernel's OOM killer)")
        );
        death.out_of_memory = true;
        let known = said(death, Executioner::Unknown);
        assert_eq!(
            known,
            format!("{words}; by the kernel, for want of memory)")
        );
        death.ended = Ended::Code(3);
        assert_eq!(
            said(death, Executioner::Unknown),
            "exited with code 3 (it held up to 1.5 MiB)"
        );
    }
}
