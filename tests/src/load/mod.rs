//! Steady load that counts: what came back, and what failed and how.

mod streams;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use self::streams::Streams;
use crate::DEADLINE;
use crate::address::{Address, Stream};
use crate::response::{Response, To};

/// What kind of load.
#[derive(Clone, Debug)]
pub struct Plan {
    pub address: Address,
    /// The bytes of one request.
    pub request: Vec<u8>,
    /// Concurrent clients.
    pub clients: usize,
    /// Time between one client's requests: zero for as fast as it goes.
    pub pace: Duration,
    pub connections: Connections,
    /// Where clients connect from, in turn; empty for where the system likes.
    pub sources: Vec<IpAddr>,
    /// What the body of every answer must be; none for anything.
    pub expected: Option<Vec<u8>>,
}

impl Plan {
    /// One client that sends a request again and again on a connection that it keeps.
    #[must_use]
    pub fn new(address: &Address, request: impl Into<Vec<u8>>) -> Self {
        Self {
            address: address.clone(),
            request: request.into(),
            clients: 1,
            pace: Duration::ZERO,
            connections: Connections::Kept,
            sources: Vec::new(),
            expected: None,
        }
    }
}

/// How long a client keeps a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// Until the server announces that it closes, and then another.
    Kept,
    /// Until then, and no other.
    Once,
    /// One for each request.
    Fresh,
}

/// Running load; ends on `stop` or drop.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

/// What has come back.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Complete responses with status 200, by body (its first 64 bytes).
    pub answers: BTreeMap<String, u64>,
    /// Everything else, in words.
    pub failures: Vec<String>,
    /// Kept connections that the server closed while nothing was on its way, and requests that it had said
    /// it would not look at: no failures.
    pub idle_ends: u64,
}

#[derive(Debug, Default)]
struct Shared {
    tally: Mutex<Tally>,
    changed: Condvar,
    stop: AtomicBool,
}

impl Load {
    /// Starts the clients.
    #[must_use]
    pub fn start(plan: &Plan) -> Self {
        let shared = Arc::new(Shared::default());
        let client = |number: usize| {
            let (plan, shared) = (plan.clone(), Arc::clone(&shared));
            let source = plan.sources.iter().cycle().nth(number).copied();
            thread::spawn(move || drive(&plan, source, &shared))
        };
        let clients = (0..plan.clients).map(client).collect();
        Self { shared, clients }
    }

    /// Starts clients that keep so many requests for a path going side by side, in HTTP/2 on one connection
    /// each: until the server announces its end, or one after the other.
    #[must_use]
    pub fn streams(
        address: &Address,
        path: &str,
        (clients, at_once): (usize, usize),
        connections: Connections,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let plan = Streams {
            address: address.clone(),
            path: path.to_owned(),
            at_once,
            connections,
        };
        let client = |_| {
            let (plan, shared) = (plan.clone(), Arc::clone(&shared));
            thread::spawn(move || streams::drive(plan, &shared))
        };
        let clients = (0..clients).map(client).collect();
        Self { shared, clients }
    }

    /// Waits until the tally satisfies the test.
    ///
    /// # Panics
    /// At the deadline, with the tally.
    pub fn until(&self, what: &str, test: impl Fn(&Tally) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        let mut tally = self.shared.lock();
        while !test(&tally) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "load: no {what} by the deadline: {tally:?}"
            );
            tally = match self.shared.changed.wait_timeout(tally, left) {
                Ok((tally, _)) => tally,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    /// Waits for that many more answers.
    pub fn more(&self, count: u64) {
        let goal = self.shared.lock().total() + count;
        self.until(&format!("{count} more answers"), |tally| {
            tally.total() >= goal
        });
    }

    /// What has come back so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.shared.lock().clone()
    }

    /// Ends the load, each client after its request in flight.
    #[must_use]
    pub fn stop(mut self) -> Tally {
        self.halt();
        self.shared.lock().clone()
    }

    fn halt(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            client.join().expect("clients do not panic");
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.halt();
    }
}

