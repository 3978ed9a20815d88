//! A server being measured.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// A running server; killed on drop.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    child: Child,
}

/// What the server runs under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Under {
    Nothing,
    Callgrind,
}

impl Server {
    /// Starts a server and waits until it says that it is ready and where.
    pub(crate) fn start(command: &[PathBuf], under: Under) -> Result<Self> {
        let mut start = Command::new("valgrind");
        // The counts come on stderr at the end; no file is wanted.
        start.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        let mut start = match under {
            Under::Callgrind => start,
            Under::Nothing => Command::new("env"),
        };
        let child = start
            .args(command)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.context("cannot start (is valgrind installed?)")?;
        let stderr = child.stderr.as_mut().context("stderr is piped")?;
        let (mut said, mut address) = (String::new(), None);
        let mut lines = BufReader::with_capacity(1, stderr);
        loop {
            let from = said.len();
            if lines.read_line(&mut said)? == 0 {
                bail!("{command:?} did not come up:\n{said}");
            }
            let line = &said[from..];
            if let Some((_, rest)) = line.split_once("http://") {
                let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':');
                address = rest[..end.unwrap_or(rest.len())].parse().ok();
            }
            if let (true, Some(address)) = (line.contains("ready"), address) {
                return Ok(Self { address, child });
            }
        }
    }

    /// Run time of all threads so far, from the scheduler.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let schedule = fs::read_to_string(thread?.path().join("schedstat"))?;
            let run: u64 = schedule.split(' ').next().unwrap_or_default().parse()?;
            nanoseconds += run;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Stops a server under callgrind; answers how many instructions it took in all.
    pub(crate) fn stop_and_count(mut self) -> Result<u64> {
        let pid = self.child.id().to_string();
        ensure!(
            Command::new("kill").arg(&pid).status()?.success(),
            "cannot stop {pid}"
        );
        let mut stderr = self.child.stderr.take().context("stderr is piped")?;
        let reader = thread::spawn(move || {
            let mut said = String::new();
            stderr.read_to_string(&mut said).map(|_| said)
        });
        self.child.wait()?;
        let said = reader.join().ok().context("the reader panicked")??;
        let total = said
            .lines()
            .find_map(|line| line.split_once("Collected : "));
        let (_, total) = total.with_context(|| format!("no count in:\n{said}"))?;
        Ok(total.trim().parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
