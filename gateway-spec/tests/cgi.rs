//! A request becomes CGI variables and comes back.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::net::SocketAddr;

use gateway_spec::cgi::Variables;
use gateway_spec::{Address, Body, Request, Scheme, Worker};
use http::{HeaderName, HeaderValue, Method, Version};
use proptest::prelude::*;

fn text<'a>(variables: &'a Variables, name: &str) -> Option<&'a str> {
    variables
        .get(name)
        .map(|value| std::str::from_utf8(value).unwrap())
}

fn field(request: Request, name: &'static str, value: &'static str) -> Request {
    request.with(
        &HeaderName::from_static(name),
        &HeaderValue::from_static(value),
    )
}

#[test]
fn variables_say_what_the_table_of_the_specification_says() {
    let address = |text: &str| Address::Ip(text.parse::<SocketAddr>().unwrap());
    let request = Request::build(Method::POST, "/shop/a%2Fb%20c/%C3%A4?q=%20&x").unwrap();
    let request = field(request, "host", "example.org:8443");
    let request = field(request, "content-type", "text/plain");
    let request = field(request, "accept", "a/b");
    let request = field(request, "accept", "c/d");
    let request = field(request, "cookie", "a=1");
    let request = field(request, "cookie", "b=2");
    let request = field(request, "x_forged", "1");
    let request = field(request, "proxy", "http://evil/");
    let request = request
        .with_scheme(Scheme::Https)
        .with_body("content")
        .with_addresses(
            &address("10.0.0.1:1"),
            &address("[2001:db8::7]:4711"),
            &address("127.0.0.1:8000"),
        )
        .with_mount(b"/shop")
        .unwrap();

    let variables = Variables::of(&request).with_wsgi(Worker::default());
    let expected = [
        ("REQUEST_METHOD", "POST"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("SCRIPT_NAME", "/shop"),
        ("PATH_INFO", "/a/b c/\u{e4}"),
        ("QUERY_STRING", "q=%20&x"),
        ("REQUEST_URI", "/shop/a%2Fb%20c/%C3%A4?q=%20&x"),
        ("RAW_URI", "/shop/a%2Fb%20c/%C3%A4?q=%20&x"),
        ("SERVER_NAME", "example.org"),
        ("SERVER_PORT", "8443"),
        ("SERVER_ADDR", "127.0.0.1"),
        ("REMOTE_ADDR", "2001:db8::7"),
        ("REMOTE_PORT", "4711"),
        ("PEER_ADDR", "10.0.0.1"),
        ("HTTPS", "on"),
        ("CONTENT_LENGTH", "7"),
        ("CONTENT_TYPE", "text/plain"),
        ("HTTP_HOST", "example.org:8443"),
        ("HTTP_ACCEPT", "a/b, c/d"),
        ("HTTP_COOKIE", "a=1; b=2"),
        ("wsgi.url_scheme", "https"),
        ("wsgi.multithread", "false"),
        ("wsgi.multiprocess", "false"),
        ("wsgi.run_once", "false"),
        ("wsgi.input_terminated", "true"),
    ];
    for (name, value) in expected {
        assert_eq!(text(&variables, name), Some(value), "{name}");
    }
    for absent in [
        "HTTP_X_FORGED",
        "HTTP_PROXY",
        "HTTP_CONTENT_TYPE",
        "REMOTE_USER",
        "SSL_PROTOCOL",
    ] {
        assert_eq!(text(&variables, absent), None, "{absent}");
    }
}

#[test]
fn a_server_without_authority_is_named_by_its_address() {
    let local = Address::Ip("[::1]:8000".parse().unwrap());
    let request = Request::build(Method::GET, "/")
        .unwrap()
        .with_version(Version::HTTP_10);
    let request = request.with_addresses(&Address::Unknown, &Address::Unknown, &local);
    let variables = Variables::of(&request);
    assert_eq!(text(&variables, "SERVER_NAME"), Some("[::1]"));
    assert_eq!(text(&variables, "SERVER_PORT"), Some("8000"));
    assert_eq!(text(&variables, "REMOTE_ADDR"), Some(""));

    let request = Request::build(Method::GET, "/")
        .unwrap()
        .with_authority("[2001:db8::1]");
    let variables = Variables::of(&request);
    assert_eq!(text(&variables, "SERVER_NAME"), Some("[2001:db8::1]"));
    assert_eq!(text(&variables, "SERVER_PORT"), Some("80"));
}

#[test]
fn variables_that_are_missing_or_wrong_are_refused_by_name() {
    let good = [
        ("REQUEST_METHOD", "GET"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("SCRIPT_NAME", "/app"),
        ("PATH_INFO", "/x y"),
        ("SERVER_NAME", "example.org"),
        ("SERVER_PORT", "8080"),
    ];
    let request = good
        .into_iter()
        .collect::<Variables>()
        .to_request(Body::empty())
        .unwrap();
    assert_eq!(request.target(), b"/app/x%20y");
    assert_eq!(request.mount(), b"/app");
    assert_eq!(request.authority(), b"example.org:8080");
    assert_eq!(request.field("host"), Some(&b"example.org:8080"[..]));
    // A server that has rewritten the path says where it leads; the exact target is another's.
    for other in ["/elsewhere", "no path"] {
        let variables = good.into_iter().chain([("REQUEST_URI", other)]);
        let variables: Variables = variables.collect();
        let request = variables.to_request(Body::empty()).unwrap();
        assert_eq!(request.target(), b"/app/x%20y");
    }

    let wrong = [
        ("REQUEST_METHOD", "G T"),
        ("SERVER_PROTOCOL", "HTTP/9"),
        ("CONTENT_LENGTH", "+5"),
        ("REMOTE_ADDR", "nobody"),
        ("HTTP_X", "a\nb"),
    ];
    for (name, value) in wrong {
        let variables: Variables = good.into_iter().chain([(name, value)]).collect();
        let error = variables.to_request(Body::empty()).unwrap_err();
        assert!(error.to_string().starts_with("expected"), "{name}: {error}");
    }
    let missing: Variables = good.into_iter().skip(1).collect();
    let error = missing.to_request(Body::empty()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected the variable REQUEST_METHOD, found none"
    );
}

fn requests() -> impl Strategy<Value = Request> {
    let method = prop_oneof!["GET", "POST", "OPTIONS", "[A-Z]{1,8}"];
    let segment = "(/([a-zA-Z0-9._~!$&'()*+,;=:@-]|%[0-9a-fA-F]{2}){0,8}){1,4}";
    let query = proptest::option::of("[a-zA-Z0-9=&?/%+]{0,12}");
    let version = prop_oneof![
        Just(Version::HTTP_10),
        Just(Version::HTTP_11),
        Just(Version::HTTP_2),
        Just(Version::HTTP_3)
    ];
    let fields =
        proptest::collection::btree_map("x-[a-z0-9]{1,8}", "[!-~]([ -~]{0,8}[!-~])?", 0..5);
    let authority = "[a-z]{1,8}(\\.[a-z]{1,5})?(:[1-9][0-9]{0,3})?";
    let content = proptest::option::of("[ -~]{0,20}");
    let client = any::<([u8; 4], u16)>();
    let parts = (
        method,
        segment,
        query,
        version,
        fields,
        authority,
        content,
        client,
        any::<bool>(),
    );
    parts.prop_map(
        |(method, path, query, version, fields, authority, content, client, https)| {
            let target = match query {
                Some(query) => format!("{path}?{query}"),
                None => path,
            };
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let mut request = Request::build(method, &target)
                .unwrap()
                .with_version(version);
            request = request.with(
                &http::header::HOST,
                &HeaderValue::from_str(&authority).unwrap(),
            );
            for (name, value) in &fields {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                request = request.with(&name, &HeaderValue::from_str(value).unwrap());
            }
            if let Some(content) = content {
                let length = HeaderValue::from(content.len());
                request = request
                    .with(&http::header::CONTENT_LENGTH, &length)
                    .with_body(content);
            }
            let client = Address::Ip(SocketAddr::from(client));
            let local = Address::Ip(SocketAddr::from(([127, 0, 0, 1], 8000)));
            let scheme = if https { Scheme::Https } else { Scheme::Http };
            request
                .with_scheme(scheme)
                .with_addresses(&client, &client, &local)
        },
    )
}

/// Mounts at a border that the number picks, if the path has a segment there.
fn mounted(request: Request, pick: usize) -> Request {
    let path = request.path().to_vec();
    let borders: Vec<usize> = (1..=path.len())
        .filter(|end| matches!(path.get(*end), None | Some(b'/')))
        .collect();
    let prefix = &path[..borders[pick % borders.len()]];
    // Two prefixes that decode alike cannot be told apart afterwards.
    if prefix.ends_with(b"/") || prefix.contains(&b'%') {
        return request;
    }
    request.with_mount(prefix).expect("a border")
}

#[test]
fn variables_that_repeat_are_lines_of_one_field() {
    let pairs = [
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_URI", "/old"),
        ("REQUEST_URI", "/"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("HTTP_HOST", "a"),
        ("HTTP_X_A", "1"),
        ("HTTP_COOKIE", "a=1"),
        ("HTTP_X_A", "2"),
        ("HTTP_COOKIE", "b=2"),
    ];
    let variables: Variables = pairs.into_iter().collect();
    let request = variables.to_request(Body::empty()).unwrap();
    assert_eq!(request.target(), b"/");
    assert_eq!(request.field("x-a"), Some(&b"1, 2"[..]));
    assert_eq!(request.field("cookie"), Some(&b"a=1; b=2"[..]));
}

#[test]
fn the_asterisk_is_a_target_without_a_mount() {
    let pairs = [
        ("REQUEST_METHOD", "OPTIONS"),
        ("REQUEST_URI", "*"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("HTTP_HOST", "a"),
    ];
    let variables: Variables = pairs.into_iter().collect();
    let request = variables.to_request(Body::empty()).unwrap();
    assert_eq!((request.target(), request.mount()), (&b"*"[..], &b""[..]));
    assert!(request.with_mount(b"/a").is_none());
}

proptest! {
    #[test]
    fn variables_and_back_keep_the_request(request in requests(), pick in any::<usize>()) {
        let request = mounted(request, pick);
        let variables = Variables::of(&request);
        let content = vec![b'.'; usize::try_from(request.content_length().unwrap()).unwrap()];
        let body = if request.has_body() { Body::from(content) } else { Body::empty() };
        let back = variables.to_request(body).unwrap();

        prop_assert_eq!(back.method(), request.method());
        prop_assert_eq!(back.target(), request.target());
        prop_assert_eq!(back.path(), request.path());
        prop_assert_eq!(back.query(), request.query());
        prop_assert_eq!(back.mount(), request.mount());
        prop_assert_eq!(back.authority(), request.authority());
        prop_assert_eq!(back.version(), request.version());
        prop_assert_eq!(back.scheme(), request.scheme());
        prop_assert_eq!(back.content_length(), request.content_length());
        prop_assert_eq!(back.has_body(), request.has_body());
        prop_assert_eq!(back.client(), request.client());
        prop_assert_eq!(back.headers(), request.headers());
        prop_assert_eq!(Variables::of(&back), variables);
    }

    #[test]
    fn without_the_exact_target_the_decoded_path_is_kept(request in requests()) {
        let variables = Variables::of(&request);
        let inexact: Variables = variables
            .iter()
            .filter(|(name, _)| !name.ends_with("_URI"))
            .map(|(name, value)| (name.to_owned(), value.to_vec()))
            .collect();
        let back = Variables::of(&inexact.to_request(Body::empty()).unwrap());
        for name in ["PATH_INFO", "QUERY_STRING", "SCRIPT_NAME", "REQUEST_METHOD"] {
            prop_assert_eq!(back.get(name), variables.get(name));
        }
    }
}
