//! Preparing a generation: reading the configuration and copying the application.
//!
//! Either may take as long as a disk, a name service or a pipe likes, and the master waits for nobody.
//! So at each reload the program is started once more, with the words and the environment of the
//! server's start, to do both and to send the result back.

mod parcel;
mod part;

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use crate::app_source::AppSource;
use crate::config::Config;
use crate::os::fd::Inherited;
use crate::os::{memfd, process, signals};
use crate::snapshot::{self, SnapshotError};
use crate::tls;
use crate::value::Seen;

pub(crate) use parcel::{Goods, Parcel};
pub(crate) use part::{Part, ROLE as PART_ROLE, main as prepare_part};

/// The first argument of such a process; the second is a descriptor, the rest are the words that the
/// server was started with.
pub(crate) const ROLE: &str = "--gatewayd-prepare";

/// The second argument for a process whose end of the socket has this number.
pub(crate) fn argument(socket: RawFd) -> CString {
    CString::new(socket.to_string()).expect("digits hold no NUL")
}

/// This process's end of the socket to the master.
#[derive(Debug)]
pub(crate) struct Desk {
    socket: OwnedFd,
}

impl Desk {
    /// Takes over what the master left. Nothing else has been opened in this process before.
    ///
    /// # Errors
    ///
    /// The argument is none of a master's.
    pub(crate) fn claim(argument: &OsStr) -> io::Result<Self> {
        let number = argument.to_str().and_then(|digits| digits.parse().ok());
        let number = number.ok_or(io::ErrorKind::InvalidInput)?;
        let mut inherited = Inherited::claim(vec![number])?;
        let socket = inherited.take(number).ok_or(io::ErrorKind::InvalidInput)?;
        signals::disregard()?;
        process::end_with_parent(&socket);
        process::set_name("gatewayd/reload");
        Ok(Self { socket })
    }

    /// Sends the configuration with the application that it names, or what is wrong.
    pub(crate) fn answer(self, read: Result<Config, Vec<String>>, source: AppSource) -> ExitCode {
        let parcel = read.and_then(|config| pack(&config, source).map_err(|why| vec![why]));
        let parcel = parcel.unwrap_or_else(Parcel::Refused);
        match parcel.send(&self.socket) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        }
    }
}

/// What is to be watched: certificates always, since a renewal comes by itself; the application and the
/// configuration unless nobody asks for it or `gatewayd dev` does it better.
pub(crate) fn watched_files(config: &Config) -> Vec<PathBuf> {
    let files = config.tls_files();
    let mut watched = files.as_ref().map(tls::watched).unwrap_or_default();
    if config.reload && config.workbench.is_none() {
        let apps = config.all_apps().filter_map(|app| app.path.as_ref());
        watched.extend(apps.chain(&config.file).cloned());
    }
    watched
}

/// Notes how what is to be watched looks, which is about to be read: whatever happens to it from now on
/// is a change.
pub(crate) fn look_at_files(config: &mut Config) {
    for path in watched_files(config) {
        if config.seen.iter().all(|seen| seen.path != path) {
            config.seen.push(Seen::now(path));
        }
    }
}

/// Looks whether the applications that a configuration names are there, before anything is waited for on their
/// behalf.
///
/// # Errors
///
/// A file cannot be read.
pub(crate) fn find_apps(config: &Config, source: AppSource) -> Result<(), SnapshotError> {
    if matches!(source, AppSource::LinkedIn(_)) || config.workbench.is_some() {
        return Ok(());
    }
    let mut paths = config.all_apps().filter_map(|app| app.path.as_ref());
    paths.try_for_each(|path| snapshot::find(path).map(drop))
}

/// The copies of the applications that a configuration names, in their order; none if it is this
/// program, or if the workbench has none yet.
///
/// # Errors
///
/// A file cannot be copied.
pub(crate) fn copy_apps(config: &Config, source: AppSource) -> Result<Vec<OwnedFd>, SnapshotError> {
    if let AppSource::LinkedIn(_) = source {
        return Ok(Vec::new());
    }
    let paths = config.all_apps().filter_map(|app| app.path.as_ref());
    let paths = paths.filter(|path| config.workbench.is_none() || path.exists());
    let folder = config.snapshot_dir.as_deref();
    paths.map(|path| snapshot::take(path, folder)).collect()
}

/// The certificates and keys that a configuration names, ready to be passed on; none if no address
/// speaks TLS.
///
/// # Errors
///
/// A file cannot be read, or is of no use.
pub(crate) fn read_tls(config: &Config) -> io::Result<Option<OwnedFd>> {
    let Some(files) = config.tls_files() else {
        return Ok(None);
    };
    let material = tls::read(&files, SystemTime::now()).map_err(io::Error::other)?;
    memfd::sealed("gatewayd-tls", &material.to_bytes()).map(Some)
}

/// The configuration that a preparing process has sent.
///
/// # Errors
///
/// It cannot be read, or is of another program.
pub(crate) fn read_config(wire: OwnedFd) -> io::Result<Config> {
    let bytes = memfd::read(&File::from(wire))?;
    Config::from_wire(&bytes).map_err(io::Error::other)
}

fn pack(config: &Config, source: AppSource) -> Result<Parcel, String> {
    let apps = copy_apps(config, source).map_err(|error| error.to_string())?;
    let tls = read_tls(config).map_err(|error| error.to_string())?;
    let config = memfd::sealed("gatewayd-config", &config.to_wire())
        .map_err(|error| format!("cannot copy the configuration into memory: {error}"))?;
    Ok(Parcel::Ready(Goods { config, apps, tls }))
}
