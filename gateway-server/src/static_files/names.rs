//! [`Names`]: a request's path as names in a folder.

/// Where below a folder a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Names {
    /// The names, with slashes between them; empty for the folder itself.
    pub(super) path: Vec<u8>,
    /// The path ends with a slash.
    pub(super) is_folder: bool,
}

impl Names {
    /// Reads what follows the path of a mount: nothing, or a slash and more. `None` if it leads to
    /// nothing that is served:
    ///
    /// - `.`, `..` and the empty name: clients resolve them, and who sends them wants to leave;
    /// - names that begin with a dot, but for `.well-known` (RFC 8615), which comes first;
    /// - what is no percent-encoding, and the encodings of `/`, of `\` and of NUL.
    pub(super) fn read(rest: &[u8]) -> Option<Self> {
        let mut names = Self {
            path: Vec::with_capacity(rest.len() + INDEX.len() + 1),
            is_folder: false,
        };
        let Some(rest) = rest.strip_prefix(b"/") else {
            return rest.is_empty().then_some(names);
        };
        let mut all = rest.split(is_separator).peekable();
        while let Some(encoded) = all.next() {
            if encoded.is_empty() && all.peek().is_none() {
                names.is_folder = true;
                break;
            }
            if !names.path.is_empty() {
                names.path.push(b'/');
            }
            let begin = names.path.len();
            for byte in decode(encoded) {
                names.path.push(byte.filter(is_plain)?);
            }
            match &names.path[begin..] {
                [] => return None,
                [b'.', ..] if begin > 0 || names.path != WELL_KNOWN => return None,
                _ => {}
            }
        }
        Some(names)
    }

    /// The page that stands for the folder.
    pub(super) fn index(&self) -> Vec<u8> {
        let mut path = self.path.clone();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(INDEX);
        path
    }
}

/// The bytes that a percent-encoded text stands for; `None` where it is none.
pub(super) fn decode(encoded: &[u8]) -> impl Iterator<Item = Option<u8>> {
    let mut rest = encoded.iter();
    std::iter::from_fn(move || {
        let byte = *rest.next()?;
        if byte != b'%' {
            return Some(Some(byte));
        }
        let mut digit = || char::from(*rest.next()?).to_digit(16);
        let digits = digit().zip(digit());
        Some(digits.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()))
    })
}

/// Percent-encodes a path, so that it may stand in a URL.
pub(super) fn encode(path: &[u8], into: &mut String) {
    for &byte in path {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
            into.push(char::from(byte));
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            into.push('%');
            into.push(char::from(DIGITS[usize::from(byte >> 4)]));
            into.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

/// Whether a name ends here.
pub(super) fn is_separator(byte: &u8) -> bool {
    *byte == b'/'
}

/// Whether a decoded byte may be in a name.
fn is_plain(byte: &u8) -> bool {
    !matches!(byte, 0 | b'/' | b'\\')
}

const INDEX: &[u8] = b"index.html";
const WELL_KNOWN: &[u8] = b".well-known";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn expect(rest: &str, expected: Option<(&[u8], bool)>) {
        let names = Names::read(rest.as_bytes());
        let found = names.as_ref().map(|one| (&one.path[..], one.is_folder));
        assert_eq!(found, expected, "{rest}");
    }

    #[test]
    fn paths_are_decoded_once_and_end_in_a_file_or_a_folder() {
        expect("", Some((b"", false)));
        expect("/", Some((b"", true)));
        expect("/a", Some((b"a", false)));
        expect("/a/b.css", Some((b"a/b.css", false)));
        expect("/a/b/", Some((b"a/b", true)));
        expect("/a%20b%C3%a4", Some((b"a b\xc3\xa4", false)));
        expect("/%ff", Some((b"\xff", false)));
        expect("/%2561", Some((b"%61", false)));
        expect("/a..b", Some((b"a..b", false)));
        expect("/.well-known/acme/x", Some((b".well-known/acme/x", false)));
        assert_eq!(Names::read(b"/").unwrap().index(), b"index.html");
        assert_eq!(Names::read(b"/a/").unwrap().index(), b"a/index.html");
    }

    #[test]
    fn what_leads_elsewhere_leads_nowhere() {
        for rest in [
            "/..",
            "/../a",
            "/a/../b",
            "/%2e%2e/a",
            "/.%2E/a",
            "/./a",
            "/%2e",
            "//a",
            "/a//b",
            "//",
            "/a%2fb",
            "/%2e%2e%2fa",
            "/a%5cb",
            "/..%5c..",
            "/a\\b",
            "/a%00",
            "/%00",
            "/%",
            "/%2",
            "/%zz",
            "/%+1",
            "/.env",
            "/.git/config",
            "/a/.b",
            "/%2eenv",
            "/a/.well-known",
            "/.well-known2",
            "/.well-known/.a",
            "/...",
            "/..%00/",
        ] {
            expect(rest, None);
        }
    }

    #[test]
    fn an_encoded_path_decodes_to_itself() {
        let all: Vec<u8> = (0..=255).collect();
        let mut text = String::new();
        encode(&all, &mut text);
        assert!(text.is_ascii());
        let back: Option<Vec<u8>> = decode(text.as_bytes()).collect();
        assert_eq!(back.unwrap(), all);
    }
}
