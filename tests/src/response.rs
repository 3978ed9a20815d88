//! A response, read strictly: what a server sends is held to the grammar, not guessed at.

use std::io::{self, Read};

/// One complete response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// `HTTP/1.0` or `HTTP/1.1`.
    pub version: String,
    pub status: u16,
    pub reason: String,
    /// In order, names as sent.
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub trailers: Vec<(String, String)>,
    pub framing: Framing,
}

/// How the end of the body was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No body by rule: to HEAD, 1xx, 204, 304.
    None,
    Length,
    Chunked,
    UntilClose,
}

/// What the request was, as far as the response's framing depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    Head,
    /// Nothing but the end of the head of a success: a tunnel begins there.
    Connect,
    Other,
}

/// Why no response could be read.
#[derive(Debug)]
pub enum Broken {
    /// The connection ended before the first byte.
    Closed,
    /// The connection ended within a response, of which this much had come.
    Truncated(String),
    /// The bytes are not HTTP/1; the message says what was expected and found.
    Malformed(String),
    Io(io::Error),
}

impl Response {
    /// Reads one response from `source`, of which `buffer` holds what was read ahead.
    ///
    /// # Errors
    /// See [`Broken`].
    pub fn read(source: &mut dyn Read, buffer: &mut Vec<u8>, to: To) -> Result<Self, Broken> {
        let mut reader = Reader {
            source,
            buffer,
            at: 0,
        };
        let response = reader.response(to);
        let used = reader.at;
        buffer.drain(..used);
        response
    }

    /// The value of a field that must occur at most once.
    ///
    /// # Panics
    /// When it occurs twice.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut all = self.all(name);
        let first = all.next();
        assert!(all.next().is_none(), "two {name} fields in {self:?}");
        first
    }

    /// The values of every field line of that name.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let name = name.to_owned();
        let matching = self
            .fields
            .iter()
            .filter(move |field| field.0.eq_ignore_ascii_case(&name));
        matching.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    ///
    /// # Panics
    /// When it is not UTF-8.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of UTF-8")
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// Whether the server said that it closes the connection after this response.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.framing == Framing::UntilClose
            || self
                .all("connection")
                .any(|value| value.eq_ignore_ascii_case("close"))
            || (self.version == "HTTP/1.0"
                && !self
                    .all("connection")
                    .any(|value| value.eq_ignore_ascii_case("keep-alive")))
    }
}

struct Reader<'a> {
    source: &'a mut dyn Read,
    buffer: &'a mut Vec<u8>,
    at: usize,
}

impl Reader<'_> {
    fn response(&mut self, to: To) -> Result<Response, Broken> {
        if self.buffer.is_empty() && !self.fill()? {
            return Err(Broken::Closed);
        }
        let line = self.line()?;
        let (version, status, reason) = status_line(&line)?;
        let fields = self.fields()?;
        let mut response = Response {
            version,
            status,
            reason,
            fields,
            body: Vec::new(),
            trailers: Vec::new(),
            framing: Framing::None,
        };
        let length = declared_length(&response)?;
        let codings: Vec<&str> = response.all("transfer-encoding").collect();
        let chunked = match codings.as_slice() {
            [] => false,
            ["chunked"] if length.is_none() => true,
            _ => {
                return Err(malformed(
                    "one of chunked and a length",
                    &format!("{codings:?}"),
                ));
            }
        };
        let tunnel = to == To::Connect && (200..300).contains(&status);
        let unframed = tunnel || status < 200 || status == 204;
        let none = to == To::Head || unframed || status == 304;
        if unframed && (length.is_some() || chunked) {
            return Err(malformed(
                "no framing fields",
                &format!("{:?}", response.fields),
            ));
        }
        if none {
            return Ok(response);
        }
        if chunked {
            response.framing = Framing::Chunked;
            self.chunks(&mut response)?;
        } else if let Some(length) = length {
            response.framing = Framing::Length;
            response.body = self.take(length)?;
        } else {
            response.framing = Framing::UntilClose;
            while self.fill()? {}
            response.body = self.buffer[self.at..].to_vec();
            self.at = self.buffer.len();
        }
        Ok(response)
    }

    fn chunks(&mut self, response: &mut Response) -> Result<(), Broken> {
        loop {
            let line = self.line()?;
            let digits = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_hexdigit());
            let size = usize::from_str_radix(&line, 16).ok().filter(|_| digits);
            let size = size.ok_or_else(|| malformed("a chunk size", &line))?;
            if size == 0 {
                response.trailers = self.fields()?;
                return Ok(());
            }
            let data = self.take(size)?;
            response.body.extend_from_slice(&data);
            let end = self.take(2)?;
            if end != b"\r\n" {
                return Err(malformed(
                    "CRLF after a chunk",
                    &String::from_utf8_lossy(&end),
                ));
            }
        }
    }

    fn fields(&mut self) -> Result<Vec<(String, String)>, Broken> {
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(fields);
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| malformed("a colon in a field", &line))?;
            if name.is_empty() || !name.bytes().all(is_token) {
                return Err(malformed("a token for a field name", name));
            }
            fields.push((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()));
        }
    }

    /// One line without its CRLF; bytes beyond ASCII as Latin-1.
    fn line(&mut self) -> Result<String, Broken> {
        let mut from = self.at;
        let end = loop {
            if let Some(found) = self.buffer[from..].iter().position(|&byte| byte == b'\n') {
                break from + found;
            }
            from = self.buffer.len();
            if !self.fill()? {
                return Err(self.truncated());
            }
        };
        let line: String = self.buffer[self.at..end]
            .iter()
            .map(|&byte| char::from(byte))
            .collect();
        self.at = end + 1;
        match line.strip_suffix('\r') {
            Some(line) if !line.contains(['\r', '\0']) => Ok(line.to_owned()),
            _ => Err(malformed(
                "a line without stray CR or NUL that ends in CRLF",
                &line,
            )),
        }
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>, Broken> {
        while self.buffer.len() - self.at < length {
            if !self.fill()? {
                return Err(self.truncated());
            }
        }
        let bytes = self.buffer[self.at..self.at + length].to_vec();
        self.at += length;
        Ok(bytes)
    }

    fn fill(&mut self) -> Result<bool, Broken> {
        let mut chunk = [0; 16 * 1024];
        let count = self.source.read(&mut chunk).map_err(Broken::Io)?;
        self.buffer.extend_from_slice(&chunk[..count]);
        Ok(count > 0)
    }

    fn truncated(&self) -> Broken {
        Broken::Truncated(String::from_utf8_lossy(self.buffer).into_owned())
    }
}

