//! The two forms that an application reaches the server in.

use gateway_spec::abi::GwModule;

/// Where the application comes from.
#[derive(Clone, Copy, Debug)]
pub enum AppSource {
    /// A shared object, named on the command line: `gatewayd app.so`.
    CommandLine,
    /// The program itself, which is an application with the server linked in.
    LinkedIn(&'static GwModule),
}
