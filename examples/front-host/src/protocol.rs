//! [`Protocol`]: what a web server in front speaks.

use anyhow::{Result, bail};

/// What a web server in front speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    FastCgi,
    Scgi,
    Uwsgi,
}

impl Protocol {
    pub(crate) fn named(name: &str) -> Result<Self> {
        match name {
            "fastcgi" => Ok(Self::FastCgi),
            "scgi" => Ok(Self::Scgi),
            "uwsgi" => Ok(Self::Uwsgi),
            _ => bail!("expected fastcgi, scgi or uwsgi, found {name}"),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FastCgi => "fastcgi",
            Self::Scgi => "scgi",
            Self::Uwsgi => "uwsgi",
        }
    }

    /// What stands before the status in the answer's first line.
    pub(crate) fn before_status(self) -> &'static str {
        match self {
            Self::FastCgi | Self::Scgi => "Status:",
            Self::Uwsgi => "HTTP/1.1",
        }
    }
}
