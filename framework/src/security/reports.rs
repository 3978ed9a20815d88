//! What browsers say of the Content-Security-Policy in debug runs, told to whoever reads the log: which page wanted
//! what, and from which template it was.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use gateway_spec::Level;
use http::StatusCode;
use serde::Deserialize;

use crate::app::App;
use crate::context::Cx;
use crate::csrf::csrf_exempt;
use crate::signals::events::TemplateRendered;
use crate::view::{body_limit, inline, named};

/// The application with a place for reports.
pub(super) fn heard(app: App) -> App {
    let pages: Arc<Pages> = Arc::default();
    let seen = Arc::clone(&pages);
    let report = inline(move |cx: Cx, body: Bytes| {
        match serde_json::from_slice::<Sent>(&body) {
            Ok(sent) => cx.log(Level::Warn, &sent.report.told(&pages)),
            Err(_) => return StatusCode::BAD_REQUEST,
        }
        StatusCode::NO_CONTENT
    });
    // Browsers send reports in nobody's name; nothing is done but to log them.
    let report = csrf_exempt(named("csp_report", body_limit(MOST_BYTES, report)));
    app.on(move |cx: &Cx, rendered: &TemplateRendered| seen.note(cx.path(), &rendered.template))
        .post(PLACE, report)
}

/// The templates of the pages that were answered last.
#[derive(Default)]
struct Pages(Mutex<VecDeque<(String, String)>>);

impl Pages {
    fn note(&self, path: &str, template: &str) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|(other, _)| other != path);
        pages.truncate(MOST_PAGES - 1);
        pages.push_front((path.to_owned(), template.to_owned()));
    }

    fn template(&self, path: &str) -> Option<String> {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = pages.iter().find(|(other, _)| other == path);
        found.map(|(_, template)| template.clone())
    }
}

/// What browsers send to `report-uri`.
#[derive(Deserialize)]
struct Sent {
    #[serde(rename = "csp-report")]
    report: Report,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", default)]
#[derive(Default)]
struct Report {
    document_uri: String,
    blocked_uri: String,
    effective_directive: String,
    violated_directive: String,
    line_number: Option<u64>,
}

impl Report {
    /// One line, without the query of the page, which may hold secrets.
    fn told(&self, pages: &Pages) -> String {
        let page = self
            .document_uri
            .split(['?', '#'])
            .next()
            .unwrap_or_default();
        let path = page.split_once("://").map_or(page, |(_, rest)| {
            rest.find('/').map_or("/", |at| &rest[at..])
        });
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        let template = pages.template(&decoded);
        let template = template.map_or(String::new(), |name| format!(", from the template {name}"));
        let line = self
            .line_number
            .map_or(String::new(), |line| format!(" line {line}"));
        let directive = match self.effective_directive.as_str() {
            "" => &self.violated_directive,
            directive => directive,
        };
        let what = match self.blocked_uri.as_str() {
            "inline" | "" => "inline code or style without the page's nonce",
            "eval" => "code made of text (`eval`)",
            blocked => blocked,
        };
        format!(
            "the Content-Security-Policy ({directive}) stopped {what} in {path}{line}{template}: put it into a file \
             or a template's own tag, or name its source in `content_security_policy`"
        )
    }
}

/// Where reports go, in debug runs.
pub(super) const PLACE: &str = "/_carafe/csp-report";
/// Bytes of a report.
const MOST_BYTES: usize = 16 << 10;
/// Pages whose templates are remembered.
const MOST_PAGES: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_the_template_and_not_the_query() {
        let pages = Pages::default();
        pages.note("/tea leaves", "tea.html");
        let sent: Sent = serde_json::from_str(
            r#"{"csp-report":{"document-uri":"http://localhost:8000/tea%20leaves?token=hunter2",
            "blocked-uri":"inline","effective-directive":"script-src-elem","line-number":7,"other":1}}"#,
        )
        .unwrap();
        let told = sent.report.told(&pages);
        assert!(
            told.contains("(script-src-elem) stopped inline code"),
            "{told}"
        );
        assert!(
            told.contains("in /tea%20leaves line 7, from the template tea.html"),
            "{told}"
        );
        assert!(!told.contains("hunter2"), "{told}");
    }

    #[test]
    fn few_pages_are_remembered() {
        let pages = Pages::default();
        for number in 0..1_000 {
            pages.note(&number.to_string(), "x");
        }
        assert_eq!(pages.0.lock().unwrap().len(), MOST_PAGES);
        assert_eq!(pages.template("999").as_deref(), Some("x"));
        assert_eq!(pages.template("1"), None);
    }
}
