//! Where an address that only redirects sends its clients: to the same place by https.

use crate::http1::Head;
use crate::routes::without_port;

/// The URL that a request for the same would have by https at `port`; none if the client does not say
/// which host it means.
pub(super) fn location(head: &Head, raw: &[u8], port: u16) -> Option<Vec<u8>> {
    let host = without_port(head.authority(raw));
    if host.is_empty() {
        return None;
    }
    let mut url = [b"https://", host].concat();
    if port != HTTPS {
        url.extend_from_slice(format!(":{port}").as_bytes());
    }
    match head.path(raw) {
        path if path.starts_with(b"/") => url.extend_from_slice(path),
        _ => url.push(b'/'),
    }
    if let Some(query) = head.query(raw) {
        url.push(b'?');
        url.extend_from_slice(query);
    }
    Some(url)
}

/// The port that needs not be said.
const HTTPS: u16 = 443;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::HeadLimits;

    fn sent_on(request: &str, port: u16) -> Option<String> {
        let mut raw = request.as_bytes().to_vec();
        let (mut head, length) = (Head::default(), raw.len());
        let limits = HeadLimits::default();
        head.parse_filled(&mut raw, length, &limits)
            .unwrap()
            .unwrap();
        location(&head, &raw, port).map(|url| String::from_utf8(url).unwrap())
    }

    #[test]
    fn the_url_keeps_host_path_and_query_and_nothing_else() {
        for (target, host, port, url) in [
            ("/a?b=c", "example.org", 443, "https://example.org/a?b=c"),
            ("/", "example.org:8080", 8443, "https://example.org:8443/"),
            ("/", "[::1]:80", 443, "https://[::1]/"),
            ("/", "[::1]", 444, "https://[::1]:444/"),
            (
                "http://other.org:81/x?",
                "other.org:81",
                443,
                "https://other.org/x?",
            ),
        ] {
            let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            assert_eq!(sent_on(&request, port).as_deref(), Some(url), "{target}");
        }
        assert_eq!(sent_on("GET / HTTP/1.0\r\n\r\n", 443), None);
        let all = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(sent_on(all, 443).as_deref(), Some("https://a/"));
    }
}
