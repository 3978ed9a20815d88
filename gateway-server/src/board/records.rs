//! A board as bytes: a line for each thing, a word and what it is.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Board, Mishap, Outcome, PoolRow, Stage, WorkerRow, WorkerState};

impl Board {
    /// The lines.
    pub(super) fn to_text(&self) -> String {
        let mut out = String::with_capacity(4096);
        let mut put = |word: &str, value: &dyn std::fmt::Display| {
            // Writing into memory cannot fail.
            let _ = writeln!(out, "{word} {value}");
        };
        put("started", &self.started.as_millis());
        put("written", &self.written_ns);
        put("pid", &self.pid);
        put("app", &line(&self.app));
        for url in &self.urls {
            put("url", &line(url));
        }
        put("stage", &self.stage.name());
        put("target", &self.target);
        put("last-worker", &self.last_worker);
        put("generation", &self.generation);
        for (name, count) in &self.tallies {
            put("tally", &format_args!("{count} {name}"));
        }
        if let Some(Outcome { at, good, text }) = &self.last_reload {
            let at = at.as_millis();
            put("reload", &format_args!("{at} {good} {}", line(text)));
        }
        for Mishap { at, text } in &self.errors {
            let at = at.as_millis();
            put("error", &format_args!("{at} {}", line(text)));
        }
        for pool in &self.pools {
            let PoolRow {
                id,
                name,
                apps,
                target,
                totals,
            } = pool;
            put("pool", &format_args!("{id} {target} {}", line(name)));
            for app in apps {
                put("app-of-pool", &line(app));
            }
            let totals: Vec<_> = totals.iter().map(ToString::to_string).collect();
            put("totals", &totals.join(" "));
        }
        for worker in &self.workers {
            let WorkerRow {
                id,
                pid,
                pool,
                slot,
                generation,
                state,
            } = worker;
            let state = state.name();
            let row = format_args!("{id} {pid} {pool} {slot} {generation} {state}");
            put("worker", &row);
        }
        out
    }

    /// Reads what [`Board::to_text`] wrote in this same program.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut board = Self::default();
        for line in text.lines() {
            let (word, value) = line.split_once(' ')?;
            match word {
                "started" => board.started = millis(value)?,
                "written" => board.written_ns = value.parse().ok()?,
                "pid" => board.pid = value.parse().ok()?,
                "app" => value.clone_into(&mut board.app),
                "url" => board.urls.push(value.to_owned()),
                "stage" => board.stage = Stage::parse(value)?,
                "target" => board.target = value.parse().ok()?,
                "last-worker" => board.last_worker = value.parse().ok()?,
                "generation" => board.generation = value.parse().ok()?,
                "pool" => {
                    let mut words = value.splitn(3, ' ');
                    board.pools.push(PoolRow {
                        id: words.next()?.parse().ok()?,
                        target: words.next()?.parse().ok()?,
                        name: words.next()?.to_owned(),
                        ..PoolRow::default()
                    });
                }
                "app-of-pool" => board.pools.last_mut()?.apps.push(value.to_owned()),
                "totals" => {
                    let totals = value.split_whitespace().map(|digits| digits.parse().ok());
                    board.pools.last_mut()?.totals = totals.collect::<Option<_>>()?;
                }
                "tally" => {
                    let (count, name) = value.split_once(' ')?;
                    board.tallies.push((name.to_owned(), count.parse().ok()?));
                }
                "reload" => {
                    let (at, rest) = value.split_once(' ')?;
                    let (good, text) = rest.split_once(' ')?;
                    board.last_reload = Some(Outcome {
                        at: millis(at)?,
                        good: good.parse().ok()?,
                        text: text.to_owned(),
                    });
                }
                "error" => {
                    let (at, text) = value.split_once(' ')?;
                    board.errors.push(Mishap {
                        at: millis(at)?,
                        text: text.to_owned(),
                    });
                }
                "worker" => board.workers.push(worker(value)?),
                _ => return None,
            }
        }
        Some(board)
    }
}

fn worker(text: &str) -> Option<WorkerRow> {
    let mut words = text.split(' ');
    let mut number = || words.next()?.parse().ok();
    Some(WorkerRow {
        id: number()?,
        pid: number()?,
        pool: number()?,
        slot: number()?,
        generation: number()?,
        state: WorkerState::parse(words.next()?)?,
    })
}

fn millis(text: &str) -> Option<Duration> {
    Some(Duration::from_millis(text.parse().ok()?))
}

/// A text in one line.
fn line(text: &str) -> String {
    text.replace(|letter: char| letter.is_control(), " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_is_read_as_it_was_written() {
        let board = Board {
            started: Duration::from_millis(1_700_000_000_123),
            written_ns: 7,
            pid: 4711,
            app: "hello 1.0".into(),
            urls: vec!["http://127.0.0.1:1".into()],
            stage: Stage::Draining,
            target: 2,
            last_worker: 9,
            generation: 3,
            tallies: vec![("reload ok".into(), 4)],
            last_reload: Some(Outcome {
                at: Duration::from_millis(5),
                good: false,
                text: "no such file: a b".into(),
            }),
            errors: vec![Mishap {
                at: Duration::from_millis(6),
                text: "worker 3 was ended".into(),
            }],
            pools: vec![
                PoolRow {
                    id: 0,
                    name: "site".into(),
                    apps: vec!["site".into(), "shop".into()],
                    target: 2,
                    totals: vec![0, 5, u64::MAX],
                },
                PoolRow {
                    id: 3,
                    name: "gone".into(),
                    ..PoolRow::default()
                },
            ],
            workers: vec![WorkerRow {
                id: 9,
                pid: 12,
                pool: 3,
                slot: 1,
                generation: 3,
                state: WorkerState::Ready,
            }],
        };
        assert_eq!(Board::parse(&board.to_text()), Some(board));
        let torn = Board {
            app: "a\nworker x".into(),
            ..Board::default()
        };
        let read = Board::parse(&torn.to_text()).unwrap();
        assert_eq!((&*read.app, read.workers.len()), ("a worker x", 0));
        assert_eq!(Board::parse("nonsense 1"), None);
    }
}
