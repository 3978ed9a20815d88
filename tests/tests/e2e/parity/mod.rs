//! The same requests get the same answers from carafe and from Flask, or better ones, and users are told which.

mod answer;
mod better;
mod corpus;
mod flask;
mod talk;

use std::collections::BTreeSet;
use std::fs;

use gateway_tests::artefacts::{Artefacts, root};
use gateway_tests::gatewayd::Gatewayd;

use answer::Answer;
use flask::Flask;
use talk::{Jar, Jars};

#[test]
fn carafe_answers_as_flask_does() {
    let flask = Flask::serve();
    let carafe = Gatewayd::serve(
        Artefacts::built().module("parity-module"),
        &["--workers", "1"],
    );
    let mut requests = 0;
    let mut told = BTreeSet::new();
    let mut differences = Vec::new();
    for talk in corpus::all() {
        let mut jars: [Jar; 2] = Default::default();
        for step in &talk.steps {
            requests += 1;
            let answers = [(&carafe.address, 0), (&flask.address, 1)]
                .map(|(address, who)| step.send(address, &jars[who]));
            let (ours, theirs) = (Answer::of(&answers[0]), Answer::of(&answers[1]));
            for (jar, answer) in jars.iter_mut().zip(&answers) {
                jar.keep(answer);
            }
            if talk.jars == Jars::Swapped {
                jars.swap(0, 1);
            }
            match step.better(talk.name) {
                None if ours != theirs => differences.push(format!(
                    "{} | {}\n{}",
                    talk.name,
                    step.told(),
                    ours.against(&theirs)
                )),
                Some(better) if ours == theirs => differences.push(format!(
                    "{} | {}: not better any more: {}",
                    talk.name,
                    step.told(),
                    better.what
                )),
                Some(better) => {
                    told.insert(better.what);
                }
                None => {}
            }
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {requests} requests differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
    assert!(requests >= LEAST, "only {requests} requests");
    let listed: BTreeSet<&str> = better::ALL.iter().map(|better| better.what).collect();
    assert_eq!(
        told, listed,
        "every deliberate difference is shown by a request"
    );
    println!("{requests} requests");
}

#[test]
fn the_guide_lists_every_deliberate_difference() {
    let guide = fs::read_to_string(root().join("docs/from-flask.md")).expect("docs/from-flask.md");
    let (_, list) = guide.split_once(LIST).expect("the heading of the list");
    let list = list.split("\n## ").next().unwrap_or_default();
    let lines: BTreeSet<String> = (list.lines())
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .filter(|line| line.starts_with('|'))
        .map(str::to_owned)
        .collect();
    let wanted: BTreeSet<String> = better::ALL.iter().map(better::Better::line).collect();
    assert_eq!(lines, wanted);
}

/// How many requests there are at least.
const LEAST: usize = 400;
/// The heading in the guide above the list.
const LIST: &str = "\n## What is different on purpose\n";
