//! Replays `tests/corpus/http1` through the HTTP/1.1 engine, however the bytes are split.

use std::fs;
use std::path::{Path, PathBuf};

use gateway_server::internal::http1::{
    BodyDecoder, BodyError, BodyLength, Decoded, Head, HeadError, Version,
};
use gateway_server::internal::limits::{BodyLimits, HeadLimits};

#[test]
fn every_case_has_its_verdict_whole() {
    for case in cases() {
        assert_eq!(
            verdict(&case.bytes, [case.bytes.len()]),
            case.expected,
            "{}",
            case.name
        );
    }
}

#[test]
fn every_case_has_its_verdict_byte_by_byte() {
    for case in cases() {
        assert_eq!(
            verdict(&case.bytes, 0..=case.bytes.len()),
            case.expected,
            "{}",
            case.name
        );
    }
}

#[test]
fn every_case_has_its_verdict_cut_in_two_anywhere() {
    for case in cases().into_iter().filter(|case| case.bytes.len() < 1_000) {
        for cut in 0..case.bytes.len() {
            let ends = [cut, case.bytes.len()];
            assert_eq!(
                verdict(&case.bytes, ends),
                case.expected,
                "{} at {cut}",
                case.name
            );
        }
    }
}

#[test]
fn every_case_has_its_verdict_at_random_splits() {
    let mut random = Random(0x5EED);
    for case in cases() {
        let rounds = if case.bytes.len() < 1_000 { 20 } else { 3 };
        for _ in 0..rounds {
            let longest = 1 + random.below(40.max(case.bytes.len() / 10));
            let mut ends = vec![0];
            while ends[ends.len() - 1] < case.bytes.len() {
                let end = ends[ends.len() - 1] + 1 + random.below(longest);
                ends.push(end.min(case.bytes.len()));
            }
            let found = verdict(&case.bytes, ends.iter().copied());
            assert_eq!(found, case.expected, "{} at {ends:?}", case.name);
        }
    }
}

#[test]
fn the_corpus_is_as_large_as_it_was() {
    assert!(cases().len() >= 320, "{} cases", cases().len());
}

#[test]
fn the_documentation_has_every_case_in_a_row_with_its_verdict() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/http1.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let cases = cases();
    let mut shown = Vec::new();
    for row in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [_, _, verdict, names] = cells[..] else {
            panic!("expected four cells: {row}");
        };
        if verdict == "verdict" {
            continue;
        }
        let names: Vec<&str> = names
            .split(", ")
            .map(|name| name.trim_matches('`'))
            .collect();
        for name in &names {
            let case = cases.iter().find(|case| case.name == *name);
            let expected = &case
                .unwrap_or_else(|| panic!("no case {name}: {row}"))
                .expected;
            let words: Vec<&str> = expected.split_whitespace().take(2).collect();
            let found = match words[..] {
                ["incomplete"] => "waits".to_owned(),
                ["reject", status] => format!("refused {status}"),
                _ => "accepted".to_owned(),
            };
            assert_eq!(found, verdict, "{name}: {row}");
        }
        shown.extend(names);
    }
    for case in &cases {
        let rows = shown.iter().filter(|name| **name == case.name).count();
        assert_eq!(rows, 1, "rows of docs/http1.md that show {}", case.name);
    }
}

struct Case {
    name: String,
    bytes: Vec<u8>,
    expected: String,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/http1");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the corpus is there")
        .map(|entry| entry.expect("the corpus can be read").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "http")
        })
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| Case {
            name: path.file_stem().unwrap_or_default().display().to_string(),
            bytes: fs::read(&path).expect("the case can be read"),
            expected: fs::read_to_string(path.with_extension("expect"))
                .expect("the case has a verdict"),
        })
        .collect()
}

/// The verdict in the words of an `.expect` file, if the bytes up to each of `ends` arrive
/// together.
fn verdict(bytes: &[u8], ends: impl IntoIterator<Item = usize>) -> String {
    let mut connection = Connection::default();
    for end in ends {
        let new = connection.received..end;
        connection.buf.extend_from_slice(&bytes[new]);
        connection.received = end;
        if let Err(refusal) = connection.advance() {
            return refusal;
        }
    }
    connection.text()
}

