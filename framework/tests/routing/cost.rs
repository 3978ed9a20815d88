//! What a match costs: no allocation for usual paths, and as many instructions among hundreds of routes as
//! among few. Counted by valgrind, in runs of this very binary.

use std::env;
use std::process::Command;

use carafe::routing::{Binding, Map, Options, Outcome, Rule};
use http::Method;

#[test]
fn usual_paths_are_matched_without_an_allocation() {
    let few = count("memcheck", 10, 0);
    let many = count("memcheck", 510, 0);
    // The test harness itself allocates now and then.
    let allocations = many.saturating_sub(few);
    assert!(allocations < 100, "{allocations} in 500 rounds of matches");
}

#[test]
fn a_match_among_hundreds_of_routes_takes_no_more_than_among_few() {
    let cost = |routes| count("callgrind", 510, routes) - count("callgrind", 10, routes);
    let (few, hundreds) = (cost(20), cost(400));
    let ratio = hundreds * 100 / few;
    assert!(
        ratio < 105,
        "{few} instructions among 20 routes, {hundreds} among 400"
    );
}

/// What the others count; by itself one round among no other routes.
#[test]
fn every_usual_path_is_found() {
    let number = |name, usual| env::var(name).map_or(usual, |text| text.parse::<usize>().unwrap());
    let map = map(number("CARAFE_ROUTES", 0));
    let at = Binding {
        scheme: "http",
        server_name: "example.com",
        subdomain: "",
        mount: "",
        query: b"",
        method: &Method::GET,
        websocket: false,
    };
    for _ in 0..number("CARAFE_ROUNDS", 1) {
        for path in PATHS {
            let outcome = map.find(&at, path.as_bytes(), &Method::GET);
            assert!(matches!(outcome, Outcome::Found(_)), "{path}");
        }
    }
}

/// Allocations or instructions of a run with so many rounds and routes.
fn count(tool: &str, rounds: usize, routes: usize) -> u64 {
    let output = Command::new("valgrind")
        .arg(format!("--tool={tool}"))
        .args((tool == "callgrind").then_some("--callgrind-out-file=/dev/null"))
        .arg(env::current_exe().unwrap())
        .args([
            "--exact",
            "cost::every_usual_path_is_found",
            "--test-threads=1",
        ])
        .env("CARAFE_ROUNDS", rounds.to_string())
        .env("CARAFE_ROUTES", routes.to_string())
        .output()
        .expect("valgrind, which `apt-get install valgrind` installs");
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}");
    let before = |word: &str, end: &str| {
        let line = report.lines().find(|line| line.contains(word))?;
        let number = line.split_once(word)?.1.split_once(end)?.0;
        number.trim().replace(',', "").parse().ok()
    };
    let found = match tool {
        "memcheck" => before("total heap usage:", "allocs"),
        _ => report
            .lines()
            .find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok()),
    };
    found.unwrap_or_else(|| panic!("no count in {report}"))
}

fn map(routes: usize) -> Map {
    let others = (0..routes).map(|number| match number % 3 {
        0 => format!("/area{number}/list"),
        1 => format!("/area{number}/<int:id>"),
        _ => format!("/deep/area/of/{number}/<name>"),
    });
    let measured = [
        "/",
        "/about/us",
        "/user/<int:id>",
        "/user/<name>/edit",
        "/file/<path:name>",
    ];
    let all = others.chain(measured.map(str::to_owned));
    let builder = all.fold(Map::builder(Options::default()), |builder, text| {
        builder.rule(Rule::new(text.clone(), text).methods(&[Method::GET]))
    });
    builder.build().unwrap()
}

const PATHS: [&str; 5] = [
    "/",
    "/about/us",
    "/user/42",
    "/user/ann/edit",
    "/file/a/b.txt",
];
