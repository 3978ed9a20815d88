//! [`Protocol`]: what tells SCGI from uwsgi; the rest of a request and its answer they have in common.

use anyhow::{Result, bail};
use gateway_spec::cgi::Variables;

/// What a web server in front speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Protocol {
    Scgi,
    Uwsgi,
}

impl Protocol {
    pub(crate) fn named(name: &str) -> Result<Self> {
        match name {
            "scgi" => Ok(Self::Scgi),
            "uwsgi" => Ok(Self::Uwsgi),
            _ => bail!("expected scgi or uwsgi, found {name}"),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scgi => "scgi",
            Self::Uwsgi => "uwsgi",
        }
    }

    /// The variables at the beginning of the input and how many bytes they take; none if there is more to come.
    pub(crate) fn head(self, input: &[u8]) -> Result<Option<(Variables, usize)>> {
        Ok(match self {
            Self::Scgi => gateway_scgi::head(input, MAX_HEAD)?
                .map(|head| (collected(head.variables()), head.length)),
            Self::Uwsgi => gateway_uwsgi::head(input, MAX_HEAD)?
                .map(|head| (collected(head.variables()), head.length)),
        })
    }

    /// What stands before the status in the answer's first line.
    pub(crate) fn before_status(self) -> &'static str {
        match self {
            Self::Scgi => "Status:",
            Self::Uwsgi => "HTTP/1.1",
        }
    }
}

fn collected<'h>(pairs: impl Iterator<Item = (&'h [u8], &'h [u8])>) -> Variables {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    // A client at a unix socket has no address; nginx says `unix:` in its place.
    let is_told = |(name, value): &(&[u8], &[u8])| *name != b"REMOTE_ADDR" || *value != b"unix:";
    let pairs = pairs.filter(is_told);
    pairs.map(|(name, value)| (text(name), value)).collect()
}

/// Bytes of variables.
const MAX_HEAD: usize = 64 * 1024;
