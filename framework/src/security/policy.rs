//! [`Policy`]: the headers, ready to be added.

use gateway_spec::{DefaultFields, Fields};
use http::header::{
    CONTENT_TYPE, HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY, X_FRAME_OPTIONS,
};

use super::content::ContentPolicy;
use super::nonce::Nonce;
use crate::context::Cx;
use crate::response::Response;

/// What every response gets, where it does not say otherwise itself. Made once, at start.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    content: Option<ContentPolicy>,
    content_name: HeaderName,
    over_http: Defaults,
    over_https: Defaults,
}

/// What responses over one scheme get.
#[derive(Clone, Copy, Debug)]
struct Defaults {
    every: DefaultFields,
    /// For pages that neither have a nonce nor say who may frame them.
    pages: DefaultFields,
}

impl Policy {
    /// With `lines` for every response, `content` in the field `content_name` for pages, and
    /// `transport` for responses over HTTPS.
    pub(super) fn new(
        lines: &[(HeaderName, HeaderValue)],
        content: Option<ContentPolicy>,
        content_name: HeaderName,
        transport: Option<HeaderValue>,
    ) -> Self {
        let with = |transport: Option<HeaderValue>| {
            let transport = transport.map(|value| (STRICT_TRANSPORT_SECURITY, value));
            let fixed = content.as_ref().map(|content| content.value(None, false));
            let fixed = fixed.map(|value| (content_name.clone(), value));
            let every = || lines.iter().cloned().chain(transport.clone());
            Defaults {
                every: DefaultFields::new(every()),
                pages: DefaultFields::new(every().chain(fixed)),
            }
        };
        Self {
            over_http: with(None),
            over_https: with(transport),
            content,
            content_name,
        }
    }

    /// Whether scripts and styles in a page need its nonce.
    pub(crate) fn wants_nonces(&self) -> bool {
        self.content
            .as_ref()
            .is_some_and(ContentPolicy::wants_nonces)
    }

    /// Adds what the response does not say itself.
    pub(super) fn apply(&self, cx: &Cx, response: &mut Response) {
        let defaults = match cx.is_secure() {
            true => &self.over_https,
            false => &self.over_http,
        };
        let fields = response.headers_mut();
        if !is_page(fields) {
            fields.add_defaults(&defaults.every);
            return;
        }
        let nonce = cx.get::<Nonce>();
        let own_frames = fields.get(&X_FRAME_OPTIONS).is_some();
        match &self.content {
            Some(content) if nonce.is_some() || own_frames => {
                if fields.get(&self.content_name).is_none() {
                    let value = content.value(nonce.as_deref().map(Nonce::text), own_frames);
                    fields.append(self.content_name.clone(), value);
                }
                fields.add_defaults(&defaults.every);
            }
            _ => fields.add_defaults(&defaults.pages),
        }
    }
}

/// Whether a browser may run what stands in the body.
fn is_page(fields: &Fields) -> bool {
    let kind = fields.get(&CONTENT_TYPE);
    let kind = kind.map_or(&b""[..], HeaderValue::as_bytes);
    PAGES.iter().any(|page| {
        // The end first: few other types have the same there.
        let end = kind.get(page.len() - 1).map(u8::to_ascii_lowercase);
        end.as_ref() == page.last() && kind[..page.len()].eq_ignore_ascii_case(page)
    })
}

const PAGES: [&[u8]; 3] = [b"text/html", b"application/xhtml+xml", b"image/svg+xml"];
