//! The whole, for real. Each module opens with the one sentence that it proves.

mod abuse;
mod allocations;
mod bodies;
mod check;
mod clients;
mod configuration;
mod conformance;
mod corpus;
mod deaths;
mod dev;
mod exchanges;
mod hostile;
mod lifecycle;
mod limits;
mod listening;
mod loading;
mod overload;
mod own_binary;
mod panics;
mod process_model;
mod project;
mod proxy;
mod reconfiguration;
mod recycling;
mod stopping;
mod timeouts;