/// As much of a connection as the engine leaves to it.
#[derive(Default)]
struct Connection {
    /// What arrived and was not consumed.
    buf: Vec<u8>,
    received: usize,
    head: Head,
    /// Facts of the head, once it is complete.
    facts: Option<String>,
    announces_body: bool,
    decoder: Option<BodyDecoder>,
    body: Vec<u8>,
}

impl Connection {
    fn advance(&mut self) -> Result<(), String> {
        if self.decoder.is_none() {
            let parsed = self.head.parse(&mut self.buf, &HeadLimits::default());
            let Some(length) = parsed.map_err(head_refusal)? else {
                return Ok(());
            };
            self.facts = Some(facts(&self.head, &self.buf));
            self.announces_body = self.head.body() != BodyLength::None;
            let decoder = BodyDecoder::new(self.head.body(), &BodyLimits::default());
            self.decoder = Some(decoder.map_err(body_refusal)?);
            self.buf.drain(..length);
        }
        let Some(decoder) = &mut self.decoder else {
            return Ok(());
        };
        loop {
            match decoder.decode(&self.buf).map_err(body_refusal)? {
                Decoded::NeedMore { consumed } => {
                    self.buf.drain(..consumed);
                    assert!(
                        self.buf.is_empty(),
                        "the decoder consumes what it looked at"
                    );
                    return Ok(());
                }
                Decoded::Data { range, consumed } => {
                    assert!(!range.is_empty());
                    self.body.extend_from_slice(&self.buf[range]);
                    self.buf.drain(..consumed);
                }
                Decoded::End { consumed } => {
                    self.buf.drain(..consumed);
                    assert!(decoder.is_ended());
                    return Ok(());
                }
            }
        }
    }

    fn text(&self) -> String {
        let (Some(facts), Some(decoder)) = (&self.facts, &self.decoder) else {
            return "incomplete\n".to_owned();
        };
        if decoder.end_of_input() == Err(BodyError::Truncated) {
            return "incomplete\n".to_owned();
        }
        let mut text = facts.clone();
        if self.announces_body {
            line(&mut text, &format!("body {}", self.body.escape_ascii()));
        }
        for field in decoder.trailers() {
            let name = String::from_utf8_lossy(field.name()).into_owned();
            line(
                &mut text,
                &format!("trailer {name}: {}", field.value().escape_ascii()),
            );
        }
        if !self.buf.is_empty() {
            line(&mut text, &format!("leftover {}", self.buf.escape_ascii()));
        }
        text
    }
}

fn facts(head: &Head, buf: &[u8]) -> String {
    let mut text = "accept\n".to_owned();
    line(
        &mut text,
        &format!("method {}", String::from_utf8_lossy(head.method(buf))),
    );
    line(
        &mut text,
        &format!("target {}", head.target(buf).escape_ascii()),
    );
    let version = match head.version() {
        Version::Http10 => "HTTP/1.0",
        Version::Http11 => "HTTP/1.1",
    };
    line(&mut text, &format!("version {version}"));
    for field in head.fields(buf) {
        let name = String::from_utf8_lossy(field.name()).into_owned();
        line(
            &mut text,
            &format!("field {name}: {}", field.value().escape_ascii()),
        );
    }
    let connection = if head.keep_alive() {
        "keep-alive"
    } else {
        "close"
    };
    line(&mut text, &format!("connection {connection}"));
    if head.expect_continue() {
        line(&mut text, "expects 100-continue");
    }
    if let Some(protocols) = head.upgrade(buf) {
        line(&mut text, &format!("upgrade {}", protocols.escape_ascii()));
    }
    text
}

fn line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

fn head_refusal(error: HeadError) -> String {
    format!("reject {} {error:?}\n", error.status())
}

fn body_refusal(error: BodyError) -> String {
    format!("reject {} {error:?}\n", error.status())
}

/// A linear congruential generator: the same splits in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }
}
