//! What a server loses of a request, and what the echo application then sees: the documented limits
//! of docs/python.md and docs/servers.md, as a function from gatewayd's answer.

use crate::python::Kind;
use serde_json::{Value as Json, json};

/// What a server makes of requests.
#[derive(Debug)]
pub struct Manners {
    /// What stands between the values of repeated fields that become one.
    joined: Option<&'static str>,
    /// The same for cookies.
    cookies: Option<&'static str>,
    /// Whether a field `Proxy` goes through.
    proxy: bool,
    length: Length,
    /// Whether fields are in the client's order.
    ordered: bool,
    /// Whether lines of one name stand together, in requests and in responses.
    pub groups_fields: bool,
    /// Whether a response has the length that was declared, as long as its content is whole.
    pub(super) declared_length: bool,
    /// Whether type and length of what has not changed are said with 304.
    pub(super) describes_304: bool,
    underscores: Underscores,
    /// Whether the target is told as it was sent; otherwise the path comes decoded.
    exact_target: bool,
    /// Whether `/?` is told from `/`.
    empty_query: bool,
    /// Whether a target in absolute-form is told from one in origin-form.
    absolute_form: bool,
    /// The version of HTTP, if it is not the client's own that is told.
    version: Option<&'static str>,
}

/// When an application is told a length.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Length {
    AsSent,
    /// Also of an upload that was sent without.
    OfUploads,
    /// Always, `0` without a body.
    Always,
}

/// What becomes of a name with `_`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Underscores {
    Kept,
    Dropped,
    /// It becomes that with `-`.
    Folded,
}

impl Manners {
    /// Nothing is lost.
    pub const EXACT: Self = Self {
        joined: None,
        cookies: None,
        proxy: true,
        length: Length::AsSent,
        ordered: true,
        groups_fields: false,
        declared_length: true,
        describes_304: true,
        underscores: Underscores::Kept,
        exact_target: true,
        empty_query: true,
        absolute_form: true,
        version: None,
    };
    /// By HTTP/2, which a cookie may go through in pieces.
    pub const HTTP2: Self = Self {
        cookies: Some("; "),
        ordered: false,
        groups_fields: true,
        version: Some("HTTP/2.0"),
        ..Self::EXACT
    };
    /// Behind nginx by variables, one of which every field becomes.
    pub const FASTCGI: Self = Self {
        cookies: Some("; "),
        proxy: false,
        length: Length::OfUploads,
        ordered: false,
        ..Self::EXACT
    };
    /// The same by `gateway_spec::cgi`, which joins what repeats.
    pub const VARIABLES: Self = Self {
        joined: Some(", "),
        ..Self::FASTCGI
    };
    /// By an environment, which has one variable of a name.
    pub const CGI: Self = Self {
        cookies: Some(", "),
        length: Length::AsSent,
        groups_fields: true,
        declared_length: false,
        describes_304: false,
        underscores: Underscores::Dropped,
        ..Self::VARIABLES
    };
    /// Servers that keep fields in a map: lines of one name stand together.
    pub const MAPPED: Self = Self {
        ordered: false,
        groups_fields: true,
        ..Self::EXACT
    };
    /// hyper, which is one of them.
    pub const HYPER: Self = Self {
        describes_304: false,
        ..Self::MAPPED
    };

    /// The same by SCGI, where every request begins with its length.
    #[must_use]
    pub const fn always_with_length(self) -> Self {
        Self {
            length: Length::Always,
            ..self
        }
    }

