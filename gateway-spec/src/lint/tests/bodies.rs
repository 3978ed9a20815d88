//! Bodies of both sides, told frame by frame.

use super::{file_of, line, reported};
use crate::lint::body::{BodyWatch, Side};
use crate::rules::{self, Rule};

fn watched(
    side: Side,
    declared: Option<u64>,
    feed: impl FnOnce(&mut BodyWatch),
) -> Vec<&'static Rule> {
    reported(|to| feed(&mut BodyWatch::new(side, to.clone(), declared, 0)))
}

#[test]
fn bodies_that_keep_the_rules_are_not_reported() {
    for side in [Side::Request, Side::Response] {
        let found = watched(side, Some(5), |body| {
            body.poll();
            body.data(2);
            body.data(0);
            body.data(3);
            body.trailers(&[line("x-sum", "1")]);
            body.end();
        });
        assert_eq!(found, [] as [&Rule; 0]);
    }
}

#[test]
fn a_body_of_another_length_than_declared_is_reported_against_its_side() {
    for (side, rule) in [
        (Side::Request, rules::BODY_05),
        (Side::Response, rules::RES_09),
    ] {
        let short = watched(side, Some(5), |body| {
            body.data(4);
            body.end();
        });
        assert_eq!(short, [rule]);
        let long = watched(side, Some(5), |body| {
            body.data(6);
            body.data(1);
            body.end();
        });
        assert_eq!(long, [rule]);
    }
}

#[test]
fn trailers_that_are_misplaced_or_unfit_are_reported() {
    let twice = watched(Side::Request, None, |body| {
        body.trailers(&[]);
        body.trailers(&[]);
    });
    let middle = watched(Side::Response, None, |body| {
        body.trailers(&[]);
        body.data(1);
    });
    let framing = watched(Side::Request, None, |body| {
        body.trailers(&[line("content-length", "1")])
    });
    let split = watched(Side::Response, None, |body| {
        body.trailers(&[line("x", "a\nb")])
    });
    for found in [twice, middle, framing, split] {
        assert_eq!(found, [rules::BODY_06]);
    }
}

#[test]
fn polling_after_the_end_and_files_in_requests_are_reported() {
    let after = watched(Side::Request, None, |body| {
        body.end();
        body.poll();
    });
    assert_eq!(after, [rules::BODY_09]);
    let file = watched(Side::Request, None, |body| {
        body.file(&file_of(b"ten bytes!"), 0, 10)
    });
    assert_eq!(file, [rules::BODY_10]);
}

#[test]
fn file_ranges_beyond_the_file_and_files_that_are_none_are_reported() {
    let within = watched(Side::Response, None, |body| {
        body.file(&file_of(b"ten bytes!"), 4, 6)
    });
    assert_eq!(within, [] as [&Rule; 0]);
    let beyond = watched(Side::Response, None, |body| {
        body.file(&file_of(b"ten bytes!"), 4, 7)
    });
    let wrapped = watched(Side::Response, None, |body| {
        body.file(&file_of(b""), u64::MAX, 7)
    });
    let folder = std::fs::File::open("/").unwrap();
    let irregular = watched(Side::Response, None, |body| body.file(&folder, 0, 0));
    for found in [beyond, wrapped, irregular] {
        assert_eq!(found, [rules::RES_18]);
    }
}
