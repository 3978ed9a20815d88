//! What the page says: the error and its causes, the source, the route, the request. All of it escaped.

use std::error::Error as StdError;
use std::fmt::Write as _;

use super::crash::Crash;
use super::source;
use crate::context::Cx;
use crate::error::Error;
use crate::pages::escaped;

/// The whole page.
pub(super) fn html(cx: &Cx, error: &Error, style: &str) -> String {
    let causes = causes(error);
    let title = causes.first().map_or("no cause", String::as_str);
    let mut page = Page::default();
    page.causes(&causes);
    page.templates(error);
    page.place(cx, error);
    page.route(cx);
    page.request(cx);
    page.backtrace(cx);
    format!(
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<title>{0}</title>\n<style>{style}</style>\n\
         <h1>{0}</h1>\n<p>{1}. This page is shown in debug runs, to this machine alone.</p>\n{2}",
        escaped(title),
        escaped(&error.status().to_string()),
        page.html,
    )
}

/// The sections of the page.
#[derive(Default)]
struct Page {
    html: String,
}

impl Page {
    fn causes(&mut self, causes: &[String]) {
        if let [_, deeper @ ..] = causes
            && !deeper.is_empty()
        {
            let items = deeper.iter().map(|cause| format!("<li>{}", escaped(cause)));
            let items: String = items.collect();
            self.section("Because", &format!("<ol>{items}</ol>"));
        }
    }

    /// A template's mistake, with its lines.
    fn templates(&mut self, error: &Error) {
        for cause in chain(error) {
            if let Some(template) = cause.downcast_ref::<minijinja::Error>() {
                let told = escaped(&template.display_debug_info().to_string());
                self.section("Template", &format!("<pre>{told}</pre>"));
            }
        }
    }

    fn place(&mut self, cx: &Cx, error: &Error) {
        let crash = cx.get::<Crash>();
        let of_panic = crash.as_ref().and_then(|crash| crash.place.clone());
        let Some((file, line)) = of_panic.or_else(|| own_place(error)) else {
            return;
        };
        let mut lines = String::new();
        for (number, text) in source::around(cx, &file, line) {
            let text = format!("{number:>5}  {}", escaped(&text));
            let _ = match number == line {
                true => write!(lines, "<mark>{text}</mark>"),
                false => writeln!(lines, "{text}"),
            };
        }
        let at = escaped(&format!("{file}:{line}"));
        self.section(
            "Source",
            &format!("<p><code>{at}</code>\n<pre>{lines}</pre>"),
        );
    }

    fn route(&mut self, cx: &Cx) {
        let mut rows = vec![
            (
                "rule".to_owned(),
                cx.rule().unwrap_or("none matches").to_owned(),
            ),
            (
                "endpoint".to_owned(),
                cx.endpoint().unwrap_or("none").to_owned(),
            ),
        ];
        let blueprint = cx.blueprint().map(str::to_owned);
        rows.extend(blueprint.map(|name| ("blueprint".to_owned(), name)));
        let rule = cx.rule_id().and_then(|rule| cx.site().map.rule(rule));
        let names = rule.into_iter().flat_map(|rule| rule.arguments());
        rows.extend(names.filter_map(|(name, _)| {
            let value = cx.value(name)?;
            Some((format!("<{name}>"), format!("{value:?}")))
        }));
        self.table("Route", rows);
    }

    fn request(&mut self, cx: &Cx) {
        let head = cx.head();
        let line = format!("{} {}", head.method(), head.target().escape_ascii());
        let fields = head.fields().map(|(name, value)| {
            let value = match is_secret(name) {
                true => "(not shown)".to_owned(),
                false => value.escape_ascii().to_string(),
            };
            (name.to_owned(), value)
        });
        let rows = std::iter::once(("request".to_owned(), line)).chain(fields);
        self.table("Request", rows);
    }

    fn backtrace(&mut self, cx: &Cx) {
        if let Some(crash) = cx.get::<Crash>() {
            let told = escaped(&crash.backtrace.to_string());
            let _ = writeln!(
                self.html,
                "<details><summary>Backtrace</summary><pre>{told}</pre></details>"
            );
        }
    }

    fn table(&mut self, title: &str, rows: impl IntoIterator<Item = (String, String)>) {
        let mut table = String::from("<table>");
        for (name, value) in rows {
            let _ = write!(table, "<tr><th>{}<td>{}", escaped(&name), escaped(&value));
        }
        table.push_str("</table>");
        self.section(title, &table);
    }

    /// `html` is escaped already.
    fn section(&mut self, title: &str, html: &str) {
        let _ = writeln!(self.html, "<h2>{title}</h2>\n{html}");
    }
}

fn causes(error: &Error) -> Vec<String> {
    chain(error).map(ToString::to_string).collect()
}

/// The error within and what it comes from, outwards in.
fn chain(error: &Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let first = error
        .cause()
        .map(|cause| cause as &(dyn StdError + 'static));
    std::iter::successors(first, |&cause| cause.source())
}

/// Where the error became one of the framework's: at a `?`, usually.
fn own_place(error: &Error) -> Option<(String, u32)> {
    let place = error.place();
    // The standard library's sources are not at hand.
    let known = !place.file().starts_with("/rustc/");
    known.then(|| (place.file().to_owned(), place.line()))
}

/// Whether a field lets its reader act for the visitor.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|part| name.contains(part))
}

/// What the names of fields with credentials have in them.
const SECRET: [&str; 7] = [
    "cookie",
    "authorization",
    "token",
    "secret",
    "api-key",
    "password",
    "session",
];
