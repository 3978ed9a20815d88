//! A server in namespaces and a control group of its own, as a container would have it, as far as this
//! machine lets us.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::control_group::ControlGroup;
use crate::gatewayd::Gatewayd;
use crate::network::Network;

/// What there is of it. Dropped after whatever runs in it.
#[derive(Debug)]
pub struct Isolation {
    pub network: Option<Network>,
    pub group: Option<ControlGroup>,
    /// Whether the server is process 1 of a namespace of its own.
    processes: bool,
    /// What this machine does not give, and why.
    pub missing: Vec<String>,
}

impl Isolation {
    /// Makes everything that can be made, with limits that so many workers do not reach.
    #[must_use]
    pub fn create(workers: u32) -> Self {
        let mut missing = Vec::new();
        let mut lacks = |what: &str, why: String| missing.push(format!("{what}: {why}"));
        let network = Network::create()
            .map_err(|why| lacks("network namespace", why))
            .ok();
        if let Some(why) = network.as_ref().and_then(|one| one.undelayed.clone()) {
            lacks("delayed packets", why);
        }
        let group = ControlGroup::create()
            .map_err(|why| lacks("control group", why))
            .ok();
        if let Some(group) = &group {
            let most = u64::from(workers + 8);
            let limits = [
                ("memory limit", group.limit_memory(most * MEMORY_EACH)),
                ("limit of processes", group.limit_tasks(most * TASKS_EACH)),
                ("processor limit", group.limit_processor(PROCESSOR)),
                ("freezer", group.freeze().map(|()| group.thaw())),
            ];
            for (what, limited) in limits {
                if let Err(why) = limited {
                    lacks(what, why);
                }
            }
        }
        let unshared = Command::new(UNSHARE[0])
            .args(&UNSHARE[1..])
            .arg("true")
            .status();
        let processes = unshared.is_ok_and(|status| status.success());
        if !processes {
            lacks(
                "process namespace",
                format!("`{} true` fails", UNSHARE.join(" ")),
            );
        }
        Self {
            network,
            group,
            processes,
            missing,
        }
    }

    /// The same command inside.
    #[must_use]
    pub fn wrap(&self, inner: &Command) -> Command {
        let mut words = self
            .group
            .as_ref()
            .map(ControlGroup::prefix)
            .unwrap_or_default();
        words.extend(self.network.iter().flat_map(Network::prefix));
        if self.processes {
            words.extend(UNSHARE.map(str::to_owned));
        }
        let Some((first, rest)) = words.split_first() else {
            let mut same = Command::new(inner.get_program());
            same.args(inner.get_args());
            return with_environment(same, inner);
        };
        let mut outer = Command::new(first);
        outer
            .args(rest)
            .arg(inner.get_program())
            .args(inner.get_args());
        with_environment(outer, inner)
    }

    /// The number of the master of a server inside, as we see it.
    ///
    /// # Panics
    /// When it has gone.
    #[must_use]
    pub fn master(&self, server: &Gatewayd) -> i32 {
        let outermost = server.process.pid();
        if !self.processes {
            return outermost;
        }
        let list = fs::read_to_string(format!("/proc/{outermost}/task/{outermost}/children"));
        let list = list.expect("a server that runs");
        let child = list.split_whitespace().next().expect("a child of unshare");
        child.parse().expect("a number")
    }
}

fn with_environment(mut outer: Command, inner: &Command) -> Command {
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    outer
}

/// Process 1 of what follows.
const UNSHARE: [&str; 5] = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
/// Bytes.
const MEMORY_EACH: u64 = 48 << 20;
/// Processes and threads; while a worker is replaced there are two.
const TASKS_EACH: u64 = 24;
/// In each tenth of a second: a processor and a half.
const PROCESSOR: Duration = Duration::from_millis(150);
