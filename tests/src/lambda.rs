//! A stand-in for AWS Lambda: its runtime interface, as a real HTTP server, and a function in it.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use serde_json::Value as Json;

use crate::DEADLINE;
use crate::artefacts::Artefacts;
use crate::process::Process;

/// A function of an application, waiting for events.
#[derive(Debug)]
pub struct Function {
    pub process: Process,
    queue: Arc<Queue>,
    sent: usize,
}

/// What a function has told the runtime interface.
#[derive(Clone, Debug)]
pub struct Told {
    /// Behind `/2018-06-01/runtime/`.
    pub path: String,
    /// Names in lower case.
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub trailers: Vec<(String, String)>,
}

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<(String, String)>,
    told: Vec<Told>,
    /// How often an event was asked for.
    asked: usize,
}

impl Function {
    /// Starts the `bootstrap` of a module, as Lambda does.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(module: &Path, environment: &[(&str, &str)]) -> Self {
        let queue = Arc::new(Queue::default());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let serving = Arc::clone(&queue);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let queue = Arc::clone(&serving);
                // A connection that ends is the function's end.
                thread::spawn(move || queue.converse(&stream));
            }
        });
        let mut command = Command::new(Artefacts::built().program("bootstrap"));
        command
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("LAMBDA_TASK_ROOT", module.parent().expect("a folder"))
            .env("_HANDLER", module.file_name().expect("a name"))
            .env("NO_COLOR", "1")
            .envs(environment.iter().copied());
        Self {
            process: Process::start(&mut command),
            queue,
            sent: 0,
        }
    }

    /// What the function answers to an event.
    ///
    /// # Panics
    /// When it does not, by the deadline.
    pub fn invoke(&mut self, event: &Json) -> Told {
        self.sent += 1;
        let id = format!("8476a536-e9f4-11e8-9739-{:012}", self.sent);
        {
            let mut state = self.queue.lock();
            state.events.push_back((id.clone(), event.to_string()));
        }
        self.queue.changed.notify_all();
        self.told(&id)
    }

    /// What the function has said of the event of this id, or of its start (`init`).
    ///
    /// # Panics
    /// When nothing, by the deadline.
    #[must_use]
    pub fn told(&self, about: &str) -> Told {
        self.queue.wait("answer", |state| {
            state
                .told
                .iter()
                .find(|told| told.path.contains(about))
                .cloned()
        })
    }

    /// Waits until the function asks for its next event.
    ///
    /// # Panics
    /// At the deadline.
    pub fn is_idle(&self) {
        self.queue
            .wait("question", |state| (state.asked > self.sent).then_some(()));
    }
}

impl Told {
    /// The value of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        find(&self.fields, name)
    }

    /// The value of a trailer.
    #[must_use]
    pub fn trailer(&self, name: &str) -> &str {
        find(&self.trailers, name)
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }
}

fn find<'a>(fields: &'a [(String, String)], wanted: &str) -> &'a str {
    let mut found = fields.iter().filter(|(name, _)| name == wanted);
    found.next().map_or("", |(_, value)| value)
}

impl Queue {
    /// Answers what comes on one connection, until it ends.
    fn converse(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut writer = stream;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let mut words = line.split_whitespace();
            let (method, path) = (words.next()?.to_owned(), words.next()?);
            let path = path.strip_prefix("/2018-06-01/runtime/")?.to_owned();
            let fields = lines(&mut reader)?;
            let (body, trailers) = body(&mut reader, &fields)?;
            let answer = if method == "GET" {
                let (id, event) = self.next(&path)?;
                format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                     Lambda-Runtime-Aws-Request-Id: {id}\r\n\
                     Lambda-Runtime-Deadline-Ms: 32503680000000\r\n\
                     Content-Length: {}\r\n\r\n{event}",
                    event.len()
                )
            } else {
                let told = Told {
                    path,
                    fields,
                    body,
                    trailers,
                };
                self.lock().told.push(told);
                self.changed.notify_all();
                "HTTP/1.1 202 Accepted\r\nContent-Length: 15\r\n\r\n{\"status\":\"OK\"}".to_owned()
            };
            writer.write_all(answer.as_bytes()).ok()?;
        }
    }

    fn next(&self, path: &str) -> Option<(String, String)> {
        assert_eq!(path, "invocation/next");
        self.lock().asked += 1;
        self.changed.notify_all();
        let mut state = self.lock();
        loop {
            if let Some(event) = state.events.pop_front() {
                return Some(event);
            }
            // As long as Lambda keeps a function waiting; the test's end is the process's.
            state = self.changed.wait(state).ok()?;
        }
    }

    fn wait<T>(&self, what: &str, find: impl Fn(&State) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.lock();
        loop {
            if let Some(found) = find(&state) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {what} by the deadline: {state:?}");
            state = match self.changed.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Lines = Vec<(String, String)>;

fn lines(reader: &mut BufReader<TcpStream>) -> Option<Lines> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end();
        if line.is_empty() {
            return Some(lines);
        }
        let (name, value) = line.split_once(':')?;
        lines.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn body(reader: &mut BufReader<TcpStream>, fields: &Lines) -> Option<(Vec<u8>, Lines)> {
    if find(fields, "transfer-encoding") != "chunked" {
        let length = find(fields, "content-length").parse().unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        return Some((body, Vec::new()));
    }
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let length = usize::from_str_radix(line.trim_end(), 16).ok()?;
        if length == 0 {
            return Some((body, lines(reader)?));
        }
        let start = body.len();
        body.resize(start + length + 2, 0);
        reader.read_exact(&mut body[start..]).ok()?;
        body.truncate(start + length);
    }
}
