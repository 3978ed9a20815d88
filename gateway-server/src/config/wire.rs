//! The configuration as the master hands it to a worker: `name=value` records that end with a NUL,
//! made from the settings table, so that a worker starts without reading a command line.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::{AppConfig, Config, OwnSetting, PoolConfig, SETTINGS};
use crate::routes::{HostPattern, Mount};
use crate::value::{Identity, Seen, Variable};

impl Config {
    /// The records of every setting that has a value.
    pub(crate) fn to_wire(&self) -> Vec<u8> {
        let mut config = self.clone();
        let mut wire = Vec::with_capacity(1024);
        for setting in SETTINGS.iter() {
            for text in setting.show(&mut config) {
                push(&mut wire, setting.name, text.as_bytes());
            }
        }
        let paths = [(FILE, &self.file), (WORKBENCH, &self.workbench)];
        for (name, path) in paths {
            if let Some(path) = path {
                push(&mut wire, name, path.as_os_str().as_bytes());
            }
        }
        if let Some(identity) = &self.identity {
            let groups = identity.groups.iter().copied().map(Some);
            let numbers = [identity.user, Some(identity.group)]
                .into_iter()
                .chain(groups);
            push(&mut wire, IDENTITY, show_ids(numbers).as_bytes());
        }
        for seen in &self.seen {
            push(&mut wire, SEEN, &seen.to_bytes());
        }
        let (user, group) = self.unix_owner_ids;
        push(
            &mut wire,
            OWNER,
            show_ids([user, group].into_iter()).as_bytes(),
        );
        for variable in &self.env_secrets {
            push(&mut wire, VARIABLE, variable.to_string().as_bytes());
        }
        for app in &self.apps {
            push_app(&mut wire, app);
        }
        for pool in &self.pools {
            push(&mut wire, POOL, pool.name.as_bytes());
            wire.extend(pool.config.to_wire());
        }
        wire
    }

    /// Reads what [`Config::to_wire`] wrote.
    ///
    /// # Errors
    ///
    /// A record that is none, or names no setting, or holds what the setting refuses: the bytes come
    /// from another program.
    pub(crate) fn from_wire(wire: &[u8]) -> Result<Self, WireError> {
        let records = wire.strip_suffix(b"\0").ok_or(WireError)?;
        let records: Vec<&[u8]> = records.split(|byte| *byte == 0).collect();
        let is_pool = |record: &&[u8]| {
            record
                .strip_prefix(POOL.as_bytes())
                .is_some_and(|rest| rest.starts_with(b"="))
        };
        let mut sections = records.split_inclusive(|record| is_pool(record));
        let mut next = sections.next().unwrap_or_default();
        let mut name = None;
        let mut whole: Option<Self> = None;
        loop {
            let (own, last) = match next.split_last() {
                Some((last, own)) if is_pool(last) => (own, Some(*last)),
                _ => (next, None),
            };
            let config = Self::from_records(own)?;
            match (&mut whole, name.take()) {
                (Some(whole), Some(name)) => whole.pools.push(PoolConfig { name, config }),
                (whole, _) => *whole = Some(config),
            }
            let Some(pool) = last else { break };
            let text = str::from_utf8(&pool[POOL.len() + 1..]).map_err(|_| WireError)?;
            name = Some(text.to_owned());
            next = sections.next().unwrap_or_default();
        }
        whole.ok_or(WireError)
    }

