//! The process that prepares one part of a generation, because only its files have changed.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::process::ExitCode;

use super::{Goods, Parcel, read_config, read_tls};
use crate::config::Config;
use crate::os::fd::Inherited;
use crate::os::{process, signals};
use crate::snapshot;

/// The first argument of such a process; the second is two descriptors and which part it is.
pub(crate) const ROLE: &str = "--gatewayd-part";

/// What is prepared alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Certificates and keys.
    Certificates,
    /// The application of this number.
    App(usize),
}

impl Part {
    /// The second argument for a process whose end of the socket and whose configuration have these
    /// numbers.
    pub(crate) fn argument(self, socket: RawFd, config: RawFd) -> CString {
        let text = match self {
            Self::Certificates => format!("{socket},{config}"),
            Self::App(number) => format!("{socket},{config},{number}"),
        };
        CString::new(text).expect("digits and commas hold no NUL")
    }

    /// The application's number, if it is one.
    pub(crate) fn app(self) -> Option<usize> {
        match self {
            Self::Certificates => None,
            Self::App(number) => Some(number),
        }
    }
}

/// The life of such a process.
pub(crate) fn main(argument: &OsStr) -> ExitCode {
    match claim(argument).and_then(|(socket, config, part)| answer(&socket, config, part)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Takes over what the master left. Nothing else has been opened in this process before.
fn claim(argument: &OsStr) -> io::Result<(OwnedFd, OwnedFd, Part)> {
    let words: Vec<&str> = argument.to_str().unwrap_or_default().split(',').collect();
    let fd = |word: &str| -> Option<RawFd> { word.parse().ok() };
    let parsed = match words[..] {
        [socket, config] => fd(socket)
            .zip(fd(config))
            .map(|both| (both, Part::Certificates)),
        [socket, config, app] => {
            let part = app.parse().ok().map(Part::App);
            fd(socket).zip(fd(config)).zip(part)
        }
        _ => None,
    };
    let ((socket, config), part) = parsed.ok_or(io::ErrorKind::InvalidInput)?;
    let mut inherited = Inherited::claim(vec![socket, config])?;
    let mut take = |number| inherited.take(number).ok_or(io::ErrorKind::InvalidInput);
    let (socket, config) = (take(socket)?, take(config)?);
    signals::disregard()?;
    process::end_with_parent(&socket);
    process::set_name("gatewayd/reload");
    Ok((socket, config, part))
}

fn answer(socket: &OwnedFd, wire: OwnedFd, part: Part) -> io::Result<()> {
    let wire = File::from(wire);
    let config = read_config(wire.try_clone()?.into())?;
    let goods = |apps, tls| Goods {
        config: wire.into(),
        apps,
        tls,
    };
    let parcel = match part {
        Part::Certificates => read_tls(&config)
            .map(|tls| goods(Vec::new(), tls))
            .map_err(|error| error.to_string()),
        Part::App(number) => copy(&config, number).map(|copy| goods(vec![copy], None)),
    };
    let parcel = parcel.map_or_else(|why| Parcel::Refused(vec![why]), Parcel::Ready);
    parcel.send(socket)
}

fn copy(config: &Config, number: usize) -> Result<OwnedFd, String> {
    let path = config
        .all_apps()
        .nth(number)
        .and_then(|app| app.path.as_ref());
    let path = path.ok_or_else(|| "expected an application with a file, found none".to_owned())?;
    snapshot::take(path, config.snapshot_dir.as_deref()).map_err(|error| error.to_string())
}
