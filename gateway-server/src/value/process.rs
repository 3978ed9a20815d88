//! What a process may be given by its parent: limits, a place among the others, variables.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use rustix::process::Resource;
use rustix::thread::CapabilitySet;

use super::ByteCount;

/// A resource limit, written `nofile=65536`, or `core=0:unlimited` for a soft and a hard one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) resource: Resource,
    /// None is no limit.
    pub(crate) soft: Option<u64>,
    pub(crate) hard: Option<u64>,
}

impl Limit {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, value) = text.split_once('=')?;
        let (_, resource) = *RESOURCES.iter().find(|(known, _)| *known == name)?;
        let (soft, hard) = value.split_once(':').unwrap_or((value, value));
        let (soft, hard) = (amount(soft)?, amount(hard)?);
        let ordered = soft.unwrap_or(u64::MAX) <= hard.unwrap_or(u64::MAX);
        ordered.then_some(Self {
            resource,
            soft,
            hard,
        })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = RESOURCES.iter().find(|(_, known)| *known == self.resource);
        let shown = |amount: Option<u64>| amount.map_or(UNLIMITED.to_owned(), |n| n.to_string());
        write!(
            f,
            "{}={}",
            name.map_or("", |(name, _)| name),
            shown(self.soft)
        )?;
        match self.soft == self.hard {
            true => Ok(()),
            false => write!(f, ":{}", shown(self.hard)),
        }
    }
}

/// None is no limit; the last number is none to the kernel.
#[expect(clippy::option_option, reason = "no number, and no limit")]
fn amount(text: &str) -> Option<Option<u64>> {
    match text {
        UNLIMITED => Some(None),
        text => ByteCount::parse(text)
            .filter(|n| n.0 < u64::MAX)
            .map(|n| Some(n.0)),
    }
}

const UNLIMITED: &str = "unlimited";

/// `setrlimit(2)`'s, by their names without what begins them all.
const RESOURCES: [(&str, Resource); 16] = [
    ("as", Resource::As),
    ("core", Resource::Core),
    ("cpu", Resource::Cpu),
    ("data", Resource::Data),
    ("fsize", Resource::Fsize),
    ("locks", Resource::Locks),
    ("memlock", Resource::Memlock),
    ("msgqueue", Resource::Msgqueue),
    ("nice", Resource::Nice),
    ("nofile", Resource::Nofile),
    ("nproc", Resource::Nproc),
    ("rss", Resource::Rss),
    ("rtprio", Resource::Rtprio),
    ("rttime", Resource::Rttime),
    ("sigpending", Resource::Sigpending),
    ("stack", Resource::Stack),
];

/// How willingly a process lets others go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nice(pub(crate) i32);

impl Nice {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| plain);
        number.filter(|n| (-20..=19).contains(n)).map(Self)
    }
}

impl fmt::Display for Nice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Capabilities to keep, written `net_bind_service,net_raw`, or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capabilities(pub(crate) CapabilitySet);

impl Capabilities {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut kept = CapabilitySet::empty();
        if text != NONE {
            for word in text.split(',').map(str::trim) {
                let name = word.to_ascii_lowercase();
                let name = name.strip_prefix("cap_").unwrap_or(&name);
                let known = CAPABILITIES.iter().position(|known| *known == name)?;
                kept |= CapabilitySet::from_bits_retain(1 << known);
            }
        }
        Some(Self(kept))
    }

    /// The kernel's numbers of all that have a name here, each with whether it is kept.
    pub(crate) fn all(self) -> impl Iterator<Item = (CapabilitySet, bool)> {
        (0..CAPABILITIES.len()).map(move |number| {
            let one = CapabilitySet::from_bits_retain(1 << number);
            (one, self.0.contains(one))
        })
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = CAPABILITIES.iter().zip(self.all());
        let kept: Vec<_> = named
            .filter_map(|(name, (_, kept))| kept.then_some(*name))
            .collect();
        match kept.is_empty() {
            true => f.write_str(NONE),
            false => f.write_str(&kept.join(",")),
        }
    }
}

const NONE: &str = "none";

/// `capabilities(7)`'s in the order of their numbers.
const CAPABILITIES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// The processors of the workers, written `0-3,8`; `each` or `each:0-3` gives every worker one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CpuAffinity {
    /// One each instead of all for all.
    pub(crate) each: bool,
    /// Ranges of numbers; none are those that the server may use.
    ranges: Vec<RangeInclusive<usize>>,
}

