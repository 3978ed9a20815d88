//! The addresses that redirects name.

use super::binding::Binding;
use super::options::Domains;
use super::quote::{FRAGMENT, PATH, QUERY, quote};

/// The host of a rule whose domain is `domain`.
pub(super) fn host(at: &Binding<'_>, domains: Domains, domain: &str) -> String {
    match domains {
        Domains::Hosts => domain.to_owned(),
        Domains::Ignored | Domains::Subdomains if domain.is_empty() => at.server_name.to_owned(),
        Domains::Ignored | Domains::Subdomains => format!("{domain}.{}", at.server_name),
    }
}

/// The absolute URL of `path`, which is encoded and below the mount, with the request's query.
pub(super) fn absolute(at: &Binding<'_>, host: &str, path: &str) -> String {
    let mount = at.mount.trim_matches('/');
    let slash = if mount.is_empty() { "" } else { "/" };
    let path = path.trim_start_matches('/');
    let mut location = format!("{}://{host}{slash}{mount}/{path}", at.scheme);
    append_query(at, &mut location);
    location
}

/// Appends the request's query, if it has any.
pub(super) fn append_query(at: &Binding<'_>, location: &mut String) {
    if !at.query.is_empty() {
        location.push('?');
        quote(at.query, QUERY, location);
    }
}

/// The reference `target` seen from `base`, an absolute URL of a folder (RFC 3986 §5.2), with everything
/// encoded that may not stand in a URL.
pub(super) fn join(base: &str, target: &str) -> String {
    let (target, fragment) = split(target, '#');
    let (target, query) = split(target, '?');
    let (base_scheme, base_rest) = base.split_once("://").unwrap_or(("http", base));
    let (base_host, base_path) = base_rest.split_at(base_rest.find('/').unwrap_or(base_rest.len()));
    let (scheme, rest) = match scheme(target) {
        Some((scheme, rest)) if !scheme.eq_ignore_ascii_case(base_scheme) => {
            (scheme, Reference::of(rest, true))
        }
        Some((_, rest)) => (base_scheme, Reference::of(rest, false)),
        None => (base_scheme, Reference::of(target, false)),
    };
    let mut location = format!("{scheme}:");
    match rest {
        Reference::Host(rest) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            location += "//";
            location += host;
            quote_path(path, &mut location);
        }
        Reference::Opaque(path) => quote_path(path, &mut location),
        Reference::Path(path) => {
            location += "//";
            location += base_host;
            quote_path(&resolve(base_path, path), &mut location);
        }
    }
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        location.push('?');
        quote(query.as_bytes(), QUERY, &mut location);
    }
    if let Some(fragment) = fragment.filter(|fragment| !fragment.is_empty()) {
        location.push('#');
        quote(fragment.as_bytes(), FRAGMENT, &mut location);
    }
    location
}

/// The scheme that a URL begins with, and what follows its colon (RFC 3986 §3.1).
pub(super) fn scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    is_scheme.then_some((scheme, rest))
}

/// What follows a scheme.
enum Reference<'t> {
    /// A host and more.
    Host(&'t str),
    /// Something of another scheme, not to be touched.
    Opaque(&'t str),
    /// A path, absolute or relative.
    Path(&'t str),
}

impl<'t> Reference<'t> {
    fn of(rest: &'t str, other_scheme: bool) -> Self {
        match rest.strip_prefix("//") {
            Some(host) => Self::Host(host),
            None if other_scheme => Self::Opaque(rest),
            None => Self::Path(rest),
        }
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// `target` seen from the folder `base`, without dots (RFC 3986 §5.2.4) and empty segments.
fn resolve(base: &str, target: &str) -> String {
    let folder = &base[..base.rfind('/').map_or(0, |at| at + 1)];
    let whole = match target {
        absolute if absolute.starts_with('/') => absolute.to_owned(),
        relative => format!("{folder}{relative}"),
    };
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_in_folder = false;
    for segment in whole.split('/') {
        ends_in_folder = matches!(segment, "" | "." | "..");
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let end = if ends_in_folder && !segments.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{end}", segments.join("/"))
}

fn quote_path(path: &str, out: &mut String) {
    // What is encoded already stays so.
    for (number, piece) in path.split('%').enumerate() {
        if number > 0 {
            out.push('%');
        }
        quote(piece.as_bytes(), PATH, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_seen_from_the_folder() {
        for (target, location) in [
            ("x", "http://h/app/x"),
            ("/x", "http://h/x"),
            ("../x", "http://h/x"),
            ("a/../../b/./c", "http://h/b/c"),
            ("?q=1", "http://h/app/?q=1"),
            ("#f", "http://h/app/#f"),
            ("", "http://h/app/"),
            ("x//y", "http://h/app/x/y"),
            ("//e/x", "http://e/x"),
            ("https://e/x y?a=b c#d", "https://e/x%20y?a=b%20c#d"),
            ("http:x", "http://h/app/x"),
            ("mailto:x", "mailto:x"),
        ] {
            assert_eq!(join("http://h/app/", target), location, "{target}");
        }
    }
}
