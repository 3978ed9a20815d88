//! The whole, for real. Each module opens with the one sentence that it proves.

mod check;
mod conformance;
mod lifecycle;
mod own_binary;
mod process_model;
mod project;
