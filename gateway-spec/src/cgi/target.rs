//! [`Place`]: what CGI variables say of a request's target, and the target that follows from it.

use std::borrow::Cow;

use super::path::{decoded, decoded_but_slashes, encoded, normal};

/// The variables that a target follows from.
///
/// `PATH_INFO` has come through a decoder and cannot tell `/` from `%2F`; `REQUEST_URI` is what the
/// client sent. The second counts if it names the same place as the first, which a server that has
/// rewritten the path does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "these four say all that CGI says of a target; hosts build it"
)]
pub struct Place<'v> {
    /// `SCRIPT_NAME`: the application's part of the path.
    pub script_name: Option<&'v [u8]>,
    /// `PATH_INFO`: what follows that. Without it nobody has said where the application's part ends,
    /// and the whole of `SCRIPT_NAME` is the path of an application without a mount.
    pub path_info: Option<&'v [u8]>,
    /// `QUERY_STRING`.
    pub query_string: Option<&'v [u8]>,
    /// `REQUEST_URI`: path and query as the client sent them.
    pub request_uri: Option<&'v [u8]>,
}

/// A request target.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target<'v> {
    /// Path and query, or `*`.
    pub target: Cow<'v, [u8]>,
    /// How many bytes at its beginning are the mount.
    pub mount: usize,
}

impl<'v> Place<'v> {
    /// The target; none if no variable names a path.
    ///
    /// A path that the server has only tidied up, in which it has merged slashes or resolved dot
    /// segments, names the same place.
    #[must_use]
    pub fn target(&self) -> Option<Target<'v>> {
        let script = self.script_name.unwrap_or_default();
        let info = self.path_info.unwrap_or_default();
        let mount = match self.path_info {
            Some(_) => script,
            None => b"",
        };
        let exact = self.request_uri.and_then(Exact::of);
        let is_named = self.script_name.is_some() || self.path_info.is_some();
        match exact {
            Some(exact) if !is_named || exact.names(script, info) => {
                exact.target(mount, self.query_string)
            }
            _ => self.made(script, info, mount.len()),
        }
    }

    /// The target that is made of the decoded path.
    fn made(&self, script: &[u8], info: &[u8], mount: usize) -> Option<Target<'v>> {
        let path = match [script, info].concat() {
            path if path.is_empty() => b"/".to_vec(),
            path => path,
        };
        if path == b"*" {
            return Some(Target {
                target: path.into(),
                mount: 0,
            });
        }
        if path[0] != b'/' {
            return None;
        }
        let mut target = encoded(&path);
        let prefix = encoded(&script[..mount]);
        let mount = border(&target, prefix.len());
        if let Some(query) = self.query_string.filter(|query| !query.is_empty()) {
            target.push(b'?');
            target.extend_from_slice(query);
        }
        Some(Target {
            target: target.into(),
            mount,
        })
    }
}

/// A target as the client sent it.
#[derive(Clone, Copy)]
struct Exact<'v> {
    whole: &'v [u8],
    path: &'v [u8],
}

impl<'v> Exact<'v> {
    fn of(uri: &'v [u8]) -> Option<Self> {
        let whole = without_authority(uri);
        let end = whole.iter().position(|byte| *byte == b'?');
        let path = &whole[..end.unwrap_or(whole.len())];
        (path.first() == Some(&b'/') || whole == b"*").then_some(Self { whole, path })
    }

    /// Whether the decoded path is this one.
    fn names(&self, script: &[u8], info: &[u8]) -> bool {
        let length = script.len() + info.len();
        let is_same =
            self.path.len() == length && self.path.starts_with(script) && self.path.ends_with(info);
        if is_same && !self.path.contains(&b'%') {
            return true;
        }
        is_decoded(self.path, &[script, info].concat())
    }

    fn target(self, mount: &[u8], query: Option<&[u8]>) -> Option<Target<'v>> {
        let mount = self.mount(mount)?;
        let sent = self.whole.get(self.path.len() + 1..).unwrap_or_default();
        let target = match query {
            // The server has put another in its place.
            Some(query) if query != sent && !query.is_empty() => {
                Cow::Owned([self.path, b"?", query].concat())
            }
            Some([]) if !sent.is_empty() => Cow::Borrowed(self.path),
            _ => Cow::Borrowed(self.whole),
        };
        Some(Target { target, mount })
    }

    /// How long the prefix is whose decoded form is `mount`.
    fn mount(&self, mount: &[u8]) -> Option<usize> {
        if mount.is_empty() || mount == b"/" {
            return Some(0);
        }
        let mut borders = (1..=self.path.len()).filter(|end| border(self.path, *end) == *end);
        borders.find(|end| is_decoded(&self.path[..*end], mount))
    }
}

/// Whether `named` is what a server makes of the path `sent` to look at it.
fn is_decoded(sent: &[u8], named: &[u8]) -> bool {
    let is = |decoded: Vec<u8>| decoded == named || normal(&decoded) == normal(named);
    is(decoded(sent)) || is(decoded_but_slashes(sent))
}

