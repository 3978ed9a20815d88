//! The configuration as the master hands it to a worker: `name=value` records that end with a NUL,
//! made from the settings table, so that a worker starts without reading a command line.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::{Config, SETTINGS};

impl Config {
    /// The records of every setting that has a value.
    pub(crate) fn to_wire(&self) -> Vec<u8> {
        let mut config = self.clone();
        let mut wire = Vec::with_capacity(1024);
        for setting in SETTINGS {
            for text in setting.show(&mut config) {
                push(&mut wire, setting.name, text.as_bytes());
            }
        }
        if let Some(app) = &self.app {
            push(&mut wire, APP, app.as_os_str().as_bytes());
        }
        if let Some(folder) = &self.workbench {
            push(&mut wire, WORKBENCH, folder.as_os_str().as_bytes());
        }
        for argument in &self.app_arguments {
            push(&mut wire, ARGUMENT, argument.as_bytes());
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
        let mut config = Self::blank();
        let mut values: Vec<Vec<&str>> = vec![Vec::new(); SETTINGS.len()];
        let records = wire.strip_suffix(b"\0").ok_or(WireError)?;
        for record in records.split(|byte| *byte == 0) {
            let equals = record
                .iter()
                .position(|byte| *byte == b'=')
                .ok_or(WireError)?;
            let (name, value) = (&record[..equals], &record[equals + 1..]);
            if name == APP.as_bytes() {
                config.app = Some(PathBuf::from(OsStr::from_bytes(value)));
            } else if name == WORKBENCH.as_bytes() {
                config.workbench = Some(PathBuf::from(OsStr::from_bytes(value)));
            } else if name == ARGUMENT.as_bytes() {
                config
                    .app_arguments
                    .push(OsString::from_vec(value.to_vec()));
            } else {
                let at = SETTINGS
                    .iter()
                    .position(|setting| setting.name.as_bytes() == name);
                let value = str::from_utf8(value).map_err(|_| WireError)?;
                values[at.ok_or(WireError)?].push(value);
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

const APP: &str = "app";
const ARGUMENT: &str = "app-argument";
const WORKBENCH: &str = "workbench";

fn push(wire: &mut Vec<u8>, name: &str, value: &[u8]) {
    wire.extend_from_slice(name.as_bytes());
    wire.push(b'=');
    wire.extend_from_slice(value);
    wire.push(0);
}

#[cfg(test)]
mod tests {
    use super::*;

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
        config.app = Some(PathBuf::from(OsStr::from_bytes(b"/app\xff=\n.so")));
        config.workbench = Some("/tmp/bench".into());
        config.app_arguments = vec!["".into(), "--flag=x".into()];
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
        ] {
            assert!(Config::from_wire(wire).is_err(), "{}", wire.escape_ascii());
        }
    }
}
