//! Flask's tutorial application on carafe.

use std::fs;

use gateway_tests::artefacts::root;

/// Lines with code in Flask 3.1.3's examples/tutorial: `flaskr/*.py` and `tests/*.py`. A line counts unless it
/// is blank, or holds nothing but a comment or a part of a docstring. Queries within the code count as they
/// do here; templates, styles and files of SQL count on neither side.
const FLASK: (usize, usize) = (213, 166);

#[test]
fn the_blog_has_at_most_30_percent_more_lines_than_flask_s() {
    let (mut application, mut tests) = (0, 0);
    for file in fs::read_dir(root().join("examples/blog/src")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//");
        let lines = source.lines().map(str::trim).filter(is_code).count();
        match path.file_name().is_some_and(|name| name == "tests.rs") {
            true => tests += lines,
            false => application += lines,
        }
    }
    assert!(application > 100 && tests > 100, "{application}, {tests}");
    assert!(application * 10 <= FLASK.0 * 13, "{application} lines");
    let all = application + tests;
    assert!(all * 10 <= (FLASK.0 + FLASK.1) * 13, "{all} lines");
}
