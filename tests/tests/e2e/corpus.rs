//! Over a real socket the corpus of requests meets the verdicts written beside it, however the bytes
//! arrive.
//!
//! The same files pass through the engine alone in gateway-server/tests/corpus.rs; here the socket,
//! the connection and the ABI stand in between, and the application tells what it saw.

use std::fs;
use std::path::Path;

use gateway_tests::artefacts::{Artefacts, root};
use gateway_tests::client::{Client, get};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::response::{Broken, Response, To};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// One file of the corpus.
struct Case {
    name: String,
    bytes: Vec<u8>,
    verdict: Verdict,
}

enum Verdict {
    Reject(u16),
    /// The head is good, the body is not: the application answers what it makes of the error.
    RejectBody,
    Incomplete,
    Accept(Expected),
}

/// What the application must have seen.
#[derive(Default)]
struct Expected {
    method: String,
    target: String,
    version: String,
    fields: Vec<Value>,
    closes: bool,
    continues: bool,
    body: Vec<u8>,
    /// Bytes behind it belong to the next request already.
    has_leftover: bool,
}

#[test]
fn requests_that_come_at_once() {
    replay(|client, bytes| drop(client.try_send(bytes)), |_| true);
}

#[test]
fn requests_that_come_byte_by_byte() {
    let bytewise = |client: &mut Client, bytes: &[u8]| {
        // A server that has refused closes before the last byte.
        let _sent = bytes.iter().try_for_each(|byte| client.try_send([*byte]));
    };
    replay(bytewise, |case| case.bytes.len() <= 2_000);
}

#[test]
fn requests_pipelined_behind_a_good_one() {
    let pipelined = |client: &mut Client, bytes: &[u8]| {
        let _sent = client.try_send([get("/before").as_bytes(), bytes].concat());
        let before = client.response();
        assert_eq!(before.json()["path"], "/before");
    };
    replay(pipelined, |_| true);
}

#[test]
fn no_answer_belongs_to_another_request_than_it_seems_to() {
    let between = |client: &mut Client, bytes: &[u8]| {
        let parts = [get("/before").as_bytes(), bytes, get("/after").as_bytes()].concat();
        let _sent = client.try_send(parts);
        assert_eq!(client.response().json()["path"], "/before");
    };
    play(between, Case::is_whole, |case, client| {
        case.judge(client)?;
        let Verdict::Accept(expected) = &case.verdict else {
            // Its judgement includes that nothing follows.
            return Ok(());
        };
        match client.read(To::Other) {
            // No tunnel has come about, and what was sent into it is lost.
            _ if expected.method == "CONNECT" => Ok(()),
            Ok(after) if !expected.closes => {
                same("behind it", &after.json()["path"], &json!("/after"))
            }
            Err(Broken::Closed) if expected.closes => Ok(()),
            other => Err(format!("behind it: {other:?}")),
        }
    });
}

/// Plays every chosen case on a connection of its own and collects all that went wrong.
fn replay(send: impl Fn(&mut Client, &[u8]), choose: impl Fn(&Case) -> bool) {
    play(send, choose, Case::judge);
}

