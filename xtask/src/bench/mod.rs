//! `cargo xtask bench`: `gatewayd` with the application behind the ABI, beside peers with it compiled
//! in, each on one thread.
//!
//! Instructions are counted by callgrind in user space and repeat within a few percent on any
//! machine. CPU time is the server's own, taken in rounds in which the servers take turns, so that
//! other work on the machine meets all of them; compare the ratios.

mod client;
mod server;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use client::{Load, Scenario};
use server::{Server, Under};

/// Builds, measures, prints.
pub(crate) fn run(root: &Path) -> Result<()> {
    let servers = build(root)?;
    println!("user-space instructions per request (callgrind, {CONNECTIONS} connections)");
    heading(&servers);
    for scenario in Scenario::ALL {
        let mut row = Vec::new();
        for (_, command) in &servers {
            row.push(instructions(command, scenario)?);
        }
        print_row(scenario, &row, 0);
    }
    println!("\nserver CPU per request in us (median of {ROUNDS} rounds)");
    heading(&servers);
    for scenario in Scenario::ALL {
        print_row(scenario, &processor_time(&servers, scenario)?, 2);
    }
    Ok(())
}

/// Release builds of the servers, and how each is started.
fn build(root: &Path) -> Result<Vec<(&'static str, Vec<PathBuf>)>> {
    let cargo = |folder: &Path, arguments: &[&str]| -> Result<()> {
        let mut command = Command::new(env!("CARGO"));
        command
            .args(["build", "--release", "--locked"])
            .args(arguments)
            .current_dir(folder);
        ensure!(
            command.status().context("cargo")?.success(),
            "{command:?} failed"
        );
        Ok(())
    };
    cargo(root, &["-p", "gateway-server", "-p", "hello"])?;
    cargo(
        &root.join("benches"),
        &["--target-dir", "../target/benches"],
    )?;
    let ours = root.join("target/release");
    let theirs = root.join("target/benches/release");
    let flags = ["--workers", "0", "--bind", "127.0.0.1:0"].map(PathBuf::from);
    let gatewayd = [
        &[ours.join("gatewayd")][..],
        &flags,
        &[ours.join("libhello.so")],
    ]
    .concat();
    Ok(vec![
        ("gatewayd", gatewayd),
        ("hyper", vec![theirs.join("peer-hyper")]),
        ("axum", vec![theirs.join("peer-axum")]),
    ])
}

/// The slope between two runs of different length, which start-up and connecting do not touch.
fn instructions(command: &[PathBuf], scenario: Scenario) -> Result<f64> {
    let mut totals = Vec::new();
    for requests in COUNTED {
        let server = Server::start(command, Under::Callgrind)?;
        Load::connect(server.address, scenario, CONNECTIONS)?.run(requests)?;
        totals.push(server.stop_and_count()?);
    }
    let more = COUNTED[1] - COUNTED[0];
    Ok((totals[1] as f64 - totals[0] as f64) / more as f64)
}

/// Median microseconds of each server.
fn processor_time(servers: &[(&str, Vec<PathBuf>)], scenario: Scenario) -> Result<Vec<f64>> {
    let mut running = Vec::new();
    for (_, command) in servers {
        let server = Server::start(command, Under::Nothing)?;
        let mut load = Load::connect(server.address, scenario, CONNECTIONS)?;
        load.run(TIMED / 10)?;
        running.push((server, load, Vec::new()));
    }
    for round in 0..ROUNDS {
        let first = round % running.len();
        running.rotate_left(first);
        for (server, load, samples) in &mut running {
            let before = server.processor_time()?;
            load.run(TIMED)?;
            let spent = server.processor_time()? - before;
            samples.push(spent.as_secs_f64() * 1e6 / TIMED as f64);
        }
        running.rotate_right(first);
    }
    let median = |mut samples: Vec<f64>| {
        samples.sort_by(f64::total_cmp);
        samples[samples.len() / 2]
    };
    Ok(running
        .into_iter()
        .map(|(_, _, samples)| median(samples))
        .collect())
}

fn heading(servers: &[(&str, Vec<PathBuf>)]) {
    print!("{:<12}", "");
    servers.iter().for_each(|(name, _)| print!("{name:>12}"));
    println!("{:>12}", "to hyper");
}

fn print_row(scenario: Scenario, values: &[f64], digits: usize) {
    print!("{:<12}", scenario.name());
    values
        .iter()
        .for_each(|value| print!("{value:>12.digits$}"));
    println!("{:>12.2}", values[0] / values[1]);
}

const CONNECTIONS: usize = 4;
/// Requests of the two runs under callgrind.
const COUNTED: [usize; 2] = [1_600, 8_000];
/// Requests of one round.
const TIMED: usize = 20_000;
const ROUNDS: usize = 9;
