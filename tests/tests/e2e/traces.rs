//! A collector of OpenTelemetry's is told of each request, and the application of the span that it is part of.

use std::process::Command;

use gateway_tests::artefacts::{Artefacts, root};
use gateway_tests::client::{Client, get};
use gateway_tests::gatewayd::{Gatewayd, run};
use gateway_tests::judges;
use gateway_tests::process::Process;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// A collector, and what it is reached by.
struct Collector {
    process: Process,
    url: String,
}

impl Collector {
    fn start(arguments: &[&str]) -> Self {
        let mut command = judges::python();
        command.arg(root().join("tests/tools/collect_traces.py"));
        let process = Process::start(command.args(arguments));
        let line = process.line_with("collector at", 0);
        let port = line.rsplit(' ').next().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        Self { process, url }
    }

    /// The span with this id, once it has come.
    fn span(&self, id: &str) -> Value {
        self.process.line(id, 0, |line| {
            let span: Value = serde_json::from_str(line).ok()?;
            (span["span"] == id).then_some(span)
        })
    }

    /// Spans that have come so far.
    fn count(&self) -> usize {
        let said = self.process.said();
        said.lines().filter(|line| line.starts_with('{')).count()
    }
}

fn serve(collector: &Collector, arguments: &[&str]) -> Gatewayd {
    let mut command = Command::new(Artefacts::traced().program("traced"));
    let own = ["--bind", "127.0.0.1:0", "--trace-to", &collector.url];
    command.args(own).args(arguments);
    command
        .env("NO_COLOR", "1")
        .env("OTEL_BSP_SCHEDULE_DELAY", "50");
    Gatewayd::start(&mut command)
}

/// What the application was told: trace, span, flags, and the state.
fn told(text: &str) -> [String; 4] {
    let (parent, state) = text.split_once('\n').unwrap();
    let parts: Vec<&str> = parent.split('-').collect();
    assert_eq!((parts.len(), parts[0]), (4, "00"), "{text}");
    [parts[1], parts[2], parts[3], state].map(str::to_owned)
}

fn with(target: &str, fields: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: shop.example:8080\r\nUser-Agent: tester\r\n{fields}\r\n"
    )
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

fn parent(flags: &str) -> String {
    format!(
        "Traceparent: 00-{TRACE}-{SPAN}-{flags}\r\nTracestate: rojo=1,\r\nTracestate: congo=2\r\n"
    )
}

#[test]
fn a_span_says_of_which_request_it_is_and_the_application_is_told_of_it() {
    let collector = Collector::start(&[]);
    let server = serve(&collector, &["--workers", "2", "--trace-service", "shop"]);
    for (target, status) in [("/?secret=1", 200), ("/late", 200)] {
        let answer = server.fetch(with(target, ""));
        assert_eq!(answer.status, status);
        let [trace, span, flags, state] = told(answer.text());
        assert_eq!((&*flags, &*state), ("01", ""));
        let seen = collector.span(&span);
        assert_eq!(seen["trace"], trace);
        assert_eq!(
            (&seen["parent"], &seen["name"]),
            (&"".into(), &"GET".into())
        );
        // SERVER.
        assert_eq!(seen["kind"], 2);
        let path = target.split('?').next().unwrap();
        for (name, value) in [
            ("http.request.method", Value::from("GET")),
            ("url.path", path.into()),
            ("url.scheme", "http".into()),
            ("server.address", "shop.example".into()),
            ("server.port", 8080.into()),
            ("client.address", "127.0.0.1".into()),
            ("user_agent.original", "tester".into()),
            ("network.protocol.version", "1.1".into()),
            ("http.response.status_code", 200.into()),
        ] {
            assert_eq!(seen["attributes"][name], value, "{name}: {seen}");
        }
        assert_eq!(seen["status"], 0);
        assert!(seen["took_ns"].as_u64().unwrap() > 0 && !seen.to_string().contains("secret"));
        assert!(seen["began_ns"].as_u64().unwrap() > 1_700_000_000_000_000_000);
        assert_eq!(seen["resource"]["service.name"], "shop");
        assert_eq!(seen["resource"]["service.version"], "0.1.0");
        let worker = seen["resource"]["process.pid"].as_i64().unwrap();
        assert!(server.workers().contains(&i32::try_from(worker).unwrap()));
    }
    assert_eq!(server.fetch(with("/fails", "")).status, 500);
    let failed = collector.process.line("a failure", 0, |line| {
        let span: Value = serde_json::from_str(line).ok()?;
        (span["attributes"]["url.path"] == "/fails").then_some(span)
    });
    assert_eq!(failed["attributes"]["http.response.status_code"], 500);
    assert_eq!(
        (&failed["status"], &failed["attributes"]["error.type"]),
        (&2.into(), &"500".into())
    );
    // What clients invent is no name of a span.
    let odd = server.fetch("BREW / HTTP/1.1\r\nHost: x\r\n\r\n");
    let odd = collector.span(&told(odd.text())[1]);
    assert_eq!(odd["name"], "HTTP");
    assert_eq!(odd["attributes"]["http.request.method"], "_OTHER");
    assert_eq!(odd["attributes"]["http.request.method_original"], "BREW");
    // What waits is sent before the end.
    let last = server.fetch(with("/", ""));
    let [_, span, ..] = told(last.text());
    assert_eq!(server.stop().0, 0);
    collector.span(&span);
}

