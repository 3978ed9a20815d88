//! What the settings for the PROXY protocol mean together.

use super::origin::Origin;
use super::problem::Problem;
use super::{Config, SETTINGS};
use crate::net::Preface;

/// Finds addresses of proxies without a proxy; `origins` are those of the settings.
pub(super) fn look_through(config: &Config, origins: &[Origin], problems: &mut Vec<Problem>) {
    let mut binds = config.bind.iter();
    let introduced = binds.any(|one| one.manner.preface == Preface::Proxy);
    if introduced && config.trusted_proxies.is_empty() {
        let at = SETTINGS.iter().position(|one| one.name == "bind");
        problems.push(Problem::Refused {
            lead: at.map_or_else(String::new, |at| origins[at].lead("bind")),
            expected: "trusted-proxies for a proxy+ address".to_owned(),
            found: "none".to_owned(),
        });
    }
}
