//! Chromium's DevTools protocol on two pipes: commands go in, answers and events come out.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use crate::DEADLINE;

/// A running Chromium that is told what to do; ended on drop.
#[derive(Debug)]
pub(crate) struct DevTools {
    child: Child,
    /// Open as long as the browser is to live.
    commands: Option<ChildStdin>,
    messages: Receiver<Value>,
    sent: u64,
    /// Events that came while an answer was awaited.
    events: Vec<Value>,
}

impl DevTools {
    /// Starts the browser with these flags beside the usual ones, its profile in `folder`.
    pub(crate) fn start(folder: &Path, flags: &[&str]) -> Self {
        // It reads commands from descriptor 3 and writes to 4.
        let mut child = Command::new("sh")
            .args(["-c", r#"exec chromium "$@" 3<&0 4>&1 0</dev/null 1>&2"#])
            .args(["chromium", "--remote-debugging-pipe"])
            .args(crate::browser::flags(folder))
            .args(flags)
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh to start");
        let commands = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (tell, messages) = channel();
        thread::spawn(move || {
            for message in output.split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else {
                    break;
                };
                if tell.send(message).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            commands,
            messages,
            sent: 0,
            events: Vec::new(),
        }
    }

    /// Sends a command, to the browser or to a page's `session`, and waits for the answer.
    pub(crate) fn ask(&mut self, session: Option<&str>, method: &str, params: &Value) -> Value {
        self.sent += 1;
        let mut command = json!({ "id": self.sent, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        let line = format!("{command}\0");
        let pipe = self.commands.as_mut().expect("open until the drop");
        pipe.write_all(line.as_bytes())
            .expect("chromium to be installed, and to listen");
        let deadline = Instant::now() + DEADLINE;
        loop {
            let message = self.message(deadline, method);
            if message["id"] != self.sent {
                self.events.push(message);
            } else if message["error"].is_null() {
                return message["result"].clone();
            } else {
                panic!("{method} {params}: {}", message["error"]);
            }
        }
    }

    /// Waits for an event, unless it has come already; all events up to it are forgotten.
    pub(crate) fn await_event(&mut self, method: &str) -> Value {
        let deadline = Instant::now() + DEADLINE;
        let mut come = std::mem::take(&mut self.events).into_iter();
        loop {
            let event = come.next();
            let event = event.unwrap_or_else(|| self.message(deadline, method));
            if event["method"] == method {
                self.events = come.collect();
                return event;
            }
        }
    }

    /// Forgets all events so far.
    pub(crate) fn forget(&mut self) {
        self.events.clear();
    }

    fn message(&self, deadline: Instant, awaited: &str) -> Value {
        let left = deadline.saturating_duration_since(Instant::now());
        let message = self.messages.recv_timeout(left);
        message.unwrap_or_else(|error| panic!("chromium does not say {awaited}: {error}"))
    }
}

impl Drop for DevTools {
    fn drop(&mut self) {
        // The end of the pipe ends it with all its processes; then its profile is nobody's.
        self.commands = None;
        let _ = self.child.wait();
    }
}
