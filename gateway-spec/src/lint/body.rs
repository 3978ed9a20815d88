//! The rules of bodies: a watch that is told of every frame, the same for both directions.

use std::fs::File;

use super::fields::{Line, is_forbidden_in_trailers, line_is_valid};
use super::violation::Reports;
use crate::rules;

/// Whose body it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Implemented by the host.
    Request,
    /// Implemented by the application.
    Response,
}

/// What has been seen of one body.
#[derive(Debug)]
pub(crate) struct BodyWatch {
    side: Side,
    reports: Reports,
    declared: Option<u64>,
    seen: u64,
    has_trailers: bool,
    is_over: bool,
}

impl BodyWatch {
    /// A body of which `seen` bytes have gone already.
    pub(crate) fn new(side: Side, reports: Reports, declared: Option<u64>, seen: u64) -> Self {
        Self {
            side,
            reports,
            declared,
            seen,
            has_trailers: false,
            is_over: false,
        }
    }

    /// About to be polled.
    pub(crate) fn poll(&self) {
        //# [BODY-09] A body is polled by one thread at a time, and not again after END, LAST or an error.
        self.reports.expect(!self.is_over, rules::BODY_09, || {
            format!("{:?} body polled after its end", self.side)
        });
    }

    /// Content came.
    pub(crate) fn data(&mut self, length: u64) {
        self.seen = self.seen.saturating_add(length);
        self.content_is_in_place();
        if self.declared.is_some_and(|declared| self.seen > declared) {
            self.length_is_wrong("and more is coming");
            self.declared = None; // one report is enough
        }
    }

    /// Content in a file came.
    pub(crate) fn file(&mut self, file: &File, offset: u64, length: u64) {
        //# [RES-18] A FILE frame holds a descriptor of a regular file, and the whole range lies within the file.
        let metadata = file.metadata().ok();
        let holds = metadata.as_ref().is_some_and(|metadata| {
            let end = offset.checked_add(length);
            metadata.is_file() && end.is_some_and(|end| end <= metadata.len())
        });
        self.reports
            .expect(holds || self.side == Side::Request, rules::RES_18, || {
                let found = metadata.map(|metadata| (metadata.is_file(), metadata.len()));
                format!("{length} bytes from {offset} of a file (regular, size): {found:?}")
            });
        if self.side == Side::Request {
            self.unfit("FILE frame in a request's body");
        }
        self.data(length);
    }

    /// Trailers came.
    pub(crate) fn trailers(&mut self, lines: &[Line<'_>]) {
        //# [BODY-06] Trailers come at most once, after all content, and are valid lines by the grammar of header
        //# fields. Fields of framing, routing, authentication and content type have no place in them.
        let is_first = !std::mem::replace(&mut self.has_trailers, true);
        self.reports.expect(is_first, rules::BODY_06, || {
            "trailers came twice".to_owned()
        });
        for line in lines {
            let fits = line_is_valid(line) && !is_forbidden_in_trailers(line.name);
            self.reports.expect(fits, rules::BODY_06, || {
                format!("trailer {}", line.describe())
            });
        }
    }

    /// A frame came that has no place here.
    pub(crate) fn unfit(&self, what: &str) {
        //# [BODY-10] Frames are of a kind that this interface defines, and FILE occurs in responses alone.
        self.reports.breach(rules::BODY_10, what);
    }

    /// The end came.
    pub(crate) fn end(&mut self) {
        self.is_over = true;
        if self.declared.is_some_and(|declared| self.seen < declared) {
            self.length_is_wrong("and the body has ended");
        }
    }

    /// An error came.
    pub(crate) fn error(&mut self) {
        self.is_over = true;
    }

    fn content_is_in_place(&self) {
        self.reports.expect(!self.has_trailers, rules::BODY_06, || {
            "content after trailers".to_owned()
        });
    }

    fn length_is_wrong(&self, when: &str) {
        //# [BODY-05] A request's body holds as many bytes as declared. If the client sends fewer or more, the body
        //# ends with PROTOCOL instead of END.
        let rule = if self.side == Side::Request {
            rules::BODY_05
        } else {
            rules::RES_09
        };
        let (declared, seen) = (self.declared.unwrap_or_default(), self.seen);
        self.reports.breach(
            rule,
            format!("{declared} bytes declared, {seen} came, {when}"),
        );
    }
}
