//! Which application a request is for: by the host that its client names and the beginning of its path.

use std::fmt;

/// Hosts that an application answers for: one by its name, or all below a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPattern {
    /// In small letters, without port; the dot of `*.example.com` is its first.
    name: String,
    /// Whether it begins with `*`.
    wide: bool,
}

/// The prefix under which an application lives: empty, or `/` and segments, without a `/` at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mount(String);

/// The places of all applications.
#[derive(Debug)]
pub(crate) struct Routes {
    /// The longest mount first, and of the same mount the host that says most.
    all: Vec<Route>,
}

/// An application's place, one for each of its hosts.
#[derive(Debug)]
struct Route {
    host: Option<HostPattern>,
    mount: Mount,
    app: usize,
}

/// Whom a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The application of this number.
    App(usize),
    /// None: nobody answers for that host.
    NoSuchHost,
    /// None: the host is known, and nobody answers there for that path.
    NoSuchPath,
}

impl HostPattern {
    /// What [`HostPattern::parse`] reads, for messages.
    pub(crate) const FORM: &str = "a host without port, such as `example.com` or `*.example.com`";

    /// Reads a name, an address, or `*.` and a name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let wide = text.starts_with("*.");
        let name = if wide { &text[1..] } else { text };
        let bare = name.trim_start_matches('.');
        let is_label = |label: &str| {
            let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
            !label.is_empty() && label.len() <= 63 && label.bytes().all(letter)
        };
        let is_name = bare.len() <= MAX_NAME && bare.split('.').all(is_label);
        let is_address = !wide
            && text.strip_prefix('[').is_some_and(|rest| {
                let address = rest.strip_suffix(']');
                address.is_some_and(|one| one.parse::<std::net::Ipv6Addr>().is_ok())
            });
        let dots = name.len() - bare.len();
        (is_address || is_name && dots == usize::from(wide)).then(|| Self {
            name: name.to_ascii_lowercase(),
            wide,
        })
    }

    /// Whether a host is meant; below a name may be any number of labels, but not none.
    fn fits(&self, host: &[u8]) -> bool {
        let name = self.name.as_bytes();
        if !self.wide {
            return host.eq_ignore_ascii_case(name);
        }
        let end = host.len().checked_sub(name.len()).filter(|end| *end > 0);
        end.is_some_and(|end| host[end..].eq_ignore_ascii_case(name))
    }

    /// How much it says: a name more than all names below it.
    fn weight(&self) -> (bool, usize) {
        (!self.wide, self.name.len())
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.wide { "*" } else { "" }, self.name)
    }
}

impl Mount {
    /// What [`Mount::parse`] reads, for messages.
    pub(crate) const FORM: &str = "`/`, or a path such as `/shop` without `/` at its end";

    /// Reads a prefix in the form that it has in a request, percent-encoded where it must be.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == "/" {
            return Some(Self::default());
        }
        let letter = |b: u8| b.is_ascii_graphic() && !b"\"#<>?\\^`{|}".contains(&b);
        let is_segment =
            |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(letter);
        let good = text.strip_prefix('/')?.split('/').all(is_segment);
        (good && text.len() <= MAX_MOUNT).then(|| Self(text.to_owned()))
    }

    /// As requests have it; empty for all of a host.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a path begins with it and goes on with another segment, or not at all. What is no path
    /// is of whoever has all of the host.
    fn fits(&self, path: &[u8]) -> bool {
        let rest = path.strip_prefix(self.0.as_bytes());
        rest.is_some_and(|rest| self.0.is_empty() || matches!(rest, [] | [b'/', ..]))
    }
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "/" } else { &self.0 })
    }
}

impl Routes {
    /// Those of applications in the order of their numbers, each with its hosts, where none means any,
    /// and its mount. None if there is nothing to choose: one application has everything.
    pub(crate) fn of<'a>(
        apps: impl Iterator<Item = (&'a [HostPattern], &'a Mount)>,
    ) -> Option<Self> {
        let mut all = Vec::new();
        for (app, (hosts, mount)) in apps.enumerate() {
            let any = hosts.is_empty().then_some(None);
            let hosts = hosts.iter().cloned().map(Some).chain(any);
            all.extend(hosts.map(|host| Route {
                host,
                mount: mount.clone(),
                app,
            }));
        }
        all.sort_by_key(|route| {
            let weight = route.host.as_ref().map(HostPattern::weight);
            std::cmp::Reverse((route.mount.0.len(), weight))
        });
        let everything = |route: &Route| route.host.is_none() && route.mount.0.is_empty();
        let chooses = all.len() != 1 || !all.iter().all(everything);
        chooses.then_some(Self { all })
    }

    /// Whom a request for `authority` (`host[:port]`) and a raw `path` is for: of the applications whose
    /// host and mount fit, the one with the longest mount, and of those the one whose host says most.
    pub(crate) fn choose(&self, authority: &[u8], path: &[u8]) -> Choice {
        let host = without_port(authority);
        let host = host.strip_suffix(b".").unwrap_or(host);
        let mut known = false;
        for route in &self.all {
            if route.host.as_ref().is_none_or(|one| one.fits(host)) {
                known = true;
                if route.mount.fits(path) {
                    return Choice::App(route.app);
                }
            }
        }
        match known {
            true => Choice::NoSuchPath,
            false => Choice::NoSuchHost,
        }
    }
}

