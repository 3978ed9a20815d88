//! The long form of the zero-loss test, for `cargo xtask soak`: figures on standard output, and exit
//! code 1 if anything was lost.

use std::process::ExitCode;

use gateway_tests::soak::Soak;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let plan = match Plan::read(&arguments) {
        Ok(plan) => plan,
        Err(problem) => {
            eprintln!("soak: {problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let soak = plan.soak();
    println!("{soak:?}");
    let figures = soak.run();
    println!("{figures}");
    let failures = figures.failures();
    for failure in failures.iter().take(20) {
        println!("lost: {failure}");
    }
    if failures.is_empty() && figures.end.0 == 0 {
        ExitCode::SUCCESS
    } else {
        println!("{}", figures.end.1);
        ExitCode::FAILURE
    }
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
            // Every few seconds, so that some reach it between two reloads.
            arguments: vec![format!(
                "--max-requests={}",
                (self.rate * 3).div_ceil(self.workers)
            )],
        }
    }
}

const USAGE: &str = "usage: cargo xtask soak [--seconds 300] [--workers 32] [--rate 1000]";
