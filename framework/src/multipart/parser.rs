//! The parser: a body's bytes in, whichever way they are cut; heads and content of its parts out.

use std::ops::Range;

use bytes::{Buf as _, Bytes, BytesMut};
use memchr::memmem::Finder;

use super::disposition::Parameterized;
use super::error::{MultipartError, excerpt};
use super::head::PartHead;

/// Reads a body that arrives in pieces.
///
/// It holds at most a part's head or a delimiter that may go on; content is handed out as it comes.
#[derive(Debug)]
pub struct Parser {
    /// CRLF, two hyphens and the boundary.
    delimiter: Finder<'static>,
    limits: Limits,
    state: State,
    buffer: BytesMut,
    parts: usize,
}

/// What a form may have at most.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Parts: fields and files together; 1,000 by default (`MAX_FORM_PARTS`).
    pub parts: usize,
    /// Bytes of one part's head; 8,192 by default.
    pub head: usize,
}

/// What comes next in the body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A part begins.
    Part(PartHead),
    /// Content of the part; never empty.
    Data(Bytes),
    /// The part is complete.
    EndOfPart,
    /// The closing boundary was read; what follows it is not looked at.
    End,
    /// Nothing can be told before more bytes are fed.
    NeedsMore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first delimiter; what stands there is skipped (RFC 2046 section 5.1.1).
    Preamble,
    Head,
    Content,
    /// A part has ended, and this was behind it.
    Ended(Behind),
    Epilogue,
}

/// What stands behind a delimiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behind {
    AnotherPart,
    Nothing,
}

/// A delimiter found in the buffer, or the place where one may begin.
enum Found {
    Delimiter(Range<usize>, Behind),
    /// Everything before this offset is content; what follows needs more bytes to tell.
    Perhaps(usize),
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            parts: 1_000,
            head: 8_192,
        }
    }
}

impl Limits {
    /// The same limits with another number of parts.
    #[must_use]
    pub fn parts(self, parts: usize) -> Self {
        Self { parts, ..self }
    }
}

/// The boundary that a Content-Type names, if it is that of a form with parts.
///
/// # Errors
///
/// It is another type, or it has no boundary that RFC 2046 section 5.1.1 allows.
pub fn boundary(content_type: &[u8]) -> Result<String, MultipartError> {
    Parameterized::parse(content_type)
        .filter(|parsed| parsed.value.eq_ignore_ascii_case(b"multipart/form-data"))
        .and_then(|parsed| parsed.text("boundary"))
        .filter(|boundary| (1..=70).contains(&boundary.len()) && !boundary.ends_with(' '))
        .filter(|boundary| boundary.bytes().all(allowed))
        .ok_or_else(|| MultipartError::Boundary(excerpt(content_type)))
}

fn allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte)
}

impl Parser {
    /// A parser for a body whose parts are delimited by `boundary`.
    pub fn new(boundary: &str, limits: Limits) -> Self {
        let delimiter = format!("\r\n--{boundary}");
        Self {
            delimiter: Finder::new(delimiter.as_bytes()).into_owned(),
            limits,
            state: State::Preamble,
            // The first delimiter has no line before it: this is the line end that it lacks.
            buffer: BytesMut::from(&b"\r\n"[..]),
            parts: 0,
        }
    }

    /// Takes the next bytes of the body.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.state != State::Epilogue {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// What comes next.
    ///
    /// # Errors
    ///
    /// The body is malformed, or more than the limits allow; the parser is of no use after that.
    pub fn next_event(&mut self) -> Result<Event, MultipartError> {
        loop {
            match self.state {
                State::Preamble => match self.find() {
                    Found::Delimiter(at, behind) => {
                        self.buffer.advance(at.end);
                        self.state = Self::after(behind);
                    }
                    Found::Perhaps(at) => {
                        self.buffer.advance(at);
                        return Ok(Event::NeedsMore);
                    }
                },
                State::Head => return self.head(),
                State::Content => {
                    let content = self.content();
                    if !content.is_empty() {
                        return Ok(Event::Data(content));
                    }
                    if self.state == State::Content {
                        return Ok(Event::NeedsMore);
                    }
                }
                State::Ended(behind) => {
                    self.state = Self::after(behind);
                    return Ok(Event::EndOfPart);
                }
                State::Epilogue => {
                    self.buffer.clear();
                    return Ok(Event::End);
                }
            }
        }
    }

