//! Who the processes are, and what they are given.

use crate::config::setting::{Accounts, Applies, Field, Group, Setting};
use crate::config::spelled::{List, Perhaps};

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
        name: "groups",
        short: None,
        group: Group::Process,
        field: Field::Groups(|c| &mut c.groups),
        default: "",
        help: "Groups that the workers are in beside their own, instead of all that the user is in; may \
               be repeated",
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
    Setting {
        name: "chdir",
        short: None,
        group: Group::Process,
        field: Field::File(|c| &mut c.chdir),
        default: "",
        help: "Folder that the workers are in when they load the application, where its relative paths \
               begin. The server's own begin where it was started, those of the file where that lies",
        applies: Applies::Reload,
    },
    Setting {
        name: "env",
        short: Some('e'),
        group: Group::Process,
        field: Field::Of(&List(|c| &mut c.env)),
        default: "",
        help: "Variable in the environment of the workers; may be repeated, and stand in a table [env] of \
               the file. The command line is no place for passwords: everybody can see it",
        applies: Applies::Reload,
    },
    Setting {
        name: "env-file",
        short: None,
        group: Group::Process,
        field: Field::Of(&List(|c| &mut c.env_file)),
        default: "",
        help: "Variable in the environment of the workers whose value is in a file, read by the server at \
               its start and at each reload, without a line end behind it; may be repeated",
        applies: Applies::Reload,
    },
    Setting {
        name: "rlimit",
        short: None,
        group: Group::Process,
        field: Field::Of(&List(|c| &mut c.rlimit)),
        default: "",
        help: "Resource limit of the workers, as of setrlimit(2), set before they become another user; may \
               be repeated",
        applies: Applies::Reload,
    },
    Setting {
        name: "nice",
        short: None,
        group: Group::Process,
        field: Field::Of(&Perhaps(|c| &mut c.nice)),
        default: "",
        help: "How willingly the workers let other processes go first; only root can give less than there \
               is",
        applies: Applies::Reload,
    },
    Setting {
        name: "cpu-affinity",
        short: None,
        group: Group::Process,
        field: Field::Of(&Perhaps(|c| &mut c.cpu_affinity)),
        default: "",
        help: "Processors that the workers run on; each gives every worker one of them, in turn",
        applies: Applies::Reload,
    },
    Setting {
        name: "capabilities",
        short: None,
        group: Group::Process,
        field: Field::Of(&Perhaps(|c| &mut c.capabilities)),
        default: "",
        help: "Capabilities that the workers keep, also as another user; all others are dropped for good, \
               from every set. Nobody can give what the server has not",
        applies: Applies::Reload,
    },
    Setting {
        name: "no-new-privs",
        short: None,
        group: Group::Process,
        field: Field::Switch(|c| &mut c.no_new_privs),
        default: "false",
        help: "Workers and what they start can never gain rights, not by a setuid program either",
        applies: Applies::Reload,
    },
];
