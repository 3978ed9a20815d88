//! [`StaticMount`]: a folder and where it is served, as the setting says it.

use std::fmt;
use std::path::PathBuf;

use super::names::{decode, is_separator};

/// A folder that is served, written `/assets=./public`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StaticMount {
    /// Where its files are found.
    pub(crate) path: UrlPath,
    /// Where they are.
    pub(crate) folder: PathBuf,
}

/// The beginning of the paths of URLs, up to the border of a name: `/assets` is that of `/assets` and
/// `/assets/a`, not of `/assets2`. `/` is that of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UrlPath {
    /// Without a slash at the end; empty for `/`.
    text: String,
}

impl StaticMount {
    /// Reads the setting.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (path, folder) = text.split_once('=')?;
        if folder.is_empty() || folder.contains('\0') {
            return None;
        }
        Some(Self {
            path: UrlPath::parse(path)?,
            folder: folder.into(),
        })
    }
}

impl fmt::Display for StaticMount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.path, self.folder.display())
    }
}

impl UrlPath {
    /// Reads a path as people write it, not percent-encoded.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let names = text.strip_prefix('/')?;
        let text = text.strip_suffix('/').unwrap_or(text);
        let good = |name: &str| {
            let plain = |c: char| !c.is_control() && !matches!(c, '%' | '?' | '#' | '\\');
            !matches!(name, "" | "." | "..") && name.chars().all(plain)
        };
        let good = names.is_empty() || text[1..].split('/').all(good);
        good.then(|| Self {
            text: text.to_owned(),
        })
    }

    /// How many names it has.
    pub(super) fn depth(&self) -> usize {
        self.text.bytes().filter(|byte| *byte == b'/').count()
    }

    /// What of a request's path, which is percent-encoded, follows this one: nothing, or a slash and
    /// more. `None` if it begins otherwise.
    pub(super) fn strip<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        if !path.starts_with(b"/") {
            return None;
        }
        let mut rest = path;
        for name in self.text.split('/').skip(1) {
            let behind = rest.strip_prefix(b"/")?;
            let end = behind.iter().position(is_separator);
            let (first, others) = behind.split_at(end.unwrap_or(behind.len()));
            if !decode(first).eq(name.bytes().map(Some)) {
                return None;
            }
            rest = others;
        }
        Some(rest)
    }
}

impl fmt::Display for UrlPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text.as_str() {
            "" => f.write_str("/"),
            text => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_shown_as_they_are_read() {
        for (text, shown) in [
            ("/assets=./public", "/assets=./public"),
            ("/assets/=/srv/a=b", "/assets=/srv/a=b"),
            ("/=.", "/=."),
            ("/a b/ä=x", "/a b/ä=x"),
        ] {
            assert_eq!(StaticMount::parse(text).unwrap().to_string(), shown);
        }
        for wrong in [
            "", "/", "/a", "/a=", "a=b", "=b", "//=b", "/a//b=c", "/../a=b", "/a/.=b", "/%61=b",
            "/a?=b", "/a#b=c", "/a\\b=c", "/a\n=b", "/a=b\0c",
        ] {
            assert_eq!(StaticMount::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_path_begins_another_up_to_the_border_of_a_name() {
        let rest = |begin: &str, path: &'static str| {
            let begin = UrlPath::parse(begin).unwrap();
            let rest = begin.strip(path.as_bytes());
            rest.map(|rest| std::str::from_utf8(rest).unwrap())
        };
        for (path, expected) in [
            ("/assets", Some("")),
            ("/assets/", Some("/")),
            ("/assets/a/b", Some("/a/b")),
            ("/%61ssets/%61", Some("/%61")),
            ("/ASSETS", None),
            ("/assets2", None),
            ("/asset", None),
            ("//assets/a", None),
            ("/assets%2fa", None),
            ("/assets%", None),
            ("/assets%00", None),
            ("/a/../assets", None),
            ("assets", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(rest("/assets", path), expected, "{path}");
        }
        assert_eq!(rest("/a/b", "/a/b/c"), Some("/c"));
        assert_eq!(rest("/a/b", "/a%2Fb/c"), None);
        assert_eq!(rest("/ä", "/%c3%a4/x"), Some("/x"));
        assert_eq!(rest("/", "/x"), Some("/x"));
        assert_eq!(rest("/", "*"), None);
        assert_eq!(UrlPath::parse("/").unwrap().depth(), 0);
        assert_eq!(UrlPath::parse("/a/b/").unwrap().depth(), 2);
    }
}
