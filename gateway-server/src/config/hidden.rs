//! What stands in the place of a value that may be a password and is not shown. No setting and no
//! application accepts it, lest it become the password of whoever saves what was printed.

/// The words.
pub(super) const HIDDEN: &str = "(hidden; print-config --reveal shows it)";

/// Whether the value itself is missing from this text.
pub(super) fn is_missing_from(text: &str) -> bool {
    text.contains(HIDDEN)
}

/// What is expected instead.
pub(super) const EXPECTED: &str = "the value itself";
/// What is said to have been found.
pub(super) const FOUND: &str = "what print-config without --reveal shows in its place";
