//! The long form of the zero-loss test, for `cargo xtask soak`: in namespaces and control groups of its
//! own, with figures on standard output.
//!
//! Exit codes: 0 if nothing was lost and everything was done, 1 if anything was lost, 3 if nothing was but
//! this machine does not permit all of it, which is named.

use std::process::ExitCode;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::evenness::Evenness;
use gateway_tests::isolation::Isolation;
use gateway_tests::soak::{Figures, Soak};
use gateway_tests::starvation;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let plan = match Plan::read(&arguments) {
        Ok(plan) => plan,
        Err(problem) => {
            eprintln!("soak: {problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let built = Artefacts::build(&["-p", "gateway-server", "-p", "probe"], &[]);
    for workers in [1, 2, 4, 8, 16, 32] {
        let program = built.program("gatewayd");
        println!(
            "{}",
            Evenness::measure(program, built.module("probe"), workers)
        );
    }
    let isolation = Isolation::create(plan.workers);
    let mut missing = isolation.missing.clone();
    let soak = plan.soak();
    println!("{soak:?}");
    let figures = soak.run(&built, Some(&isolation));
    println!("{figures}");
    if let Some(group) = &isolation.group {
        let shown = |peak: Option<u64>| peak.map_or("unknown".to_owned(), |peak| peak.to_string());
        let mebibytes = shown(group.peak_memory().map(|bytes| bytes >> 20));
        let tasks = shown(group.peak_tasks());
        println!("at most {mebibytes} MiB and {tasks} processes and threads at one time");
    }
    if !is_good(&figures) {
        return ExitCode::FAILURE;
    }
    for (what, tried) in [
        (
            "a limit of processes that is reached",
            starvation::without_processes(&built, &isolation),
        ),
        (
            "a limit of memory that is reached",
            starvation::without_memory(&built, &isolation),
        ),
    ] {
        missing.extend(tried.err().map(|why| format!("{what}: {why}")));
    }
    for what in &missing {
        println!("not done: {what}");
    }
    println!("nothing was lost");
    if missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(3)
    }
}

/// Whether nothing was lost; else it is told what was.
fn is_good(figures: &Figures) -> bool {
    let failures = figures.failures();
    for failure in failures.iter().take(20) {
        println!("lost: {failure}");
    }
    let loud = figures.loud();
    if let Some(line) = loud {
        println!("told: {line}");
    }
    let good = failures.is_empty() && loud.is_none() && figures.end.0 == 0;
    if !good {
        println!("{}", figures.end.1);
    }
    good
}

/// How long and how hard.
struct Plan {
    seconds: u32,
    workers: u32,
    rate: u32,
}

impl Plan {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let mut plan = Self {
            seconds: 300,
            workers: 32,
            rate: 1000,
        };
        for pair in arguments.chunks(2) {
            let place = match pair[0].as_str() {
                "--seconds" => &mut plan.seconds,
                "--workers" => &mut plan.workers,
                "--rate" => &mut plan.rate,
                other => return Err(format!("there is no option `{other}`")),
            };
            let text = pair.get(1).map_or("nothing", String::as_str);
            *place = match text.parse() {
                Ok(number @ 1..=100_000) => number,
                _ => {
                    let name = &pair[0];
                    return Err(format!(
                        "{name}: expected a number from 1 to 100000, found `{text}`"
                    ));
                }
            };
        }
        Ok(plan)
    }

    /// A deed every other second or so.
    fn soak(&self) -> Soak {
        Soak {
            workers: self.workers,
            requests: u64::from(self.seconds) * u64::from(self.rate),
            rate: self.rate,
            reloads: self.seconds.div_ceil(6),
            upgrades: self.seconds.div_ceil(15),
            scalings: self.seconds.div_ceil(4),
            pauses: self.seconds.div_ceil(60),
            arguments: vec![
                // Every few seconds, so that some reach it between two reloads.
                format!("--max-requests={}", (self.rate * 3).div_ceil(self.workers)),
                "--worker-timeout=2s".to_owned(),
            ],
        }
    }
}

const USAGE: &str = "usage: cargo xtask soak [--seconds 300] [--workers 32] [--rate 1000]";