/// `host` of `host:port` (RFC 3986 §3.2); an IPv6 address has colons of its own.
pub(crate) fn without_port(authority: &[u8]) -> &[u8] {
    let is_port = |end: &[u8]| end.iter().all(u8::is_ascii_digit);
    match authority.iter().rposition(|byte| *byte == b':') {
        Some(at) if is_port(&authority[at + 1..]) => &authority[..at],
        _ => authority,
    }
}

/// Longest name of a host (RFC 1035 §2.3.4), in bytes.
const MAX_NAME: usize = 253;
/// Longest mount, in bytes.
const MAX_MOUNT: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(apps: &[(&[&str], &str)]) -> Option<Routes> {
        let parse = |(hosts, mount): &(&[&str], &str)| {
            let hosts: Vec<_> = hosts
                .iter()
                .map(|host| HostPattern::parse(host).unwrap())
                .collect();
            (hosts, Mount::parse(mount).unwrap())
        };
        let apps: Vec<_> = apps.iter().map(parse).collect();
        Routes::of(apps.iter().map(|(hosts, mount)| (&hosts[..], mount)))
    }

    #[test]
    fn one_application_that_has_everything_is_no_choice() {
        assert!(routes(&[(&[], "/")]).is_none());
        assert!(routes(&[(&["a"], "/")]).is_some());
        assert!(routes(&[(&[], "/a")]).is_some());
        assert!(routes(&[(&[], "/"), (&["a"], "/")]).is_some());
    }

    #[test]
    fn the_longest_mount_wins_and_ends_where_a_segment_does() {
        let routes = routes(&[(&[], "/"), (&[], "/a"), (&[], "/a/b"), (&[], "/%61")]).unwrap();
        for (path, app) in [
            ("/", 0),
            ("/a", 1),
            ("/a/", 1),
            ("/ab", 0),
            ("/a/b", 2),
            ("/a/bc", 1),
            ("/a/b/c", 2),
            ("/A", 0),
            ("/%61/x", 3),
            ("*", 0),
            ("", 0),
            ("//a", 0),
        ] {
            let found = routes.choose(b"h", path.as_bytes());
            assert_eq!(found, Choice::App(app), "{path}");
        }
    }

    #[test]
    fn a_host_is_known_by_its_name_or_by_what_it_is_below() {
        let routes = routes(&[
            (&["example.com", "[::1]"], "/"),
            (&["*.example.com"], "/"),
            (&["*.b.example.com"], "/"),
            (&["www.example.com"], "/x"),
            (&["*.Example.COM"], "/x"),
        ])
        .unwrap();
        let choose = |host: &str, path: &str| routes.choose(host.as_bytes(), path.as_bytes());
        for (host, path, app) in [
            ("example.com", "/", 0),
            ("EXAMPLE.com.:8080", "/", 0),
            ("[::1]:80", "/", 0),
            ("a.example.com", "/", 1),
            ("a.b.example.com:1", "/", 2),
            ("www.example.com", "/x", 3),
            ("a.b.example.com", "/x/y", 4),
        ] {
            assert_eq!(choose(host, path), Choice::App(app), "{host}{path}");
        }
        for host in [
            "example.org",
            "",
            "xexample.com",
            ".example.com",
            "example.com.evil",
        ] {
            assert_eq!(choose(host, "/"), Choice::NoSuchHost, "{host}");
        }
    }

    #[test]
    fn a_known_host_may_lack_a_path_and_a_mount_of_any_host_fills_in() {
        let routes = routes(&[(&["a"], "/x"), (&[], "/static")]).unwrap();
        assert_eq!(routes.choose(b"a", b"/static/y"), Choice::App(1));
        assert_eq!(routes.choose(b"a", b"/y"), Choice::NoSuchPath);
        assert_eq!(routes.choose(b"b", b"/x"), Choice::NoSuchPath);
    }

    #[test]
    fn what_is_no_host_and_no_mount_is_refused() {
        for text in [
            "", "*", "*.", "a:80", "a..b", ".a", "*.*.a", "a b", "[::1", "[x]", "a/b", "http://a",
        ] {
            assert_eq!(HostPattern::parse(text), None, "{text}");
        }
        for text in [
            "a", "/a/", "//a", "/a//b", "/./a", "/a/..", "/a?b", "/a b", "/a#", "",
        ] {
            assert_eq!(Mount::parse(text), None, "{text}");
        }
        for text in [
            "example.com",
            "*.example.com",
            "[::1]",
            "127.0.0.1",
            "my_host",
        ] {
            assert_eq!(HostPattern::parse(text).unwrap().to_string(), text);
        }
        for text in ["/", "/a", "/a/b-c", "/%C3%A4"] {
            assert_eq!(Mount::parse(text).unwrap().to_string(), text);
        }
    }
}
