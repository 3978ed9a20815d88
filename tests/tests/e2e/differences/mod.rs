//! hyper, nginx and Gunicorn judge the corpus as docs/differences.md says, and wherever one of them judges
//! otherwise than we do the page says who is right.

mod page;
mod servers;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::sync::Mutex;
use std::thread;

use gateway_tests::address::Address;
use gateway_tests::artefacts::root;
use gateway_tests::client::get;
use gateway_tests::response::{Broken, Response, To};

use self::page::Page;
use self::servers::Servers;

/// What a server makes of a case, in a few words.
type Verdict = String;

/// A request of the corpus, and what stands in its `.expect`.
struct Case {
    name: String,
    bytes: Vec<u8>,
    expected: String,
}

#[test]
fn the_page_of_differences_is_as_the_servers_are() {
    let servers = Servers::start();
    let cases = corpus();
    let verdicts: Vec<BTreeMap<String, Verdict>> = servers
        .addresses()
        .map(|address| judge_all(&cases, address))
        .collect();
    let page = Page::of(&cases, &verdicts, &servers.versions());
    let path = root().join("docs/differences.md");
    if env::var_os("GATEWAY_WRITE_DIFFERENCES").is_some() {
        fs::write(&path, page.text()).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let now = page.text();
    for (found, stands) in now.lines().zip(committed.lines()) {
        assert_eq!(found, stands, "{STALE}");
    }
    assert_eq!(now.len(), committed.len(), "{STALE}");
    assert!(
        page.unjudged().is_empty(),
        "nobody says who is right: {:#?}",
        page.unjudged()
    );
}

const STALE: &str = "docs/differences.md is not what these servers do; look at what has changed, then \
    write it anew: GATEWAY_WRITE_DIFFERENCES=1 cargo test -p gateway-tests --test e2e differences";

fn corpus() -> Vec<Case> {
    let folder = root().join("tests/corpus/http1");
    let paths = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let requests = paths.filter(|path| path.extension().is_some_and(|end| end == "http"));
    let mut cases: Vec<Case> = requests
        .map(|path| Case {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            bytes: fs::read(&path).unwrap(),
            expected: fs::read_to_string(path.with_extension("expect")).unwrap(),
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// The verdicts of one server, a few cases at a time.
fn judge_all(cases: &[Case], address: &Address) -> BTreeMap<String, Verdict> {
    let (verdicts, next) = (Mutex::default(), Mutex::new(cases.iter()));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = take(&next) {
                    let verdict = case.judged_by(address);
                    let mut all: std::sync::MutexGuard<'_, BTreeMap<_, _>> =
                        verdicts.lock().unwrap();
                    all.insert(case.name.clone(), verdict);
                }
            });
        }
    });
    verdicts.into_inner().unwrap()
}

fn take<'c>(next: &Mutex<std::slice::Iter<'c, Case>>) -> Option<&'c Case> {
    next.lock().unwrap().next()
}

impl Case {
    fn is_accepted(&self) -> bool {
        self.expected.starts_with("accept")
    }

    fn has(&self, fact: &str) -> bool {
        self.expected.lines().any(|line| line.starts_with(fact))
    }

    /// Whether a request behind it is one of its own, if the case is read as we read it.
    fn is_followed(&self) -> bool {
        self.expected != "incomplete\n" && !self.has("leftover") && !self.has("method CONNECT")
    }

    /// Sends the case, another request behind it and the end, and reads all that comes.
    fn judged_by(&self, address: &Address) -> Verdict {
        let mut stream = address.connect().expect("a server");
        let behind = get("/behind");
        let behind = if self.is_followed() {
            behind.as_bytes()
        } else {
            b""
        };
        // A server that has refused need not read the rest.
        let _sent = stream.write_all(&[&self.bytes, behind].concat());
        let _ended = stream.finish();
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        // A reset loses nothing that has been read.
        loop {
            match stream.read(&mut chunk) {
                Ok(count @ 1..) => bytes.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    panic!(
                        "{}: neither an answer nor the end by the deadline",
                        self.name
                    )
                }
                Ok(0) | Err(_) => break,
            }
        }
        match self.answers(bytes) {
            Ok(answers) => self.verdict(&answers),
            Err(_) => "accepted, with an answer that is none in HTTP/1".to_owned(),
        }
    }

    fn answers(&self, mut ahead: Vec<u8>) -> Result<Vec<Response>, Broken> {
        let mut answers = Vec::new();
        loop {
            let to = match answers.is_empty() && self.bytes.starts_with(b"HEAD") {
                true => To::Head,
                false => To::Other,
            };
            match Response::read(&mut std::io::empty(), &mut ahead, to) {
                Ok(response) if response.status < 200 => {}
                Ok(response) => answers.push(response),
                Err(Broken::Closed) => return Ok(answers),
                Err(broken) => return Err(broken),
            }
        }
    }

    fn verdict(&self, answers: &[Response]) -> Verdict {
        let is_behind = |answer: &Response| {
            let target = answer.body.windows(7).any(|seven| seven == b"/behind");
            answer.status < 400 && target
        };
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        match (&statuses[..], answers) {
            ([], _) => "nothing".to_owned(),
            ([status @ 400..=999, ..], _) => format!("refused {status}"),
            (_, [first, ..]) if is_behind(first) => "accepted, as one with the next".to_owned(),
            // What is left over was judged by others.
            _ if !self.is_followed() => "accepted".to_owned(),
            (_, [_]) => "accepted, the next lost".to_owned(),
            (_, [_, next]) if is_behind(next) => "accepted".to_owned(),
            ([_, status @ 400..=999, ..], _) => format!("accepted, the rest refused {status}"),
            _ => format!("accepted, as {} requests", answers.len()),
        }
    }
}
