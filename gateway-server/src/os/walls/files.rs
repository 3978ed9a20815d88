//! Landlock: no file is written or made outside named places, no program is started, and TCP
//! goes to named ports alone.

use std::io;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, Scope,
};

use super::openings::Openings;

/// Restricts the process as far as this kernel's Landlock goes.
pub(super) fn restrict(openings: &Openings) -> io::Result<()> {
    let writing = AccessFs::from_write(KNOWN);
    let mut rules = Ruleset::default()
        .handle_access(writing | AccessFs::Execute)
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V4)))
        .and_then(|rules| rules.scope(Scope::from_all(KNOWN)))
        .and_then(Ruleset::create)
        .map_err(io::Error::other)?;
    // Devices are made by nobody.
    let named = writing & !(AccessFs::MakeChar | AccessFs::MakeBlock);
    for path in &openings.write {
        let rule = beneath(path, named).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
        rules = rules.add_rule(rule).map_err(io::Error::other)?;
    }
    for path in NOWHERE {
        // What is not there need not be opened.
        if let Ok(rule) = beneath(Path::new(path), named) {
            rules = rules.add_rule(rule).map_err(io::Error::other)?;
        }
    }
    for port in &openings.tcp {
        let rule = NetPort::new(*port, AccessNet::ConnectTcp);
        rules = rules.add_rule(rule).map_err(io::Error::other)?;
    }
    rules.restrict_self().map_err(io::Error::other)?;
    Ok(())
}

fn beneath(path: &Path, access: BitFlags<AccessFs>) -> io::Result<PathBeneath<PathFd>> {
    let is_folder = std::fs::metadata(path)?.is_dir();
    let access = match is_folder {
        true => access,
        false => access & AccessFs::from_file(KNOWN),
    };
    let place = PathFd::new(path).map_err(io::Error::other)?;
    Ok(PathBeneath::new(place, access))
}

/// The newest version whose rights are known here; the crate leaves out what the kernel does not know.
const KNOWN: ABI = ABI::V6;
/// Files in which nothing is left behind.
const NOWHERE: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/full"];
