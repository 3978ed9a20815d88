//! Figures for tests.

use std::time::Duration;

use super::figures::{Figures, PoolFigures, WorkerFigures};
use crate::board::{Board, Mishap, Outcome, PoolRow, Stage, WorkerRow, WorkerState};
use crate::scoreboard::{Complaint, Counter, InFlight};

/// Those of a server with two pools of a worker each; each counter of the first is its place.
pub(super) fn figures() -> Figures {
    let row = |id: u32, state| WorkerRow {
        id,
        pid: 100 + id,
        pool: id - 1,
        slot: 0,
        generation: 1,
        state,
    };
    let rows = [row(1, WorkerState::Ready), row(2, WorkerState::Draining)];
    let worker = |row: WorkerRow| WorkerFigures {
        row,
        requests: 7,
        in_flight: 1,
        connections: 2,
        memory: Some(4096),
        silent: Duration::ZERO,
        requests_in_flight: vec![InFlight {
            app: None,
            method: "GET".into(),
            path: "/slow".into(),
            id: None,
            age: Some(Duration::from_millis(1_500)),
            running: false,
        }],
        complaints: vec![Complaint {
            at: Duration::from_secs(1_700_000_150),
            text: "[app] no such table".into(),
        }],
    };
    let pool = |id, name: &str, counters: Vec<u64>| PoolFigures {
        id,
        name: name.into(),
        counters,
    };
    Figures {
        pools: vec![
            pool(
                0,
                "a \"quoted\\\" name",
                (0..Counter::COUNT as u64).collect(),
            ),
            pool(1, "shop", vec![0; Counter::COUNT]),
        ],
        workers: rows.iter().cloned().map(worker).collect(),
        apps: Vec::new(),
        master_silent: Duration::ZERO,
        board: Board {
            started: Duration::from_millis(1_700_000_000_250),
            app: "a \"quoted\\\" name".into(),
            stage: Stage::Serving,
            target: 2,
            pools: vec![
                PoolRow {
                    id: 0,
                    name: "a \"quoted\\\" name".into(),
                    apps: vec!["a \"quoted\\\" name".into()],
                    target: 1,
                    totals: Vec::new(),
                },
                PoolRow {
                    id: 1,
                    name: "shop".into(),
                    apps: vec!["shop".into()],
                    target: 1,
                    totals: Vec::new(),
                },
            ],
            generation: 1,
            tallies: vec![("reload ok".into(), 1), ("restart died".into(), 3)],
            last_reload: Some(Outcome {
                at: Duration::from_secs(1_700_000_100),
                good: false,
                text: "no such file".into(),
            }),
            errors: vec![Mishap {
                at: Duration::from_secs(1_700_000_200),
                text: "worker 3 was ended".into(),
            }],
            workers: rows.into(),
            ..Board::default()
        },
    }
}
