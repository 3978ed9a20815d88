//! [`Fields`]: field lines in the order they were added, for responses and trailers.

mod fixed;

use std::fmt;
use std::mem;

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::pool::{Pool, Pooled};

pub use fixed::DefaultFields;
pub(crate) use fixed::{Fixed, HTML, JSON, Line, OCTETS, TEXT};

/// Field lines in order; repeats stay separate lines.
///
/// A list, not a map: responses carry a handful of fields, which a scan finds faster than a hash,
/// and their order survives. Convert with `From`/`Into` where an [`http::HeaderMap`] is wanted.
pub struct Fields {
    /// Lines that live for ever, before those of the list: many responses have no others.
    fixed: &'static Fixed,
    /// Boxed to keep responses small, which are moved a few times on their way.
    list: Option<Box<Pooled<Vec<Line>>>>,
}

impl Fields {
    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Self::of(&fixed::NONE)
    }

    /// Lines that cost nothing.
    #[inline]
    pub(crate) const fn of(fixed: &'static Fixed) -> Self {
        Self { fixed, list: None }
    }

    /// Number of lines.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fixed.lines.len() + self.listed().len()
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a line, keeping others of the same name.
    #[inline]
    pub fn append(&mut self, name: HeaderName, value: HeaderValue) {
        self.list_mut().push((name, value));
    }

    /// Sets the only line of this name: replaces the first, removes further ones.
    pub fn insert(&mut self, name: HeaderName, value: HeaderValue) {
        let lines = self.all_mut();
        let Some(first) = lines.iter().position(|(other, _)| *other == name) else {
            lines.push((name, value));
            return;
        };
        let mut index = 0;
        lines.retain(|(other, _)| {
            let keep = index <= first || *other != name;
            index += 1;
            keep
        });
        lines[first].1 = value;
    }

    /// Removes all lines of this name; says whether there were any.
    pub fn remove(&mut self, name: &HeaderName) -> bool {
        let before = self.len();
        if self.fixed.lines.iter().any(|(other, _)| other == name) {
            self.all_mut();
        }
        if let Some(list) = &mut self.list {
            list.retain(|(other, _)| other != name);
        }
        self.len() != before
    }

    /// Adds those of the lines whose names are not there yet.
    #[inline]
    pub fn add_defaults(&mut self, defaults: &DefaultFields) {
        // Usual responses have nothing but their content type.
        let is_named = self.listed().iter().any(|(name, _)| defaults.names(name));
        match defaults.behind(self.fixed) {
            Some(fixed) if !is_named => self.fixed = fixed,
            _ => self.add_missing(defaults),
        }
    }

    #[inline(never)]
    fn add_missing(&mut self, defaults: &DefaultFields) {
        for (name, value) in defaults.iter() {
            if self.get(name).is_none() {
                self.append(name.clone(), value.clone());
            }
        }
    }

    /// The first value of this name.
    #[must_use]
    pub fn get(&self, name: &HeaderName) -> Option<&HeaderValue> {
        let mut lines = self.iter();
        lines
            .find(|(other, _)| *other == name)
            .map(|(_, value)| value)
    }

    /// All values of this name, in order.
    pub fn get_all<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a HeaderValue> {
        self.iter()
            .filter(move |(other, _)| *other == name)
            .map(|(_, value)| value)
    }

    /// All lines, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&HeaderName, &HeaderValue)> {
        Lines {
            fixed: self.fixed.lines.iter(),
            list: self.listed().iter(),
        }
    }

    /// The lines that a host has to look at, in order: of framing, of the connection and lengths there
    /// are none among the others.
    #[cfg(feature = "hosting")]
    pub(crate) fn to_look_at(&self) -> impl Iterator<Item = &Line> {
        let fixed = match self.fixed.is_looked_at {
            true => &[],
            false => self.fixed.lines,
        };
        fixed.iter().chain(self.listed())
    }

    /// All lines: those that live for ever, as they cross the ABI, and the others.
    #[inline]
    pub(crate) fn crossing(&self) -> (&'static Fixed, &[Line]) {
        (self.fixed, self.listed())
    }

    /// The lines behind those that live for ever.
    #[inline]
    fn listed(&self) -> &[Line] {
        self.list.as_ref().map_or(&[], |list| list)
    }

    #[inline]
    fn list_mut(&mut self) -> &mut Vec<Line> {
        self.list.get_or_insert_with(|| Pooled::take(&POOL))
    }

    /// The list, with all lines in it.
    fn all_mut(&mut self) -> &mut Vec<Line> {
        let fixed = mem::replace(&mut self.fixed, &fixed::NONE);
        let lines = self.list_mut();
        if !fixed.lines.is_empty() {
            lines.splice(..0, fixed.lines.iter().cloned());
        }
        lines
    }
}

