//! Prints the swap matrix, or its rows with a word in their names; see docs/servers.md.

use std::process::ExitCode;

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let (table, faults) = gateway_tests::matrix::swap::table(&wanted);
    print!("{table}");
    for fault in &faults {
        eprintln!("{fault}");
    }
    if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
