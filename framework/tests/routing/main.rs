//! The router against Werkzeug itself: the same rules, paths and values go to both, and every difference is
//! a mistake, unless it is listed as deliberately better with the reason.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking"
)]

mod corpus;
mod cost;
mod oracle;
mod ours;
mod random;
mod spec;

use serde_json::Value as Json;

use spec::Spec;

#[test]
fn the_corpus_is_answered_as_werkzeug_answers_it() {
    let specs = corpus::all();
    let cases = compare(&specs);
    assert!(cases >= 3000, "only {cases} cases");
}

#[test]
fn random_rules_are_answered_as_werkzeug_answers_them() {
    let specs = random::specs(SEED, 400);
    let cases = compare(&specs);
    assert!(cases >= 10_000, "only {cases} cases");
}

#[test]
fn what_we_refuse_werkzeug_takes_and_what_it_refuses_so_do_we() {
    let specs = corpus::refused();
    for (spec, theirs) in specs.iter().zip(oracle::answers(&specs)) {
        let ours = ours::map(spec).err().map(|mistakes| mistakes.to_string());
        let ours = ours.unwrap_or_else(|| panic!("{} is not refused", spec.name));
        let refused = !theirs["refused"].is_null();
        assert_eq!(refused, spec.better.is_none(), "{}: {theirs}", spec.name);
        assert!(ours.contains("tests/routing/"), "no origin in: {ours}");
    }
}

const SEED: u64 = 0x0C45_AFE5;

/// Compares all answers and counts the cases.
fn compare(specs: &[Spec]) -> usize {
    let mut cases = 0;
    let mut differences = Vec::new();
    for (spec, theirs) in specs.iter().zip(oracle::answers(specs)) {
        assert!(theirs["refused"].is_null(), "{}: {theirs}", spec.name);
        let map = ours::map(spec).unwrap_or_else(|mistakes| panic!("{}: {mistakes}", spec.name));
        for (case, theirs) in spec.find.iter().zip(answers(&theirs, "find")) {
            let ours = ours::find(&map, case);
            cases += 1;
            note(spec, case, case.better, &ours, theirs, &mut differences);
        }
        for (case, theirs) in spec.build.iter().zip(answers(&theirs, "build")) {
            let ours = ours::build(&map, case);
            cases += 1;
            note(spec, case, case.better, &ours, theirs, &mut differences);
        }
    }
    let shown = differences.iter().take(20).cloned().collect::<Vec<_>>();
    assert!(
        differences.is_empty(),
        "{} of {cases} cases differ:\n{}",
        differences.len(),
        shown.join("\n")
    );
    cases
}

fn answers<'a>(theirs: &'a Json, kind: &str) -> &'a [Json] {
    theirs[kind].as_array().map_or(&[], Vec::as_slice)
}

fn note(
    spec: &Spec,
    case: &impl serde::Serialize,
    better: Option<&str>,
    ours: &Json,
    theirs: &Json,
    differences: &mut Vec<String>,
) {
    let case = serde_json::to_string(case).unwrap();
    match better {
        None if ours != theirs => differences.push(format!(
            "{}\n  rules {}\n  case {case}\n  ours   {ours}\n  theirs {theirs}",
            spec.name,
            serde_json::to_string(&spec.rules).unwrap()
        )),
        Some(reason) if ours == theirs => differences.push(format!(
            "{}\n  case {case}\n  is not better any more: {reason}",
            spec.name
        )),
        _ => {}
    }
}