fn status_line(line: &str) -> Result<(String, u16, String), Broken> {
    let wrong = || malformed("a status line", line);
    let (version, rest) = line.split_once(' ').ok_or_else(wrong)?;
    let (status, reason) = rest.split_once(' ').ok_or_else(wrong)?;
    let digits = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
    let known = version == "HTTP/1.1" || version == "HTTP/1.0";
    let status: u16 = status
        .parse()
        .ok()
        .filter(|_| digits && known)
        .ok_or_else(wrong)?;
    Ok((version.to_owned(), status, reason.to_owned()))
}

fn declared_length(response: &Response) -> Result<Option<usize>, Broken> {
    match response
        .all("content-length")
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => Ok(None),
        [one] if !one.is_empty() && one.bytes().all(|byte| byte.is_ascii_digit()) => one
            .parse()
            .map(Some)
            .map_err(|_| malformed("a length", one)),
        other => Err(malformed("one length of digits", &format!("{other:?}"))),
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn malformed(expected: &str, found: &str) -> Broken {
    Broken::Malformed(format!("expected {expected}, found {found:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &str, to: To) -> Result<Response, Broken> {
        let mut buffer = Vec::new();
        let response = Response::read(&mut bytes.as_bytes(), &mut buffer, to)?;
        assert_eq!(buffer, b"", "unread bytes");
        Ok(response)
    }

    #[test]
    fn lengths_chunks_and_trailers_are_read() {
        let one = read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", To::Other).unwrap();
        assert_eq!(
            (one.status, one.body.as_slice(), one.framing),
            (200, &b"hi"[..], Framing::Length)
        );
        let two =
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\na: b\r\n\r\n";
        let two = read(two, To::Other).unwrap();
        assert_eq!(
            (two.body.as_slice(), two.framing),
            (&b"hi"[..], Framing::Chunked)
        );
        assert_eq!(two.trailers, [("a".to_owned(), "b".to_owned())]);
    }

    #[test]
    fn responses_without_body_end_after_their_head() {
        read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", To::Head).unwrap();
        read("HTTP/1.1 204 No Content\r\n\r\n", To::Other).unwrap();
        read(
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
            To::Other,
        )
        .unwrap();
    }

    #[test]
    fn sloppy_responses_are_refused() {
        for bytes in [
            "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n",
        ] {
            let outcome = read(bytes, To::Other);
            assert!(
                matches!(outcome, Err(Broken::Malformed(_))),
                "{bytes:?}: {outcome:?}"
            );
        }
        let cut = read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", To::Other);
        assert!(matches!(cut, Err(Broken::Truncated(_))), "{cut:?}");
    }
}
