//! [`Lasting`]: what responses begin with whose field lines their application promised never to change.

use std::cell::OnceCell;
use std::fmt;

use gateway_spec::abi::Field;

use super::plain::beginning;

/// The beginnings of plain responses with lasting field lines, known again by where those stand. Of
/// one worker, for all its life.
#[derive(Default)]
pub struct Lasting {
    /// Filled from the first on.
    known: [OnceCell<Known>; MOST],
}

struct Known {
    address: usize,
    count: usize,
    /// `None` if the lines decide about more than themselves, or are not to be sent.
    beginning: Option<Box<[u8]>>,
}

impl Lasting {
    /// What a response begins with that has these fields, which stay as they are until the process
    /// exits; `None` if it is to be written as others are.
    #[inline(always)]
    pub fn beginning(&self, fields: &[Field<'_>]) -> Option<&[u8]> {
        let (address, count) = (fields.as_ptr().addr(), fields.len());
        for known in &self.known {
            match known.get() {
                Some(known) if known.address == address && known.count == count => {
                    return known.beginning.as_deref();
                }
                Some(_) => {}
                None => return learn(known, fields),
            }
        }
        None
    }
}

#[cold]
fn learn<'a>(place: &'a OnceCell<Known>, fields: &[Field<'_>]) -> Option<&'a [u8]> {
    let known = place.get_or_init(|| Known {
        address: fields.as_ptr().addr(),
        count: fields.len(),
        beginning: beginning(fields),
    });
    known.beginning.as_deref()
}

impl fmt::Debug for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known.iter().filter(|known| known.get().is_some());
        write!(f, "Lasting({} of {MOST})", known.count())
    }
}

/// Where an application has more of them, the others are written line by line.
const MOST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_known_again_by_where_they_stand() {
        let lasting = Lasting::default();
        let fields = [Field::new(0, b"x-a", b"1"), Field::new(0, b"x-b", b"2")];
        let text = lasting.beginning(&fields).unwrap();
        assert_eq!(text, b"HTTP/1.1 200 OK\r\nx-a: 1\r\nx-b: 2");
        assert!(std::ptr::eq(text, lasting.beginning(&fields).unwrap()));
        let fewer = lasting.beginning(&fields[..1]).unwrap();
        assert_eq!(fewer, b"HTTP/1.1 200 OK\r\nx-a: 1");
        let refused = [Field::new(0, b"connection", b"close")];
        assert_eq!(lasting.beginning(&refused), None);
        assert_eq!(lasting.beginning(&refused), None);
    }

    #[test]
    fn beyond_what_is_kept_lines_are_written_as_others_are() {
        let lasting = Lasting::default();
        let fields = [Field::new(0, b"x-a", b"1"); MOST + 1];
        let known = |count: usize| lasting.beginning(&fields[..count]).is_some();
        assert!((1..=MOST).all(known));
        assert!(!known(MOST + 1));
        assert!((1..=MOST).all(known));
    }
}
