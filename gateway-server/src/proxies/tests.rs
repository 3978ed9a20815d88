use super::*;

fn proxies(trusted: &[&str], fields: &[&str], hops: u32) -> Proxies {
    Proxies {
        trusted: trusted
            .iter()
            .map(|text| TrustedPeer::parse(text).unwrap())
            .collect(),
        fields: fields
            .iter()
            .map(|text| ProxyField::parse(text).unwrap())
            .collect(),
        hops,
    }
}

fn hear<'r>(proxies: &Proxies, fields: &[(&'r str, &'r str)]) -> Told<'r> {
    let field = |(name, value): &(&'r str, &'r str)| {
        Field::new(names::id(name), name.as_bytes(), value.as_bytes())
    };
    proxies.hear(fields.iter().map(field))
}

fn client(proxies: &Proxies, fields: &[(&str, &str)]) -> Option<String> {
    let client = hear(proxies, fields).client?;
    Some(client.ip().to_string())
}

const NGINX: [&str; 2] = ["x-forwarded-for", "x-forwarded-proto"];
const ALL: [&str; 4] = [
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-prefix",
];

#[test]
fn peers_are_trusted_by_network_also_on_a_socket_for_both_families() {
    let proxies = proxies(&["10.0.0.0/8", "::1", "unix"], &NGINX, 0);
    let ip = |text: &str| Address::Ip(text.parse().unwrap());
    for peer in ["10.1.2.3:4", "[::ffff:10.1.2.3]:4", "[::1]:4"] {
        assert!(proxies.trust(&ip(peer)), "{peer}");
    }
    for peer in ["11.1.2.3:4", "[::2]:4", "127.0.0.1:4"] {
        assert!(!proxies.trust(&ip(peer)), "{peer}");
    }
    assert!(proxies.trust(&Address::Unix(Box::default())));
    assert!(!proxies.trust(&Address::Unknown));
}

#[test]
fn the_client_is_the_first_from_the_end_who_is_not_trusted() {
    let proxies = proxies(&["10.0.0.0/8"], &NGINX, 0);
    for (value, expected) in [
        ("192.0.2.1", Some("192.0.2.1")),
        ("6.6.6.6, 192.0.2.1", Some("192.0.2.1")),
        ("6.6.6.6, 192.0.2.1, 10.0.0.2", Some("192.0.2.1")),
        ("10.0.0.3, 10.0.0.2", Some("10.0.0.3")),
        ("nonsense, 10.0.0.2", Some("10.0.0.2")),
        ("6.6.6.6, unknown", None),
        ("", None),
        (",,", None),
    ] {
        let found = client(&proxies, &[("x-forwarded-for", value)]);
        assert_eq!(found.as_deref(), expected, "{value}");
    }
}

#[test]
fn a_known_number_of_proxies_is_counted_from_the_end() {
    for (hops, expected) in [
        (1, "10.0.0.2"),
        (2, "192.0.2.1"),
        (3, "6.6.6.6"),
        (9, "6.6.6.6"),
    ] {
        let proxies = proxies(&["10.0.0.0/8"], &NGINX, hops);
        let fields = [("x-forwarded-for", "6.6.6.6, 192.0.2.1, 10.0.0.2")];
        assert_eq!(client(&proxies, &fields).as_deref(), Some(expected));
    }
}

#[test]
fn lines_of_one_field_are_one_list_and_only_the_last_ones_count() {
    let proxies = proxies(&["10.0.0.0/8"], &NGINX, 0);
    let fields = [
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-for", "10.0.0.2"),
    ];
    assert_eq!(client(&proxies, &fields).as_deref(), Some("192.0.2.1"));
    let mut many = vec![("x-forwarded-for", "6.6.6.6"); 50];
    many.extend([("x-forwarded-for", "192.0.2.1, 10.0.0.2")]);
    assert_eq!(client(&proxies, &many).as_deref(), Some("192.0.2.1"));
    let long = format!("{}192.0.2.1", "6.6.6.6, ".repeat(100));
    let long = [("x-forwarded-for", long.as_str())];
    assert_eq!(client(&proxies, &long).as_deref(), Some("192.0.2.1"));
}

#[test]
fn scheme_and_host_are_those_that_the_client_used_with_the_outermost_proxy() {
    let proxies = proxies(&["10.0.0.0/8"], &ALL, 0);
    let two_hops = ("x-forwarded-for", "6.6.6.6, 192.0.2.1, 10.0.0.2");
    let told = hear(
        &proxies,
        &[
            two_hops,
            ("x-forwarded-proto", "ftp, https, http"),
            ("x-forwarded-host", "evil, example.org:8443, inner"),
        ],
    );
    assert_eq!(told.scheme, Some(scheme::HTTPS));
    assert_eq!(told.authority, Some(&b"example.org:8443"[..]));
    // One that is set anew, instead of added to.
    let told = hear(&proxies, &[two_hops, ("x-forwarded-proto", "https")]);
    assert_eq!(told.scheme, Some(scheme::HTTPS));
    // Nonsense says nothing.
    let told = hear(
        &proxies,
        &[("x-forwarded-proto", "gopher"), ("x-forwarded-host", "a/b")],
    );
    assert_eq!(told, Told::default());
}

#[test]
fn fields_that_the_proxies_do_not_set_are_the_clients_and_say_nothing() {
    let all = [
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil"),
        ("x-forwarded-prefix", "/evil"),
        ("forwarded", "for=6.6.6.6;proto=http;host=evil"),
    ];
    let told = hear(&proxies(&["10.0.0.0/8"], &NGINX, 0), &all);
    assert_eq!(told.client, Some("192.0.2.1:0".parse().unwrap()));
    assert_eq!(told.scheme, Some(scheme::HTTPS));
    assert_eq!((told.authority, told.prefix), (None, None));
}

#[test]
fn prefixes_are_paths_that_can_stand_before_another() {
    let proxies = proxies(&["10.0.0.0/8"], &ALL, 0);
    for (value, expected) in [
        ("/app", Some("/app")),
        ("/app/", Some("/app")),
        ("/a/b%20c", Some("/a/b%20c")),
        ("/", None),
        ("app", None),
        ("//evil", None),
        ("/a//b", None),
        ("/a/../b", None),
        ("/a?b", None),
        ("/a b", None),
    ] {
        let fields = [("x-forwarded-prefix", value)];
        let told = hear(&proxies, &fields);
        assert_eq!(told.prefix, expected.map(str::as_bytes), "{value}");
    }
}

#[test]
fn forwarded_says_all_of_it() {
    let proxies = proxies(&["10.0.0.0/8"], &["forwarded"], 0);
    let value =
        r#"for=6.6.6.6;host=evil, For="[2001:db8::1]:4711";Proto=https;host=a.b, for=10.0.0.2"#;
    let told = hear(
        &proxies,
        &[("forwarded", value), ("x-forwarded-for", "6.6.6.6")],
    );
    assert_eq!(told.client, Some("[2001:db8::1]:4711".parse().unwrap()));
    assert_eq!(told.scheme, Some(scheme::HTTPS));
    assert_eq!(told.authority, Some(&b"a.b"[..]));
    for nonsense in [r#"for="192.0.2.1"#, "for=_hidden", "proto=https;proto=http"] {
        let told = hear(&proxies, &[("forwarded", nonsense)]);
        assert_eq!(told, Told::default(), "{nonsense}");
    }
}