    /// Says that no more bytes will come.
    ///
    /// # Errors
    ///
    /// The closing boundary has not been read.
    pub fn finish(&self) -> Result<(), MultipartError> {
        match self.state {
            State::Epilogue | State::Ended(Behind::Nothing) => Ok(()),
            _ => Err(MultipartError::Unfinished),
        }
    }

    fn after(behind: Behind) -> State {
        match behind {
            Behind::AnotherPart => State::Head,
            Behind::Nothing => State::Epilogue,
        }
    }

    fn head(&mut self) -> Result<Event, MultipartError> {
        let part = self.parts + 1;
        // The buffer begins behind the delimiter's line end; a head without a line is the end of one.
        let end = match self.buffer.starts_with(b"\r\n") {
            true => Some((0, 2)),
            false => memchr::memmem::find(&self.buffer, b"\r\n\r\n").map(|at| (at, at + 4)),
        };
        let length = end.map_or(self.buffer.len(), |(at, _)| at);
        if length > self.limits.head {
            let limit = self.limits.head;
            return Err(MultipartError::HeadTooLong { part, limit });
        }
        let Some((length, next)) = end else {
            return Ok(Event::NeedsMore);
        };
        if self.parts == self.limits.parts {
            return Err(MultipartError::TooManyParts(self.limits.parts));
        }
        let head = PartHead::parse(&self.buffer[..length], part)?;
        self.parts = part;
        self.buffer.advance(next);
        self.state = State::Content;
        Ok(Event::Part(head))
    }

    /// The next content; none where the part ends or more bytes are needed.
    fn content(&mut self) -> Bytes {
        match self.find() {
            Found::Delimiter(at, behind) => {
                let content = self.buffer.split_to(at.start).freeze();
                self.buffer.advance(at.len());
                self.state = State::Ended(behind);
                content
            }
            Found::Perhaps(at) => self.buffer.split_to(at).freeze(),
        }
    }

    fn find(&self) -> Found {
        let mut from = 0;
        while let Some(at) = self.delimiter.find(&self.buffer[from..]) {
            let start = from + at;
            let end = start + self.delimiter.needle().len();
            match Behind::read(&self.buffer[end..]) {
                Look::Is(behind, length) => {
                    return Found::Delimiter(start..end + length, behind);
                }
                Look::TooShort => return Found::Perhaps(start),
                Look::Other => from = start + 1,
            }
        }
        let begins = |at: &usize| self.delimiter.needle().starts_with(&self.buffer[*at..]);
        // The delimiter has no other CR than its first byte.
        let last = memchr::memrchr(b'\r', &self.buffer).filter(begins);
        Found::Perhaps(last.unwrap_or(self.buffer.len()))
    }
}

/// What was seen behind a boundary.
enum Look {
    /// With this many bytes up to the next part's head.
    Is(Behind, usize),
    TooShort,
    /// It is content that looks like a delimiter.
    Other,
}

impl Behind {
    fn read(rest: &[u8]) -> Look {
        if rest.starts_with(b"--") {
            return Look::Is(Self::Nothing, 2);
        }
        let blank = |byte: &&u8| matches!(**byte, b' ' | b'\t');
        let padding = rest.iter().take_while(blank).count();
        match &rest[padding..] {
            [b'\r', b'\n', ..] => Look::Is(Self::AnotherPart, padding + 2),
            _ if padding > MAX_PADDING => Look::Other,
            [] | [b'\r'] => Look::TooShort,
            [b'-'] if padding == 0 => Look::TooShort,
            _ => Look::Other,
        }
    }
}

