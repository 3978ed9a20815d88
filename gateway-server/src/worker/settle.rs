//! A worker's first acts: it becomes who the configuration says, with what that gives it. No other
//! thread and no foreign code is in the process yet.

use std::fmt::Display;
use std::io;

use crate::config::Config;
use crate::os::{identity, station};
use crate::sandbox;
use crate::value::{Capabilities, Identity};

/// Takes its place in the system; `place` is that among the workers.
///
/// # Errors
///
/// The first thing that the kernel refuses, by the name of its setting.
pub(super) fn settle(config: &Config, place: u32) -> io::Result<()> {
    // What takes rights comes before they are given up.
    for limit in &config.rlimit {
        station::limit(limit.resource, limit.soft, limit.hard)
            .map_err(|error| named(&format!("--rlimit {limit}"), error))?;
    }
    if let Some(nice) = config.nice {
        station::set_nice(nice.0).map_err(|error| named(&format!("--nice {nice}"), error))?;
    }
    if let Some(affinity) = &config.cpu_affinity {
        let usable = station::usable_cpus()?;
        station::run_on(&affinity.of_worker(place, &usable))
            .map_err(|error| named(&format!("--cpu-affinity {affinity}"), error))?;
    }
    if let Some(mode) = config.umask {
        identity::set_umask(mode.0);
    }
    let drop = |error| named("--capabilities", error);
    if let Some(capabilities) = config.capabilities {
        identity::bound(capabilities.all()).map_err(drop)?;
    }
    if let Some(identity) = &config.identity {
        become_who(identity)?;
    }
    if let Some(Capabilities(kept)) = config.capabilities {
        identity::keep(kept).map_err(drop)?;
    }
    if let Some(folder) = &config.chdir {
        std::env::set_current_dir(folder)
            .map_err(|error| named(&format!("--chdir {}", folder.display()), error))?;
    }
    if config.no_new_privs {
        identity::renounce_privileges().map_err(|error| named("--no-new-privs", error))?;
    }
    sandbox::enter(config, place)
}

fn become_who(who: &Identity) -> io::Result<()> {
    let Identity {
        user,
        group,
        groups,
    } = who;
    identity::assume(*user, *group, groups).map_err(|error| {
        let user = user.map_or(String::new(), |user| format!("user {user}, "));
        io::Error::new(
            error.kind(),
            format!("cannot become {user}group {group}: {error}"),
        )
    })
}

fn named(setting: &str, error: impl Display + Into<io::Error>) -> io::Error {
    let message = format!("{setting}: {error}");
    io::Error::new(error.into().kind(), message)
}
