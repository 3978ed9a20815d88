//! The reference server of the Gateway Interface: `gatewayd` and, for an application's own binary,
//! the same command line as a library.
