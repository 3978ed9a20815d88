//! [`List`]: a field whose lines make one list (RFC 9110 §5.6.1).

use arrayvec::ArrayVec;

/// The last lines of a field. What the nearest proxy says stands at the end, so that the first ones are
/// what is forgotten when a client sends too many.
#[derive(Default)]
pub(super) struct List<'r> {
    lines: ArrayVec<&'r [u8], LINES>,
}

impl<'r> List<'r> {
    pub(super) fn add(&mut self, line: &'r [u8]) {
        if self.lines.is_full() {
            self.lines.remove(0);
        }
        self.lines.push(line);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The last elements of the list, in order, without the white space around them; a line that
    /// `split` finds no list ends the list for what stands before it.
    pub(super) fn elements_of(&self, split: Split<'r>) -> ArrayVec<&'r [u8], ELEMENTS> {
        let mut elements = ArrayVec::new();
        for line in &self.lines {
            let mut add = |element: &'r [u8]| {
                let element = element.trim_ascii();
                if elements.is_full() {
                    elements.remove(0);
                }
                if !element.is_empty() {
                    elements.push(element);
                }
            };
            if split(line, &mut add).is_err() {
                elements.clear();
            }
        }
        elements
    }
}

/// Gives the elements of a line, one after another.
type Split<'r> = fn(&'r [u8], &mut dyn FnMut(&'r [u8])) -> Result<(), NoList>;

/// A line is not what its field asks for.
#[derive(Debug)]
pub(super) struct NoList;

/// Elements between commas; none of them holds one.
pub(super) fn split<'r>(line: &'r [u8], add: &mut dyn FnMut(&'r [u8])) -> Result<(), NoList> {
    line.split(|byte| *byte == b',').for_each(add);
    Ok(())
}

/// Lines of one field that count, from the last.
const LINES: usize = 8;
/// Elements of one list that count, from the last: more proxies than that stand in no row.
pub(super) const ELEMENTS: usize = 32;
