//! The whole, for real. Each module opens with the one sentence that it proves.

mod conformance;
mod lifecycle;
mod process_model;
mod project;
