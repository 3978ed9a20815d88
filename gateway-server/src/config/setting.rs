//! What a setting is: a name, a place in the configuration, and one text form that is read and shown.

use std::ops::RangeInclusive;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use super::Config;
use super::spelled::{Refused, Spot};

use crate::net::{Bind, Manner};
use crate::proxies::{ProxyField, TrustedPeer};
use crate::value::{
    ByteCount, ClientAuth, FileMode, LogLevel, LogTarget, Sandbox, TlsVersion, parse_duration,
    show_duration,
};

/// One setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The name: `--worker-timeout` on the command line, `GATEWAYD_WORKER_TIMEOUT` in the environment.
    pub(crate) name: &'static str,
    /// A one-letter flag, for what people type often.
    pub(crate) short: Option<char>,
    /// The heading under which `--help` lists it.
    pub(crate) group: Group,
    /// What it holds, and where in [`Config`].
    pub(crate) field: Field,
    /// The value it has when nobody sets it, in the form that is read; empty for none.
    pub(crate) default: &'static str,
    /// One or two sentences: what it does, what special values mean.
    pub(crate) help: &'static str,
    /// When a changed value takes effect.
    pub(crate) applies: Applies,
}

/// The heading under which `--help` lists a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Sockets, workers, the application.
    Serving,
    /// Files that the server sends by itself.
    StaticFiles,
    /// Of what applications answer.
    Compression,
    /// Who may speak for others.
    Proxies,
    /// Who the processes are.
    Process,
    /// What workers can never do.
    Confinement,
    /// Certificates and keys.
    Tls,
    /// How long things may take.
    Timeouts,
    /// How large things may be.
    Limits,
    /// What is written where.
    Logging,
    /// Commands that are run when something happens.
    Hooks,
    /// Metrics, health, and who is told of them.
    Observing,
}

impl Group {
    /// The heading's text.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Serving => "Serving",
            Self::StaticFiles => "Static files",
            Self::Compression => "Compression",
            Self::Proxies => "Proxies",
            Self::Process => "Process",
            Self::Confinement => "Confinement",
            Self::Tls => "TLS",
            Self::Timeouts => "Timeouts",
            Self::Limits => "Limits",
            Self::Logging => "Logging",
            Self::Hooks => "Hooks",
            Self::Observing => "Metrics and health",
        }
    }
}

/// When a changed value takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applies {
    /// With the next generation of workers (HUP).
    Reload,
    /// When the server is started anew.
    Restart,
}

/// What a setting holds: its range and the place in [`Config`] it is kept in.
#[derive(Debug)]
pub(crate) enum Field {
    /// A number within a range.
    Count(RangeInclusive<u32>, fn(&mut Config) -> &mut u32),
    /// A number within a range, or `auto` for the number of cores this process may use.
    Workers(RangeInclusive<u32>, fn(&mut Config) -> &mut u32),
    /// A time within a range.
    Time(RangeInclusive<Duration>, fn(&mut Config) -> &mut Duration),
    /// A number of bytes within a range.
    Bytes(RangeInclusive<ByteCount>, fn(&mut Config) -> &mut ByteCount),
    /// Addresses to listen on, one or more; in the environment separated by commas.
    Addresses(fn(&mut Config) -> &mut Vec<Bind>),
    /// Proxies that are trusted, none or more.
    Peers(fn(&mut Config) -> &mut Vec<TrustedPeer>),
    /// Fields that they set, one or more.
    ProxyFields(fn(&mut Config) -> &mut Vec<ProxyField>),
    /// On or off; as a flag it takes no value.
    Switch(fn(&mut Config) -> &mut bool),
    /// Where to write lines, or nowhere.
    Target(fn(&mut Config) -> &mut Option<LogTarget>),
    /// A file, or none.
    File(fn(&mut Config) -> &mut Option<PathBuf>),
    /// Files or folders, any number.
    Files(fn(&mut Config) -> &mut Vec<PathBuf>),
    /// Whether clients show certificates.
    ClientAuth(fn(&mut Config) -> &mut ClientAuth),
    /// Whether workers are shut in.
    Sandbox(fn(&mut Config) -> &mut Sandbox),
    /// A version of TLS.
    TlsVersion(fn(&mut Config) -> &mut TlsVersion),
    /// Permissions of a file.
    Mode(fn(&mut Config) -> &mut Option<FileMode>),
    /// The name or number of a user or group, or both; whether they exist is looked up later.
    Account(Accounts, fn(&mut Config) -> &mut Option<String>),
    /// Names or numbers of groups, any number.
    Groups(fn(&mut Config) -> &mut Vec<String>),
    /// How much to log.
    Level(fn(&mut Config) -> &mut LogLevel),
    /// Values of a type that says itself how they are written.
    Of(&'static dyn Spot),
}

/// What an account setting names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accounts {
    /// `www-data` or `33`.
    User,
    /// `www-data` or `33`.
    Group,
    /// `www-data`, `www-data:adm` or `:adm`.
    Both,
}

