//! [`Visit`]: a line whose request has not ended yet.

use super::composer::Composer;
use super::ending::Ending;
use crate::logging::line::Line;
use crate::logging::lines::Lines;
use crate::logging::request::Request;

/// What a line says of a request; taken when the head is read.
#[derive(Debug, Default)]
pub(crate) struct Visit {
    text: Vec<u8>,
    /// Where in it what is known at the end belongs.
    holes: Vec<usize>,
}

impl Visit {
    /// Notes what is known with the head; `lines` lend the memory for that.
    pub(super) fn begin(&mut self, composer: &Composer, lines: &mut Lines, request: &impl Request) {
        let Self { text, holes } = self;
        text.clear();
        holes.clear();
        text.extend_from_slice(lines.draft(|line| {
            composer.compose(line, request, |line, _| holes.push(line.len()));
        }));
    }

    /// Appends it all, with its end.
    pub(super) fn push(&self, line: &mut Line<'_>, composer: &Composer, ending: &mut Ending<'_>) {
        let mut from = 0;
        let mut holes = self.holes.iter();
        composer.each_late(|late| {
            if let Some(&hole) = holes.next() {
                line.extend_from_slice(&self.text[from..hole]);
                ending.push(line, late);
                from = hole;
            }
        });
        line.extend_from_slice(&self.text[from..]);
    }
}