    /// What a server of Python's loses.
    #[must_use]
    pub fn of(kind: Kind) -> Self {
        let wsgi = Self {
            joined: Some(","),
            cookies: Some(","),
            proxy: false,
            length: Length::AsSent,
            ordered: false,
            groups_fields: false,
            declared_length: true,
            describes_304: true,
            underscores: Underscores::Dropped,
            exact_target: true,
            empty_query: true,
            absolute_form: true,
            version: None,
        };
        match kind {
            Kind::Gunicorn | Kind::GunicornThreads => wsgi,
            Kind::Uwsgi => Self {
                joined: Some(", "),
                cookies: Some(", "),
                underscores: Underscores::Folded,
                ..wsgi
            },
            Kind::Granian => Self {
                cookies: Some(";"),
                describes_304: false,
                groups_fields: true,
                underscores: Underscores::Folded,
                exact_target: false,
                empty_query: false,
                absolute_form: false,
                ..wsgi
            },
            Kind::GranianAsgi | Kind::Uvicorn => Self {
                ordered: kind == Kind::Uvicorn,
                groups_fields: kind == Kind::GranianAsgi,
                describes_304: kind != Kind::GranianAsgi,
                empty_query: false,
                absolute_form: kind == Kind::Uvicorn,
                ..Self::EXACT
            },
        }
    }

    /// What the echo application answers under this server, by what it answers under gatewayd.
    ///
    /// # Panics
    /// When that is no echo.
    #[must_use]
    pub fn of_echo(&self, gatewayd: &Json) -> Json {
        let mut echo = gatewayd.clone();
        let [mut path, target] = ["path", "target"].map(|name| text(&echo[name]));
        let mut query = echo["query"].as_str().map(str::to_owned);
        if !self.empty_query && query.as_deref() == Some("") {
            query = None;
        }
        if !self.exact_target {
            path = encoded(&decoded(&path));
        }
        let is_absolute = target.contains("://") && !target.starts_with('/');
        if !is_absolute || !self.absolute_form {
            let mark = query.iter().map(|query| format!("?{query}"));
            echo["target"] = json!(path.clone() + &mark.collect::<String>());
        }
        echo["path"] = json!(path);
        echo["query"] = json!(query);
        if let Some(version) = self.version
            && !echo["version"].is_null()
        {
            echo["version"] = json!(version);
        }
        let body = gatewayd["body_len"].as_u64().unwrap_or(0);
        echo["headers"] = self.fields(&gatewayd["headers"], body);
        echo
    }

    /// The fields of an echo, in an order that can be compared.
    #[must_use]
    pub fn sorted(&self, echo: &Json) -> Json {
        let mut echo = echo.clone();
        if let (false, Some(fields)) = (self.ordered, echo["headers"].as_array_mut()) {
            fields.sort_by_key(ToString::to_string);
        }
        echo
    }

    fn fields(&self, fields: &Json, body: u64) -> Json {
        let mut kept: Vec<(String, String)> = Vec::new();
        for field in fields.as_array().expect("an array of fields") {
            let (mut name, value) = (text(&field[0]), text(&field[1]));
            if name.contains('_') {
                match self.underscores {
                    Underscores::Kept => {}
                    Underscores::Dropped => continue,
                    Underscores::Folded => name = name.replace('_', "-"),
                }
            }
            // A CGI variable of this name is a setting of many clients.
            if name == "proxy" && !self.proxy {
                continue;
            }
            let glue = if name == "cookie" {
                self.cookies
            } else {
                self.joined
            };
            let earlier = kept.iter_mut().find(|(other, _)| *other == name);
            match (earlier, glue) {
                (Some((_, earlier)), Some(glue)) => *earlier += &format!("{glue}{value}"),
                _ => kept.push((name, value)),
            }
        }
        let is_told = kept.iter().any(|(name, _)| name == "content-length");
        let tells = match self.length {
            Length::AsSent => false,
            Length::OfUploads => body > 0,
            Length::Always => true,
        };
        if tells && !is_told {
            kept.push(("content-length".to_owned(), body.to_string()));
        }
        json!(kept)
    }
}

fn text(json: &Json) -> String {
    json.as_str().expect("a text").to_owned()
}

fn decoded(path: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let octet = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        (octets, rest) = match octet.filter(|_| *first == b'%') {
            Some(octet) => ([octets, vec![octet]].concat(), &tail[2..]),
            None => ([octets, vec![*first]].concat(), tail),
        };
    }
    octets
}

fn encoded(path: &[u8]) -> String {
    let is_kept =
        |octet: u8| octet.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&octet);
    let texts = path.iter().map(|&octet| match is_kept(octet) {
        true => char::from(octet).to_string(),
        false => format!("%{octet:02X}"),
    });
    texts.collect()
}
