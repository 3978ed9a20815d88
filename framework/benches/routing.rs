//! `cargo bench -p carafe --bench routing`: user-space instructions that a match takes, counted by
//! callgrind, for maps of different sizes.
//!
//! The bench runs itself twice under valgrind, with few and with many matches; the difference is theirs.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints and fails by panicking"
)]

use std::env;
use std::hint::black_box;
use std::process::Command;

use carafe::routing::{Binding, Map, Options, Outcome, Rule};
use http::Method;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    match &arguments[1..] {
        [mode, routes, path, matches] if mode == "match" => {
            run(routes.parse().unwrap(), path, matches.parse().unwrap());
        }
        _ => table(),
    }
}

fn table() {
    println!("instructions for a match\n");
    println!("{:<48}{:>10}{:>10}{:>10}", "path", 9, 100, 10_000);
    for path in PATHS {
        let row = SIZES.map(|routes| {
            let (few, many) = (
                instructions(routes, path, FEW),
                instructions(routes, path, MANY),
            );
            (many - few) / (MANY - FEW)
        });
        println!("{path:<48}{:>10}{:>10}{:>10}", row[0], row[1], row[2]);
    }
}

/// What a run takes in all.
fn instructions(routes: usize, path: &str, matches: u64) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().unwrap())
        .args(["match", &routes.to_string(), path, &matches.to_string()])
        .output()
        .expect("valgrind, which `apt-get install valgrind` installs");
    let report = String::from_utf8(output.stderr).unwrap();
    let line = report
        .lines()
        .find(|line| line.contains("Collected"))
        .unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn run(routes: usize, path: &str, matches: u64) {
    let map = map(routes);
    let at = Binding {
        scheme: "http",
        server_name: "example.com",
        subdomain: "",
        mount: "",
        query: b"",
        method: &Method::GET,
        websocket: false,
    };
    for _ in 0..matches {
        let outcome = map.find(black_box(&at), black_box(path.as_bytes()), &Method::GET);
        if let Outcome::Found(found) = &outcome {
            black_box(found.value(0, path.as_bytes()));
        }
        drop(black_box(outcome));
    }
}

/// A map with `routes` rules of five kinds, which ends with those that are measured.
fn map(routes: usize) -> Map {
    let mut builder = Map::builder(Options::default());
    for number in 0..routes {
        let text = match number % 5 {
            0 => format!("/area{number}/list"),
            1 => format!("/area{number}/<int:id>"),
            2 => format!("/area{number}/<name>/edit"),
            3 => format!("/item{number}-<name>"),
            _ => format!("/deep/area/of/{number}/<int:id>/<path:rest>"),
        };
        builder = builder.rule(Rule::new(text, format!("e{number}")).methods(&[Method::GET]));
    }
    for text in RULES {
        builder = builder.rule(Rule::new(*text, *text).methods(&[Method::GET]));
    }
    builder.build().unwrap()
}

const RULES: &[&str] = &[
    "/",
    "/about/us",
    "/user/<int:id>",
    "/user/<name>/edit",
    "/file/<path:name>",
    "/object/<uuid:id>",
    "/date/<int:year>-<int:month>",
    "/branch/",
    "/item-<name>",
];

const PATHS: [&str; 11] = [
    "/",
    "/about/us",
    "/user/42",
    "/user/ann/edit",
    "/user/caf%C3%A9/edit",
    "/file/a/b/c/d.txt",
    "/object/a8098c1a-f86e-11da-bd1a-00112444be1e",
    "/date/2024-12",
    "/branch",
    "/item-ann",
    "/no/such/page",
];

/// Beside the routes that are measured.
const SIZES: [usize; 3] = [0, 91, 9_991];
const FEW: u64 = 100;
const MANY: u64 = 1_100;
