//! [`Lines`]: the field lines of a head that its application may see.

use super::parts::Line;

/// Lines in memory that serves one head after another.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The lines of this head, then whatever earlier heads have left.
    slots: Vec<Line>,
    count: usize,
}

impl Lines {
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    #[inline(always)]
    pub(super) fn as_slice(&self) -> &[Line] {
        &self.slots[..self.count]
    }

    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.count
    }

    #[inline(never)]
    pub(super) fn push(&mut self, line: Line) {
        if self.count == self.slots.len() {
            self.slots.resize(FEW.max(2 * self.count), Line::default());
        }
        self.slots[self.count] = line;
        self.count += 1;
    }

    /// The memory there is, for `most` lines at most: who takes it from its beginning calls
    /// [`Lines::set_len`].
    #[inline(always)]
    pub(super) fn slots(&mut self, most: usize) -> &mut [Line] {
        let most = most.min(self.slots.len());
        &mut self.slots[..most]
    }

    #[inline(always)]
    pub(super) fn set_len(&mut self, count: usize) {
        self.count = count.min(self.slots.len());
    }

    pub(super) fn retain(&mut self, keeps: impl Fn(&Line) -> bool) {
        let mut kept = 0;
        for at in 0..self.count {
            let line = self.slots[at];
            if keeps(&line) {
                self.slots[kept] = line;
                kept += 1;
            }
        }
        self.count = kept;
    }
}

/// Lines of most heads.
const FEW: usize = 32;
