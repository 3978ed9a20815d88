use std::borrow::Cow;
use std::net::IpAddr;
use std::path::Path;

use super::super::sink::open;
use super::*;

const ENDED: Ended<'static> = Ended {
    status: 200,
    received: 3,
    sent: 13,
    took_ns: 1_234_567,
    first_byte_ns: 1_000_999,
    queued_ns: 0,
    fields: &[],
};

/// A request with a client's text in target and user agent.
struct Asked(&'static [u8]);

impl Request for Asked {
    fn client(&self) -> Option<IpAddr> {
        Some([127, 0, 0, 1].into())
    }

    fn began_ns(&self) -> u64 {
        1
    }

    fn method(&self) -> &[u8] {
        b"GET"
    }

    fn target(&self) -> &[u8] {
        self.0
    }

    fn path(&self) -> &[u8] {
        self.0
    }

    fn query(&self) -> &[u8] {
        b""
    }

    fn version(&self) -> &'static str {
        "HTTP/1.1"
    }

    fn line(&self) -> Option<&[u8]> {
        None
    }

    fn scheme(&self) -> &'static str {
        "http"
    }

    fn host(&self) -> &[u8] {
        b"localhost"
    }

    fn id(&self) -> Option<Cow<'_, str>> {
        Some("1-2".into())
    }

    fn field(&self, name: &[u8], _id: u16) -> Option<&[u8]> {
        (name == b"user-agent").then_some(self.0)
    }

    fn app(&self) -> Option<&str> {
        None
    }
}

/// The lines of requests in a format, each with a client's text in target and user agent.
fn lines(format: &str, texts: &[&'static [u8]]) -> String {
    let [one, other] = [false, true].map(|at_once| lines_written(format, texts, at_once));
    // Only the second may be another.
    assert_eq!(one.len(), other.len(), "{one}{other}");
    other
}

fn lines_written(format: &str, texts: &[&'static [u8]], at_once: bool) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    let manner = Manner {
        format: Format::parse(format).unwrap(),
        selection: Selection::default(),
    };
    let log = AccessLog::of(&LogTarget::File(file.path().to_owned()), manner).unwrap();
    log.introduce(3, "an \"app\"");
    for text in texts {
        let request = Asked(text);
        match at_once {
            true => log.write(&request, &ENDED),
            false => log.record(log.visit(&request), &ENDED),
        }
    }
    // They wait for the file, and go to the one that was there before.
    log.flush();
    log.write_to(open(file.path()).unwrap());
    log.write_to(open(Path::new("/dev/null")).unwrap());
    drop(log);
    std::fs::read_to_string(file.path()).unwrap()
}

#[test]
fn a_line_is_in_the_combined_format_and_cannot_be_forged() {
    let text = lines("combined", &[b"/\"\n\xff"]);
    let (start, rest) = text.split_once('[').unwrap();
    let (time, rest) = rest.split_once(']').unwrap();
    assert_eq!(start, "127.0.0.1 - - ");
    assert_eq!(time.len(), "22/Nov/2026:05:18:49 +0000".len(), "{time}");
    assert_eq!(
        rest,
        " \"GET /\\\"\\x0a\\xff HTTP/1.1\" 200 13 \"-\" \"/\\\"\\x0a\\xff\"\n"
    );
}

#[test]
fn a_format_says_what_is_asked_for() {
    let text = lines("%m %U %s %b %D %M %(L)s %F %Q %w %i %{x-y}i %A", &[b"/a"]);
    assert_eq!(
        text,
        "GET /a 200 13 1234 1 0.001234 0.001000 0.000000 3 1-2 - an \\\"app\\\"\n"
    );
}

#[test]
fn json_is_json_whatever_clients_send_and_never_longer_than_a_pipe_takes() {
    let long: &'static [u8] = &[1; 9_000];
    let texts: [&[u8]; 3] = [b"/a\",\"status\":500,\"x\":\"", b"/\xff\r\n", long];
    let text = lines("json", &texts);
    for (line, sent) in text.lines().zip(texts) {
        assert!(line.len() < 4096, "{}", line.len());
        let read: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(read["status"], 200);
        assert_eq!(read["duration_ms"], 1.234);
        assert_eq!(read["worker"], 3);
        assert_eq!(read["app"], "an \"app\"");
        assert_eq!(read["referer"], serde_json::Value::Null);
        let target = read["target"].as_str().unwrap();
        let whole = String::from_utf8_lossy(sent);
        let shown = target.trim_end_matches('…');
        assert!(whole.starts_with(shown) && !shown.is_empty());
    }
    assert_eq!(text.lines().count(), texts.len());
}
