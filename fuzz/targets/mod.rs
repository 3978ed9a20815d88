//! What is asserted of every input, whoever makes them up: libFuzzer by `cargo xtask fuzz`, or the tests'
//! own mutations. `fuzz/README.md` says what a target consists of.

mod application;
mod body;
mod connection;
mod forwarded;
mod fronts;
mod head;
mod http2;
mod module;
mod proxy_protocol;
mod responses;
mod trailers;

/// A target: its name, what it asserts, and where inputs to begin with are, from the workspace's folder.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&[u8]),
    pub(crate) seeds: &'static [&'static str],
    /// Inputs that the tests make of them: more for a parser than for a whole connection.
    pub(crate) made: usize,
}

/// Asserts of one input what the target of this name does.
pub(crate) fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target's name").run)(input);
}

/// All of them.
pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "head",
        run: head::run,
        seeds: &["tests/corpus/http1"],
        made: 20_000,
    },
    Target {
        name: "body",
        run: body::run,
        seeds: &["tests/corpus/http1"],
        made: 20_000,
    },
    Target {
        name: "trailers",
        run: trailers::run,
        seeds: &["fuzz/seeds/trailers"],
        made: 20_000,
    },
    Target {
        name: "proxy_protocol",
        run: proxy_protocol::run,
        seeds: &["fuzz/seeds/proxy_protocol"],
        made: 20_000,
    },
    Target {
        name: "forwarded",
        run: forwarded::run,
        seeds: &["fuzz/seeds/forwarded"],
        made: 20_000,
    },
    Target {
        name: "connection",
        run: connection::run,
        seeds: &["tests/corpus/http1"],
        made: 5_000,
    },
    Target {
        name: "http2",
        run: http2::run,
        seeds: &["fuzz/seeds/http2"],
        made: 3_000,
    },
    Target {
        name: "fronts",
        run: fronts::run,
        seeds: &["fuzz/seeds/fronts"],
        made: 3_000,
    },
    Target {
        name: "module",
        run: module::run,
        seeds: &["fuzz/seeds/module"],
        made: 10_000,
    },
];
