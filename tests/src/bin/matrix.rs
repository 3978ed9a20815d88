//! Prints the swap matrix; see docs/servers.md.

use std::process::ExitCode;

fn main() -> ExitCode {
    let (table, faults) = gateway_tests::matrix::swap::table();
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
