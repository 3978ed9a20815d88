//! Sets of request methods.

use std::fmt;

use http::Method;

/// The methods that a rule answers, or that a path would have answered.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MethodSet {
    /// One bit for each method of [`KNOWN`].
    known: u16,
    /// The others, each once.
    others: Vec<Method>,
}

impl MethodSet {
    /// The set of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            known: 0,
            others: Vec::new(),
        }
    }

    /// Whether `method` is in the set; methods are case-sensitive (RFC 9110 §9.1).
    #[must_use]
    pub fn contains(&self, method: &Method) -> bool {
        match bit(method) {
            0 => self.others.contains(method),
            bit => self.known & bit != 0,
        }
    }

    /// Adds `method`.
    pub fn insert(&mut self, method: &Method) {
        match bit(method) {
            0 if self.others.contains(method) => {}
            0 => self.others.push(method.clone()),
            bit => self.known |= bit,
        }
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: &Self) {
        self.known |= other.known;
        for method in &other.others {
            self.insert(method);
        }
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known == 0 && self.others.is_empty()
    }

    /// The methods, the usual ones first and always in the same order.
    pub fn iter(&self) -> impl Iterator<Item = &Method> {
        let known = KNOWN.iter().filter(|method| self.known & bit(method) != 0);
        known.chain(&self.others)
    }

    /// What is in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let others = self.others.iter().filter(|one| other.others.contains(one));
        Self {
            known: self.known & other.known,
            others: others.cloned().collect(),
        }
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let others = self.others.iter().filter(|one| !other.others.contains(one));
        Self {
            known: self.known & !other.known,
            others: others.cloned().collect(),
        }
    }
}

impl<'a> FromIterator<&'a Method> for MethodSet {
    fn from_iter<I: IntoIterator<Item = &'a Method>>(methods: I) -> Self {
        let mut set = Self::new();
        for method in methods {
            set.insert(method);
        }
        set
    }
}

/// As the Allow field writes it: `GET, HEAD, OPTIONS` (RFC 9110 §10.2.1).
impl fmt::Display for MethodSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, method) in self.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(out, "{comma}{method}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for MethodSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{{{self}}}")
    }
}

/// The method's place in [`KNOWN`] as a bit; 0 if it has none.
fn bit(method: &Method) -> u16 {
    match *method {
        Method::GET => 1,
        Method::HEAD => 1 << 1,
        Method::POST => 1 << 2,
        Method::PUT => 1 << 3,
        Method::PATCH => 1 << 4,
        Method::DELETE => 1 << 5,
        Method::OPTIONS => 1 << 6,
        Method::TRACE => 1 << 7,
        Method::CONNECT => 1 << 8,
        _ => 0,
    }
}

const KNOWN: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
    Method::CONNECT,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_knows_usual_and_unusual_methods_and_writes_them_as_allow_does() {
        let purge = Method::from_bytes(b"PURGE").unwrap();
        let mut set = MethodSet::from_iter([&Method::POST, &purge, &Method::GET]);
        set.insert(&purge);
        assert_eq!(set.to_string(), "GET, POST, PURGE");
        assert!(set.contains(&purge) && !set.contains(&Method::HEAD));
        let lower = Method::from_bytes(b"purge").unwrap();
        assert!(!set.contains(&lower));
    }

    #[test]
    fn every_known_method_has_the_bit_of_its_place() {
        for (place, method) in KNOWN.iter().enumerate() {
            assert_eq!(bit(method), 1 << place, "{method}");
        }
    }

    #[test]
    fn sets_are_united_intersected_and_subtracted() {
        let mut set = MethodSet::from_iter([&Method::GET]);
        set.extend(&MethodSet::from_iter([&Method::PUT]));
        let both = set.intersection(&MethodSet::from_iter([&Method::PUT, &Method::POST]));
        assert_eq!(both.to_string(), "PUT");
        assert_eq!(set.without(&both).to_string(), "GET");
    }
}
