//! [`Fields`]: field lines in the order they were added, for responses and trailers.

use std::cell::RefCell;

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// Field lines in order; repeats stay separate lines.
///
/// A list, not a map: responses carry a handful of fields, which a scan finds faster than a hash,
/// and their order survives. Convert with `From`/`Into` where an [`http::HeaderMap`] is wanted.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    lines: Vec<Line>,
}

type Line = (HeaderName, HeaderValue);

impl Fields {
    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Self { lines: Vec::new() }
    }

    /// Number of lines.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Adds a line, keeping others of the same name.
    pub fn append(&mut self, name: HeaderName, value: HeaderValue) {
        self.push((name, value));
    }

    /// Sets the only line of this name: replaces the first, removes further ones.
    pub fn insert(&mut self, name: HeaderName, value: HeaderValue) {
        let Some(first) = self.lines.iter().position(|(other, _)| *other == name) else {
            self.push((name, value));
            return;
        };
        let mut index = 0;
        self.lines.retain(|(other, _)| {
            let keep = index <= first || *other != name;
            index += 1;
            keep
        });
        self.lines[first].1 = value;
    }

    /// Removes all lines of this name; says whether there were any.
    pub fn remove(&mut self, name: &HeaderName) -> bool {
        let before = self.lines.len();
        self.lines.retain(|(other, _)| other != name);
        self.lines.len() != before
    }

    /// The first value of this name.
    #[must_use]
    pub fn get(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.lines
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value)
    }

    /// All values of this name, in order.
    pub fn get_all<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a HeaderValue> {
        self.lines
            .iter()
            .filter(move |(other, _)| other == name)
            .map(|(_, value)| value)
    }

    /// All lines, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&HeaderName, &HeaderValue)> {
        self.lines.iter().map(|(name, value)| (name, value))
    }
}

impl Fields {
    #[inline]
    fn push(&mut self, line: Line) {
        if self.lines.capacity() == 0 {
            self.lines = POOL
                .try_with(|pool| pool.borrow_mut().pop())
                .ok()
                .flatten()
                .unwrap_or_else(|| Vec::with_capacity(USUAL_LINES));
        }
        self.lines.push(line);
    }
}

impl Drop for Fields {
    /// A list of the usual size is kept for the thread's next response.
    #[inline]
    fn drop(&mut self) {
        if self.lines.capacity() != USUAL_LINES {
            return;
        }
        let mut lines = std::mem::take(&mut self.lines);
        lines.clear();
        // Without the pool (the thread is ending) the list is freed.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < POOL_LISTS {
                pool.push(lines);
            }
        });
    }
}

impl From<&HeaderMap> for Fields {
    fn from(map: &HeaderMap) -> Self {
        Self {
            lines: map
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        }
    }
}

impl From<HeaderMap> for Fields {
    fn from(map: HeaderMap) -> Self {
        let mut lines = Vec::with_capacity(map.len());
        let mut current = None;
        for (name, value) in map {
            // A HeaderMap names only the first of several values.
            current = name.or(current);
            if let Some(name) = &current {
                lines.push((name.clone(), value));
            }
        }
        Self { lines }
    }
}

impl From<Fields> for HeaderMap {
    fn from(mut fields: Fields) -> Self {
        let mut map = Self::with_capacity(fields.len());
        for (name, value) in fields.lines.drain(..) {
            map.append(name, value);
        }
        map
    }
}

impl FromIterator<(HeaderName, HeaderValue)> for Fields {
    fn from_iter<I: IntoIterator<Item = (HeaderName, HeaderValue)>>(lines: I) -> Self {
        Self {
            lines: lines.into_iter().collect(),
        }
    }
}

impl IntoIterator for Fields {
    type Item = (HeaderName, HeaderValue);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(mut self) -> Self::IntoIter {
        std::mem::take(&mut self.lines).into_iter()
    }
}

/// Lines that a response seldom exceeds.
const USUAL_LINES: usize = 8;
/// Lists that a thread keeps, about 600 bytes each.
const POOL_LISTS: usize = 32;

thread_local! {
    static POOL: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{ACCEPT, SET_COOKIE, VARY};

    fn value(text: &'static str) -> HeaderValue {
        HeaderValue::from_static(text)
    }

    #[test]
    fn insert_replaces_the_first_line_and_removes_the_others() {
        let mut fields = Fields::new();
        fields.append(SET_COOKIE, value("a=1"));
        fields.append(VARY, value("accept"));
        fields.append(SET_COOKIE, value("b=2"));
        fields.insert(SET_COOKIE, value("c=3"));
        let lines: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value))
            .collect();
        assert_eq!(
            lines,
            [("set-cookie", &value("c=3")), ("vary", &value("accept"))]
        );
    }

    #[test]
    fn repeats_survive_the_way_through_a_header_map() {
        let mut fields = Fields::new();
        fields.append(ACCEPT, value("a"));
        fields.append(SET_COOKIE, value("a=1"));
        fields.append(SET_COOKIE, value("b=2"));
        let back = Fields::from(HeaderMap::from(fields));
        assert_eq!(
            back.get_all(&SET_COOKIE).collect::<Vec<_>>(),
            [&value("a=1"), &value("b=2")]
        );
        assert_eq!(back.len(), 3);
    }
}