/// Blanks that may follow a boundary (RFC 2046's transport padding, which nobody sends).
const MAX_PADDING: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORM: &str = "preamble\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\ntwo\
        \r\n--b  \r\ncontent-disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\nContent-Type: \
        text/plain\r\n\r\n\r\n--bogus\r\n--b-\r\r\n--b\r\nContent-Disposition: form-data; name=e\r\n\r\n\
        \r\n--b--\r\nepilogue";

    type Parts = Vec<(PartHead, Vec<u8>)>;

    fn parse(pieces: &[&[u8]], limits: Limits) -> Result<Parts, MultipartError> {
        let mut parser = Parser::new("b", limits);
        let mut parts: Parts = Vec::new();
        let mut open = false;
        for piece in pieces {
            parser.feed(piece);
            loop {
                match parser.next_event()? {
                    Event::NeedsMore | Event::End => break,
                    Event::Part(head) => {
                        open = true;
                        parts.push((head, Vec::new()));
                    }
                    Event::Data(content) => {
                        assert!(open && !content.is_empty());
                        parts.last_mut().unwrap().1.extend_from_slice(&content);
                    }
                    Event::EndOfPart => open = false,
                }
            }
        }
        parser.finish()?;
        assert!(!open);
        Ok(parts)
    }

    fn whole(form: &str) -> Result<Parts, MultipartError> {
        parse(&[form.as_bytes()], Limits::default())
    }

    fn head(name: &str, filename: Option<&str>, content_type: Option<&str>) -> PartHead {
        PartHead {
            name: name.to_owned(),
            filename: filename.map(str::to_owned),
            content_type: content_type.map(str::to_owned),
        }
    }

    fn expected() -> Parts {
        vec![
            (head("a", None, None), b"one\r\ntwo".to_vec()),
            (
                head("f", Some("x.txt"), Some("text/plain")),
                b"\r\n--bogus\r\n--b-\r".to_vec(),
            ),
            (head("e", None, None), Vec::new()),
        ]
    }

    #[test]
    fn parts_are_told_apart_by_their_boundary_alone() {
        assert_eq!(whole(FORM).unwrap(), expected());
    }

    #[test]
    fn it_does_not_matter_how_the_bytes_arrive() {
        let bytes: Vec<&[u8]> = FORM.as_bytes().chunks(1).collect();
        assert_eq!(parse(&bytes, Limits::default()).unwrap(), expected());
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_parts(mut cuts in prop::collection::vec(0..FORM.len(), 0..8)) {
            cuts.sort_unstable();
            cuts.push(FORM.len());
            let mut from = 0;
            let mut pieces = Vec::new();
            for cut in cuts {
                pieces.push(&FORM.as_bytes()[from..cut]);
                from = cut;
            }
            prop_assert_eq!(parse(&pieces, Limits::default()).unwrap(), expected());
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut parser = Parser::new("b", Limits::default());
            parser.feed(b"--b\r\n");
            parser.feed(&bytes);
            for _ in 0..bytes.len() + 8 {
                if matches!(parser.next_event(), Err(_) | Ok(Event::End | Event::NeedsMore)) {
                    return Ok(());
                }
            }
            prop_assert!(false, "the parser does not come to an end");
        }
    }

    #[test]
    fn a_body_without_its_closing_boundary_is_unfinished() {
        for end in ["--b--\r\nepilogue", "\r\n--b--\r\nepilogue"] {
            let cut = FORM.strip_suffix(end).unwrap();
            assert_eq!(whole(cut), Err(MultipartError::Unfinished));
        }
        assert_eq!(whole(""), Err(MultipartError::Unfinished));
    }

    #[test]
    fn a_form_without_parts_is_empty() {
        assert_eq!(whole("--b--").unwrap(), []);
    }

    #[test]
    fn limits_name_themselves() {
        let two = Limits {
            parts: 2,
            ..Limits::default()
        };
        let verdict = parse(&[FORM.as_bytes()], two);
        assert_eq!(verdict, Err(MultipartError::TooManyParts(2)));
        let short = Limits {
            head: 50,
            ..Limits::default()
        };
        let verdict = parse(&[FORM.as_bytes()], short);
        assert_eq!(
            verdict,
            Err(MultipartError::HeadTooLong { part: 2, limit: 50 })
        );
        let endless = format!("--b\r\nX: {}", "x".repeat(9_000));
        let verdict = parse(&[endless.as_bytes()], Limits::default());
        assert_eq!(
            verdict,
            Err(MultipartError::HeadTooLong {
                part: 1,
                limit: 8_192
            })
        );
    }

    #[test]
    fn a_malformed_head_is_shown() {
        let error = whole("--b\r\nno colon\r\n\r\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "part 1: `no colon` is not a header field"
        );
        for head in [
            "X: y",
            "Content-Disposition: attachment; name=a",
            "Content-Disposition: form-data",
        ] {
            let error = whole(&format!("--b\r\n{head}\r\n\r\n")).unwrap_err();
            assert!(
                matches!(error, MultipartError::Disposition { part: 1, .. }),
                "{head}"
            );
        }
    }

    #[test]
    fn the_boundary_is_found_in_the_content_type() {
        for (field, expected) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            (
                "Multipart/Form-Data; charset=utf-8; boundary=\"a b\"",
                Some("a b"),
            ),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=\"a\u{e9}\"", None),
            ("multipart/mixed; boundary=abc", None),
        ] {
            assert_eq!(
                boundary(field.as_bytes()).ok().as_deref(),
                expected,
                "{field}"
            );
        }
    }
}
