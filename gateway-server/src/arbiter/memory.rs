//! What the kernel says about memory: how much a process holds, and whom it killed for want of it.

use std::fs;
use std::path::PathBuf;

use nix::unistd::{Pid, SysconfVar, sysconf};

use crate::value::ByteCount;

/// The memory that a process holds (RSS); none if it is gone, or /proc not there.
pub(super) fn held_by(pid: Pid) -> Option<ByteCount> {
    let sizes = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = sizes.split(' ').nth(1)?.parse().ok()?;
    let page = sysconf(SysconfVar::PAGE_SIZE).ok()??;
    Some(ByteCount(pages * u64::try_from(page).ok()?))
}

/// The kernel's count of processes of our control group that it killed for want of memory.
#[derive(Debug)]
pub(super) struct OomKills {
    /// Where the count stands; none without such a group.
    file: Option<PathBuf>,
    seen: u64,
}

impl OomKills {
    /// Looks for the count, and remembers it.
    pub(super) fn watch() -> Self {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let file = groups.lines().flat_map(candidates);
        let file = file.into_iter().find(|file| count_in(file).is_some());
        let seen = file.as_ref().and_then(count_in).unwrap_or_default();
        Self { file, seen }
    }

    /// Whether there were any since the last call.
    pub(super) fn any_new(&mut self) -> bool {
        let now = self.file.as_ref().and_then(count_in).unwrap_or(self.seen);
        now > std::mem::replace(&mut self.seen, now)
    }
}

/// Where the count of a line of /proc/self/cgroup may stand: cgroups(7), both versions, as a group
/// sees itself from within a container and from without.
fn candidates(line: &str) -> Vec<PathBuf> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
        return Vec::new();
    };
    let (roots, file): (&[_], _) = if controllers.is_empty() {
        let roots = &["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
        (roots, "memory.events")
    } else if controllers.split(',').any(|name| name == "memory") {
        (&["/sys/fs/cgroup/memory"], "memory.oom_control")
    } else {
        return Vec::new();
    };
    roots
        .iter()
        .flat_map(|root| [format!("{root}{path}/{file}"), format!("{root}/{file}")])
        .map(PathBuf::from)
        .collect()
}

fn count_in(file: &PathBuf) -> Option<u64> {
    let lines = fs::read_to_string(file).ok()?;
    let count = lines
        .lines()
        .find_map(|line| line.strip_prefix("oom_kill "));
    count?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_memory_is_known() {
        assert!(held_by(Pid::this()).unwrap() > ByteCount(1 << 16));
    }

    #[test]
    fn a_kill_is_news_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, "oom 5\noom_kill 2\noom_group_kill 0\n").unwrap();
        let path = file.path().to_owned();
        let mut kills = OomKills {
            seen: count_in(&path).unwrap(),
            file: Some(path),
        };
        assert!(!kills.any_new());
        fs::write(&file, "oom 5\noom_kill 3\noom_group_kill 0\n").unwrap();
        assert!(kills.any_new() && !kills.any_new());
        drop(file);
        assert!(!kills.any_new(), "a count that is gone is no news");
    }

    #[test]
    fn both_versions_of_control_groups_are_looked_at() {
        let paths = |line| {
            let all = candidates(line).into_iter();
            all.map(|path| path.display().to_string())
                .collect::<Vec<_>>()
        };
        assert!(paths("0::/a").contains(&"/sys/fs/cgroup/a/memory.events".to_owned()));
        assert!(paths("4:memory:/a").contains(&"/sys/fs/cgroup/memory/memory.oom_control".into()));
        assert_eq!(paths("2:cpu,cpuacct:/a"), [""; 0]);
        assert_eq!(paths(""), [""; 0]);
    }
}
