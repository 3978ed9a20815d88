//! The application of `examples/parity` as a module for servers.

carafe::export!(parity::app());
