//! [`Pairs`]: names and values, each behind its length.

use crate::error::Error;

/// Reads a whole stream of name-value pairs: a length below 128 is one byte, any other four of which
/// the first has its highest bit set.
#[derive(Clone, Debug)]
pub struct Pairs<'b>(&'b [u8]);

impl<'b> Pairs<'b> {
    /// The pairs in `stream`.
    #[must_use]
    pub fn new(stream: &'b [u8]) -> Self {
        Self(stream)
    }

    #[inline]
    fn length(&mut self) -> Option<usize> {
        match *self.0 {
            [short @ 0..=127, ref rest @ ..] => {
                self.0 = rest;
                Some(usize::from(short))
            }
            [a, b, c, d, ref rest @ ..] => {
                self.0 = rest;
                usize::try_from(u32::from_be_bytes([a & 0x7F, b, c, d])).ok()
            }
            _ => None,
        }
    }

    #[inline]
    fn pair(&mut self) -> Option<(&'b [u8], &'b [u8])> {
        let (name, value) = (self.length()?, self.length()?);
        let (name, rest) = self.0.split_at_checked(name)?;
        let (value, rest) = rest.split_at_checked(value)?;
        self.0 = rest;
        Some((name, value))
    }
}

impl<'b> Iterator for Pairs<'b> {
    type Item = Result<(&'b [u8], &'b [u8]), Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let pair = self.pair().ok_or(Error::Pair);
        if pair.is_err() {
            self.0 = b"";
        }
        Some(pair)
    }
}

/// Appends a pair.
pub(crate) fn push(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    for part in [name, value] {
        match u8::try_from(part.len()) {
            Ok(short @ 0..=127) => out.push(short),
            _ => {
                let length = u32::try_from(part.len()).unwrap_or(u32::MAX) | 1 << 31;
                out.extend_from_slice(&length.to_be_bytes());
            }
        }
    }
    out.extend_from_slice(name);
    out.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_every_length_are_read_as_they_were_written() {
        let mut stream = Vec::new();
        let texts = [0, 1, 127, 128, 65_536].map(|length| vec![b'x'; length]);
        for text in &texts {
            push(&mut stream, b"NAME", text);
            push(&mut stream, text, b"");
        }
        let mut pairs = Pairs::new(&stream);
        for text in &texts {
            assert_eq!(pairs.next(), Some(Ok((&b"NAME"[..], &text[..]))));
            assert_eq!(pairs.next(), Some(Ok((&text[..], &b""[..]))));
        }
        assert_eq!(pairs.next(), None);
    }

    #[test]
    fn a_pair_that_reaches_beyond_the_end_is_refused_and_is_the_last() {
        for stream in [
            &b"\x01"[..],
            b"\x01\x01a",
            b"\x80\x00\x00",
            b"\xFF\xFF\xFF\xFF\x00",
            b"\x00\xFF\xFF\xFF\xFFabc",
        ] {
            let mut pairs = Pairs::new(stream);
            assert_eq!(pairs.next(), Some(Err(Error::Pair)), "{stream:?}");
            assert_eq!(pairs.next(), None);
        }
    }
}
