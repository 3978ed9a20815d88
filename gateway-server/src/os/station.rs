//! A process's place among others: how much it may have, when and where it runs.

use std::io;

use rustix::process::{Resource, Rlimit, setpriority_process, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Limits a resource; none is no limit.
///
/// # Errors
///
/// The kernel's: only root raises a hard limit.
pub(crate) fn limit(resource: Resource, soft: Option<u64>, hard: Option<u64>) -> io::Result<()> {
    let limit = Rlimit {
        current: soft,
        maximum: hard,
    };
    Ok(setrlimit(resource, limit)?)
}

/// Makes the process nice, from -20 to 19.
///
/// # Errors
///
/// The kernel's: only root becomes less nice.
pub(crate) fn set_nice(nice: i32) -> io::Result<()> {
    Ok(setpriority_process(None, nice)?)
}

/// The processors that the process may run on.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn usable_cpus() -> io::Result<Vec<usize>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU)
        .filter(|cpu| set.is_set(*cpu))
        .collect())
}

/// Keeps the process, which has one thread, to these processors.
///
/// # Errors
///
/// The kernel's: none of them is there, or the process may use none of them.
pub(crate) fn run_on(cpus: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    cpus.iter().for_each(|cpu| set.set(*cpu));
    Ok(sched_setaffinity(None, &set)?)
}
