//! Where carafe answers otherwise than Flask on purpose.

/// A deliberate difference.
pub(super) struct Better {
    pub(super) what: &'static str,
    theirs: &'static str,
    ours: &'static str,
    why: &'static str,
    /// The requests that show it: method and target, and what stands in the rest of the request.
    shown: &'static [(&'static str, &'static str)],
}

/// The difference that a request shows.
pub(super) fn of(first_line: &str, rest: &str) -> Option<&'static Better> {
    let shows = |better: &&Better| {
        let mut shown = better.shown.iter();
        shown.any(|(line, part)| *line == first_line && rest.contains(part))
    };
    ALL.iter().find(shows)
}

impl Better {
    /// Its line in the guide's list.
    pub(super) fn line(&self) -> String {
        format!(
            "| {} | {} | {} | {} |",
            self.what, self.theirs, self.ours, self.why
        )
    }
}

/// All of them.
pub(super) const ALL: &[Better] = &[
    Better {
        what: "a view's text",
        theirs: "`text/html`",
        ours: "`text/plain`; HTML is what `Html` wraps",
        why: "a visitor's words never become a page by accident",
        shown: &[("GET /a/text", ""), ("HEAD /a/text", "")],
    },
    Better {
        what: "a view's bytes",
        theirs: "`text/html`",
        ours: "`application/octet-stream`",
        why: "what they are is not known",
        shown: &[("GET /a/bytes", ""), ("HEAD /a/bytes", "")],
    },
    Better {
        what: "a view that finds nothing (`None`)",
        theirs: "500",
        ours: "404",
        why: "`Option` says so in its type",
        shown: &[("GET /a/none", ""), ("HEAD /a/none", "")],
    },
    Better {
        what: "OPTIONS and 204",
        theirs: "a Content-Type",
        ours: "none",
        why: "there is no content",
        shown: &[
            ("OPTIONS /m/get", ""),
            ("OPTIONS /m/post", ""),
            ("OPTIONS /m/both", ""),
            ("OPTIONS /m/change", ""),
            ("OPTIONS /m/split", ""),
            ("OPTIONS /m/split/", ""),
            ("OPTIONS /m/branch/", ""),
            ("OPTIONS /m/7", ""),
            ("GET /a/nothing", ""),
            ("HEAD /a/nothing", ""),
        ],
    },
    Better {
        what: "an error handler's plain answer",
        theirs: "200",
        ours: "the error's status",
        why: "a forgotten status is no success",
        shown: &[("GET /e/abort/429", ""), ("GET /e/plain", "")],
    },
    Better {
        what: "`abort` in an error handler",
        theirs: "500",
        ours: "the status that it says",
        why: "the handler has decided",
        shown: &[("GET /e/abort/428", ""), ("GET /e/again", "")],
    },
    Better {
        what: "which error handler",
        theirs: "one for the code, wherever it stands, before one for all errors",
        ours: "the innermost blueprint's, whatever it is for",
        why: "a blueprint answers for itself, whoever registers it",
        shown: &[
            ("GET /e/all/abort/409", ""),
            ("GET /e/all/abort/410", ""),
            ("GET /e/all/abort/418", ""),
        ],
    },
    Better {
        what: "an error in a hook after the view",
        theirs: "500, and hooks after the view begin again",
        ours: "the error's own answer, and each hook runs once",
        why: "an `abort` there means what it means elsewhere",
        shown: &[
            ("GET /h/view?break=p2&name=p3", ""),
            ("GET /h/ended/p3", ""),
            ("GET /h/child/view?break=p2&name=c3", ""),
            ("GET /h/ended/c3", ""),
        ],
    },
    Better {
        what: "clearing a session that there is not",
        theirs: "removes the cookie",
        ours: "says nothing",
        why: "there is nothing to remove",
        shown: &[("GET /s/clear", "")],
    },
    Better {
        what: "a permanent session",
        theirs: "is prolonged by every request",
        ours: "is prolonged by those that look at it",
        why: "answers that do not depend on the visitor stay cacheable",
        shown: &[("GET /s/untouched", "permanent")],
    },
    Better {
        what: "cookies",
        theirs: "`HttpOnly` for the session alone, no `SameSite`",
        ours: "`HttpOnly` and `SameSite=Lax` for all",
        why: "what protects is the default",
        shown: &[("GET /c/usual", "")],
    },
    Better {
        what: "`max_age` of a cookie",
        theirs: "`Max-Age` and `Expires`",
        ours: "`Max-Age`",
        why: "no browser in use needs both",
        shown: &[("GET /c/attributes/max-age", "")],
    },
    Better {
        what: "a cookie with a space in its value",
        theirs: "is not there",
        ours: "is read",
        why: "browsers send such",
        shown: &[("GET /c/show", "a=x y")],
    },
    Better {
        what: "bytes that are not UTF-8, in queries and forms",
        theirs: "`%FF`",
        ours: "`U+FFFD`",
        why: "`%FF` is what `%25FF` stands for",
        shown: &[("GET /q/args?a=%FF", ""), ("POST /f/form", " a=%FF")],
    },
    Better {
        what: "a backslash in an upload's name",
        theirs: "vanishes",
        ours: "stays",
        why: "browsers do not escape with it; `secure_filename` is for paths",
        shown: &[("POST /f/form", "C:\\\\dir")],
    },
    Better {
        what: "the host",
        theirs: "as the client spells it",
        ours: "in lower case",
        why: "one host has one name",
        shown: &[("GET /q/request", "EXAMPLE")],
    },
    Better {
        what: "`url` and `base_url` beyond ASCII",
        theirs: "decoded, so that `%2F` and `/` are one",
        ours: "as sent",
        why: "the address leads back to this page",
        shown: &[("GET /q/request/%C3%BC", ""), ("GET /q/request/a%2Fb", "")],
    },
    Better {
        what: "a request without Accept",
        theirs: "accepts nothing",
        ours: "accepts everything",
        why: "RFC 9110 says so",
        shown: &[("GET /q/fields", "[]")],
    },
    Better {
        what: "a malformed form with parts",
        theirs: "what can be read of it, often nothing",
        ours: "400, with what is wrong",
        why: "nobody's words vanish without a word",
        shown: &[("POST /f/form", r#"malformed"#)],
    },
    Better {
        what: "a Range that is malformed, backward, of several parts or of another unit",
        theirs: "416",
        ours: "the whole file; all of it for more than there is, from the end",
        why: "RFC 9110 says so: who does not understand a Range ignores it",
        shown: &[
            ("GET /d/letters", r#""bytes=-100""#),
            ("GET /d/letters", r#""bytes=5-2""#),
            ("GET /d/letters", r#""bytes=abc""#),
            ("GET /d/letters", r#""bytes=""#),
            ("GET /d/letters", r#""bytes""#),
            ("GET /d/letters", r#""bytes 0-4""#),
            ("GET /d/letters", r#""lines=0-4""#),
            ("GET /d/letters", r#""bytes=0-1,3-4""#),
            ("GET /d/letters", r#""bytes=0-4,""#),
            ("GET /d/letters", r#""bytes=0-4-5""#),
            ("GET /d/letters", r#""bytes=+1-4""#),
        ],
    },
    Better {
        what: "a Range of an empty file",
        theirs: "200",
        ours: "416",
        why: "there is no such part",
        shown: &[
            ("GET /d/empty", r#""bytes=0-4""#),
            ("GET /d/empty", r#""bytes=5-""#),
            ("GET /d/empty", r#""bytes=-3""#),
            ("GET /d/empty", r#""bytes=0-0""#),
            ("GET /d/empty", r#""bytes=25-25""#),
            ("GET /d/empty", r#""bytes=0-25""#),
            ("GET /d/empty", r#""bytes=20-100""#),
            ("GET /d/empty", r#""bytes=-100""#),
            ("GET /d/empty", r#""bytes=26-""#),
            ("GET /d/empty", r#""bytes=100-200""#),
            ("GET /d/empty", r#""bytes=-0""#),
            ("GET /d/empty", r#""BYTES=0-4""#),
            ("GET /d/empty", r#""bytes= 0-4""#),
            ("GET /d/empty", r#""bytes=1-99999999999999999999""#),
        ],
    },
    Better {
        what: "a file's 304",
        theirs: "all fields of the file",
        ours: "its validators and how long they are good",
        why: "RFC 9110 asks for no more, and caches keep the rest",
        shown: &[
            ("GET /d/letters", r#"[("if-none-match", "{etag}")]"#),
            ("HEAD /d/letters", r#"[("if-none-match", "{etag}")]"#),
            ("GET /d/letters", r#"[("if-none-match", "W/{etag}")]"#),
            ("HEAD /d/letters", r#"[("if-none-match", "W/{etag}")]"#),
            ("GET /d/letters", r#"("if-none-match", "\"x\", {etag}")"#),
            ("HEAD /d/letters", r#"("if-none-match", "\"x\", {etag}")"#),
            ("GET /d/letters", r#"[("if-none-match", "*")]"#),
            ("HEAD /d/letters", r#"[("if-none-match", "*")]"#),
            ("GET /d/letters", r#"[("if-modified-since", "{modified}")]"#),
            (
                "HEAD /d/letters",
                r#"[("if-modified-since", "{modified}")]"#,
            ),
            (
                "GET /d/letters",
                r#"[("if-modified-since", "Fri, 01 Jan 2100"#,
            ),
            (
                "HEAD /d/letters",
                r#"[("if-modified-since", "Fri, 01 Jan 2100"#,
            ),
            (
                "GET /d/letters",
                r#"("if-none-match", "{etag}"), ("if-modified-since""#,
            ),
            (
                "HEAD /d/letters",
                r#"("if-none-match", "{etag}"), ("if-modified-since""#,
            ),
        ],
    },
    Better {
        what: "If-Match and If-Unmodified-Since for a file",
        theirs: "412 for `*`, with the file behind it; the date is ignored",
        ours: "as RFC 9110 has them",
        why: "a 412 is no answer that goes on",
        shown: &[
            ("GET /d/letters", r#"[("if-match", "\"x\"")]"#),
            ("HEAD /d/letters", r#"[("if-match", "\"x\"")]"#),
            ("GET /d/letters", r#"[("if-match", "*")]"#),
            ("HEAD /d/letters", r#"[("if-match", "*")]"#),
            (
                "GET /d/letters",
                r#"[("if-unmodified-since", "Thu, 01 Jan 1970"#,
            ),
            (
                "HEAD /d/letters",
                r#"[("if-unmodified-since", "Thu, 01 Jan 1970"#,
            ),
            ("GET /d/letters", r#"("if-match", "\"x\""), ("range""#),
            ("HEAD /d/letters", r#"("if-match", "\"x\""), ("range""#),
        ],
    },
    Better {
        what: "If-None-Match beside another condition, or a Range, for a file",
        theirs: "206 or 200 where nothing has changed",
        ours: "304",
        why: "RFC 9110 has an order for them",
        shown: &[
            (
                "GET /d/letters",
                r#"("if-match", "{etag}"), ("if-none-match""#,
            ),
            (
                "HEAD /d/letters",
                r#"("if-match", "{etag}"), ("if-none-match""#,
            ),
            ("GET /d/letters", r#"("if-none-match", "{etag}"), ("range""#),
            (
                "HEAD /d/letters",
                r#"("if-none-match", "{etag}"), ("range""#,
            ),
        ],
    },
    Better {
        what: "a Range with HEAD",
        theirs: "206",
        ours: "200",
        why: "RFC 9110 defines it for GET",
        shown: &[
            ("HEAD /d/letters", r#"("if-range", "{etag}"), ("range""#),
            ("HEAD /d/letters", r#"("if-range", "{modified}"), ("range""#),
            ("HEAD /d/letters", r#"("if-match", "{etag}"), ("range""#),
        ],
    },
];
