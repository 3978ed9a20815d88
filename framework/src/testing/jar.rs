//! The client's cookies.

use std::time::SystemTime;

use gateway_spec::Fields;
use gateway_spec::http::header::SET_COOKIE;

/// Cookies by name and path, as a browser keeps them for one host.
#[derive(Debug, Default)]
pub(super) struct Jar {
    cookies: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    name: String,
    value: String,
    path: String,
}

impl Jar {
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let kept = self.cookies.iter().find(|kept| kept.name == name)?;
        Some(kept.value.clone())
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.keep(name, value, "/");
    }

    /// The Cookie field for a path, longest paths first (RFC 6265 §5.4).
    pub(super) fn field(&self, path: &str) -> Option<String> {
        let mut sent: Vec<&Kept> = (self.cookies.iter())
            .filter(|kept| covers(&kept.path, path))
            .collect();
        sent.sort_by_key(|kept| std::cmp::Reverse(kept.path.len()));
        let pairs = sent
            .iter()
            .map(|kept| format!("{}={}", kept.name, kept.value));
        let field = pairs.collect::<Vec<_>>().join("; ");
        (!field.is_empty()).then_some(field)
    }

    /// Does what the response's Set-Cookie fields say.
    pub(super) fn take(&mut self, fields: &Fields) {
        for line in fields.get_all(&SET_COOKIE) {
            let mut parts = line.to_str().unwrap_or_default().split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            let (mut path, mut gone) = ("/", false);
            for (attribute, value) in parts.filter_map(|part| part.split_once('=')) {
                match attribute.to_ascii_lowercase().as_str() {
                    "path" => path = value,
                    "max-age" => gone |= value.parse::<i64>().is_ok_and(|age| age <= 0),
                    "expires" => {
                        let at = httpdate::parse_http_date(value);
                        gone |= at.is_ok_and(|at| at <= SystemTime::now());
                    }
                    _ => {}
                }
            }
            if gone {
                self.cookies
                    .retain(|kept| (kept.name.as_str(), kept.path.as_str()) != (name, path));
            } else {
                self.keep(name, value, path);
            }
        }
    }

    fn keep(&mut self, name: &str, value: &str, path: &str) {
        let same = |kept: &&mut Kept| kept.name == name && kept.path == path;
        match self.cookies.iter_mut().find(same) {
            Some(kept) => value.clone_into(&mut kept.value),
            None => self.cookies.push(Kept {
                name: name.to_owned(),
                value: value.to_owned(),
                path: path.to_owned(),
            }),
        }
    }
}

/// RFC 6265 §5.1.4.
fn covers(cookie: &str, path: &str) -> bool {
    path.strip_prefix(cookie)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || cookie.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_spec::http::header::HeaderValue;

    fn fields(lines: &[&'static str]) -> Fields {
        let line = |line: &&'static str| (SET_COOKIE, HeaderValue::from_static(line));
        lines.iter().map(line).collect()
    }

    #[test]
    fn cookies_go_where_their_path_says_until_they_are_removed() {
        let mut jar = Jar::default();
        jar.take(&fields(&["a=1; Path=/", "b=2; Path=/admin; HttpOnly"]));
        assert_eq!(jar.field("/admin/x").as_deref(), Some("b=2; a=1"));
        assert_eq!(jar.field("/administer").as_deref(), Some("a=1"));
        jar.take(&fields(&["a=; Max-Age=0; Path=/"]));
        assert_eq!(jar.field("/"), None);
        assert_eq!(jar.get("b").as_deref(), Some("2"));
    }
}
