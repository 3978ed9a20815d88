//! Where a value comes from, as an operator would look for it.

use std::fmt;
use std::path::Path;
use std::rc::Rc;

/// The source of a value, the weakest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody has said anything.
    Default,
    /// The configuration file.
    File(Line),
    /// An environment variable, by its name.
    Variable(String),
    /// The command line; the flag, or what stands in its place.
    Flag(String),
}

/// A line of the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The file, as the operator named it.
    pub(crate) file: Rc<Path>,
    /// From 1.
    pub(crate) number: usize,
}

impl Origin {
    /// The beginning of a message about the setting `name`.
    pub(crate) fn lead(&self, name: &str) -> String {
        match self {
            Self::Default => format!("{name} (default)"),
            Self::File(line) => format!("{line}: {name}"),
            Self::Variable(variable) => format!("{variable} (environment)"),
            Self::Flag(flag) => format!("{flag} (command line)"),
        }
    }
}

/// Without the setting's name, which stands beside it.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(line) => line.fmt(f),
            Self::Variable(variable) => write!(f, "variable {variable}"),
            Self::Flag(flag) => write!(f, "command line, {flag}"),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.number)
    }
}
