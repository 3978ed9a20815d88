//! What a server of one process cannot do, because it takes a master.

use super::origin::Origin;
use super::problem::Problem;
use super::{Config, SETTINGS};
use crate::value::Sandbox;

/// Finds settings that `--workers 0` refuses; `origins` are those of the settings.
pub(super) fn look_through(config: &Config, origins: &[Origin], problems: &mut Vec<Problem>) {
    if config.workers > 0 {
        return;
    }
    for (name, given) in [
        ("admin", config.admin.is_some()),
        ("statsd", config.statsd.is_some()),
        ("sandbox", config.sandbox != Sandbox::Off),
    ] {
        if given {
            let at = SETTINGS.iter().position(|one| one.name == name);
            problems.push(Problem::Refused {
                lead: at.map_or_else(|| name.to_owned(), |at| origins[at].lead(name)),
                expected: "workers beside it, at least 1".to_owned(),
                found: "0, which is one process".to_owned(),
            });
        }
    }
}