impl Default for Fields {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Fields {
    /// The list is kept for the thread's next response.
    #[inline]
    fn drop(&mut self) {
        if let Some(list) = self.list.take() {
            give_back(list);
        }
    }
}

fn give_back(mut list: Box<Pooled<Vec<Line>>>) {
    list.clear();
    if list.capacity() <= USUAL_LINES {
        Pooled::give_back(list, &POOL, POOL_LISTS);
    }
}

impl Clone for Fields {
    fn clone(&self) -> Self {
        let mut clone = Self::of(self.fixed);
        if !self.listed().is_empty() {
            clone.list_mut().extend_from_slice(self.listed());
        }
        clone
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl From<&HeaderMap> for Fields {
    fn from(map: &HeaderMap) -> Self {
        map.iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

impl From<HeaderMap> for Fields {
    fn from(map: HeaderMap) -> Self {
        let mut fields = Self::new();
        let mut current = None;
        for (name, value) in map {
            // A HeaderMap names only the first of several values.
            current = name.or(current);
            if let Some(name) = &current {
                fields.append(name.clone(), value);
            }
        }
        fields
    }
}

impl From<Fields> for HeaderMap {
    fn from(mut fields: Fields) -> Self {
        if fields.listed().is_empty() {
            return fields.fixed.map();
        }
        let mut map = Self::with_capacity(fields.len());
        for (name, value) in fields.all_mut().drain(..) {
            map.append(name, value);
        }
        map
    }
}

impl FromIterator<Line> for Fields {
    fn from_iter<I: IntoIterator<Item = Line>>(lines: I) -> Self {
        let mut fields = Self::new();
        fields.list_mut().extend(lines);
        fields
    }
}

impl IntoIterator for Fields {
    type Item = Line;
    type IntoIter = std::vec::IntoIter<Line>;

    fn into_iter(mut self) -> Self::IntoIter {
        mem::take(self.all_mut()).into_iter()
    }
}

/// The lines of [`Fields`]. A chain would not know its length.
struct Lines<'a> {
    fixed: std::slice::Iter<'a, Line>,
    list: std::slice::Iter<'a, Line>,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (&'a HeaderName, &'a HeaderValue);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.fixed.next().or_else(|| self.list.next())?;
        Some((name, value))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.fixed.len() + self.list.len();
        (left, Some(left))
    }
}

impl ExactSizeIterator for Lines<'_> {}

/// A list that was longer is not kept.
const USUAL_LINES: usize = 16;
/// Lists that a thread keeps, at most about 1.2 KiB each.
const POOL_LISTS: usize = 32;

thread_local! {
    static POOL: Pool<Vec<Line>> = const { Pool::new() };
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{ACCEPT, CONTENT_TYPE, SET_COOKIE, VARY};

    const PLAIN: &str = "text/plain; charset=utf-8";

    fn value(text: &'static str) -> HeaderValue {
        HeaderValue::from_static(text)
    }

    #[test]
    fn lines_that_live_for_ever_are_lines_like_others() {
        let mut fields = Fields::of(&TEXT);
        assert_eq!(fields.get(&CONTENT_TYPE), Some(&value(PLAIN)));
        fields.append(CONTENT_TYPE, value("text/css"));
        let both = fields.clone();
        assert_eq!(both.len(), 2);
        assert_eq!(
            both.into_iter().map(|(_, value)| value).collect::<Vec<_>>(),
            [value(PLAIN), value("text/css")]
        );
        fields.insert(CONTENT_TYPE, value("text/csv"));
        assert_eq!(
            fields.get_all(&CONTENT_TYPE).collect::<Vec<_>>(),
            [&value("text/csv")]
        );
        let mut fields = Fields::of(&TEXT);
        assert!(fields.remove(&CONTENT_TYPE) && fields.is_empty());
        assert!(!fields.remove(&CONTENT_TYPE));
        assert_eq!(Fields::of(&TEXT).len(), 1);
    }

    #[test]
    fn defaults_are_added_unless_a_line_has_their_name() {
        let defaults = DefaultFields::new([
            (VARY, value("accept")),
            (CONTENT_TYPE, value("text/csv")),
            (SET_COOKIE, value("a=1")),
        ]);
        let with_defaults = |mut fields: Fields| {
            fields.add_defaults(&defaults);
            let (fixed, listed) = fields.crossing();
            assert_eq!(fixed.crossing.len() + listed.len(), fields.len());
            let line = |(name, value): (&HeaderName, &HeaderValue)| {
                format!("{name}: {}", value.to_str().unwrap())
            };
            let lines: Vec<_> = fields.iter().map(line).collect();
            lines.join(", ")
        };
        assert_eq!(
            with_defaults(Fields::new()),
            "vary: accept, content-type: text/csv, set-cookie: a=1"
        );
        assert_eq!(
            with_defaults(Fields::of(&TEXT)),
            "content-type: text/plain; charset=utf-8, vary: accept, set-cookie: a=1"
        );
        let mut own = Fields::of(&TEXT);
        own.append(ACCEPT, value("b"));
        assert_eq!(
            with_defaults(own.clone()),
            "content-type: text/plain; charset=utf-8, vary: accept, set-cookie: a=1, accept: b"
        );
        own.append(VARY, value("cookie"));
        assert_eq!(
            with_defaults(own),
            "content-type: text/plain; charset=utf-8, accept: b, vary: cookie, set-cookie: a=1"
        );
        let mut twice = Fields::new();
        twice.add_defaults(&defaults);
        twice.insert(VARY, value("cookie"));
        assert_eq!(
            with_defaults(twice),
            "vary: cookie, content-type: text/csv, set-cookie: a=1"
        );
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
