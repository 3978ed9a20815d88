//! Figures for tests.

use std::time::Duration;

use super::figures::{Figures, WorkerFigures};
use crate::board::{Board, Mishap, Outcome, Stage, WorkerRow, WorkerState};
use crate::scoreboard::Counter;

/// Those of a server with two workers, each of whose counters is its place.
pub(super) fn figures() -> Figures {
    let row = |id: u32, state| WorkerRow {
        id,
        pid: 100 + id,
        slot: id - 1,
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
    };
    Figures {
        counters: (0..Counter::COUNT as u64).collect(),
        workers: rows.iter().cloned().map(worker).collect(),
        apps: Vec::new(),
        master_silent: Duration::ZERO,
        board: Board {
            started: Duration::from_millis(1_700_000_000_250),
            app: "a \"quoted\\\" name".into(),
            stage: Stage::Serving,
            target: 2,
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
