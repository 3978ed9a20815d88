//! WebSockets of an application on carafe keep to their protocol, whatever their clients do.

mod clients;
pub(crate) mod conformance;
mod life;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::gatewayd::Gatewayd;

/// The example.
fn echo(arguments: &[&str]) -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("websocket-echo"), arguments)
}
