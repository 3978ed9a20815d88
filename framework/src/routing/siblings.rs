//! Things of which one is to be found by what a text begins with.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// An ordered list, most of which one need not look at if it is long and its items have prefixes.
#[derive(Debug)]
pub(super) struct Siblings<T> {
    items: Vec<T>,
    /// For long lists, the places of the items with each prefix, and the prefixes' lengths, shortest first.
    by_prefix: FxHashMap<Box<[u8]>, Vec<usize>>,
    lengths: Vec<usize>,
}

impl<T> Siblings<T> {
    pub(super) fn push(&mut self, item: T) {
        self.items.push(item);
    }

    pub(super) fn sort_by(&mut self, order: impl FnMut(&T, &T) -> std::cmp::Ordering) {
        self.items.sort_by(order);
    }

    /// Makes [`find_map`](Self::find_map) quick; once all items are there and sorted.
    pub(super) fn index(&mut self, prefix: impl Fn(&T) -> &[u8]) {
        if self.items.len() <= FEW {
            return;
        }
        for (place, item) in self.items.iter().enumerate() {
            let prefix = prefix(item);
            self.by_prefix.entry(prefix.into()).or_default().push(place);
            self.lengths.push(prefix.len());
        }
        self.lengths.sort_unstable();
        self.lengths.dedup();
    }

    /// The first answer that `ask` has for an item, in order; items whose prefix `text` does not begin with
    /// may be passed over.
    #[inline]
    pub(super) fn find_map<R>(
        &self,
        text: &[u8],
        mut ask: impl FnMut(&T) -> Option<R>,
    ) -> Option<R> {
        if self.lengths.is_empty() {
            return self.items.iter().find_map(ask);
        }
        let mut places = self.places(text).into_iter();
        places.find_map(|place| ask(&self.items[place]))
    }

    fn places(&self, text: &[u8]) -> SmallVec<[usize; 8]> {
        let mut places = SmallVec::new();
        let lengths = self
            .lengths
            .iter()
            .take_while(|length| **length <= text.len());
        for prefix in lengths.filter_map(|&length| text.get(..length)) {
            places.extend(self.by_prefix.get(prefix).into_iter().flatten().copied());
        }
        places.sort_unstable();
        places
    }
}

impl<T> Default for Siblings<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            by_prefix: FxHashMap::default(),
            lengths: Vec::new(),
        }
    }
}

/// Lists up to this length are looked through.
const FEW: usize = 4;
