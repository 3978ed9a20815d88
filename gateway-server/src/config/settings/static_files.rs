//! Files that the server sends by itself.

use std::time::Duration;

use super::durations::YEAR;
use crate::config::setting::{Applies, Field, Group, Setting};
use crate::config::spelled::List;

pub(super) static STATIC_FILES: &[Setting] = &[
    Setting {
        name: "static",
        short: None,
        group: Group::StaticFiles,
        field: Field::Of(&List(|c| &mut c.static_mounts)),
        default: "",
        help: "Answer GET and HEAD below the URL path PATH with the files of FOLDER, without the \
               application. Below / the application is asked for what is no file; may be repeated, and \
               stand in a table [static] of the file",
        applies: Applies::Reload,
    },
    Setting {
        name: "static-max-age",
        short: None,
        group: Group::StaticFiles,
        field: Field::Time(Duration::ZERO..=YEAR, |c| &mut c.static_max_age),
        default: "0s",
        help: "How long clients may use such a file without asking whether it has changed; with 0 they ask \
               each time",
        applies: Applies::Reload,
    },
    Setting {
        name: "static-immutable",
        short: None,
        group: Group::StaticFiles,
        field: Field::Of(&List(|c| &mut c.static_immutable)),
        default: "",
        help: "Clients need never ask again for a file below the URL path PATH: its name changes with its \
               content; may be repeated",
        applies: Applies::Reload,
    },
];
