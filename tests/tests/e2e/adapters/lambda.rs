//! An application as a function of AWS Lambda: every kind of event, bodies both ways, streams.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gateway_tests::artefacts::{Artefacts, compile};
use gateway_tests::lambda::{Function, Told};
use gateway_tests::matrix::tour::for_tour;
use gateway_tests::matrix::traffic::{Turn, for_echo, for_probe};
use nix::sys::signal::Signal;
use serde_json::{Value as Json, json};

use crate::alike::{breaches, hostile};

fn module(name: &str) -> Function {
    Function::start(Artefacts::built().module(name), &[])
}

/// As API Gateway's documentation shows a REST interface's.
fn rest(method: &str, path: &str) -> Json {
    json!({
        "resource": "/{proxy+}", "path": path, "httpMethod": method,
        "headers": {"Host": "api.test", "X-A": "2"},
        "multiValueHeaders": {"Host": ["api.test"], "X-A": ["1", "2"], "X-Forwarded-Proto": ["https"]},
        "queryStringParameters": null, "multiValueQueryStringParameters": null,
        "requestContext": {
            "stage": "prod", "path": format!("/prod{path}"), "protocol": "HTTP/1.1",
            "identity": {"sourceIp": "192.0.2.1"}, "requestId": "r",
        },
        "body": null, "isBase64Encoded": false,
    })
}

/// An HTTP interface's, or a function URL's.
fn http(method: &str, path: &str, query: &str) -> Json {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": {"host": "url.test", "x-a": "1,2", "x-forwarded-proto": "https"},
        "requestContext": {
            "domainName": "url.test", "stage": "$default",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.2"},
        },
        "isBase64Encoded": false,
    })
}

/// A load balancer's.
fn balancer(method: &str, path: &str, repeats: bool) -> Json {
    let mut event = json!({
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:x"}},
        "httpMethod": method, "path": path, "body": "", "isBase64Encoded": false,
    });
    let forwarded = "6.6.6.6, 192.0.2.3";
    if repeats {
        event["multiValueHeaders"] = json!({
            "host": ["alb.test"], "x-a": ["1", "2"], "x-forwarded-proto": ["http"],
            "x-forwarded-for": [forwarded],
        });
        event["multiValueQueryStringParameters"] = json!({"a": ["%20", "2"]});
    } else {
        event["headers"] = json!({
            "host": "alb.test", "x-forwarded-proto": "http", "x-forwarded-for": forwarded,
        });
        event["queryStringParameters"] = json!({"a": "%2F"});
    }
    event
}

fn echo(told: &Told) -> Json {
    assert!(told.path.ends_with("/response"), "{told:?}");
    let document = told.json();
    assert_eq!(document["statusCode"], 200, "{document}");
    assert_eq!(document["isBase64Encoded"], false);
    serde_json::from_str(document["body"].as_str().unwrap()).unwrap()
}

fn values<'a>(echo: &'a Json, name: &str) -> Vec<&'a str> {
    let lines = echo["headers"].as_array().unwrap().iter();
    let lines = lines.filter(|line| line[0] == name);
    lines.map(|line| line[1].as_str().unwrap()).collect()
}

#[test]
fn every_kind_of_event_is_told_as_a_request() {
    let mut function = module("echo");
    let mut event = rest("GET", "/a b/%2F/\u{e9}");
    event["multiValueQueryStringParameters"] = json!({"q": ["x y", "&="], "z": [""]});
    let told = echo(&function.invoke(&event));
    assert_eq!(told["target"], "/prod/a%20b/%2F/%C3%A9?q=x%20y&q=%26%3D&z=");
    assert_eq!(values(&told, "x-a"), ["1", "2"]);
    assert_eq!(values(&told, "host"), ["api.test"]);

    let mut event = http("POST", "/x", "a=1&b=%20");
    event["cookies"] = json!(["a=1", "b=2"]);
    event["body"] = json!("aGVsbG8=");
    event["isBase64Encoded"] = json!(true);
    let told = echo(&function.invoke(&event));
    assert_eq!(
        (&told["method"], &told["target"]),
        (&json!("POST"), &json!("/x?a=1&b=%20"))
    );
    assert_eq!(values(&told, "cookie"), ["a=1; b=2"]);
    assert_eq!(values(&told, "x-a"), ["1,2"]);
    assert_eq!(values(&told, "content-length"), ["5"]);
    assert_eq!(told["body_len"], 5);
    let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(told["body_sha256"], hello);

    for (repeats, target) in [(true, "/b?a=%20&a=2"), (false, "/b?a=%2F")] {
        let answer = function.invoke(&balancer("GET", "/b", repeats));
        assert_eq!(echo(&answer)["target"], target);
        let document = answer.json();
        assert_eq!(document["statusDescription"], "200 OK");
        let fields = if repeats {
            "multiValueHeaders"
        } else {
            "headers"
        };
        let kind = json!("application/json");
        let kind = if repeats { json!([kind]) } else { kind };
        assert_eq!(document[fields]["content-type"], kind);
    }
    // Without fields, as the console's own test sends it.
    let mut event = rest("GET", "/");
    (event["headers"], event["multiValueHeaders"]) = (Json::Null, Json::Null);
    assert_eq!(
        values(&echo(&function.invoke(&event)), "host"),
        ["localhost"]
    );
}

