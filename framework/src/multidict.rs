//! [`MultiDict`]: names with one or more values each, in the order in which they came.

use std::fmt;
use std::str::FromStr;

/// What a query or a form holds: a name may come several times, and the first value is what
/// [`get`](MultiDict::get) answers.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MultiDict {
    pairs: Vec<(String, String)>,
}

impl MultiDict {
    /// Nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { pairs: Vec::new() }
    }

    /// Reads `a=1&b=2`: `+` is a space, `%41` is `A`, what is not UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn parse(encoded: &[u8]) -> Self {
        form_urlencoded::parse(encoded)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }

    /// The first value of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first value of this name as a type; `None` if it is missing or does not read as one.
    #[must_use]
    pub fn get_as<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }

    /// All values of this name, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs
            .iter()
            .filter(move |(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether this name came at all.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Adds a value, keeping the others of its name.
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.pairs.push((name.into(), value.into()));
    }

    /// All pairs, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Number of pairs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for MultiDict {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        Self {
            pairs: pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        }
    }
}

impl fmt::Debug for MultiDict {
    /// Names only: values of forms are often secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.pairs.iter().map(|(name, _)| name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_answers_and_all_are_kept_in_order() {
        let dict = MultiDict::parse(b"a=1&b=x+y%21&a=2&empty=&flag");
        assert_eq!(dict.get("a"), Some("1"));
        assert_eq!(dict.get_all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(dict.get("b"), Some("x y!"));
        assert_eq!(dict.get_as::<u8>("a"), Some(1));
        assert_eq!(dict.get_as::<u8>("b"), None);
        assert_eq!((dict.get("empty"), dict.get("flag")), (Some(""), Some("")));
        assert_eq!(dict.len(), 5);
    }
}
