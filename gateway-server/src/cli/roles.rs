//! The parts of a running server, each of which is this program started once more.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::app_source::AppSource;
use crate::{admin, arbiter, hook, prepare, watch, worker};

/// Does the part of a server that `args` name, to its end; none if they name none.
pub(super) fn play(args: &[OsString], source: AppSource) -> Option<ExitCode> {
    let [name, role, words @ ..] = args else {
        return None;
    };
    Some(match (role.to_str()?, words) {
        (worker::ROLE, [plan]) => worker::main(plan, source),
        (admin::ROLE, [plan]) => admin::main(plan),
        (prepare::PART_ROLE, [argument]) => prepare::prepare_part(argument),
        (hook::ROLE, [_, ..]) => hook::main(words),
        (watch::ROLE, [_, ..]) => watch::main(words),
        (arbiter::ADOPT_ROLE, [argument, words @ ..]) => {
            arbiter::adopt(argument, name.clone(), words.to_vec(), source)
        }
        _ => return None,
    })
}
