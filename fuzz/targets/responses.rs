//! Responses of HTTP/1 as their client reads them, to the letter.

/// Asserts that `bytes` are one final response for each of these methods, in turn, or for as many of them
/// as there was time for; the last may be broken off, and nothing follows one that switches protocols.
pub(crate) fn responses(all: &[u8], methods: &[&str]) {
    let mut bytes = all;
    for method in methods {
        loop {
            let Some((head, rest)) = split_at(bytes, b"\r\n\r\n") else {
                assert!(bytes.is_empty(), "a head is broken off: {}", shown(bytes));
                return;
            };
            let head = Head::of(head);
            bytes = rest;
            if head.status == 101 || head.status == 200 && *method == "CONNECT" {
                return;
            }
            if head.status < 200 {
                continue;
            }
            if *method == "HEAD" || matches!(head.status, 204 | 304) {
                break;
            }
            let Some(rest) = head.behind_body(bytes) else {
                return;
            };
            bytes = rest;
            break;
        }
    }
    assert!(
        bytes.is_empty(),
        "more than was asked for: {} of {}",
        shown(bytes),
        shown(all)
    );
}

struct Head {
    status: u16,
    length: Option<usize>,
    chunked: bool,
}

impl Head {
    fn of(bytes: &[u8]) -> Self {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let line = lines.next().unwrap_or_default();
        let digits = line
            .strip_prefix(b"HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        let status = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        let mut head = Self {
            status: status.expect("a status line"),
            length: None,
            chunked: false,
        };
        for line in lines {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let (name, value) = split_at(line, b": ").expect("a name and a value");
            let is_token =
                |byte: &u8| byte.is_ascii_graphic() && !b":\"(),/;<=>?@[\\]{}".contains(byte);
            assert!(
                !name.is_empty() && name.iter().all(is_token),
                "{}",
                shown(line)
            );
            let is_clean = |byte: &u8| *byte >= b' ' && *byte != 0x7F || *byte == b'\t';
            assert!(value.iter().all(is_clean), "{}", shown(line));
            head.note(&name.to_ascii_lowercase(), value);
        }
        head
    }

    fn note(&mut self, name: &[u8], value: &[u8]) {
        assert_ne!(name, b"x-injected", "a field was smuggled in");
        match name {
            b"content-length" => {
                let text = std::str::from_utf8(value).expect("digits");
                assert!(
                    self.length
                        .replace(text.parse().expect("a length"))
                        .is_none()
                );
            }
            b"transfer-encoding" => {
                assert_eq!(value, b"chunked");
                assert!(!std::mem::replace(&mut self.chunked, true));
            }
            _ => {}
        }
        assert!(!(self.chunked && self.length.is_some()), "two lengths");
    }

    /// What follows the body; nothing if it is broken off, or goes on to the end.
    fn behind_body<'b>(&self, mut bytes: &'b [u8]) -> Option<&'b [u8]> {
        if !self.chunked {
            return bytes.get(self.length?..);
        }
        loop {
            let (line, rest) = split_at(bytes, b"\r\n")?;
            let text = std::str::from_utf8(line).expect("a chunk's size");
            let size = usize::from_str_radix(text, 16).expect("a chunk's size");
            if size == 0 {
                let (_, behind) = split_at(bytes, b"\r\n\r\n")?;
                return Some(behind);
            }
            bytes = rest.get(size..)?.get(2..)?;
            assert_eq!(&rest[size..size + 2], b"\r\n");
        }
    }
}

fn split_at<'b>(bytes: &'b [u8], mark: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let at = bytes.windows(mark.len()).position(|some| some == mark)?;
    Some((&bytes[..at], &bytes[at + mark.len()..]))
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
