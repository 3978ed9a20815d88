//! Whether a request that changes something was made by a page of this site, or by one that wants its visitors
//! to do what they did not mean to.

mod guard;
mod origin;
mod token;

use std::fmt;

use http::{HeaderMap, Method, header};

pub use guard::csrf_exempt;
pub(crate) use guard::{guarded, same_site};
pub use origin::{BadOrigin, Origin};

/// What a request's own fields say of where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It changes nothing, comes from this site, or carries no cookie that could speak for a visitor.
    Pass,
    /// It carries cookies and does not say where it comes from, as old browsers do: a token must decide.
    NeedsToken,
    /// It comes from elsewhere: 403.
    Refuse(Refusal),
}

/// Why a request was refused, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    field: &'static str,
    found: String,
    expected: String,
}

/// Judges a request by its method, Sec-Fetch-Site, Origin and Cookie fields.
///
/// `authority` is what the client asked for: host, and port if not the usual one. The scheme is not compared,
/// because a proxy may have taken TLS off. Origins in `trusted` count as this site.
pub fn judge(method: &Method, fields: &HeaderMap, authority: &str, trusted: &[Origin]) -> Verdict {
    if method.is_safe() {
        return Verdict::Pass;
    }
    let origin = fields.get(header::ORIGIN).map(|value| value.as_bytes());
    let parsed = origin.and_then(Origin::from_bytes);
    if parsed
        .as_ref()
        .is_some_and(|origin| trusted.contains(origin))
    {
        return Verdict::Pass;
    }
    if let Some(site) = fields.get("sec-fetch-site") {
        return match site.as_bytes() {
            b"same-origin" | b"none" => Verdict::Pass,
            other => refuse("Sec-Fetch-Site", other, "same-origin"),
        };
    }
    match (origin, parsed) {
        (Some(_), Some(parsed)) if parsed.is_at(authority) => Verdict::Pass,
        (Some(found), _) => refuse("Origin", found, authority),
        (None, _) if fields.contains_key(header::COOKIE) => Verdict::NeedsToken,
        (None, _) => Verdict::Pass,
    }
}

fn refuse(field: &'static str, found: &[u8], expected: &str) -> Verdict {
    let shown = &found[..found.len().min(SHOWN)];
    Verdict::Refuse(Refusal {
        field,
        found: shown.escape_ascii().to_string(),
        expected: expected.to_owned(),
    })
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field,
            found,
            expected,
        } = self;
        write!(
            f,
            "This request comes from another site: {field} is `{found}`, expected `{expected}`. An origin that may \
             do this is named by `trusted_origin`, a route for everybody by `csrf_exempt`."
        )
    }
}

const SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn judge_post(fields: &[(&'static str, &'static str)]) -> Verdict {
        let field = |(name, value): &(&'static str, &'static str)| {
            let name = header::HeaderName::from_static(name);
            (name, header::HeaderValue::from_static(value))
        };
        let fields = fields.iter().map(field).collect();
        let trusted = [Origin::parse("https://pay.example").unwrap()];
        judge(&Method::POST, &fields, "shop.example", &trusted)
    }

    fn is_refused(fields: &[(&'static str, &'static str)]) -> bool {
        matches!(judge_post(fields), Verdict::Refuse(_))
    }

    #[test]
    fn what_changes_nothing_passes() {
        let elsewhere = [(
            header::ORIGIN,
            header::HeaderValue::from_static("https://evil.example"),
        )];
        let verdict = judge(&Method::GET, &elsewhere.into_iter().collect(), "a", &[]);
        assert_eq!(verdict, Verdict::Pass);
    }

    #[test]
    fn a_browser_says_where_the_request_comes_from() {
        let cookie = ("cookie", "session=1");
        assert_eq!(
            judge_post(&[("sec-fetch-site", "same-origin"), cookie]),
            Verdict::Pass
        );
        assert_eq!(
            judge_post(&[("sec-fetch-site", "none"), cookie]),
            Verdict::Pass
        );
        for site in ["cross-site", "same-site", "", "Same-Origin"] {
            assert!(
                is_refused(&[("sec-fetch-site", site), ("origin", "https://shop.example")]),
                "{site}"
            );
        }
    }

    #[test]
    fn an_origin_is_compared_by_host_and_port() {
        for origin in [
            "https://shop.example",
            "http://shop.example",
            "https://SHOP.example:443",
        ] {
            assert_eq!(judge_post(&[("origin", origin)]), Verdict::Pass, "{origin}");
        }
        for origin in [
            "https://evil.example",
            "https://shop.example:8443",
            "https://shop.example.evil.example",
            "https://shop.example@evil.example",
            "null",
            "",
            "shop.example",
        ] {
            assert!(is_refused(&[("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn a_trusted_origin_passes_whatever_the_browser_calls_it() {
        let fields = [
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://pay.example"),
        ];
        assert_eq!(judge_post(&fields), Verdict::Pass);
        let other_scheme = [
            ("sec-fetch-site", "cross-site"),
            ("origin", "http://pay.example"),
        ];
        assert!(is_refused(&other_scheme));
    }

    #[test]
    fn without_either_field_only_cookies_are_a_danger() {
        assert_eq!(judge_post(&[]), Verdict::Pass);
        assert_eq!(judge_post(&[("authorization", "Bearer x")]), Verdict::Pass);
        assert_eq!(judge_post(&[("cookie", "session=1")]), Verdict::NeedsToken);
    }

    #[test]
    fn a_refusal_says_what_was_found_and_what_helps() {
        let Verdict::Refuse(refusal) = judge_post(&[("origin", "https://evil.example")]) else {
            panic!("passed")
        };
        let text = refusal.to_string();
        assert!(
            text.contains("Origin is `https://evil.example`, expected `shop.example`"),
            "{text}"
        );
        assert!(text.contains("trusted_origin"), "{text}");
    }
}
