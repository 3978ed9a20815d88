//! How things stand, as JSON: for the status page, and for whoever would rather read it than metrics.

use std::cmp::Reverse;
use std::time::Duration;

use serde_json::{Value, json};

use super::figures::{Figures, PoolFigures, WorkerFigures};
use crate::scoreboard::{BOUNDS, Class, Counter, Method};

/// Writes everything.
pub(super) fn write(figures: &Figures) -> String {
    let board = &figures.board;
    let answers = |class| {
        let methods = Method::ALL.into_iter();
        let counts = methods.map(|method| figures.counter(Counter::Answers(method, class)));
        counts.sum::<u64>()
    };
    let by_class: serde_json::Map<String, Value> = Class::ALL
        .into_iter()
        .map(|class| (class.name().to_owned(), answers(class).into()))
        .collect();
    let buckets: Vec<Value> = (0..=BOUNDS.len())
        .map(|at| {
            let bound = BOUNDS.get(at).map(|bound| millis(*bound));
            json!([bound, figures.counter(Counter::TookUpTo(at))])
        })
        .collect();
    let last = board.last_reload.as_ref();
    let value = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "app": board.app,
        "urls": board.urls,
        "pid": board.pid,
        "started": board.started.as_secs_f64(),
        "stage": board.stage.name(),
        "ready": board.is_ready(),
        "generation": board.generation,
        "workers_wanted": board.target,
        "requests": {
            "answered": Class::ALL.into_iter().map(answers).sum::<u64>(),
            "by_status": by_class,
            "in_flight": figures.counter(Counter::RequestsActive),
            "took_ms": millis(figures.counter(Counter::Took)),
            "took_up_to_ms": buckets,
        },
        "connections": {
            "open": figures.counter(Counter::ConnectionsActive),
            "accepted": figures.counter(Counter::Connections),
        },
        "bytes": {
            "in": figures.counter(Counter::BytesIn),
            "out": figures.counter(Counter::BytesOut),
        },
        "counts": board.tallies.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "last_reload": last.map(|last| json!({
            "at": last.at.as_secs_f64(),
            "good": last.good,
            "text": last.text,
        })),
        "errors": errors(figures),
        "pools": board.pools.iter().zip(&figures.pools).map(|(row, pool)| json!({
            "name": row.name,
            "apps": row.apps,
            "workers_wanted": row.target,
            "answered": answered(pool),
            "in_flight": pool.counter(Counter::RequestsActive),
        })).collect::<Vec<_>>(),
        "workers": figures.workers.iter().map(|one| worker(one, figures)).collect::<Vec<_>>(),
        "requests_in_flight": longest(figures),
    });
    value.to_string() + "\n"
}

/// What went wrong lately, for the master and for workers, the oldest first, [`MOST_ERRORS`] at most.
fn errors(figures: &Figures) -> Vec<Value> {
    let known = figures.board.errors.iter();
    let mut all: Vec<_> = known.map(|one| (one.at, one.text.clone())).collect();
    for worker in &figures.workers {
        let id = worker.row.id;
        let complaints = worker.complaints.iter();
        all.extend(complaints.map(|one| (one.at, format!("worker {id}: {}", one.text))));
    }
    all.sort_by_key(|(at, _)| *at);
    let surplus = all.len().saturating_sub(MOST_ERRORS);
    let last = all.into_iter().skip(surplus);
    last.map(|(at, text)| json!({ "at": at.as_secs_f64(), "text": text }))
        .collect()
}

/// Errors that are told of.
const MOST_ERRORS: usize = 40;

fn answered(pool: &PoolFigures) -> u64 {
    let methods = Method::ALL.into_iter();
    let each = methods.flat_map(|method| Class::ALL.map(|class| Counter::Answers(method, class)));
    each.map(|counter| pool.counter(counter)).sum()
}

/// The requests that have been there for longest, [`MOST_REQUESTS`] at most.
fn longest(figures: &Figures) -> Vec<Value> {
    let of = |worker: &WorkerFigures| {
        let id = worker.row.id;
        let requests = worker.requests_in_flight.iter().cloned();
        requests.map(move |one| (id, one)).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = figures.workers.iter().flat_map(of).collect();
    all.sort_by_key(|(_, one)| Reverse(one.age.unwrap_or(Duration::MAX)));
    let all = all.into_iter().take(MOST_REQUESTS);
    all.map(|(worker, one)| {
        json!({
            "worker": worker,
            "app": one.app,
            "method": one.method,
            "path": one.path,
            "id": one.id.map(|id| id.to_string()),
            "age_s": one.age.map(|age| age.as_secs_f64()),
            "running": one.running,
        })
    })
    .collect()
}

/// Requests that are told of.
const MOST_REQUESTS: usize = 20;

fn worker(worker: &WorkerFigures, figures: &Figures) -> Value {
    json!({
        "id": worker.row.id,
        "pool": figures.pool_name(worker.row.pool),
        "place": worker.row.slot,
        "pid": worker.row.pid,
        "generation": worker.row.generation,
        "state": worker.row.state.name(),
        "requests": worker.requests,
        "in_flight": worker.in_flight,
        "connections": worker.connections,
        "memory": worker.memory,
        "silent_s": worker.silent.as_secs_f64(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "for people and their plots")]
fn millis(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::super::testing::figures;
    use super::*;

    #[test]
    fn everything_is_there_and_is_json() {
        let read: Value = serde_json::from_str(&write(&figures())).unwrap();
        assert_eq!(read["app"], "a \"quoted\\\" name");
        assert_eq!(read["workers"][1]["state"], "draining");
        assert_eq!(read["counts"]["reload ok"], 1);
        assert_eq!(read["requests"]["took_up_to_ms"][18][0], Value::Null);
        assert_eq!(read["last_reload"]["good"], false);
        assert_eq!(read["workers"][1]["pool"], "shop");
        assert_eq!(read["errors"][0]["text"], "worker 1: [app] no such table");
        assert_eq!(read["errors"][2]["text"], "worker 3 was ended");
        assert_eq!(read["pools"][1]["answered"], 0);
        assert_eq!(read["pools"][1]["apps"][0], "shop");
        assert_eq!(read["requests_in_flight"][0]["age_s"], 1.5);
    }
}