/// The same, with a judgement of one's own.
fn play(
    send: impl Fn(&mut Client, &[u8]),
    choose: impl Fn(&Case) -> bool,
    judge: impl Fn(&Case, &mut Client) -> Result<(), String>,
) {
    // The preface of HTTP/2 is one of the cases.
    let arguments = ["--workers", "1", "--max-body", "64MiB", "--http1-only"];
    let server = Gatewayd::serve(Artefacts::built().module("echo"), &arguments);
    let cases = corpus();
    assert!(cases.len() > 200, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in cases.iter().filter(|case| choose(case)) {
        let mut client = server.connect();
        send(&mut client, &case.bytes);
        if let Err(why) = judge(case, &mut client) {
            wrong.push(format!("{}: {why}", case.name));
        }
    }
    let (bad, all) = (wrong.len(), cases.len());
    assert!(
        wrong.is_empty(),
        "{bad} of {all} cases went wrong:\n{}",
        wrong.join("\n")
    );
}

impl Case {
    /// Whether its verdict stands before anything follows, and what follows is a request of its own.
    fn is_whole(&self) -> bool {
        match &self.verdict {
            Verdict::Incomplete => false,
            Verdict::Accept(expected) => !expected.has_leftover,
            Verdict::Reject(_) | Verdict::RejectBody => true,
        }
    }

    fn judge(&self, client: &mut Client) -> Result<(), String> {
        match &self.verdict {
            Verdict::Reject(status) => {
                let response = client
                    .read(To::Other)
                    .map_err(|broken| format!("{broken:?}"))?;
                same("status", &response.status, status)?;
                same("closes", &response.closes(), &true)?;
                same("after it", &client.rest(), &Vec::new())
            }
            Verdict::RejectBody => {
                let response = client
                    .read(To::Other)
                    .map_err(|broken| format!("{broken:?}"))?;
                if response.status == 100 {
                    return self.judge(client);
                }
                let refused = [400, 413].contains(&response.status);
                same("a refusal", &refused, &true)?;
                same("after it", &client.rest(), &Vec::new())
            }
            Verdict::Incomplete => {
                client.finish();
                match client.read(To::Other) {
                    Ok(response) if response.status == 100 => self.judge_end(client),
                    other => end_or_refusal(other),
                }
            }
            Verdict::Accept(expected) => expected.judge(client),
        }
    }

    fn judge_end(&self, client: &mut Client) -> Result<(), String> {
        end_or_refusal(client.read(To::Other))
    }
}

/// Half a request is never answered as if it were whole.
fn end_or_refusal(outcome: Result<Response, Broken>) -> Result<(), String> {
    match outcome {
        Err(Broken::Closed) => Ok(()),
        Ok(response) if (400..500).contains(&response.status) => Ok(()),
        other => Err(format!("expected the end or a refusal, found {other:?}")),
    }
}

impl Expected {
    fn judge(&self, client: &mut Client) -> Result<(), String> {
        let to = if self.method == "HEAD" {
            To::Head
        } else {
            To::Other
        };
        let mut response = client.read(to).map_err(|broken| format!("{broken:?}"))?;
        // A body that is there already need not be asked for.
        if self.continues && response.status == 100 {
            response = client.read(to).map_err(|broken| format!("{broken:?}"))?;
        }
        if self.method == "CONNECT" {
            // The application opens no tunnel, and its 200 would promise one.
            return same("status", &response.status, &501);
        }
        same("status", &response.status, &200)?;
        same("closes", &response.closes(), &self.closes)?;
        if to == To::Head {
            return Ok(());
        }
        let answer = response.json();
        same("method", &answer["method"], &json!(self.method))?;
        same("target", &answer["target"], &json!(self.target))?;
        same("version", &answer["version"], &json!(self.version))?;
        same("fields", &answer["headers"], &json!(self.fields))?;
        same("body length", &answer["body_len"], &json!(self.body.len()))?;
        let digest: String = Sha256::digest(&self.body)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        same("body", &answer["body_sha256"], &json!(digest))
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: expected {expected:?}, found {found:?}"))
}

fn corpus() -> Vec<Case> {
    let folder = root().join("tests/corpus/http1");
    let mut cases: Vec<Case> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "http")
        })
        .map(|path| Case {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            bytes: fs::read(&path).unwrap(),
            verdict: verdict(&path.with_extension("expect")),
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

fn verdict(path: &Path) -> Verdict {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let first = lines.next().unwrap();
    if first == "incomplete" {
        return Verdict::Incomplete;
    }
    if let Some(rest) = first.strip_prefix("reject ") {
        let (status, reason) = rest.split_once(' ').unwrap();
        if BODY_ERRORS.contains(&reason) {
            return Verdict::RejectBody;
        }
        return Verdict::Reject(status.parse().unwrap());
    }
    assert_eq!(first, "accept", "{}", path.display());
    let mut expected = Expected::default();
    for line in lines {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        let latin1 = || {
            unescape(value)
                .iter()
                .map(|&byte| char::from(byte))
                .collect::<String>()
        };
        match key {
            "method" => expected.method = latin1(),
            "target" => expected.target = latin1(),
            "version" => expected.version = latin1(),
            "field" => {
                let line = latin1();
                let (name, value) = line.split_once(':').unwrap();
                let value = value.strip_prefix(' ').unwrap_or(value);
                expected.fields.push(json!([name, value]));
            }
            "connection" => expected.closes = value == "close",
            "expects" => expected.continues = true,
            "body" => expected.body = unescape(value),
            // The application does not show these.
            "upgrade" | "trailer" => {}
            "leftover" => expected.has_leftover = true,
            other => panic!("{}: unknown fact {other:?}", path.display()),
        }
    }
    Verdict::Accept(expected)
}

/// Undoes `escape_ascii`.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let (byte, length) = match rest {
            [b't', ..] => (b'\t', 1),
            [b'r', ..] => (b'\r', 1),
            [b'n', ..] => (b'\n', 1),
            [b'x', high, low, ..] => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).unwrap();
                (u8::from_str_radix(digits, 16).unwrap(), 3)
            }
            [other, ..] => (*other, 1),
            [] => panic!("a backslash at the end of {text:?}"),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    bytes
}

/// Reasons that are found behind the head.
const BODY_ERRORS: [&str; 8] = [
    "ChunkEnd",
    "ChunkExtension",
    "ChunkExtensionsTooLong",
    "ChunkLineTooLong",
    "ChunkSize",
    "TooLarge",
    "TrailerSyntax",
    "TrailersTooLarge",
];
