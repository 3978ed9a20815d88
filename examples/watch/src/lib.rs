//! Stands in the place of the application that `GATEWAY_WATCHED` names, under any host, and says on standard
//! error which rules of SPEC.md either of them breaks.

use std::env;
use std::io::{self, Write as _};
use std::path::PathBuf;

use gateway_spec::abi::host::Module;
use gateway_spec::abi::interpose::watch;
use gateway_spec::abi::load::load;
use gateway_spec::lint::Violation;

gateway_spec::export_watched!(watched);

fn watched() -> Result<Module, String> {
    let path = env::var_os("GATEWAY_WATCHED").map(PathBuf::from);
    let path = path.ok_or("expected the path of an application in GATEWAY_WATCHED, found none")?;
    let module = load(&path).map_err(|error| error.to_string())?;
    watch(&module, tell).map_err(|refusal| refusal.to_string())
}

fn tell(violation: Violation) {
    // Whoever has closed it does not want to know.
    let _ = writeln!(io::stderr(), "ERROR gateway: {violation}");
}