#[test]
fn the_front_says_who_asks_and_where_the_function_is_mounted() {
    let mut function = module("probe");
    let mut facts = |event: &Json| {
        let document = function.invoke(event).json();
        let body = document["body"].as_str().unwrap().to_owned();
        let fact = |name: &str| {
            let mut lines = body.lines();
            let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.unwrap_or_default().to_owned()
        };
        ["client", "scheme", "mount", "path"].map(fact).join(" ")
    };
    assert_eq!(
        facts(&rest("GET", "/facts")),
        "192.0.2.1:0 https /prod /prod/facts"
    );
    assert_eq!(
        facts(&http("GET", "/facts", "")),
        "192.0.2.2:0 https  /facts"
    );
    let mut staged = http("GET", "/beta/facts", "");
    staged["requestContext"]["stage"] = json!("beta");
    assert_eq!(facts(&staged), "192.0.2.2:0 https /beta /beta/facts");
    // Whom the balancer saw, not whom the client named.
    assert_eq!(
        facts(&balancer("GET", "/facts", true)),
        "192.0.2.3:0 http  /facts"
    );
}

#[test]
fn responses_go_back_as_each_front_wants_them() {
    let mut function = module("axum-app");
    let form = |mut event: Json, fields: &str| {
        event["body"] = json!("text=a");
        let kind = "application/x-www-form-urlencoded";
        event[fields]["content-type"] = match fields {
            "headers" => json!(kind),
            _ => json!([kind]),
        };
        event
    };
    let document = function
        .invoke(&form(http("POST", "/form", ""), "headers"))
        .json();
    assert_eq!(document["cookies"], json!(["a=1", "b=2"]));
    assert_eq!(document["headers"]["set-cookie"], Json::Null);
    let document = function
        .invoke(&form(rest("POST", "/form"), "multiValueHeaders"))
        .json();
    assert_eq!(
        document["multiValueHeaders"]["set-cookie"],
        json!(["a=1", "b=2"])
    );
    // What is no text goes in base64.
    let mut event = http("POST", "/echo", "");
    (event["body"], event["isBase64Encoded"]) = (json!("/wAB"), json!(true));
    let document = function.invoke(&event).json();
    assert_eq!(document["body"], "/wAB");
    assert_eq!(document["isBase64Encoded"], true);
    let document = function.invoke(&http("HEAD", "/", "")).json();
    assert_eq!(
        (&document["statusCode"], &document["body"]),
        (&json!(200), &json!(""))
    );
}

#[test]
fn what_cannot_be_answered_is_an_error_of_that_event_alone() {
    let mut function = module("probe");
    let told = function.invoke(&json!({"Records": [{"eventSource": "aws:s3"}]}));
    assert!(told.path.ends_with("/error"), "{told:?}");
    assert_eq!(
        told.field("lambda-runtime-function-error-type"),
        "Gateway.NoRequest"
    );
    // More than Lambda takes in one piece, and a body that fails on its way.
    for path in ["/mebibytes/7", "/panic-in-body"] {
        let told = function.invoke(&http("GET", path, ""));
        assert!(told.path.ends_with("/error"), "{told:?}");
        assert_eq!(told.json()["errorType"], "Gateway.Response");
    }
    let document = function.invoke(&http("GET", "/panic", "")).json();
    assert_eq!(document["statusCode"], 500);
    // Work behind an answer is done before the environment may be frozen.
    let document = function.invoke(&http("GET", "/after/100", "")).json();
    assert_eq!(document["body"], "answered");
    function.is_idle();
    let document = function.invoke(&http("GET", "/count", "")).json();
    assert_eq!(document["body"], "1");
}

