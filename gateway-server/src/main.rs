//! `gatewayd`: serves compiled gateway applications.

fn main() {}
