//! Answers, as people read them.

use std::fmt::Write as _;

use crate::control::{Command, Operation, Outcome, Phase, Reply, Status, Work};
use crate::value::ByteCount;

/// What a command has brought.
pub(super) fn told(command: &Command, reply: &Reply) -> String {
    if let Some(status) = &reply.status {
        return self::status(status);
    }
    if let Some(config) = &reply.config {
        let mut text = String::new();
        for (name, values) in config {
            let shown = match values.as_slice() {
                [] => "(not set)".to_owned(),
                values => values.join(", "),
            };
            let _ = writeln!(text, "{name:<28} {shown}");
        }
        return text;
    }
    if let Some(operation) = &reply.operation {
        return self::operation(operation) + "\n";
    }
    let done = match command {
        Command::Reload { app: Some(_), .. } => "the application is loaded anew",
        Command::Reload { .. } => "the server reloads",
        Command::Upgrade { wait: false } => "the server checks the new program",
        Command::Scale { .. } => "the server goes to that number",
        Command::Kill { now: true, .. } => "the worker is ended",
        Command::Kill { now: false, .. } => "the worker goes when another is ready",
        Command::Reopen => "the log files are opened anew",
        Command::Drain => "the workers finish; nobody takes over",
        Command::Stop { wait: true, .. } => "the server has stopped",
        Command::Stop { wait: false, .. } => "the server stops",
        _ => "nothing runs",
    };
    format!("{done}\n")
}

/// The server, worker by worker.
pub(super) fn status(status: &Status) -> String {
    let mut text = format!(
        "gatewayd {}, pid {}, {} for {}\n",
        status.version,
        status.pid,
        phase(status.phase),
        span(status.uptime_seconds)
    );
    let app = format!("{} {}", status.app, status.app_version);
    let app = if app.trim().is_empty() {
        "an application without a name"
    } else {
        app.trim()
    };
    let _ = writeln!(
        text,
        "{app} on {}, generation {}",
        status.addresses.join(" "),
        status.generation
    );
    let wanted = status.workers_wanted;
    let plural = if wanted == 1 { "" } else { "s" };
    let _ = writeln!(
        text,
        "{wanted} worker{plural} wanted, {} requests answered",
        status.requests
    );
    if let Some(last) = &status.last_operation {
        let _ = writeln!(text, "{} ago: {}", span(last.seconds_ago), operation(last));
    }
    let several = status.pools.len() > 1;
    if several {
        text.push('\n');
        text.push_str(&aligned(&pools(status), &PLACES_OF_POOLS));
    }
    text.push('\n');
    let mut rows = workers(status);
    if !several {
        rows.iter_mut().for_each(|row| drop(row.remove(0)));
    }
    text.push_str(&aligned(&rows, &PLACES_OF_WORKERS[usize::from(!several)..]));
    if !status.requests_in_flight.is_empty() {
        text.push('\n');
        text.push_str(&aligned(&requests(status), &PLACES_OF_REQUESTS));
    }
    text
}

fn pools(status: &Status) -> Vec<Vec<String>> {
    let head = [
        "pool",
        "wanted",
        "ready",
        "requests",
        "applications",
        "addresses",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(status.pools.iter().map(|pool| {
        vec![
            pool.name.clone(),
            pool.workers_wanted.to_string(),
            pool.workers_ready.to_string(),
            pool.requests.to_string(),
            pool.apps.join(" "),
            pool.addresses.join(" "),
        ]
    }));
    rows
}

fn workers(status: &Status) -> Vec<Vec<String>> {
    let head = [
        "pool",
        "worker",
        "pid",
        "phase",
        "generation",
        "requests",
        "active",
        "connections",
        "memory",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for worker in &status.workers {
        let memory = worker.memory.map_or_else(
            || "?".to_owned(),
            |held| ByteCount(held).rounded().to_string(),
        );
        let numbers = [
            worker.requests,
            worker.requests_active,
            worker.connections_active,
        ];
        let [requests, active, connections] = numbers.map(|number| number.to_string());
        rows.push(vec![
            worker.pool.clone(),
            worker.id.to_string(),
            worker.pid.to_string(),
            worker.phase.clone(),
            worker.generation.to_string(),
            requests,
            active,
            connections,
            memory,
        ]);
    }
    rows
}

fn requests(status: &Status) -> Vec<Vec<String>> {
    let head = ["worker", "age", "state", "id", "request"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(status.requests_in_flight.iter().map(|one| {
        let app = one.app.as_ref().map(|app| format!("{app}: "));
        vec![
            one.worker.to_string(),
            one.age_seconds
                .map_or_else(|| "?".to_owned(), |age| format!("{age:.1} s")),
            if one.running { "running" } else { "waiting" }.to_owned(),
            one.id.clone().unwrap_or_else(|| "?".to_owned()),
            format!("{}{} {}", app.unwrap_or_default(), one.method, one.path),
        ]
    }));
    rows
}

/// Where a column's texts stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Left,
    Right,
}

/// Rows in columns that are as wide as what stands in them, two spaces apart.
fn aligned(rows: &[Vec<String>], places: &[Place]) -> String {
    let width = |at: usize| {
        let texts = rows.iter().filter_map(|row| row.get(at));
        texts
            .map(|text| text.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..places.len()).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for ((text, width), place) in row.iter().zip(&widths).zip(places) {
            let _ = match place {
                Place::Left => write!(line, "{text:<width$}  "),
                Place::Right => write!(line, "{text:>width$}  "),
            };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn operation(operation: &Operation) -> String {
    let work = match operation.work {
        Work::Reload => "reload",
        Work::Upgrade => "upgrade",
    };
    match (operation.outcome, &operation.reason) {
        (Outcome::Done, _) => format!("{work} done, generation {} serves", operation.generation),
        (Outcome::Failed, Some(reason)) => format!("{work} failed: {reason}"),
        (Outcome::Failed, None) => format!("{work} failed"),
    }
}

/// For people.
pub(super) fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Starting => "starting",
        Phase::Serving => "serving",
        Phase::Reloading => "serving and reloading",
        Phase::Upgrading => "serving and upgrading",
        Phase::Resting => "resting",
        Phase::Stopping => "stopping",
    }
}

/// A time in its two largest units.
fn span(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

const PLACES_OF_POOLS: [Place; 6] = [
    Place::Left,
    Place::Right,
    Place::Right,
    Place::Right,
    Place::Left,
    Place::Left,
];
const PLACES_OF_WORKERS: [Place; 9] = [
    Place::Left,
    Place::Right,
    Place::Right,
    Place::Left,
    Place::Right,
    Place::Right,
    Place::Right,
    Place::Right,
    Place::Right,
];
const PLACES_OF_REQUESTS: [Place; 5] = [
    Place::Right,
    Place::Right,
    Place::Left,
    Place::Left,
    Place::Left,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let rows = [["a", "bb", "c"], ["dddd", "e", ""]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        let places = [Place::Left, Place::Right, Place::Left];
        assert_eq!(aligned(&rows, &places), "a     bb  c\ndddd   e\n");
    }

    #[test]
    fn times_are_told_in_their_two_largest_units() {
        let told = [59, 61, 3_600, 90_061].map(span);
        assert_eq!(told, ["59 s", "1 min 1 s", "1 h 0 min", "1 d 1 h"]);
    }
}