/// `end` if the path may be cut there, else 0.
fn border(path: &[u8], end: usize) -> usize {
    let ends_segment = matches!(path.get(end), None | Some(b'/'));
    let is_border = ends_segment && end > 0 && path[end - 1] != b'/';
    if is_border { end } else { 0 }
}

/// Path and query of a target, which may be in absolute-form.
fn without_authority(target: &[u8]) -> &[u8] {
    if target.first() == Some(&b'/') {
        return target;
    }
    let Some(at) = target.windows(3).position(|window| window == b"://") else {
        return target;
    };
    if target[..at].iter().any(|byte| matches!(byte, b'/' | b'?')) {
        return target;
    }
    let rest = &target[at + 3..];
    let start = rest.iter().position(|byte| matches!(byte, b'/' | b'?'));
    start.map_or(b"/", |start| &rest[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(
        script: Option<&str>,
        info: Option<&str>,
        query: Option<&str>,
        uri: Option<&str>,
    ) -> Option<(String, usize)> {
        let place = Place {
            script_name: script.map(str::as_bytes),
            path_info: info.map(str::as_bytes),
            query_string: query.map(str::as_bytes),
            request_uri: uri.map(str::as_bytes),
        };
        let found = place.target()?;
        let text = String::from_utf8(found.target.into_owned()).unwrap();
        Some((text, found.mount))
    }

    fn some(text: &str, mount: usize) -> Option<(String, usize)> {
        Some((text.to_owned(), mount))
    }

    #[test]
    fn the_exact_target_counts_where_it_names_the_same_place() {
        let exact = Some("/a%2Fb/%ff?q=%20");
        for (script, info) in [
            (None, None),
            (Some(""), Some("/a/b/\u{ff}")),
            (Some("/a/b/x"), None),
        ] {
            // A string of Rust's is UTF-8; the octet 0xFF is not.
            let named = script.is_none();
            let found = target(script, info, Some("q=%20"), exact);
            assert_eq!(found == some("/a%2Fb/%ff?q=%20", 0), named);
        }
        let exact = Some("/a%2Fb?q=%20");
        assert_eq!(
            target(Some(""), Some("/a/b"), Some("q=%20"), exact),
            some("/a%2Fb?q=%20", 0)
        );
        assert_eq!(
            target(Some("/a/b"), None, None, exact),
            some("/a%2Fb?q=%20", 0)
        );
        assert_eq!(
            target(Some(""), Some("/a/c"), Some("q=1"), exact),
            some("/a/c?q=1", 0)
        );
    }

    #[test]
    fn a_path_that_was_only_tidied_up_is_the_same_place() {
        for (uri, info) in [
            ("//a///b", "/a/b"),
            ("/a/../b", "/b"),
            ("/a/./b/", "/a/b/"),
            ("/%2e%2e/b", "/b"),
            ("/a/..", "/"),
            // Apache's AllowEncodedSlashes NoDecode.
            ("/a%2Fb/%41", "/a%2Fb/A"),
        ] {
            assert_eq!(target(Some(""), Some(info), None, Some(uri)), some(uri, 0));
        }
        assert_eq!(
            target(Some(""), Some("/b/"), None, Some("/b")),
            some("/b/", 0)
        );
    }

    #[test]
    fn the_query_is_the_servers_if_it_says_another() {
        let path = Some("/a");
        assert_eq!(target(path, None, Some("x"), Some("/a?y")), some("/a?x", 0));
        assert_eq!(target(path, None, Some(""), Some("/a?y")), some("/a", 0));
        assert_eq!(target(path, None, Some(""), Some("/a?")), some("/a?", 0));
        assert_eq!(target(path, None, None, Some("/a?y?z")), some("/a?y?z", 0));
    }

    #[test]
    fn the_mount_is_found_in_what_the_client_sent() {
        let mounted = |uri| target(Some("/m n"), Some("/x"), None, Some(uri));
        assert_eq!(mounted("/m%20n/x"), some("/m%20n/x", 6));
        assert_eq!(mounted("/elsewhere"), some("/m%20n/x", 6));
        assert_eq!(
            target(Some("/m"), Some(""), None, Some("/m?q")),
            some("/m?q", 2)
        );
        assert_eq!(target(Some("/m"), None, None, Some("/m")), some("/m", 0));
        assert_eq!(
            target(Some("/"), Some("a"), None, Some("/a")),
            some("/a", 0)
        );
        assert_eq!(target(Some("/m"), Some("x"), None, None), some("/mx", 0));
    }

    #[test]
    fn a_target_that_is_no_path_is_none_of_ours() {
        assert_eq!(
            target(None, None, None, Some("http://h/p?q")),
            some("/p?q", 0)
        );
        assert_eq!(target(None, None, None, Some("*")), some("*", 0));
        assert_eq!(target(Some(""), Some("*"), None, None), some("*", 0));
        assert_eq!(target(None, None, None, None), some("/", 0));
        assert_eq!(target(None, Some("x"), None, Some("y z")), None);
    }
}
