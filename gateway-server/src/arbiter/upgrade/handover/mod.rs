//! The master's state as one program hands it to the next: `name=value` records that end with a NUL,
//! in a sealed memory file. The first names the version; records that a reader does not know are passed
//! over, so that a later program may add some.

mod names;
mod phase;
mod read;
mod record;
#[cfg(test)]
mod tests;
mod write;

pub(super) use record::{Handover, PassedRecord, ProcessRecord};
