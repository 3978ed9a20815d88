//! Says what the request on its standard input asks for, as inetd would start it.

use std::io::{self, Read, Write};

use gateway_spec::Body;
use gateway_spec::cgi::Variables;

fn main() -> io::Result<()> {
    let (mut input, mut held, mut piece) = (io::stdin().lock(), Vec::new(), [0; 4096]);
    let (variables, length) = loop {
        if let Some(head) = gateway_uwsgi::head(&held, 64 * 1024).map_err(io::Error::other)? {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let pairs = head.variables().map(|(name, value)| (text(name), value));
            break (pairs.collect::<Variables>(), head.length);
        }
        match input.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => held.extend_from_slice(&piece[..count]),
        }
    };
    let length_of = |text: &[u8]| std::str::from_utf8(text).ok()?.parse().ok();
    let wanted = variables
        .get("CONTENT_LENGTH")
        .and_then(length_of)
        .unwrap_or(0);
    let mut body = held.split_off(length);
    while body.len() < wanted {
        match input.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => body.extend_from_slice(&piece[..count]),
        }
    }
    let request = variables
        .to_request(Body::from(body))
        .map_err(io::Error::other)?;
    let target = String::from_utf8_lossy(request.target()).into_owned();
    let text = format!(
        "{} {target}, {:?} bytes\n",
        request.method(),
        request.content_length()
    );
    let mut output = io::stdout().lock();
    write!(
        output,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n{text}"
    )?;
    output.flush()
}
