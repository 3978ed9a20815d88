//! Who the processes are.

use crate::config::setting::{Accounts, Applies, Field, Group, Setting};

pub(super) static PROCESS: &[Setting] = &[
    Setting {
        name: "user",
        short: None,
        group: Group::Process,
        field: Field::Account(Accounts::User, |c| &mut c.user),
        default: "",
        help: "User that the workers become before they load the application, with its groups; the \
               server has to be started as root",
        applies: Applies::Reload,
    },
    Setting {
        name: "group",
        short: None,
        group: Group::Process,
        field: Field::Account(Accounts::Group, |c| &mut c.group),
        default: "",
        help: "Group that the workers become instead of the user's own",
        applies: Applies::Reload,
    },
    Setting {
        name: "umask",
        short: None,
        group: Group::Process,
        field: Field::Mode(|c| &mut c.umask),
        default: "",
        help: "Permissions that files of the workers never have, instead of the umask of the start",
        applies: Applies::Reload,
    },
];