    fn from_records(records: &[&[u8]]) -> Result<Self, WireError> {
        let mut config = Self::blank();
        let mut values: Vec<Vec<&str>> = vec![Vec::new(); SETTINGS.len()];
        for record in records {
            let equals = record
                .iter()
                .position(|byte| *byte == b'=')
                .ok_or(WireError)?;
            let (name, value) = (&record[..equals], &record[equals + 1..]);
            let path = || Some(PathBuf::from(OsStr::from_bytes(value)));
            let text = || str::from_utf8(value).map_err(|_| WireError);
            match str::from_utf8(name).map_err(|_| WireError)? {
                FILE => config.file = path(),
                WORKBENCH => config.workbench = path(),
                SEEN => config.seen.push(Seen::read(value).ok_or(WireError)?),
                IDENTITY => {
                    let ids = parse_ids(text()?)?;
                    let [user, Some(group), groups @ ..] = ids.as_slice() else {
                        return Err(WireError);
                    };
                    config.identity = Some(Identity {
                        user: *user,
                        group: *group,
                        groups: groups.iter().copied().flatten().collect(),
                    });
                }
                OWNER => match parse_ids(text()?)?[..] {
                    [user, group] => config.unix_owner_ids = (user, group),
                    _ => return Err(WireError),
                },
                VARIABLE => {
                    let variable = Variable::parse(text()?).ok_or(WireError)?;
                    config.env_secrets.push(variable);
                }
                APP => config.apps.push(AppConfig {
                    name: text()?.to_owned(),
                    ..AppConfig::default()
                }),
                name if name.starts_with(OF_APP) => {
                    let app = config.apps.last_mut().ok_or(WireError)?;
                    take_app(app, name, value)?;
                }
                name => {
                    let at = SETTINGS.iter().position(|setting| setting.name == name);
                    values[at.ok_or(WireError)?].push(text()?);
                }
            }
        }
        for (setting, texts) in SETTINGS
            .iter()
            .zip(&values)
            .filter(|(_, texts)| !texts.is_empty())
        {
            setting.set(&mut config, texts).map_err(|_| WireError)?;
        }
        Ok(config)
    }
}

/// The bytes are not a configuration.
#[derive(Debug, thiserror::Error)]
#[error("expected the configuration of a gatewayd master")]
pub(crate) struct WireError;

fn push_app(wire: &mut Vec<u8>, app: &AppConfig) {
    push(wire, APP, app.name.as_bytes());
    if let Some(path) = &app.path {
        push(wire, PATH, path.as_os_str().as_bytes());
    }
    for host in &app.hosts {
        push(wire, HOST, host.to_string().as_bytes());
    }
    push(wire, MOUNT, app.mount.to_string().as_bytes());
    for argument in &app.arguments {
        push(wire, ARGUMENT, argument.as_bytes());
    }
    for (key, value) in &app.settings.0 {
        push(wire, KEY, key.as_bytes());
        push(wire, VALUE, value.as_bytes());
    }
    for own in &app.own {
        push(wire, OWN, own.name.as_bytes());
        for text in &own.texts {
            push(wire, OWN_VALUE, text.as_bytes());
        }
    }
}

/// Takes a record of the application that was named last.
fn take_app(app: &mut AppConfig, name: &str, value: &[u8]) -> Result<(), WireError> {
    let text = || str::from_utf8(value).map_err(|_| WireError);
    match name {
        PATH => app.path = Some(PathBuf::from(OsStr::from_bytes(value))),
        HOST => app
            .hosts
            .push(HostPattern::parse(text()?).ok_or(WireError)?),
        MOUNT => app.mount = Mount::parse(text()?).ok_or(WireError)?,
        ARGUMENT => app.arguments.push(OsString::from_vec(value.to_vec())),
        KEY => app.settings.0.push((text()?.to_owned(), String::new())),
        VALUE => app.settings.0.last_mut().ok_or(WireError)?.1 = text()?.to_owned(),
        OWN => {
            let name = text()?;
            let known = SETTINGS.iter().find(|one| one.name == name);
            app.own.push(OwnSetting {
                name: known.ok_or(WireError)?.name,
                texts: Vec::new(),
            });
        }
        OWN_VALUE => {
            let own = app.own.last_mut().ok_or(WireError)?;
            own.texts.push(text()?.to_owned());
        }
        _ => return Err(WireError),
    }
    Ok(())
}

