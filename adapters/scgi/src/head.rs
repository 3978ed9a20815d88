//! The netstring at the beginning of a connection.

/// The variables of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head<'b> {
    block: &'b [u8],
    /// How long the body behind it is.
    pub content_length: u64,
    /// How many bytes it took; the body follows.
    pub length: usize,
}

/// Names and values, in order.
#[derive(Clone, Debug)]
pub struct Variables<'b>(&'b [u8]);

/// Why a connection is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No netstring.
    #[error("expected the length of a netstring in digits, then a colon")]
    Length,
    /// A longer netstring than the limit.
    #[error("the variables are longer than their limit")]
    TooLong,
    /// A netstring that ends elsewhere.
    #[error("expected a comma behind the netstring")]
    Comma,
    /// What should be names and values are none.
    #[error("expected names and values, each ended by NUL")]
    Pair,
    /// The length of the body is not where it belongs.
    #[error("expected CONTENT_LENGTH in digits as first variable")]
    ContentLength,
    /// It is another protocol.
    #[error("expected the variable SCGI to be 1")]
    Version,
}

/// Reads the head at the beginning of `input`, or `None` if it is incomplete. `limit` bounds the bytes of
/// its variables.
///
/// # Errors
///
/// An [`Error`], as soon as the bytes decide it.
pub fn head(input: &[u8], limit: usize) -> Result<Option<Head<'_>>, Error> {
    let digits = input.iter().take_while(|byte| byte.is_ascii_digit());
    let digits = digits.count();
    let number = &input[..digits];
    if number.first() == Some(&b'0') || digits > DIGITS {
        return Err(Error::Length);
    }
    match input.get(digits) {
        None => return Ok(None),
        Some(b':') if digits > 0 => {}
        Some(_) => return Err(Error::Length),
    }
    let length = parsed(number).and_then(|length| usize::try_from(length).ok());
    let length = length.filter(|length| *length <= limit);
    let length = length.ok_or(Error::TooLong)?;
    let (start, end) = (digits + 1, digits + 1 + length);
    let (Some(block), Some(comma)) = (input.get(start..end), input.get(end)) else {
        return Ok(None);
    };
    if *comma != b',' {
        return Err(Error::Comma);
    }
    let is_whole = block.last() == Some(&0) && count(block) % 2 == 0;
    if !is_whole {
        return Err(Error::Pair);
    }
    let mut variables = Variables(block);
    let content_length = match variables.next() {
        Some((b"CONTENT_LENGTH", digits)) => parsed(digits).ok_or(Error::ContentLength)?,
        _ => return Err(Error::ContentLength),
    };
    if !variables.any(|(name, value)| (name, value) == (b"SCGI", b"1")) {
        return Err(Error::Version);
    }
    Ok(Some(Head {
        block,
        content_length,
        length: end + 1,
    }))
}

impl<'b> Head<'b> {
    /// The variables.
    #[must_use]
    pub fn variables(&self) -> Variables<'b> {
        Variables(self.block)
    }
}

impl<'b> Iterator for Variables<'b> {
    type Item = (&'b [u8], &'b [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut part = || {
            let end = self.0.iter().position(|byte| *byte == 0)?;
            let (part, rest) = self.0.split_at(end);
            self.0 = &rest[1..];
            Some(part)
        };
        Some((part()?, part()?))
    }
}

fn count(block: &[u8]) -> usize {
    block.iter().filter(|byte| **byte == 0).count()
}

/// A number by digits alone.
fn parsed(digits: &[u8]) -> Option<u64> {
    let is_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok().filter(|_| is_digits)?;
    text.parse().ok()
}

/// More of them than a length that any limit allows.
const DIGITS: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the protocol's definition.
    const EXAMPLE: &[u8] = b"70:CONTENT_LENGTH\x0027\0SCGI\x001\0REQUEST_METHOD\0POST\0\
        REQUEST_URI\0/deepthought\0,What is the answer to life?";

    fn netstring(content: &str) -> Vec<u8> {
        format!("{}:{content},", content.len()).into_bytes()
    }

    #[test]
    fn the_example_of_the_definition_is_read_once_it_is_whole() {
        let found = head(EXAMPLE, 1_000).unwrap().unwrap();
        assert_eq!(found.content_length, 27);
        assert_eq!(&EXAMPLE[found.length..], b"What is the answer to life?");
        let variables: Vec<_> = found.variables().collect();
        assert_eq!(variables[3], (&b"REQUEST_URI"[..], &b"/deepthought"[..]));
        for end in 0..found.length {
            assert_eq!(head(&EXAMPLE[..end], 1_000), Ok(None), "{end}");
        }
    }

    #[test]
    fn what_is_no_head_is_refused_by_its_cause() {
        for (input, error) in [
            (&b"GET / HTTP/1.1\r\n"[..], Error::Length),
            (b":", Error::Length),
            (b"007:", Error::Length),
            (b"1234567890", Error::Length),
            (b"1001:", Error::TooLong),
            (b"2:a\0.", Error::Comma),
        ] {
            assert_eq!(head(input, 1_000), Err(error), "{}", input.escape_ascii());
        }
        for (content, error) in [
            ("CONTENT_LENGTH\x000\0SCGI\x001", Error::Pair),
            ("CONTENT_LENGTH\x000\0SCGI\x001\0X\0", Error::Pair),
            ("SCGI\x001\0CONTENT_LENGTH\x000\0", Error::ContentLength),
            ("CONTENT_LENGTH\0\0SCGI\x001\0", Error::ContentLength),
            ("CONTENT_LENGTH\0+1\0SCGI\x001\0", Error::ContentLength),
            ("CONTENT_LENGTH\x001\0", Error::Version),
            ("CONTENT_LENGTH\x001\0SCGI\x002\0", Error::Version),
        ] {
            assert_eq!(head(&netstring(content), 1_000), Err(error), "{content:?}");
        }
    }
}
