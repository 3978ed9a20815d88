use super::*;

const CHANGED: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
const BEFORE: &str = "Tue, 14 Nov 2023 22:13:19 GMT";
const AFTER: &str = "Tue, 14 Nov 2023 22:13:21 GMT";

fn validators() -> Validators {
    Validators {
        etag: Some(ETag::strong("v1").unwrap()),
        // Half a second, which no field can say.
        last_modified: Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_500)),
    }
}

fn fields(all: &[(&'static str, &'static str)]) -> HeaderMap {
    let field = |(name, value): &(&'static str, &'static str)| {
        let name = header::HeaderName::from_static(name);
        (name, header::HeaderValue::from_static(value))
    };
    all.iter().map(field).collect()
}

fn judge(method: &Method, all: &[(&'static str, &'static str)]) -> Verdict {
    validators().judge(method, &fields(all))
}

#[test]
fn a_copy_with_the_same_tag_is_good() {
    for tags in [
        "\"v1\"",
        "W/\"v1\"",
        "\"v0\", \"v1\"",
        "*",
        "\"v0\",W/\"v1\"",
    ] {
        let verdict = judge(&Method::GET, &[("if-none-match", tags)]);
        assert_eq!(verdict, Verdict::NotModified, "{tags}");
        let verdict = judge(&Method::PUT, &[("if-none-match", tags)]);
        assert_eq!(verdict, Verdict::Failed, "{tags}");
    }
    for tags in ["\"v0\"", "v1", "\"v1", "", "\"V1\""] {
        let verdict = judge(&Method::GET, &[("if-none-match", tags)]);
        assert_eq!(verdict, Verdict::Proceed, "{tags}");
    }
}

#[test]
fn a_tag_counts_more_than_a_date() {
    let both = [("if-none-match", "\"v0\""), ("if-modified-since", AFTER)];
    assert_eq!(judge(&Method::GET, &both), Verdict::Proceed);
}

#[test]
fn dates_are_compared_by_whole_seconds() {
    for (since, expected) in [
        (BEFORE, Verdict::Proceed),
        (CHANGED, Verdict::NotModified),
        (AFTER, Verdict::NotModified),
        ("yesterday", Verdict::Proceed),
    ] {
        assert_eq!(
            judge(&Method::GET, &[("if-modified-since", since)]),
            expected,
            "{since}"
        );
        let post = judge(&Method::POST, &[("if-modified-since", since)]);
        assert_eq!(post, Verdict::Proceed, "{since}");
    }
    let before = [("if-unmodified-since", BEFORE)];
    assert_eq!(judge(&Method::PUT, &before), Verdict::Failed);
    let same = [("if-unmodified-since", CHANGED)];
    assert_eq!(judge(&Method::PUT, &same), Verdict::Proceed);
}

#[test]
fn if_match_asks_for_a_strong_tag() {
    assert_eq!(
        judge(&Method::PUT, &[("if-match", "\"v1\"")]),
        Verdict::Proceed
    );
    assert_eq!(judge(&Method::PUT, &[("if-match", "*")]), Verdict::Proceed);
    assert_eq!(
        judge(&Method::PUT, &[("if-match", "W/\"v1\"")]),
        Verdict::Failed
    );
    assert_eq!(
        judge(&Method::GET, &[("if-match", "\"v2\"")]),
        Verdict::Failed
    );
}

fn ranged(all: &[(&'static str, &'static str)]) -> Ranged {
    validators().ranged(&Method::GET, &fields(all), 1000)
}

fn part(range: &'static str) -> String {
    match ranged(&[("range", range)]) {
        Ranged::Part(part) => format!("{part} {}+{}", part.start(), part.count()),
        other => format!("{other:?}"),
    }
}

#[test]
fn one_range_of_bytes_is_cut_to_what_there_is() {
    for (range, expected) in [
        ("bytes=0-499", "bytes 0-499/1000 0+500"),
        ("bytes=500-", "bytes 500-999/1000 500+500"),
        ("bytes=-1", "bytes 999-999/1000 999+1"),
        ("bytes=-5000", "bytes 0-999/1000 0+1000"),
        (
            "Bytes= 999-99999999999999999999",
            "bytes 999-999/1000 999+1",
        ),
        ("bytes=1000-", "Unsatisfiable"),
        ("bytes=-0", "Unsatisfiable"),
        ("bytes=99999999999999999999-", "Unsatisfiable"),
        ("bytes=5-4", "Whole"),
        ("bytes=-", "Whole"),
        ("bytes=+1-2", "Whole"),
        ("bytes=0-1,5-6", "Whole"),
        ("lines=0-1", "Whole"),
        ("bytes", "Whole"),
    ] {
        assert_eq!(part(range), expected, "{range}");
    }
}

#[test]
fn a_range_of_another_state_is_the_whole() {
    let range = ("range", "bytes=0-0");
    for (condition, holds) in [
        ("\"v1\"", true),
        ("W/\"v1\"", false),
        ("\"v2\"", false),
        (CHANGED, true),
        (AFTER, false),
        ("nonsense", false),
    ] {
        let found = ranged(&[range, ("if-range", condition)]);
        assert_eq!(found != Ranged::Whole, holds, "{condition}");
    }
    let head = validators().ranged(&Method::HEAD, &fields(&[range]), 1000);
    assert_eq!(head, Ranged::Whole);
}

#[test]
fn nothing_of_an_empty_representation_can_be_asked_for() {
    let empty = validators().ranged(&Method::GET, &fields(&[("range", "bytes=0-")]), 0);
    assert_eq!(empty, Ranged::Unsatisfiable);
}

#[test]
fn a_tag_is_written_as_it_is_read() {
    for text in ["\"a\"", "W/\"a\"", "\"\""] {
        assert_eq!(ETag::parse(text.as_bytes()).unwrap().to_string(), text);
    }
    for text in ["a", "\"a", "\"a\"b", "\"a\",\"b\"", "w/\"a\"", "\"a b\""] {
        assert!(ETag::parse(text.as_bytes()).is_err(), "{text}");
    }
    assert!(ETag::strong("a\"b").is_err());
}
