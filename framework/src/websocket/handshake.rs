//! [`Handshake`]: the client's side of the opening (RFC 6455, section 4.2).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gateway_spec::http::header::UPGRADE;
use gateway_spec::http::{HeaderName, HeaderValue, StatusCode, Version};
use sha1::{Digest as _, Sha1};

use crate::context::Cx;
use crate::csrf;
use crate::error::{Error, HttpError, Result};

/// What a sound request for a WebSocket says.
#[derive(Debug)]
pub(super) struct Handshake {
    /// Only HTTP/1.1 has one.
    key: Option<String>,
    /// The protocols that the client speaks, as one list.
    offered: Vec<String>,
}

impl Handshake {
    /// Reads and judges the request.
    pub(super) fn read(cx: &Cx) -> Result<Self> {
        if cx.head().protocol() != Some(b"websocket") {
            let told = "This address is for WebSockets: expected `Upgrade: websocket`.";
            return Err(refusal(StatusCode::UPGRADE_REQUIRED, told).with(UPGRADE, WEBSOCKET));
        }
        if cx.header("sec-websocket-version") != Some("13") {
            let told = "Expected version 13 in Sec-WebSocket-Version.";
            let name = const { HeaderName::from_static("sec-websocket-version") };
            let value = const { HeaderValue::from_static("13") };
            return Err(refusal(StatusCode::UPGRADE_REQUIRED, told).with(name, value));
        }
        let key = match cx.head().version() {
            Version::HTTP_2 | Version::HTTP_3 => None,
            _ => Some(key(cx)?),
        };
        csrf::same_site(cx)?;
        let lists = cx.headers().get_all("sec-websocket-protocol").iter();
        let lists = lists.filter_map(|list| list.to_str().ok());
        let offered = lists.flat_map(|list| list.split(','));
        Ok(Self {
            key,
            offered: offered.map(|name| name.trim().to_owned()).collect(),
        })
    }

    pub(super) fn offers(&self, protocol: &str) -> bool {
        self.offered.iter().any(|offered| offered == protocol)
    }

    /// The proof that the request was understood, where one is asked for.
    pub(super) fn accept(&self) -> Option<String> {
        let digest = Sha1::new()
            .chain_update(self.key.as_ref()?)
            .chain_update(GUID)
            .finalize();
        Some(BASE64_STANDARD.encode(digest))
    }
}

/// The client's key: the only one, and 16 bytes.
fn key(cx: &Cx) -> Result<String> {
    let mut keys = cx.headers().get_all("sec-websocket-key").iter();
    let key = keys.next().and_then(|key| key.to_str().ok());
    let key = key.unwrap_or_default();
    let sound = BASE64_STANDARD.decode(key).map(|key| key.len()) == Ok(16);
    if sound && keys.next().is_none() {
        return Ok(key.to_owned());
    }
    let told = "Expected 16 bytes in base64 in one Sec-WebSocket-Key.";
    Err(refusal(StatusCode::BAD_REQUEST, told))
}

fn refusal(status: StatusCode, told: &'static str) -> Error {
    HttpError::new(status).describe(told).into()
}

/// The protocol's name in `Upgrade`.
pub(super) const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
/// Source: RFC 6455, section 1.3.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
