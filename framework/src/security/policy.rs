//! [`Policy`]: the headers, ready to be added.

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
    /// For every response.
    pub(super) lines: Vec<(HeaderName, HeaderValue)>,
    /// For pages.
    pub(super) content: Option<ContentPolicy>,
    pub(super) content_name: HeaderName,
    /// For responses over HTTPS.
    pub(super) transport: Option<HeaderValue>,
}

impl Policy {
    /// Whether scripts and styles in a page need its nonce.
    pub(crate) fn wants_nonces(&self) -> bool {
        self.content
            .as_ref()
            .is_some_and(ContentPolicy::wants_nonces)
    }

    /// Adds what the response does not say itself.
    pub(super) fn apply(&self, cx: &Cx, response: &mut Response) {
        let page = self.content.as_ref().filter(|_| is_page(response));
        let policy = page.map(|content| {
            let nonce = cx.get::<Nonce>();
            let own_frames = response.headers().get(&X_FRAME_OPTIONS).is_some();
            content.value(nonce.as_deref().map(Nonce::text), own_frames)
        });
        if let Some(policy) = policy {
            add(response, &self.content_name, policy);
        }
        // Few responses have any of these: one look at their lines, rather than one for each of ours.
        let said = self.is_said_by(response);
        let fields = response.headers_mut();
        for (name, value) in &self.lines {
            if !said || fields.get(name).is_none() {
                fields.append(name.clone(), value.clone());
            }
        }
        if let Some(value) = &self.transport
            && cx.is_secure()
        {
            add(response, &STRICT_TRANSPORT_SECURITY, value.clone());
        }
    }

    /// Whether the response has one of these lines itself.
    fn is_said_by(&self, response: &Response) -> bool {
        let ours = |name: &HeaderName| self.lines.iter().any(|(own, _)| own == name);
        response.headers().iter().any(|(name, _)| ours(name))
    }
}

/// What the response says itself wins.
fn add(response: &mut Response, name: &HeaderName, value: HeaderValue) {
    let fields = response.headers_mut();
    if fields.get(name).is_none() {
        fields.append(name.clone(), value);
    }
}

/// Whether a browser may run what stands in the body.
fn is_page(response: &Response) -> bool {
    let kind = response.headers().get(&CONTENT_TYPE);
    let kind = kind.map_or(&b""[..], HeaderValue::as_bytes);
    PAGES.iter().any(|page| {
        let start = kind.get(..page.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(page))
    })
}

const PAGES: [&[u8]; 3] = [b"text/html", b"application/xhtml+xml", b"image/svg+xml"];
