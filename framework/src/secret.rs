//! [`Secret`]: a value that never prints.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// A password, key or token: it is read by [`expose`](Secret::expose) and by nothing else. Neither
/// `Debug` nor serialization shows it.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret<T = String> {
    value: T,
}

impl<T> Secret<T> {
    /// Hides a value.
    pub const fn new(value: T) -> Self {
        Self { value }
    }

    /// The value, for whoever has to use it.
    pub const fn expose(&self) -> &T {
        &self.value
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self { value }
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl<T> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

const HIDDEN: &str = "(secret)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_but_never_shown() {
        let secret: Secret = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(secret.expose(), "hunter2");
        let shown = format!(
            "{secret} {secret:?} {}",
            serde_json::to_string(&secret).unwrap()
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
