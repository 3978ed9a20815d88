//! The process that reads certificates alone, because their files have changed.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::process::ExitCode;

use super::{Goods, Parcel, read_config, read_tls};
use crate::os::fd::Inherited;
use crate::os::{process, signals};

/// The first argument of such a process; the second names two descriptors.
pub(crate) const ROLE: &str = "--gatewayd-certificates";

/// The second argument for a process whose end of the socket and whose configuration have these numbers.
pub(crate) fn argument(socket: RawFd, config: RawFd) -> CString {
    CString::new(format!("{socket},{config}")).expect("digits and a comma hold no NUL")
}

/// The life of such a process.
pub(crate) fn main(argument: &OsStr) -> ExitCode {
    match claim(argument).and_then(|(socket, config)| answer(&socket, config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Takes over what the master left. Nothing else has been opened in this process before.
fn claim(argument: &OsStr) -> io::Result<(OwnedFd, OwnedFd)> {
    let numbers = argument.to_str().and_then(|text| text.split_once(','));
    let parse = |(one, other): (&str, &str)| Some((one.parse().ok()?, other.parse().ok()?));
    let (socket, config) = numbers.and_then(parse).ok_or(io::ErrorKind::InvalidInput)?;
    let mut inherited = Inherited::claim(vec![socket, config])?;
    let mut take = |number| inherited.take(number).ok_or(io::ErrorKind::InvalidInput);
    let both = (take(socket)?, take(config)?);
    signals::disregard()?;
    process::end_with_parent();
    process::set_name("gatewayd/reload");
    Ok(both)
}

fn answer(socket: &OwnedFd, wire: OwnedFd) -> io::Result<()> {
    let wire = File::from(wire);
    let config = read_config(wire.try_clone()?.into())?;
    let parcel = match read_tls(&config) {
        Ok(tls) => Parcel::Ready(Goods {
            config: wire.into(),
            apps: Vec::new(),
            tls,
        }),
        Err(error) => Parcel::Refused(vec![error.to_string()]),
    };
    parcel.send(socket)
}