impl Setting {
    /// The flag, `--worker-timeout`.
    pub(crate) fn flag(&self) -> String {
        format!("--{}", self.name)
    }

    /// The environment variable, `GATEWAYD_WORKER_TIMEOUT`.
    pub(crate) fn variable(&self) -> String {
        format!(
            "{ENV_PREFIX}{}",
            self.name.to_ascii_uppercase().replace('-', "_")
        )
    }

    /// Whether the setting may be given several times, each adding a value.
    pub(crate) fn is_list(&self) -> bool {
        match self.field {
            Field::Addresses(_)
            | Field::Files(_)
            | Field::Groups(_)
            | Field::Peers(_)
            | Field::ProxyFields(_) => true,
            Field::Of(spot) => spot.is_list(),
            _ => false,
        }
    }

    /// Reads `texts` (several only for a list) into the configuration.
    ///
    /// # Errors
    ///
    /// The text that was not understood; the configuration is then unchanged.
    pub(crate) fn set(&self, config: &mut Config, texts: &[&str]) -> Result<(), Refused> {
        self.field.set(config, texts)
    }

    /// Takes back what was set; what is always set stays.
    pub(crate) fn unset(&self, config: &mut Config) {
        match self.field {
            Field::Peers(field) => field(config).clear(),
            Field::Target(field) => *field(config) = None,
            Field::File(field) => *field(config) = None,
            Field::Mode(field) => *field(config) = None,
            Field::Account(_, field) => *field(config) = None,
            Field::Groups(field) => field(config).clear(),
            Field::Of(spot) => spot.unset(config),
            _ => {}
        }
    }

    /// The values in the form that is read, one entry unless the setting is a list or unset.
    pub(crate) fn show(&self, config: &mut Config) -> Vec<String> {
        self.field.show(config)
    }

    /// The same, with a word in place of what may be a password.
    pub(crate) fn veiled(&self, config: &mut Config) -> Vec<String> {
        match self.field {
            Field::Of(spot) => spot.veiled(config),
            _ => self.show(config),
        }
    }
}

impl Field {
    /// What is accepted, for messages and help.
    pub(crate) fn form(&self) -> String {
        match self {
            Self::Count(range, _) => format!("a number from {} to {}", range.start(), range.end()),
            Self::Workers(range, _) => {
                format!(
                    "`auto` or a number from {} to {}",
                    range.start(),
                    range.end()
                )
            }
            Self::Time(range, _) => format!(
                "a time from {} to {} such as `500ms`, `30s` or `2m`",
                show_duration(*range.start()),
                show_duration(*range.end())
            ),
            Self::Bytes(range, _) => format!(
                "a size from {} to {} such as `8190`, `64KiB` or `1MiB`",
                range.start(),
                range.end()
            ),
            Self::Addresses(_) => Bind::FORM.to_owned(),
            Self::Peers(_) => TrustedPeer::FORM.to_owned(),
            Self::ProxyFields(_) => ProxyField::FORM.to_owned(),
            Self::Switch(_) => "`true` or `false`".to_owned(),
            Self::Target(_) => LogTarget::FORM.to_owned(),
            Self::File(_) => "a file path".to_owned(),
            Self::Files(_) => "a path".to_owned(),
            Self::ClientAuth(_) => "`none`, `optional` or `required`".to_owned(),
            Self::Sandbox(_) => "`off`, `possible` or `required`".to_owned(),
            Self::TlsVersion(_) => "`1.2` or `1.3`".to_owned(),
            Self::Mode(_) => "an octal file mode such as `0660`".to_owned(),
            Self::Account(Accounts::User, _) => "the name or number of a user".to_owned(),
            Self::Account(Accounts::Group, _) => "the name or number of a group".to_owned(),
            Self::Account(Accounts::Both, _) => "`USER`, `USER:GROUP` or `:GROUP`".to_owned(),
            Self::Groups(_) => "the name or number of a group".to_owned(),
            Self::Level(_) => "`error`, `warn`, `info`, `debug` or `trace`".to_owned(),
            Self::Of(spot) => spot.form().to_owned(),
        }
    }

