//! The long form of the test with killed processes, for `cargo xtask chaos`.

use std::process::ExitCode;
use std::time::Duration;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::chaos::Chaos;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(chaos) = read(&arguments) else {
        eprintln!("usage: chaos [--seconds 60] [--workers 4] [--seed 1]");
        return ExitCode::from(2);
    };
    let built = Artefacts::build(&["-p", "gateway-server", "-p", "probe"], &[]);
    println!("{chaos:?}");
    println!("{}", chaos.run(&built));
    ExitCode::SUCCESS
}

fn read(arguments: &[String]) -> Option<Chaos> {
    let mut chaos = Chaos {
        time: Duration::from_secs(60),
        workers: 4,
        seed: 1,
    };
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return None };
        let number: u64 = value.parse().ok().filter(|number| *number > 0)?;
        match name.as_str() {
            "--seconds" => chaos.time = Duration::from_secs(number),
            "--workers" => chaos.workers = u32::try_from(number).ok()?,
            "--seed" => chaos.seed = number,
            _ => return None,
        }
    }
    Some(chaos)
}
