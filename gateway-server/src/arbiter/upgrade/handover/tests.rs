//! A state is read as it was written, and by later programs.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use nix::unistd::Pid;

use super::record::HandoverError;
use super::{Handover, PassedRecord, ProcessRecord};
use crate::arbiter::event::{Generation, PoolId, WorkerId};
use crate::arbiter::recycling::Quota;
use crate::arbiter::roster::{Phase, Worker};
use crate::arbiter::state::{Saved, SavedPool};
use crate::net::{Bind, LeftListener, ListenAddress};
use crate::scoreboard::Layout;

fn saved(configured: u32, target: u32, rested: Option<u32>) -> SavedPool {
    SavedPool {
        configured,
        target,
        rested,
    }
}

fn handover() -> Handover {
    let second = Duration::from_secs(1);
    let phases = [
        Phase::Booting { deadline: second },
        Phase::Ready {
            since: second,
            quota: Quota::default(),
            beat: u64::MAX,
            fresh: second * 2,
            marked: None,
        },
        Phase::Draining {
            deadline: second,
            may_accept: None,
        },
        Phase::Stopping { deadline: second },
        Phase::Aborting { deadline: second },
        Phase::Killed,
    ];
    let worker = |(at, phase): (usize, Phase)| {
        let number = u32::try_from(at).unwrap();
        let worker = Worker {
            pool: PoolId(u32::from(at == 2)),
            slot: number,
            generation: Generation(7),
            phase,
            boot: second,
            was_ready: at > 0,
            spent: false,
            dismissed: at > 1,
            last_words: None,
        };
        (WorkerId(number + 10), worker)
    };
    Handover {
        program: OsStr::from_bytes(b"/opt/a b\xff/gatewayd").into(),
        clock: Duration::from_nanos(123_456_789_012),
        requests: 42,
        totals: vec![("reload ok".into(), 3), ("took_longer".into(), 4)],
        admin: Some(LeftListener {
            socket: 60,
            asked: ListenAddress::parse("127.0.0.1:0").unwrap(),
            address: ListenAddress::parse("127.0.0.1:9").unwrap(),
            path: None,
            claim: None,
        }),
        state: Saved {
            pools: BTreeMap::from([
                (PoolId::MAIN, saved(4, 5, Some(3))),
                (PoolId(1), saved(1, 2, None)),
                (PoolId(2), saved(1, 0, Some(1))),
            ]),
            last_worker: 19,
            generation: Generation(7),
            reload_wanted: true,
            upgrade_wanted: true,
            workers: phases.into_iter().enumerate().map(worker).collect(),
        },
        pools: vec!["shop".to_owned(), "admin".to_owned()],
        binds: ["[::1]:0", "unix:/tmp/a b", "systemd:web"]
            .map(|text| Bind::parse(text).unwrap())
            .into(),
        passed: vec![PassedRecord {
            number: 3,
            socket: 12,
            name: Some("web".to_owned()),
        }],
        listeners: vec![
            LeftListener {
                socket: 5,
                asked: ListenAddress::parse("[::1]:0").unwrap(),
                address: ListenAddress::parse("[::1]:80").unwrap(),
                path: None,
                claim: None,
            },
            LeftListener {
                socket: 6,
                asked: ListenAddress::parse("unix:/tmp/a b").unwrap(),
                address: ListenAddress::parse("unix:/tmp/a b").unwrap(),
                path: Some((1, 2)),
                claim: Some(9),
            },
        ],
        control: Some(LeftListener {
            socket: 40,
            asked: ListenAddress::Unix("/run/a b.ctl".into()),
            address: ListenAddress::Unix("/run/a b.ctl".into()),
            path: Some((1, 2)),
            claim: Some(41),
        }),
        pid_file: Some((4, "/run/a b.pid".into())),
        tickets: Some(13),
        app_metrics: Some(14),
        kept: vec![
            ("pid".to_owned(), vec!["/run/a b.pid".to_owned()]),
            ("unset".to_owned(), Vec::new()),
        ],
        processes: vec![ProcessRecord {
            worker: WorkerId(10),
            pid: Pid::from_raw(1234),
            orders: 7,
            page: 8,
            apps: vec![11, 12],
            layout: Layout::ours(),
            log: Some("/var/log/a b".into()),
        }],
    }
}

#[test]
fn a_state_is_read_as_it_was_written() {
    let handover = handover();
    assert_eq!(Handover::parse(&handover.to_bytes()).unwrap(), handover);
    assert_eq!(
        handover.descriptors(),
        [5, 6, 40, 60, 9, 41, 12, 4, 13, 14, 7, 8]
    );
}

#[test]
fn what_a_later_program_adds_is_passed_over() {
    let mut bytes = handover().to_bytes();
    bytes.extend_from_slice(b"added-later=1 2 3\0");
    assert_eq!(Handover::parse(&bytes).unwrap(), handover());
}

#[test]
fn another_version_and_other_bytes_are_refused_and_told_apart() {
    let text = String::from_utf8_lossy(&handover().to_bytes()).into_owned();
    let later = text.replacen("gatewayd-state=1", "gatewayd-state=2", 1);
    let error = Handover::parse(later.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("found version 2"), "{error}");
    let foreign = Handover::parse(b"\x7fELF").unwrap_err();
    assert!(matches!(foreign, HandoverError::Foreign));
    let broken = text.replace("target=5", "target=x");
    let error = Handover::parse(broken.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("target=x"), "{error}");
    let short = text.replace("target=5\0", "");
    let error = Handover::parse(short.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("`target` is missing"), "{error}");
}
