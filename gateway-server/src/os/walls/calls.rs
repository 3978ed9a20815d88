//! seccomp: system calls that a worker never makes, and an application has no business with.

use std::collections::BTreeMap;
use std::io;

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

use super::never::NEVER;
use super::openings::Openings;

/// Whether this processor's calls are known.
pub(super) const KNOWN: bool = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));

/// Refuses them from now on.
pub(super) fn restrict(openings: &Openings) -> io::Result<()> {
    // Filters add up, and a filter has one answer. With ENOSYS callers go another way.
    for (rules, error) in [(absent(), libc::ENOSYS), (refused(openings), libc::EPERM)] {
        apply_filter(&program(rules, error)?).map_err(io::Error::other)?;
    }
    Ok(())
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn program(rules: Rules, error: i32) -> io::Result<BpfProgram> {
    let arch = match cfg!(target_arch = "aarch64") {
        true => TargetArch::aarch64,
        false => TargetArch::x86_64,
    };
    let answer = SeccompAction::Errno(error.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, answer, arch);
    let compiled: BpfProgram = filter
        .and_then(TryInto::try_into)
        .map_err(io::Error::other)?;
    Ok(without_x32(compiled, error))
}

/// The calls of x32 are those of x86-64 by other numbers, which no rule has.
#[cfg(target_arch = "x86_64")]
fn without_x32(compiled: BpfProgram, error: i32) -> BpfProgram {
    let statement = |code, jt, jf, k| seccompiler::sock_filter { code, jt, jf, k };
    let beginning = [
        statement(LOAD_WORD, 0, 0, NUMBER_OFFSET),
        statement(JUMP_IF_AT_LEAST, 0, 1, FIRST_OF_X32),
        statement(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | error.unsigned_abs()),
    ];
    beginning.into_iter().chain(compiled).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn without_x32(compiled: BpfProgram, _: i32) -> BpfProgram {
    compiled
}

/// Calls that hide from rules what they are to do; there are older ones for all of it.
fn absent() -> Rules {
    let calls = [
        libc::SYS_clone3,
        libc::SYS_openat2,
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
    ];
    calls.into_iter().map(|call| (call, Vec::new())).collect()
}

fn refused(openings: &Openings) -> Rules {
    let mut rules: Rules = NEVER.iter().map(|call| (*call, Vec::new())).collect();
    let own = u64::from(std::process::id());
    let mut add = |call: i64, alternatives: Vec<Vec<SeccompCondition>>| {
        let made = alternatives
            .into_iter()
            .filter_map(|one| SeccompRule::new(one).ok());
        rules.entry(call).or_default().extend(made);
    };
    // A thread is no process.
    add(libc::SYS_clone, vec![vec![lacks(0, CLONE_THREAD)]]);
    // Nobody else is sent a signal, limited or put off. Another thread is not told from another
    // process, so a thread sees to itself, by 0.
    for call in [
        libc::SYS_kill,
        libc::SYS_tgkill,
        libc::SYS_rt_sigqueueinfo,
        libc::SYS_rt_tgsigqueueinfo,
    ] {
        add(call, vec![vec![is_not(0, own)]]);
    }
    let another = |argument| vec![is_not(argument, 0), is_not(argument, own)];
    for call in OF_A_PROCESS {
        add(*call, vec![another(0)]);
    }
    for (call, one) in [
        (
            libc::SYS_setpriority,
            number(libc::PRIO_PROCESS.cast_signed()),
        ),
        (libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS),
    ] {
        // Groups and users are more than one process.
        add(call, vec![vec![is_not(0, one)], another(1)]);
    }
    // Input and output that is ready sends a signal to whoever is named so.
    for command in [libc::F_SETOWN, F_SETOWN_EX, F_SETSIG] {
        add(libc::SYS_fcntl, vec![vec![is(1, number(command))]]);
    }
    // The same by another call, and typing into the terminal that the server was started from.
    for command in [FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX] {
        add(libc::SYS_ioctl, vec![vec![is(1, command)]]);
    }
    // No file that makes whoever runs it somebody else.
    let set_id = |argument| {
        [S_ISUID, S_ISGID]
            .map(|bit| vec![has(argument, bit)])
            .to_vec()
    };
    add(libc::SYS_fchmod, set_id(1));
    add(libc::SYS_fchmodat, set_id(2));
    add(SYS_FCHMODAT2, set_id(2));
    add(libc::SYS_mknodat, set_id(2));
    let creates = |flags, mode| {
        let pairs = [O_CREAT, O_TMPFILE]
            .into_iter()
            .flat_map(|flag| [S_ISUID, S_ISGID].map(|bit| vec![has(flags, flag), has(mode, bit)]));
        pairs.collect::<Vec<_>>()
    };
    add(libc::SYS_openat, creates(2, 3));
    #[cfg(target_arch = "x86_64")]
    {
        add(libc::SYS_open, creates(1, 2));
        add(libc::SYS_creat, set_id(1));
        add(libc::SYS_chmod, set_id(1));
        add(libc::SYS_mknod, set_id(1));
    }
    add(libc::SYS_socket, sockets(openings));
    // Data that opens a connection is a connection that no rule sees.
    for (call, flags) in [
        (libc::SYS_sendto, 3),
        (libc::SYS_sendmsg, 2),
        (libc::SYS_sendmmsg, 3),
    ] {
        add(call, vec![vec![has(flags, MSG_FASTOPEN)]]);
    }
    if !openings.udp {
        rules.insert(libc::SYS_bind, Vec::new());
    }
    if !openings.udp && !openings.unix && openings.tcp.is_empty() {
        rules.insert(libc::SYS_connect, Vec::new());
    }
    rules
}

/// Kinds of sockets that are not made.
fn sockets(openings: &Openings) -> Vec<Vec<SeccompCondition>> {
    let (stream, datagram) = (number(libc::SOCK_STREAM), number(libc::SOCK_DGRAM));
    let kind = |kind| masked(1, SOCK_TYPE, kind);
    let mut refused = vec![
        [
            libc::AF_UNIX,
            libc::AF_INET,
            libc::AF_INET6,
            libc::AF_NETLINK,
        ]
        .map(|family| is_not(0, number(family)))
        .to_vec(),
        // What tells the addresses of this machine, for looking up names.
        vec![
            is(0, number(libc::AF_NETLINK)),
            is_not(2, number(libc::NETLINK_ROUTE)),
        ],
    ];
    if !openings.unix {
        refused.push(vec![is(0, number(libc::AF_UNIX))]);
    }
    for family in [libc::AF_INET, libc::AF_INET6].map(number) {
        for other in OTHER_KINDS {
            refused.push(vec![is(0, family), kind(other)]);
        }
        // Others than TCP are no business of Landlock's.
        refused.push(vec![
            is(0, family),
            kind(stream),
            is_not(2, 0),
            is_not(2, number(libc::IPPROTO_TCP)),
        ]);
        if openings.tcp.is_empty() {
            refused.push(vec![is(0, family), kind(stream)]);
        }
        if !openings.udp {
            refused.push(vec![is(0, family), kind(datagram)]);
        }
    }
    refused
}

/// The argument is this number.
fn is(argument: u8, value: u64) -> SeccompCondition {
    condition(argument, SeccompCmpOp::Eq, value)
}

/// The argument is another number.
fn is_not(argument: u8, value: u64) -> SeccompCondition {
    condition(argument, SeccompCmpOp::Ne, value)
}

/// The argument has this bit.
fn has(argument: u8, bit: u64) -> SeccompCondition {
    masked(argument, bit, bit)
}

/// The argument has not.
fn lacks(argument: u8, bit: u64) -> SeccompCondition {
    masked(argument, bit, 0)
}

fn masked(argument: u8, mask: u64, value: u64) -> SeccompCondition {
    condition(argument, SeccompCmpOp::MaskedEq(mask), value)
}

/// All that is compared is an `int` to the kernel, whatever stands above it in the register.
fn condition(argument: u8, operation: SeccompCmpOp, value: u64) -> SeccompCondition {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operation, value)
        .expect("a call has six arguments")
}

/// The kernel's constants are small and not negative.
fn number(constant: i32) -> u64 {
    u64::from(constant.unsigned_abs())
}

const CLONE_THREAD: u64 = libc::CLONE_THREAD as u64;
const S_ISUID: u64 = 0o4000;
const S_ISGID: u64 = 0o2000;
const O_CREAT: u64 = libc::O_CREAT as u64;
/// Without the bit of `O_DIRECTORY` that goes with it.
const O_TMPFILE: u64 = (libc::O_TMPFILE & !libc::O_DIRECTORY) as u64;
/// The part of a socket's type that is no flag.
const SOCK_TYPE: u64 = 0xf;
/// Types of sockets that are neither streams nor datagrams.
const OTHER_KINDS: [u64; 14] = [0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const MSG_FASTOPEN: u64 = 0x2000_0000;
/// By the same number everywhere, and not in every C library's headers.
const SYS_FCHMODAT2: i64 = 452;
/// Calls that begin with the number of the process that they change.
const OF_A_PROCESS: &[i64] = &[
    libc::SYS_prlimit64,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
];
/// `ioprio_set(2)`.
const IOPRIO_WHO_PROCESS: u64 = 1;
/// `fcntl(2)`: numbers that are the same on both processors.
const F_SETSIG: i32 = 10;
const F_SETOWN_EX: i32 = 15;
/// `ioctl(2)`, likewise.
const FIOSETOWN: u64 = 0x8901;
const SIOCSPGRP: u64 = 0x8902;
const TIOCSTI: u64 = 0x5412;
const TIOCLINUX: u64 = 0x541c;
#[cfg(target_arch = "x86_64")]
const LOAD_WORD: u16 = 0x20;
#[cfg(target_arch = "x86_64")]
const JUMP_IF_AT_LEAST: u16 = 0x35;
#[cfg(target_arch = "x86_64")]
const RETURN: u16 = 0x06;
/// Where the call's number stands in what a filter is given.
#[cfg(target_arch = "x86_64")]
const NUMBER_OFFSET: u32 = 0;
#[cfg(target_arch = "x86_64")]
const FIRST_OF_X32: u32 = 0x4000_0000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_compiles_whatever_stays_open() {
        for open in [false, true] {
            let openings = Openings {
                tcp: if open { vec![1] } else { Vec::new() },
                udp: open,
                unix: open,
                ..Openings::default()
            };
            let rules = refused(&openings);
            assert_eq!(rules.contains_key(&libc::SYS_bind), !open);
            assert_eq!(rules.contains_key(&libc::SYS_connect), !open);
            assert!(rules[&libc::SYS_socket].iter().len() > 2);
            assert!(program(rules, libc::EPERM).unwrap().len() < 4096);
        }
        assert!(program(absent(), libc::ENOSYS).is_ok());
    }
}
