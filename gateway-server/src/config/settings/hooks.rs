//! Commands that are run when something happens.

use std::time::Duration;

use super::durations::HOUR;
use crate::config::setting::{Applies, Field, Group, Setting};
use crate::config::spelled::Perhaps;

pub(super) static HOOKS: &[Setting] = &[
    Setting {
        name: "hook-boot",
        short: None,
        group: Group::Hooks,
        field: Field::Of(&Perhaps(|c| &mut c.hook_boot)),
        default: "",
        help: "Command for sh, run when the server has its addresses and before it starts the first worker; \
               if it fails, the server does not start",
        applies: Applies::Restart,
    },
    Setting {
        name: "hook-ready",
        short: None,
        group: Group::Hooks,
        field: Field::Of(&Perhaps(|c| &mut c.hook_ready)),
        default: "",
        help: "Command for sh, run when the workers of the start, or the first worker of a reload or an \
               upgrade, are ready; if it fails, so does the start, the reload or the upgrade",
        applies: Applies::Reload,
    },
    Setting {
        name: "hook-reload",
        short: None,
        group: Group::Hooks,
        field: Field::Of(&Perhaps(|c| &mut c.hook_reload)),
        default: "",
        help: "Command for sh, run when a reload or an upgrade is over, well or not",
        applies: Applies::Reload,
    },
    Setting {
        name: "hook-worker-exit",
        short: None,
        group: Group::Hooks,
        field: Field::Of(&Perhaps(|c| &mut c.hook_worker_exit)),
        default: "",
        help: "Command for sh, run when a worker has ended, for whatever reason",
        applies: Applies::Reload,
    },
    Setting {
        name: "hook-timeout",
        short: None,
        group: Group::Hooks,
        field: Field::Time(Duration::from_secs(1)..=HOUR, |c| &mut c.hook_timeout),
        default: "30s",
        help: "How long a hook may take before it is killed with all that it has started, and has failed",
        applies: Applies::Reload,
    },
];
