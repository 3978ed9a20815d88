//! Values of the workers' environment that stand in files of their own, as orchestrators mount them.

use super::file::read_limited;
use super::origin::Origin;
use super::problem::Problem;
use super::{Config, SETTINGS, hidden};
use crate::value::Variable;

/// Reads all files that `env-file` names; `origins` are those of the settings.
pub(super) fn read(config: &mut Config, origins: &[Origin], problems: &mut Vec<Problem>) {
    let at = SETTINGS.iter().position(|one| one.name == NAME);
    let lead = at.map_or_else(|| NAME.to_owned(), |at| origins[at].lead(NAME));
    for one in &config.env_file {
        // One line end is not the value's.
        let read = read_limited(&one.path).map_err(|error| error.to_string());
        let value = read.and_then(|text| match text.strip_suffix('\n').unwrap_or(&text) {
            value if value.contains('\0') => Err("it holds a NUL".to_owned()),
            value if hidden::is_missing_from(value) => Err(hidden::FOUND.to_owned()),
            value => Ok(value.to_owned()),
        });
        match value {
            Ok(value) => config.env_secrets.push(Variable {
                name: one.name.clone(),
                value,
            }),
            Err(found) => problems.push(Problem::Refused {
                lead: lead.clone(),
                expected: format!(
                    "a file with the value of {} at {}",
                    one.name,
                    one.path.display()
                ),
                found,
            }),
        }
    }
}

const NAME: &str = "env-file";
