//! What the log says of the requests of a worker that has died or drops them, and of where it was.

use std::os::fd::RawFd;
use std::path::Path;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use super::event::WorkerId;
use crate::scoreboard::{HeldRequest, Page};

/// Names the requests that a worker holds, the oldest first; whether there are any.
pub(super) fn tell_held(worker: WorkerId, page: &Page) -> bool {
    let mut held = page.held();
    held.sort_by_key(|request| request.since_ns);
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from);
    for request in &held {
        tracing::warn!("{}", line(worker, request, now));
    }
    !held.is_empty()
}

/// Tells where a worker was as it died. `apps` are the numbers of the descriptors that the
/// applications were loaded from, and their paths.
pub(super) fn tell_last_words(worker: WorkerId, page: &Page, apps: &[(RawFd, &Path)]) {
    if let Some((request, id)) = page.present() {
        let id = id.map_or(String::new(), |id| format!(" (id {id})"));
        tracing::warn!("{worker} was at {request}{id}, whose call did not return");
    }
    let trace = page.trace();
    let frames = of_interest(&trace, !apps.is_empty());
    if !frames.is_empty() {
        tracing::warn!(
            "{worker} was here, innermost first (addr2line -Cfe FILE ADDRESS names it):"
        );
    }
    for frame in frames {
        tracing::warn!("{worker}   {}", named(frame, apps));
    }
}

/// A backtrace without the handler that made it, and without the loop that called an application
/// which is no part of this program.
fn of_interest(trace: &[String], loaded: bool) -> &[String] {
    let file = |frame: &String| frame.split('(').next().map(str::to_owned);
    let program = trace.first().and_then(file);
    let trace = trace.get(HANDLER_FRAMES..).unwrap_or_default();
    let last = trace.iter().rposition(|frame| file(frame) != program);
    match last {
        Some(last) if loaded => &trace[..=last],
        _ => trace,
    }
}

/// The handler, and the C library's way into it.
const HANDLER_FRAMES: usize = 2;

fn line(worker: WorkerId, request: &HeldRequest, now: Duration) -> String {
    let HeldRequest {
        text,
        id,
        since_ns,
        running,
    } = request;
    let verb = if *running { "was at" } else { "held" };
    let age = now.saturating_sub(Duration::from_nanos(*since_ns));
    let seconds = age.as_secs_f32();
    format!("{worker} {verb} {text} (id {id}) for {seconds:.1} s")
}

/// A frame's line, with the applications under their own names.
fn named(frame: &str, apps: &[(RawFd, &Path)]) -> String {
    let renamed = apps.iter().find_map(|(number, path)| {
        let rest = frame.strip_prefix(&format!("/proc/self/fd/{number}("))?;
        Some(format!("{}({rest}", path.display()))
    });
    renamed.unwrap_or_else(|| frame.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoreboard::RequestId;

    #[test]
    fn a_request_is_told_with_its_age_whatever_the_worker_claims() {
        let mut request = HeldRequest {
            text: "GET /a".into(),
            id: RequestId::of(7),
            since_ns: 2_000_000_000,
            running: true,
        };
        let now = Duration::from_secs(5);
        let said = line(WorkerId(3), &request, now);
        assert_eq!(
            said,
            format!("worker 3 was at GET /a (id {}) for 3.0 s", request.id)
        );
        request.running = false;
        request.since_ns = u64::MAX;
        let said = line(WorkerId(3), &request, now);
        assert_eq!(
            said,
            format!("worker 3 held GET /a (id {}) for 0.0 s", request.id)
        );
    }

    #[test]
    fn a_backtrace_ends_where_the_loop_begins() {
        let trace = [
            "gatewayd(+1)",
            "libc(+2)",
            "libc(x+3)",
            "app(+4)",
            "gatewayd(+5)",
        ];
        let trace = trace.map(str::to_owned);
        assert_eq!(of_interest(&trace, true), &trace[2..4]);
        assert_eq!(of_interest(&trace, false), &trace[2..]);
        assert_eq!(of_interest(&trace[..1], true), [""; 0]);
        assert_eq!(of_interest(&[], true), [""; 0]);
    }

    #[test]
    fn the_application_is_named_in_a_backtrace() {
        let apps = [(9, Path::new("/srv/app.so")), (91, Path::new("/srv/b.so"))];
        let frame = "/proc/self/fd/9(+0x12) [0x7f]";
        assert_eq!(named(frame, &apps), "/srv/app.so(+0x12) [0x7f]");
        assert_eq!(named("/proc/self/fd/91(f+0x1)", &apps), "/srv/b.so(f+0x1)");
        assert_eq!(named("libc.so.6(+0x1)", &apps), "libc.so.6(+0x1)");
        assert_eq!(named(frame, &[]), frame);
    }
}
