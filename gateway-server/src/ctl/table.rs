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
        Command::Reload { wait: false } => "the server reloads",
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
    let _ = writeln!(
        text,
        "\n{:>6} {:>8} {:<8} {:>10} {:>12} {:>8} {:>12} {:>12}",
        "worker", "pid", "phase", "generation", "requests", "active", "connections", "memory"
    );
    for worker in &status.workers {
        let memory = worker.memory.map_or_else(
            || "?".to_owned(),
            |held| ByteCount(held).rounded().to_string(),
        );
        let _ = writeln!(
            text,
            "{:>6} {:>8} {:<8} {:>10} {:>12} {:>8} {:>12} {memory:>12}",
            worker.id,
            worker.pid,
            worker.phase,
            worker.generation,
            worker.requests,
            worker.requests_active,
            worker.connections_active,
        );
    }
    text
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_their_two_largest_units() {
        let told = [59, 61, 3_600, 90_061].map(span);
        assert_eq!(told, ["59 s", "1 min 1 s", "1 h 0 min", "1 d 1 h"]);
    }
}