#[test]
fn only_a_trusted_proxy_says_which_trace_a_request_is_part_of() {
    let collector = Collector::start(&[]);
    let server = serve(
        &collector,
        &["--workers", "1", "--trusted-proxies", "127.0.0.1"],
    );
    let [trace, span, flags, state] = told(server.fetch(with("/", &parent("01"))).text());
    assert_eq!(
        (&*trace, &*flags, &*state),
        (TRACE, "01", "rojo=1,|congo=2")
    );
    let seen = collector.span(&span);
    assert_eq!(
        (&seen["trace"], &seen["parent"]),
        (&TRACE.into(), &SPAN.into())
    );
    assert_eq!(seen["state"], "rojo=1,congo=2");
    // A proxy that does not record this one.
    let [trace, other, flags, _] = told(server.fetch(with("/", &parent("00"))).text());
    assert_eq!((&*trace, &*flags), (TRACE, "00"));
    // What is no parent by the letter begins a trace anew, and its state goes with it.
    for fields in [
        parent("01").replace("00-0a", "00-0A"),
        parent("01").replace(SPAN, "0000000000000000"),
        format!("{}Traceparent: 00-{TRACE}-{SPAN}-01\r\n", parent("01")),
        "Traceparent: \r\nTracestate: rojo=1\r\n".to_owned(),
    ] {
        let [trace, _, flags, state] = told(server.fetch(with("/", &fields)).text());
        assert!(
            trace != TRACE && flags == "01" && state.is_empty(),
            "{fields}: {trace}"
        );
    }
    // State that is none is left out, and the parent stays.
    let fields = parent("01").replace("congo=2", "CONGO=2");
    let [trace, last, _, state] = told(server.fetch(with("/", &fields)).text());
    assert_eq!((&*trace, &*state), (TRACE, ""));
    collector.span(&last);
    assert!(
        !collector.process.said().contains(&other),
        "not recorded there, nor here"
    );
    assert_eq!(server.stop().0, 0);

    let server = serve(&collector, &["--workers", "1"]);
    let [trace, span, _, state] = told(server.fetch(with("/", &parent("01"))).text());
    assert!(trace != TRACE && state.is_empty(), "{trace} {state}");
    assert_eq!(collector.span(&span)["parent"], "");
}

#[test]
fn so_many_requests_are_traced_as_the_operator_wants() {
    let collector = Collector::start(&[]);
    let server = serve(&collector, &["--workers", "1", "--trace-sample", "1000000"]);
    let mut client = server.connect();
    for _ in 0..20 {
        client.send(get("/"));
        let [_, _, flags, _] = told(client.response().text());
        // One of so many may be.
        assert!(matches!(&*flags, "00" | "01"), "{flags}");
    }
    assert_eq!(server.stop().0, 0);
    assert!(collector.count() <= 1);
}

#[test]
fn no_request_waits_for_a_collector_that_does_not_answer_or_is_not_there() {
    let collector = Collector::start(&["slow"]);
    let arguments = [
        "--workers",
        "1",
        "--trace-queue",
        "8",
        "--graceful-timeout",
        "5s",
    ];
    let server = serve(&collector, &arguments);
    let mut client = server.connect();
    for _ in 0..500 {
        client.send(get("/"));
        assert_eq!(client.response().status, 200);
    }
    // The worker is not held up in its end either.
    assert_eq!(server.stop().0, 0);
    kill(Pid::from_raw(collector.process.pid()), Signal::SIGKILL).unwrap();
    let server = serve(&collector, &arguments);
    assert_eq!(Client::get(&server.address, "/").status, 200);
    server.process.line_with("ERROR", 0);
    assert_eq!(Client::get(&server.address, "/").status, 200);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_server_without_the_feature_says_so() {
    let (code, said) = run(&["--trace-to", "http://127.0.0.1:4318"]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("--trace-to") && said.contains("built without the feature `opentelemetry`"),
        "{said}"
    );
    let mut command = Command::new(Artefacts::traced().program("traced"));
    let (code, said) = Process::start(command.args(["--trace-to", "https://127.0.0.1"])).end();
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("expected `http://HOST:PORT`"), "{said}");
}