/// A pool's name; its configuration follows, up to the next.
const POOL: &str = "pool";
/// An application's name; what follows, up to the next, is said of it.
const APP: &str = "app";
const OF_APP: &str = "app-";
const PATH: &str = "app-path";
const HOST: &str = "app-host";
const MOUNT: &str = "app-mount";
const OWN: &str = "app-own";
const OWN_VALUE: &str = "app-own-value";
const ARGUMENT: &str = "app-argument";
const FILE: &str = "config-file";
const IDENTITY: &str = "identity";
const OWNER: &str = "unix-owner-ids";
const SEEN: &str = "seen";
const VARIABLE: &str = "env-secret";
const KEY: &str = "app-key";
const VALUE: &str = "app-value";
const WORKBENCH: &str = "workbench";

/// Numbers, or `-` for none, separated by colons.
fn show_ids(ids: impl Iterator<Item = Option<u32>>) -> String {
    let ids = ids.map(|id| id.map_or("-".to_owned(), |id| id.to_string()));
    ids.collect::<Vec<_>>().join(":")
}

fn parse_ids(text: &str) -> Result<Vec<Option<u32>>, WireError> {
    let id = |word: &str| match word {
        "-" => Ok(None),
        digits => digits.parse().map(Some).map_err(|_| WireError),
    };
    text.split(':').map(id).collect()
}

fn push(wire: &mut Vec<u8>, name: &str, value: &[u8]) {
    wire.extend_from_slice(name.as_bytes());
    wire.push(b'=');
    wire.extend_from_slice(value);
    wire.push(0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::AppSettings;

    #[test]
    fn a_worker_reads_the_configuration_that_the_master_wrote() {
        let mut config = Config::blank();
        for setting in SETTINGS
            .iter()
            .filter(|setting| !setting.default.is_empty())
        {
            setting.set(&mut config, &[setting.default]).unwrap();
        }
        SETTINGS[0]
            .set(&mut config, &["unix:/tmp/a b", "[::1]:0"])
            .unwrap();
        config.workbench = Some("/tmp/bench".into());
        config.file = Some("/etc/g.toml".into());
        config.seen = vec![Seen::now("/etc/g.toml".into())];
        config.unix_owner_ids = (None, Some(33));
        config.env_secrets = vec![Variable::parse("KEY=line\nline=").unwrap()];
        config.identity = Some(Identity {
            user: Some(33),
            group: 4,
            groups: vec![4, 7],
        });
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        config.apps = vec![
            AppConfig {
                name: "one".to_owned(),
                path: Some(PathBuf::from(OsStr::from_bytes(b"/app\xff=\n.so"))),
                hosts: vec![HostPattern::parse("*.a").unwrap()],
                mount: Mount::parse("/one").unwrap(),
                arguments: vec!["".into(), "--flag=x".into()],
                settings: AppSettings(vec![pair("a=b", "x=y\n"), pair("", "")]),
                own: vec![OwnSetting {
                    name: "max-body",
                    texts: vec!["1KiB".to_owned()],
                }],
            },
            AppConfig::default(),
        ];
        let mut pool = config.clone();
        pool.workers = 7;
        for name in ["two", "three"] {
            config.pools.push(PoolConfig {
                name: name.to_owned(),
                config: pool.clone(),
            });
        }
        assert_eq!(Config::from_wire(&config.to_wire()).unwrap(), config);
    }

    #[test]
    fn other_bytes_are_refused() {
        for wire in [
            &b""[..],
            b"workers=1",
            b"workers\0",
            b"no-such=1\0",
            b"workers=x\0",
            b"app-key=x\0",
            b"app=x\0app-mount=x\0",
            b"app=x\0app-own=x\0",
            b"identity=1:-\0",
        ] {
            assert!(Config::from_wire(wire).is_err(), "{}", wire.escape_ascii());
        }
    }
}
