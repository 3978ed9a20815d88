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
];
