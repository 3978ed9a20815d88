//! What a start will ask of the file system, asked before it: nothing is made, changed or run.

use std::fs::{metadata, symlink_metadata};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::SystemTime;

use gateway_spec::abi::load;
use nix::unistd::{AccessFlags, eaccess};

use crate::app_source;
use crate::config::{Problem, Resolved};
use crate::net::{ListenAddress, Place};
use crate::tls;
use crate::value::LogTarget;

/// Files and folders without which a server would not start, for the user that asks.
pub(super) fn problems(resolved: &Resolved) -> Vec<Problem> {
    let mut problems = unfit_apps(resolved);
    problems.extend(resolved.missing_folders());
    problems.extend(resolved.unknown_hosts());
    problems.extend(unfit_certificates(resolved));
    problems.extend(unfit_places(resolved));
    problems
}

/// The applications' files that are none, or hold no application that could be served here.
fn unfit_apps(resolved: &Resolved) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (app, origins) in resolved.config.all_apps().zip(&resolved.apps) {
        let Some(path) = &app.path else { continue };
        let lead = origins.path.lead("app");
        let found = match metadata(path) {
            Ok(found) if found.is_file() => {
                if let Err(error) = load::inspect(path) {
                    let why = error.to_string();
                    problems.push(Problem::UselessFile { lead, why });
                }
                continue;
            }
            Ok(_) => "something else".to_owned(),
            Err(error) => error.to_string(),
        };
        problems.push(match app_source::refuse_folder(path) {
            Err(message) => Problem::UselessFile {
                lead,
                why: format!("{}: {message}", path.display()),
            },
            Ok(()) => Problem::Refused {
                lead,
                expected: format!("a file at {}", path.display()),
                found,
            },
        });
    }
    problems
}

fn unfit_certificates(resolved: &Resolved) -> Vec<Problem> {
    let Some(files) = resolved.config.tls_files() else {
        return Vec::new();
    };
    let problem = |error: tls::ReadError| {
        let path = error.path().to_owned();
        let setting = if files.keys.contains(&path) && !files.certificates.contains(&path) {
            "tls-key"
        } else if files.client_ca.as_ref() == Some(&path) {
            "tls-client-ca"
        } else if files.revocations.as_ref() == Some(&path) {
            "tls-crl"
        } else {
            "tls-cert"
        };
        Problem::UselessFile {
            lead: resolved.lead(setting),
            why: error.to_string(),
        }
    };
    let faults = tls::faults(&files, SystemTime::now());
    faults.into_iter().map(problem).collect()
}

/// Where files and sockets could not be made.
fn unfit_places(resolved: &Resolved) -> Vec<Problem> {
    let config = &resolved.config;
    let mut problems = Vec::new();
    let mut judge = |lead: &dyn Fn() -> String, judged: Result<(), Unfit>| {
        if let Err(Unfit { expected, found }) = judged {
            let lead = lead();
            problems.push(Problem::Refused {
                lead,
                expected,
                found,
            });
        }
    };
    if let Some(LogTarget::File(path)) = &config.access_log {
        judge(&|| resolved.lead("access-log"), writable_file(path));
    }
    if let Some(path) = &config.pid {
        judge(&|| resolved.lead("pid"), writable_file(path));
    }
    if let Some(path) = &config.control {
        judge(&|| resolved.lead("control"), place_for_socket(path));
    }
    if let Some(ListenAddress::Unix(path)) = &config.admin {
        judge(&|| resolved.lead("admin"), place_for_socket(path));
    }
    for (name, pool) in config.each_pool() {
        for bind in &pool.bind {
            if let Place::Address(ListenAddress::Unix(path)) = &bind.place {
                judge(&|| resolved.lead_of_bind(name), place_for_socket(path));
            }
        }
    }
    if let Some(path) = &config.snapshot_dir {
        let expected = format!("a folder at {} that can be written to", path.display());
        judge(&|| resolved.lead("snapshot-dir"), folder(path, expected));
    }
    problems
}

/// Why something could not be made where it is to be.
struct Unfit {
    expected: String,
    found: String,
}

/// A file that is there, or could be.
fn writable_file(path: &Path) -> Result<(), Unfit> {
    let unfit = |found: String| Unfit {
        expected: format!("a file that can be written to at {}", path.display()),
        found,
    };
    match metadata(path) {
        Ok(found) if found.is_dir() => Err(unfit("a folder".to_owned())),
        Ok(_) => may(path, AccessFlags::W_OK).map_err(|error| unfit(error.to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => parent(path),
        Err(error) => Err(unfit(error.to_string())),
    }
}

/// A socket that could be made, in place of one that a dead server has left.
fn place_for_socket(path: &Path) -> Result<(), Unfit> {
    if symlink_metadata(path).is_ok_and(|found| !found.file_type().is_socket()) {
        return Err(Unfit {
            expected: format!("a socket or nothing at {}", path.display()),
            found: "something else".to_owned(),
        });
    }
    parent(path)
}

fn parent(path: &Path) -> Result<(), Unfit> {
    let above = match path.parent() {
        Some(above) if above != Path::new("") => above,
        _ => Path::new("."),
    };
    let expected = format!("a folder that can be written to for {}", path.display());
    folder(above, expected)
}

fn folder(path: &Path, expected: String) -> Result<(), Unfit> {
    let found = match metadata(path) {
        Ok(found) if !found.is_dir() => "a file".to_owned(),
        Ok(_) => match may(path, AccessFlags::W_OK | AccessFlags::X_OK) {
            Ok(()) => return Ok(()),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    };
    let found = format!("{}: {found}", path.display());
    Err(Unfit { expected, found })
}

fn may(path: &Path, access: AccessFlags) -> io::Result<()> {
    Ok(eaccess(path, access)?)
}
