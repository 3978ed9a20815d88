//! [`Lasting`]: holds applications to what they promise of headers that never change.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::abi::field::Field;

/// Headers that are to stay as they are, as they were when they first came, by where they stand.
#[derive(Debug, Default)]
pub(super) struct Lasting {
    seen: Mutex<HashMap<(usize, usize), Vec<Line>>>,
}

/// A name and a value.
type Line = (Box<[u8]>, Box<[u8]>);

impl Lasting {
    /// Whether these are what they were.
    pub(super) fn are_as_before(&self, fields: &[Field<'_>]) -> bool {
        let lines = fields.iter();
        let lines: Vec<Line> = lines
            .map(|field| (field.name().into(), field.value().into()))
            .collect();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (fields.as_ptr().addr(), fields.len());
        if seen.len() >= MOST && !seen.contains_key(&place) {
            return true;
        }
        *seen.entry(place).or_insert_with(|| lines.clone()) == lines
    }
}

/// Further ones are not watched.
const MOST: usize = 1024;
