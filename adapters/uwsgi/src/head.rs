//! The packet at the beginning of a connection.

/// The variables of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head<'b> {
    block: &'b [u8],
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
    /// A packet that is none of a request.
    #[error("expected 0 as first modifier, found {0}")]
    Modifier(u8),
    /// More bytes of variables than the limit.
    #[error("the variables are longer than their limit")]
    TooLong,
    /// A name or a value reaches beyond the end.
    #[error("expected names and values behind their lengths, found the end of the variables")]
    Pair,
}

/// Reads the head at the beginning of `input`, or `None` if it is incomplete. `limit` bounds the bytes of
/// its variables, which the protocol itself keeps below 64 KiB.
///
/// # Errors
///
/// An [`Error`], as soon as the bytes decide it.
pub fn head(input: &[u8], limit: usize) -> Result<Option<Head<'_>>, Error> {
    match input.first() {
        Some(0) => {}
        Some(modifier) => return Err(Error::Modifier(*modifier)),
        None => return Ok(None),
    }
    let Some(&[_, low, high, _]) = input.first_chunk() else {
        return Ok(None);
    };
    let size = usize::from(u16::from_le_bytes([low, high]));
    if size > limit {
        return Err(Error::TooLong);
    }
    let length = HEADER + size;
    let Some(block) = input.get(HEADER..length) else {
        return Ok(None);
    };
    let mut variables = Variables(block);
    while variables.next().is_some() {}
    if !variables.0.is_empty() {
        return Err(Error::Pair);
    }
    Ok(Some(Head { block, length }))
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
        let (name, rest) = part(self.0)?;
        let (value, rest) = part(rest)?;
        self.0 = rest;
        Some((name, value))
    }
}

/// Bytes behind their length, and what follows them.
fn part(from: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[low, high], rest) = from.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_le_bytes([low, high])))
}

const HEADER: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(pairs: &[(&str, &str)]) -> Vec<u8> {
        let mut block = Vec::new();
        for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
            block.extend_from_slice(&u16::try_from(text.len()).unwrap().to_le_bytes());
            block.extend_from_slice(text.as_bytes());
        }
        let size = u16::try_from(block.len()).unwrap().to_le_bytes();
        [&[0, size[0], size[1], 0], &block[..]].concat()
    }

    #[test]
    fn a_packet_is_read_once_it_is_whole() {
        let long = "x".repeat(300);
        let pairs = [("REQUEST_METHOD", "GET"), ("LONG", &long), ("EMPTY", "")];
        let mut input = packet(&pairs);
        let length = input.len();
        input.extend_from_slice(b"body");
        let found = head(&input, 1_000).unwrap().unwrap();
        assert_eq!(found.length, length);
        let text = |(name, value): (&[u8], &[u8])| {
            [name, value].map(|part| String::from_utf8(part.to_vec()).unwrap())
        };
        let variables: Vec<_> = found.variables().map(text).collect();
        assert_eq!(
            variables,
            pairs.map(|(name, value)| [name.to_owned(), value.to_owned()])
        );
        for end in 0..length {
            assert_eq!(head(&input[..end], 1_000), Ok(None), "{end}");
        }
    }

    #[test]
    fn what_is_no_head_is_refused_by_its_cause() {
        assert_eq!(head(b"GET /", 1_000), Err(Error::Modifier(b'G')));
        assert_eq!(head(&[0, 0xE9, 3, 0], 1_000), Err(Error::TooLong));
        for cut in 1..10 {
            let mut input = packet(&[("NAME", "val")]);
            input.truncate(input.len() - cut);
            input[1] -= u8::try_from(cut).unwrap();
            assert_eq!(head(&input, 1_000), Err(Error::Pair), "{cut}");
        }
    }
}
