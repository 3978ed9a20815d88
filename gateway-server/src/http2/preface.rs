//! The client connection preface: how HTTP/2 is told from HTTP/1 without TLS (RFC 9113 §3.4).

/// What a client of HTTP/2 sends first.
pub(crate) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// The preface is there.
    Http2,
    /// More bytes may make it the preface.
    Unclear,
    /// Anything else.
    Other,
}

/// Looks at the first bytes of a connection, of which there is at least one.
pub(crate) fn beginning(bytes: &[u8]) -> Beginning {
    if bytes.starts_with(PREFACE) {
        Beginning::Http2
    } else if PREFACE.starts_with(bytes) {
        Beginning::Unclear
    } else {
        Beginning::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preface_is_known_at_its_last_byte_and_denied_at_the_first_that_differs() {
        for end in 1..PREFACE.len() {
            assert_eq!(beginning(&PREFACE[..end]), Beginning::Unclear);
            let mut other = PREFACE[..end].to_vec();
            other[end - 1] ^= 1;
            assert_eq!(beginning(&other), Beginning::Other);
        }
        assert_eq!(beginning(PREFACE), Beginning::Http2);
        assert_eq!(
            beginning(&[&PREFACE[..], b"more"].concat()),
            Beginning::Http2
        );
        assert_eq!(beginning(b"GET / HTTP/1.1\r\n"), Beginning::Other);
    }
}