impl CpuAffinity {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (each, list) = match text.split_once(':') {
            Some(("each", list)) => (true, list),
            None if text == "each" => {
                return Some(Self {
                    each: true,
                    ranges: Vec::new(),
                });
            }
            _ => (false, text),
        };
        let number = |text: &str| {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|n| plain && *n < MOST_CPUS)
        };
        let range = |text: &str| {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(first..=last)
        };
        let ranges = list.split(',').map(str::trim).map(range);
        Some(Self {
            each,
            ranges: ranges.collect::<Option<_>>()?,
        })
    }

    /// The processors of the worker at this place, out of those that are `usable`.
    pub(crate) fn of_worker(&self, place: u32, usable: &[usize]) -> Vec<usize> {
        let named: Vec<usize> = self.ranges.iter().cloned().flatten().collect();
        let all = if named.is_empty() { usable } else { &named };
        match (self.each, all.len()) {
            (true, count @ 1..) => vec![all[place as usize % count]],
            _ => all.to_vec(),
        }
    }
}

impl fmt::Display for CpuAffinity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges = self
            .ranges
            .iter()
            .map(|range| match range.start() == range.end() {
                true => range.start().to_string(),
                false => format!("{}-{}", range.start(), range.end()),
            });
        let list = ranges.collect::<Vec<_>>().join(",");
        match (self.each, list.is_empty()) {
            (true, true) => f.write_str("each"),
            (true, false) => write!(f, "each:{list}"),
            (false, _) => f.write_str(&list),
        }
    }
}

/// As many processors as a set of the kernel's holds.
const MOST_CPUS: usize = 1024;

/// A variable of the environment, written `NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Variable {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, value) = text.split_once('=')?;
        is_variable(name).then(|| Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

/// A variable of the environment whose value is in a file, written `NAME=PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VariableFile {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

impl VariableFile {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, path) = text.split_once('=')?;
        (is_variable(name) && !path.is_empty()).then(|| Self {
            name: name.to_owned(),
            path: path.into(),
        })
    }

    /// The text with a path that begins in `folder`, if it begins nowhere.
    pub(crate) fn anchored(text: &str, folder: &Path) -> String {
        match text.split_once('=') {
            Some((name, path)) if !path.is_empty() => {
                format!("{name}={}", folder.join(path).display())
            }
            _ => text.to_owned(),
        }
    }
}

impl fmt::Display for VariableFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.path.display())
    }
}

/// A line for a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShellCommand(pub(crate) String);

impl ShellCommand {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let says_something = !text.trim().is_empty() && !text.contains('\0');
        says_something.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for ShellCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name that every shell can say.
fn is_variable(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_a_name_and_one_or_two_amounts() {
        for text in ["nofile=1024:4096", "core=0", "as=unlimited"] {
            assert_eq!(Limit::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Limit::parse("as=2GiB").unwrap().soft, Some(2 << 30));
        assert_eq!(Limit::parse("core=0:unlimited").unwrap().hard, None);
        for wrong in ["nofile", "files=1", "nofile=-1", "nofile=2:1", "nofile="] {
            assert_eq!(Limit::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn capabilities_have_the_kernels_names() {
        let some = Capabilities::parse("CAP_NET_RAW, net_bind_service").unwrap();
        let expected = CapabilitySet::NET_RAW | CapabilitySet::NET_BIND_SERVICE;
        assert_eq!(some.0, expected);
        assert_eq!(some.to_string(), "net_bind_service,net_raw");
        let last = Capabilities::parse("checkpoint_restore").unwrap();
        assert_eq!(last.0, CapabilitySet::CHECKPOINT_RESTORE);
        assert_eq!(Capabilities::parse("none").unwrap().to_string(), "none");
        assert_eq!(Capabilities::parse("net_row"), None);
    }

    #[test]
    fn processors_are_shared_or_given_one_each() {
        let cpus = |text: &str, place| {
            let affinity = CpuAffinity::parse(text).unwrap();
            assert_eq!(affinity.to_string(), text);
            affinity.of_worker(place, &[4, 5, 7])
        };
        assert_eq!(cpus("0-2,8", 1), [0, 1, 2, 8]);
        assert_eq!(cpus("each", 4), [5]);
        assert_eq!(cpus("each:2,6", 3), [6]);
        for wrong in ["", "a", "3-1", "1,,2", "each:", "+1", "1024"] {
            assert_eq!(CpuAffinity::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn variables_have_names_that_shells_can_say() {
        assert_eq!(Variable::parse("A_1=b=c").unwrap().value, "b=c");
        assert_eq!(Nice::parse("-5"), Some(Nice(-5)));
        let anchored = VariableFile::anchored("KEY=key.txt", Path::new("/etc"));
        assert_eq!(anchored, "KEY=/etc/key.txt");
        for wrong in ["1A=b", "=b", "A", "A-B=c"] {
            assert_eq!(Variable::parse(wrong), None, "{wrong}");
        }
        for wrong in ["+5", "20", "-21", "", "--5"] {
            assert_eq!(Nice::parse(wrong), None, "{wrong}");
        }
    }
}
