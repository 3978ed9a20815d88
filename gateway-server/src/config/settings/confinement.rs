//! What workers can never do.

use crate::config::setting::{Applies, Field, Group, Setting};
use crate::config::spelled::List;

pub(super) static CONFINEMENT: &[Setting] = &[
    Setting {
        name: "sandbox",
        short: None,
        group: Group::Confinement,
        field: Field::Sandbox(|c| &mut c.sandbox),
        default: "off",
        help: "Shut the workers in: no program and no process is started, no file written outside the named \
               places, no socket listened at, nobody spoken to who is not named. With required a worker does \
               not start where the kernel cannot do all of it, with possible it does with less; check-config \
               says what the kernel can",
        applies: Applies::Reload,
    },
    Setting {
        name: "sandbox-write",
        short: None,
        group: Group::Confinement,
        field: Field::Files(|c| &mut c.sandbox_write),
        default: "",
        help: "File, or folder with all in it, that confined workers may write; may be repeated",
        applies: Applies::Reload,
    },
    Setting {
        name: "sandbox-connect",
        short: None,
        group: Group::Confinement,
        field: Field::Of(&List(|c| &mut c.sandbox_connect)),
        default: "",
        help: "Whom confined workers may speak to: a TCP port of anybody's, udp (which looking up names \
               needs), or unix for unix sockets; may be repeated",
        applies: Applies::Reload,
    },
];