#[test]
fn responses_are_streamed_where_the_function_is_set_to() {
    let probe = Artefacts::built().module("probe");
    let mut function = Function::start(probe, &[("GATEWAY_STREAMS", "1")]);
    let told = function.invoke(&http("GET", "/chunks/5", ""));
    assert_eq!(
        told.field("lambda-runtime-function-response-mode"),
        "streaming"
    );
    assert_eq!(
        told.field("content-type"),
        "application/vnd.awslambda.http-integration-response"
    );
    let (prelude, body) = parts(&told);
    assert_eq!(prelude["statusCode"], 200);
    assert!(body == vec![b'c'; 5000], "{} bytes", body.len());
    // More than a document may have.
    let told = function.invoke(&http("GET", "/mebibytes/8", ""));
    assert_eq!(parts(&told).1.len(), 8 << 20);
    // One that breaks off says so behind what it had.
    let told = function.invoke(&http("GET", "/panic-in-body", ""));
    assert_eq!(parts(&told).1, b"hello");
    assert_eq!(
        told.trailer("lambda-runtime-function-error-type"),
        "Gateway.Body"
    );
    let told = function.invoke(&http("GET", "/status/204", ""));
    assert_eq!(parts(&told).0["statusCode"], 204);
}

/// What stands before the eight zeros of a stream, and what behind.
fn parts(told: &Told) -> (Json, &[u8]) {
    let zeros = told
        .body
        .windows(8)
        .position(|part| part == [0; 8])
        .unwrap();
    let prelude = serde_json::from_slice(&told.body[..zeros]).unwrap();
    (prelude, &told.body[zeros + 8..])
}

#[test]
fn every_rule_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let tour = compile(&["examples/tour-c/tour.c"], &[], folder.path());
    let watched = |module: &Path, mode| {
        let watch = Artefacts::built().module("watch");
        let watched = module.to_str().unwrap();
        Function::start(watch, &[("GATEWAY_WATCHED", watched), mode])
    };
    let (echo, probe) = (
        Artefacts::built().module("echo"),
        Artefacts::built().module("probe"),
    );
    for mode in [("GATEWAY_STREAMS", "0"), ("GATEWAY_STREAMS", "1")] {
        for (module, turns) in [
            (echo, for_echo()),
            (probe, for_probe()),
            (&tour, for_tour()),
        ] {
            let mut function = watched(module, mode);
            let events: Vec<Json> = turns.iter().filter_map(event).collect();
            assert!(events.len() > 20, "{} events", events.len());
            for event in events {
                let told = function.invoke(&event);
                assert!(told.path.ends_with("/response"), "{event}: {told:?}");
            }
            let (code, said) = ended(function);
            assert_eq!(code, 0, "{said}");
            assert_eq!(breaches(&said), [""; 0], "{}", module.display());
        }
    }
    let (_folder, hostile) = hostile();
    let mut function = watched(&hostile, ("GATEWAY_STREAMS", "0"));
    let document = function.invoke(&http("GET", "/twice", "")).json();
    assert_eq!(document["body"], "first");
    let (_, said) = ended(function);
    let breach = "[RES-02] a second response";
    let is_told = breaches(&said).iter().any(|line| line.contains(breach));
    assert!(is_told, "{said}");
}

/// Lambda's last word to a function, which ends with it.
fn ended(function: Function) -> (i32, String) {
    function.process.signal(Signal::SIGTERM);
    function.process.end()
}

/// A request as an HTTP interface tells it: with a path, and its body in one piece.
fn event(turn: &Turn) -> Option<Json> {
    // An application that panics while it is dropped leaks what it held, as it should.
    if turn.name.contains("panic-in-drop") {
        return None;
    }
    let end = turn.bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = (&turn.bytes[..end], &turn.bytes[end + 4..]);
    let head = String::from_utf8_lossy(head);
    let (line, lines) = head.split_once("\r\n")?;
    let [method, target, _] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if !path.starts_with('/') || lines.contains("Transfer-Encoding") {
        return None;
    }
    let mut event = http(method, path, query);
    for line in lines.lines() {
        let (name, value) = line.split_once(':')?;
        let name = name.to_ascii_lowercase();
        let field = &mut event["headers"][name];
        *field = match field.as_str() {
            Some(earlier) => json!(format!("{earlier},{}", value.trim())),
            None => json!(value.trim()),
        };
    }
    event["body"] = json!(BASE64_STANDARD.encode(body));
    event["isBase64Encoded"] = json!(true);
    Some(event)
}

#[test]
fn an_application_that_does_not_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let function = Function::start(&folder.path().join("libnone.so"), &[]);
    let told = function.told("init/error");
    let why = told.json()["errorMessage"].as_str().unwrap().to_owned();
    assert!(why.contains("libnone.so: cannot read it"), "{why}");
    let (code, _) = function.process.end();
    assert_eq!(code, 1);
}