    /// The placeholder in `--help`; empty for a switch.
    pub(crate) fn placeholder(&self) -> &'static str {
        match self {
            Self::Count(..) | Self::Workers(..) => "N",
            Self::Time(..) => "TIME",
            Self::Bytes(..) => "SIZE",
            Self::Addresses(_) => "ADDRESS",
            Self::Peers(_) => "NETWORK",
            Self::ProxyFields(_) => "FIELD",
            Self::Switch(_) => "",
            Self::Target(_) | Self::File(_) | Self::Files(_) => "PATH",
            Self::ClientAuth(_) | Self::Sandbox(_) => "WHETHER",
            Self::TlsVersion(_) => "VERSION",
            Self::Mode(_) => "MODE",
            Self::Account(Accounts::User, _) => "USER",
            Self::Account(Accounts::Group, _) | Self::Groups(_) => "GROUP",
            Self::Account(Accounts::Both, _) => "USER:GROUP",
            Self::Level(_) => "LEVEL",
            Self::Of(spot) => spot.placeholder(),
        }
    }

    /// All that is accepted, where that is a few words.
    pub(crate) fn choices(&self) -> Vec<&'static str> {
        match self {
            Self::Switch(_) => vec!["true", "false"],
            Self::Level(_) => LogLevel::ALL.map(LogLevel::name).to_vec(),
            Self::ClientAuth(_) => ClientAuth::ALL.map(ClientAuth::name).to_vec(),
            Self::TlsVersion(_) => vec![TlsVersion::V12.name(), TlsVersion::V13.name()],
            Self::Sandbox(_) => Sandbox::ALL.map(Sandbox::name).to_vec(),
            _ => Vec::new(),
        }
    }

    /// Whether its text form is a number or a truth value, which a file holds without quotes.
    pub(super) fn is_bare(&self) -> bool {
        matches!(self, Self::Count(..) | Self::Workers(..) | Self::Switch(_))
    }

    /// Whether its values are names with values, so that in a file a table can hold them.
    pub(super) fn is_pair(&self) -> bool {
        matches!(self, Self::Of(spot) if spot.is_pair())
    }

    /// The text with a path that begins in `folder`, if it is a path and begins nowhere.
    pub(super) fn anchored(&self, text: &str, folder: &Path) -> String {
        let absolute = |path: &str| folder.join(path).to_string_lossy().into_owned();
        let (manner, place) = Manner::split(text);
        match (self, place.strip_prefix("unix:")) {
            (Self::Addresses(_), Some(path)) if !path.is_empty() => {
                format!("{}unix:{}", manner.prefix(), absolute(path))
            }
            (Self::Target(_), _) if LogTarget::is_path(text) => absolute(text),
            (Self::File(_) | Self::Files(_), _) if !text.is_empty() => absolute(text),
            (Self::Of(spot), _) => spot.anchored(text, folder),
            _ => text.to_owned(),
        }
    }

    fn set(&self, config: &mut Config, texts: &[&str]) -> Result<(), Refused> {
        match self {
            Self::Addresses(field) => {
                *field(config) = self.all(texts.iter().copied(), Bind::parse)?;
                return Ok(());
            }
            Self::Peers(field) => {
                *field(config) = self.all(elements(texts), TrustedPeer::parse)?;
                return Ok(());
            }
            Self::ProxyFields(field) => {
                *field(config) = self.all(elements(texts), ProxyField::parse)?;
                return Ok(());
            }
            Self::Groups(field) => {
                let name = |text: &str| account(text, Accounts::Group).map(str::to_owned);
                *field(config) = self.all(elements(texts), name)?;
                return Ok(());
            }
            Self::Of(spot) => return spot.set(config, texts),
            _ => {}
        }
        if let Self::Files(field) = self {
            let named = |text: &&str| match text {
                &"" => Err(self.refuse(text)),
                path => Ok(path.into()),
            };
            *field(config) = texts.iter().map(named).collect::<Result<_, _>>()?;
            return Ok(());
        }
        let text = texts.last().copied().unwrap_or_default();
        self.set_one(config, text).ok_or_else(|| self.refuse(text))
    }

    /// A list's values.
    fn all<'t, T>(
        &self,
        texts: impl Iterator<Item = &'t str>,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, Refused> {
        texts
            .map(|text| parse(text).ok_or_else(|| self.refuse(text)))
            .collect()
    }

    fn set_one(&self, config: &mut Config, text: &str) -> Option<()> {
        match self {
            Self::Count(range, field) => *field(config) = parse_count(text, range)?,
            Self::Workers(range, field) => {
                *field(config) = match text {
                    "auto" => cores().clamp(1, *range.end()),
                    number => parse_count(number, range)?,
                }
            }
            Self::Time(range, field) => {
                *field(config) = parse_duration(text).filter(|value| range.contains(value))?;
            }
            Self::Bytes(range, field) => {
                *field(config) = ByteCount::parse(text).filter(|value| range.contains(value))?;
            }
            Self::Switch(field) => *field(config) = text.parse().ok()?,
            Self::File(field) => {
                *field(config) = match text {
                    "" => return None,
                    path => Some(path.into()),
                }
            }
            Self::Target(field) => *field(config) = Some(LogTarget::parse(text)?),
            Self::Mode(field) => *field(config) = Some(FileMode::parse(text)?),
            Self::Account(accounts, field) => {
                *field(config) = Some(account(text, *accounts)?.to_owned());
            }
            Self::Level(field) => *field(config) = LogLevel::parse(text)?,
            Self::ClientAuth(field) => *field(config) = ClientAuth::parse(text)?,
            Self::Sandbox(field) => *field(config) = Sandbox::parse(text)?,
            Self::TlsVersion(field) => *field(config) = TlsVersion::parse(text)?,
            Self::Addresses(_)
            | Self::Files(_)
            | Self::Groups(_)
            | Self::Peers(_)
            | Self::ProxyFields(_)
            | Self::Of(_) => unreachable!("lists are read as a whole"),
        }
        Some(())
    }

    fn show(&self, config: &mut Config) -> Vec<String> {
        match self {
            Self::Count(_, field) | Self::Workers(_, field) => vec![field(config).to_string()],
            Self::Time(_, field) => vec![show_duration(*field(config))],
            Self::Bytes(_, field) => vec![field(config).to_string()],
            Self::Addresses(field) => field(config).iter().map(ToString::to_string).collect(),
            Self::Peers(field) => field(config).iter().map(ToString::to_string).collect(),
            Self::ProxyFields(field) => field(config).iter().map(ToString::to_string).collect(),
            Self::Switch(field) => vec![field(config).to_string()],
            Self::Target(field) => field(config).iter().map(ToString::to_string).collect(),
            Self::File(field) => {
                let path = field(config).iter();
                path.map(|path| path.display().to_string()).collect()
            }
            Self::Files(field) => {
                let paths = field(config).iter();
                paths.map(|path| path.display().to_string()).collect()
            }
            Self::ClientAuth(field) => vec![field(config).name().to_owned()],
            Self::Sandbox(field) => vec![field(config).name().to_owned()],
            Self::TlsVersion(field) => vec![field(config).name().to_owned()],
            Self::Mode(field) => field(config).iter().map(ToString::to_string).collect(),
            Self::Account(_, field) => field(config).iter().cloned().collect(),
            Self::Groups(field) => field(config).clone(),
            Self::Of(spot) => spot.show(config),
            Self::Level(field) => vec![field(config).name().to_owned()],
        }
    }

    fn refuse(&self, text: &str) -> Refused {
        Refused {
            text: text.to_owned(),
            found: format!("`{text}`"),
            expected: self.form(),
        }
    }
}

/// The texts of a list whose elements hold no comma, each of them one or several.
fn elements<'t>(texts: &'t [&'t str]) -> impl Iterator<Item = &'t str> {
    texts.iter().flat_map(|text| text.split(',')).map(str::trim)
}

/// What begins every environment variable that is a setting.
pub(crate) const ENV_PREFIX: &str = "GATEWAYD_";

fn parse_count(text: &str, range: &RangeInclusive<u32>) -> Option<u32> {
    // `str::parse` would take a leading `+`.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|value| digits && range.contains(value))
}

/// Well-formed names alone; a name that begins like an option or a number is somebody's mistake.
fn account(text: &str, accounts: Accounts) -> Option<&str> {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '$' | '@');
    let name = |name: &str| !name.is_empty() && !name.starts_with('-') && name.chars().all(letter);
    let good = match (accounts, text.split_once(':')) {
        (Accounts::Both, Some((user, group))) => (user.is_empty() || name(user)) && name(group),
        _ => name(text),
    };
    good.then_some(text)
}

fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX))
}
