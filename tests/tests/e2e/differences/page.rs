//! docs/differences.md: every case that a server judges otherwise than we do, by the questions of
//! docs/http1.md, with who is right.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use gateway_tests::artefacts::root;

use super::{Case, Verdict};

/// The page, before it is written down.
pub(super) struct Page {
    names: [String; 4],
    rows: Vec<Row>,
    judgements: Judgements,
    cases: usize,
    /// Cases that each server judges otherwise.
    differences: [usize; 4],
}

/// Cases of one question that get the same verdicts.
struct Row {
    /// All cases of the question.
    question: Vec<String>,
    cases: Vec<String>,
    verdicts: Vec<Verdict>,
}

impl Page {
    /// `verdicts` are the servers', ours first.
    pub(super) fn of(
        cases: &[Case],
        verdicts: &[BTreeMap<String, Verdict>],
        names: &[String; 4],
    ) -> Self {
        let mut rows: Vec<Row> = Vec::new();
        let mut differences = [0; 4];
        for question in questions() {
            let begin = rows.len();
            for name in &question {
                let case = cases.iter().find(|case| case.name == *name).unwrap();
                let mut verdicts: Vec<Verdict> =
                    verdicts.iter().map(|one| one[name].clone()).collect();
                if case.has("method CONNECT") {
                    // The application opens no tunnel, and says so.
                    verdicts[0] = "accepted".to_owned();
                }
                assert_eq!(
                    verdicts[0].starts_with("accepted"),
                    case.is_accepted(),
                    "{name}"
                );
                let ours = verdicts[0].clone();
                let mut differs = false;
                for (theirs, count) in verdicts.iter().zip(&mut differences) {
                    let other = !agree(&ours, theirs);
                    *count += usize::from(other);
                    differs |= other;
                }
                if !differs {
                    continue;
                }
                let same = rows[begin..]
                    .iter_mut()
                    .find(|row| row.verdicts == verdicts);
                match same {
                    Some(row) => row.cases.push(name.clone()),
                    None => rows.push(Row {
                        question: question.clone(),
                        cases: vec![name.clone()],
                        verdicts,
                    }),
                }
            }
        }
        Self {
            names: names.clone(),
            rows,
            judgements: Judgements::read(),
            cases: cases.len(),
            differences,
        }
    }

    pub(super) fn text(&self) -> String {
        let [_, hyper, nginx, gunicorn] = &self.names;
        let [_, a, b, c] = self.differences;
        let mut text = format!(
            "{HEAD}\nOf {} requests {hyper} judges {a} otherwise, {nginx} {b} and {gunicorn} {c}.\n\n\
             | requests | {} | who is right, and why |\n|---|---|---|---|---|---|\n",
            self.cases,
            self.names.join(" | ")
        );
        for row in &self.rows {
            let cases: Vec<_> = row.cases.iter().map(|case| format!("`{case}`")).collect();
            let verdicts: Vec<_> = row
                .verdicts
                .iter()
                .map(|verdict| self.shown(verdict, row))
                .collect();
            let judgement = self.judgements.of(row).unwrap_or_default();
            let _ = writeln!(
                text,
                "| {} | {} | {judgement} |",
                cases.join(", "),
                verdicts.join(" | ")
            );
        }
        text
    }

    /// What differs from ours stands out.
    fn shown(&self, verdict: &str, row: &Row) -> String {
        match agree(&row.verdicts[0], verdict) {
            true => verdict.to_owned(),
            false => format!("**{verdict}**"),
        }
    }

    /// What is wrong with the judgements: cases that nobody judges, and judgements of what does not differ.
    pub(super) fn unjudged(&self) -> Vec<String> {
        let mut used = BTreeSet::new();
        let mut wrong = Vec::new();
        for row in &self.rows {
            match self.judgements.key(row) {
                Some(key) => drop(used.insert(key)),
                None => wrong.push(format!("not judged: {}", row.cases[0])),
            }
        }
        let idle = self.judgements.0.keys().filter(|key| !used.contains(*key));
        wrong.extend(idle.map(|key| format!("judged and no difference: {key}")));
        wrong
    }
}

/// Who is right, by the first case of a row or of its question.
struct Judgements(BTreeMap<String, String>);

impl Judgements {
    fn read() -> Self {
        let text = fs::read_to_string(root().join("tests/corpus/judgements.txt")).unwrap();
        let pair = |line: &str| {
            let (case, judgement) = line.split_once(": ").expect(line);
            (case.to_owned(), judgement.to_owned())
        };
        Self(text.lines().map(pair).collect())
    }

    fn key<'r>(&self, row: &'r Row) -> Option<&'r String> {
        let mut keys = [&row.cases[0], &row.question[0]].into_iter();
        keys.find(|key| self.0.contains_key(*key))
    }

    fn of(&self, row: &Row) -> Option<&str> {
        Some(&self.0[self.key(row)?])
    }
}

/// Whether two verdicts come to the same: how a refusal is numbered does not count, and whoever never
/// gets the rest of a message may say so or not.
fn agree(ours: &str, theirs: &str) -> bool {
    let kind = |verdict: &str| match verdict {
        "nothing" => "refused".to_owned(),
        refused if refused.starts_with("refused") => "refused".to_owned(),
        other => other.to_owned(),
    };
    kind(ours) == kind(theirs)
}

/// The cases in the rows of docs/http1.md.
fn questions() -> Vec<Vec<String>> {
    let page = fs::read_to_string(root().join("docs/http1.md")).unwrap();
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let cases = cells[3]
            .split(", ")
            .map(|name| name.trim_matches('`').to_owned());
        cases.collect()
    })
    .collect()
}

const HEAD: &str = "# Where others judge otherwise

The requests of [tests/corpus/http1](../tests/corpus/http1), as they are judged by hyper with nothing set, by nginx where it passes
requests on, and by Gunicorn's threaded workers. A request stands here if one of them judges it otherwise than `gatewayd`; which
number a refusal has does not count. [HTTP/1, to the letter](http1.md) has the questions in the same order.

A test asks all of them anew and holds this page to it, which is written by `GATEWAY_WRITE_DIFFERENCES=1 cargo test -p
gateway-tests --test e2e differences`; who is right is written by hand, in `tests/corpus/judgements.txt`.

`accepted`: the application saw it, and a request behind it was answered as one of its own. `the next lost`: the
connection was closed instead. `the rest refused`: bytes of it were taken for another request. `as one with the next`: the
two were read as one request. `nothing`: the connection was closed without an answer.
";