impl Tally {
    /// Good answers.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.answers.values().sum()
    }

    /// Good answers whose body starts with `text`.
    #[must_use]
    pub fn of(&self, text: &str) -> u64 {
        let matching = self
            .answers
            .iter()
            .filter(|(body, _)| body.starts_with(text));
        matching.map(|(_, count)| count).sum()
    }

    /// Asserts that nothing failed.
    ///
    /// # Panics
    /// When anything did.
    pub fn expect_no_failure(&self) {
        assert!(self.total() > 0, "nothing was answered");
        let first: Vec<_> = self.failures.iter().take(10).collect();
        let (bad, good) = (self.failures.len(), self.total());
        assert!(
            first.is_empty(),
            "{bad} failures beside {good} answers, the first: {first:#?}"
        );
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the body of an answer, or a failure.
    fn count(&self, outcome: Result<Vec<u8>, String>) {
        let mut tally = self.lock();
        match outcome {
            Ok(body) => {
                let text = String::from_utf8_lossy(&body[..body.len().min(64)]);
                *tally.answers.entry(text.into_owned()).or_default() += 1;
            }
            Err(failure) if tally.failures.len() < MAX_FAILURES => tally.failures.push(failure),
            Err(_) => {}
        }
        drop(tally);
        self.changed.notify_all();
    }

    fn note_idle_end(&self) {
        self.lock().idle_ends += 1;
        self.changed.notify_all();
    }
}

/// One client. It takes an ended connection for no failure only before it has sent anything.
fn drive(plan: &Plan, source: Option<IpAddr>, shared: &Shared) {
    let mut connection: Kept = None;
    let mut due = Instant::now();
    while !shared.stop.load(Ordering::Relaxed) {
        let kept = connection.take();
        let (kept, ended): (Vec<_>, Vec<_>) = kept
            .into_iter()
            .partition(|(stream, ahead)| !ahead.is_empty() || !stream.has_ended());
        let outcome = exchange(plan, source, kept.into_iter().next());
        shared.lock().idle_ends += ended.len() as u64;
        shared.count(outcome.map(|(response, kept)| {
            connection = kept;
            response.body
        }));
        due += plan.pace;
        thread::park_timeout(due.saturating_duration_since(Instant::now()));
    }
}

type Kept = Option<(Stream, Vec<u8>)>;

fn exchange(
    plan: &Plan,
    source: Option<IpAddr>,
    connection: Kept,
) -> Result<(Response, Kept), String> {
    use std::io::Write;

    let age = if connection.is_some() { "kept" } else { "new" };
    let fail = |step: &str, why: String| format!("{step} on a {age} connection: {why}");
    let (mut stream, mut ahead) = match connection {
        Some(kept) => kept,
        None => (
            plan.address
                .connect_from(source)
                .map_err(|e| fail("connect", e.to_string()))?,
            Vec::new(),
        ),
    };
    stream
        .write_all(&plan.request)
        .map_err(|error| fail("write", error.to_string()))?;
    let response = Response::read(&mut stream, &mut ahead, To::Other)
        .map_err(|broken| fail("read", format!("{broken:?}")))?;
    if response.status != 200 {
        return Err(fail("answer", format!("status {}", response.status)));
    }
    if let Some(expected) = &plan.expected
        && *expected != response.body
    {
        let text = String::from_utf8_lossy(&response.body[..response.body.len().min(64)]);
        let length = response.body.len();
        return Err(fail("answer", format!("{length} bytes, {text:?}...")));
    }
    let keep = plan.connections == Connections::Kept && !response.closes();
    Ok((response, keep.then_some((stream, ahead))))
}

/// More than this many failures are not told apart.
const MAX_FAILURES: usize = 10_000;

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// A server that ends each connection after its first answer.
    fn ends_connections(answer: &'static str) -> Address {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 4];
                // A client that has stopped sends nothing.
                if stream.read_exact(&mut request).is_ok() {
                    stream.write_all(answer.as_bytes()).unwrap();
                }
            }
        });
        address
    }

    fn tally(answer: &'static str) -> Tally {
        let load = Load::start(&Plan {
            clients: 2,
            pace: Duration::from_millis(1),
            expected: Some(b"ok".to_vec()),
            ..Plan::new(&ends_connections(answer), "GET ")
        });
        load.until("outcomes", |tally| {
            tally.total() > 5 || tally.failures.len() > 5
        });
        load.stop()
    }

    #[test]
    fn a_connection_that_ends_unannounced_is_told_apart() {
        let tally = tally("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        let broken = |failure: &String| failure.contains("kept");
        // Unless it ended while the request was being sent.
        assert!(
            tally.idle_ends > 0 || tally.failures.iter().any(broken),
            "{tally:?}"
        );
    }

    #[test]
    fn another_body_than_expected_is_a_failure() {
        let tally = tally("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
        assert_eq!(tally.total(), 0);
        assert!(tally.failures[0].contains("\"no\""), "{tally:?}");
    }

    #[test]
    fn a_connection_that_ends_as_announced_is_none() {
        let announced = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
        tally(announced).expect_no_failure();
    }

    #[test]
    fn answers_other_than_200_are_failures() {
        let tally =
            tally("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        assert_eq!(tally.total(), 0);
        assert!(tally.failures[0].contains("502"), "{tally:?}");
    }
}
