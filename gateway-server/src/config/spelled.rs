//! Settings whose value is of a type of its own, which says itself how it is written.

use std::fmt;
use std::path::Path;

use super::{Config, hidden};
use crate::value::{
    Capabilities, CpuAffinity, Limit, Nice, Outgoing, ShellCommand, Variable, VariableFile,
};

/// A type of values that settings hold.
pub(crate) trait Spelled: Sized + fmt::Display + 'static {
    /// What is accepted, for messages and help.
    const FORM: &'static str;
    /// The placeholder in `--help`.
    const PLACEHOLDER: &'static str;
    /// Whether it is a name with a value, so that in a file a table can hold a list of them.
    const IS_PAIR: bool = false;

    /// Reads the one text form.
    fn parse(text: &str) -> Option<Self>;

    /// What this very program accepts, where that may be less.
    fn expected() -> &'static str {
        Self::FORM
    }

    /// The text with a path that begins in `folder`, if it is a path and begins nowhere.
    fn anchored(text: &str, _folder: &Path) -> String {
        text.to_owned()
    }

    /// What stands in its place when it may be a password.
    fn veiled(&self) -> String {
        self.to_string()
    }

    /// What is said of a text that is none; nothing in it is shown that may be a password.
    fn described(text: &str) -> String {
        format!("`{text}`")
    }
}

/// A setting's value in the configuration, whatever its type.
pub(crate) trait Spot: fmt::Debug + Sync {
    fn form(&self) -> &'static str;
    fn placeholder(&self) -> &'static str;
    fn is_list(&self) -> bool;
    fn is_pair(&self) -> bool;
    fn anchored(&self, text: &str, folder: &Path) -> String;
    fn set(&self, config: &mut Config, texts: &[&str]) -> Result<(), Refused>;
    fn unset(&self, config: &mut Config);
    fn show(&self, config: &mut Config) -> Vec<String>;
    fn veiled(&self, config: &mut Config) -> Vec<String>;
}

/// A text that a setting does not accept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// What was given.
    pub(crate) text: String,
    /// What is said of it.
    pub(crate) found: String,
    /// What would have been accepted.
    pub(crate) expected: String,
}

/// A value, or none.
#[derive(Debug)]
pub(crate) struct Perhaps<T: 'static>(pub(crate) fn(&mut Config) -> &mut Option<T>);

/// Any number of values.
#[derive(Debug)]
pub(crate) struct List<T: 'static>(pub(crate) fn(&mut Config) -> &mut Vec<T>);

impl<T: Spelled + fmt::Debug> Spot for Perhaps<T> {
    fn form(&self) -> &'static str {
        T::FORM
    }

    fn placeholder(&self) -> &'static str {
        T::PLACEHOLDER
    }

    fn is_list(&self) -> bool {
        false
    }

    fn is_pair(&self) -> bool {
        false
    }

    fn anchored(&self, text: &str, folder: &Path) -> String {
        T::anchored(text, folder)
    }

    fn set(&self, config: &mut Config, texts: &[&str]) -> Result<(), Refused> {
        let text = texts.last().copied().unwrap_or_default();
        *self.0(config) = Some(parse(text)?);
        Ok(())
    }

    fn unset(&self, config: &mut Config) {
        *self.0(config) = None;
    }

    fn show(&self, config: &mut Config) -> Vec<String> {
        self.0(config).iter().map(ToString::to_string).collect()
    }

    fn veiled(&self, config: &mut Config) -> Vec<String> {
        self.0(config).iter().map(T::veiled).collect()
    }
}

impl<T: Spelled + fmt::Debug> Spot for List<T> {
    fn form(&self) -> &'static str {
        T::FORM
    }

    fn placeholder(&self) -> &'static str {
        T::PLACEHOLDER
    }

    fn is_list(&self) -> bool {
        true
    }

    fn is_pair(&self) -> bool {
        T::IS_PAIR
    }

    fn anchored(&self, text: &str, folder: &Path) -> String {
        T::anchored(text, folder)
    }

    fn set(&self, config: &mut Config, texts: &[&str]) -> Result<(), Refused> {
        let values: Result<_, _> = texts.iter().map(|text| parse(text)).collect();
        *self.0(config) = values?;
        Ok(())
    }

    fn unset(&self, config: &mut Config) {
        self.0(config).clear();
    }

    fn show(&self, config: &mut Config) -> Vec<String> {
        self.0(config).iter().map(ToString::to_string).collect()
    }

    fn veiled(&self, config: &mut Config) -> Vec<String> {
        self.0(config).iter().map(T::veiled).collect()
    }
}

fn parse<T: Spelled>(text: &str) -> Result<T, Refused> {
    T::parse(text).ok_or_else(|| Refused {
        text: text.to_owned(),
        found: T::described(text),
        expected: T::expected().to_owned(),
    })
}

impl Spelled for Limit {
    const FORM: &'static str = "`NAME=LIMIT` or `NAME=SOFT:HARD`, such as `nofile=65536`, `as=2GiB` or `core=unlimited`; the \
        names are as, core, cpu, data, fsize, locks, memlock, msgqueue, nice, nofile, nproc, rss, rtprio, rttime, \
        sigpending and stack";
    const PLACEHOLDER: &'static str = "NAME=LIMIT";
    const IS_PAIR: bool = true;

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

impl Spelled for Nice {
    const FORM: &'static str = "a number from -20 to 19";
    const PLACEHOLDER: &'static str = "N";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

impl Spelled for Capabilities {
    const FORM: &'static str =
        "`none`, or names from capabilities(7) such as `net_bind_service,net_raw`";
    const PLACEHOLDER: &'static str = "NAMES";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

impl Spelled for CpuAffinity {
    const FORM: &'static str = "numbers of processors such as `0-3,8`, `each`, or `each:0-3,8`";
    const PLACEHOLDER: &'static str = "CPUS";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

impl Spelled for Variable {
    const FORM: &'static str = "`NAME=VALUE`, the name of letters, digits and `_`";
    const PLACEHOLDER: &'static str = "NAME=VALUE";
    const IS_PAIR: bool = true;

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text).filter(|one| !hidden::is_missing_from(&one.value))
    }

    fn veiled(&self) -> String {
        format!("{}={}", self.name, hidden::HIDDEN)
    }

    fn described(text: &str) -> String {
        match text.split_once('=') {
            Some((name, value)) if hidden::is_missing_from(value) => {
                format!("for `{name}` {}", hidden::FOUND)
            }
            Some((name, _)) => format!("a variable `{name}`"),
            None => "a text without `=`".to_owned(),
        }
    }
}

impl Spelled for VariableFile {
    const FORM: &'static str = "`NAME=PATH`, the name of letters, digits and `_`";
    const PLACEHOLDER: &'static str = "NAME=PATH";
    const IS_PAIR: bool = true;

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn anchored(text: &str, folder: &Path) -> String {
        Self::anchored(text, folder)
    }
}

impl Spelled for ShellCommand {
    const FORM: &'static str = "a command for sh";
    const PLACEHOLDER: &'static str = "COMMAND";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

impl Spelled for Outgoing {
    const FORM: &'static str = "a TCP port, `udp` or `unix`";
    const PLACEHOLDER: &'static str = "PORT";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}
