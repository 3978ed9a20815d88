//! The nonce of a page: what its own scripts and styles carry, and injected ones do not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::context::Cx;
use crate::error::{Error, Result};

/// The nonce of one response.
pub(super) struct Nonce(String);

impl Cx {
    /// The nonce of this response, which its Content-Security-Policy then names: for
    /// `<script nonce="...">` in a page that no template makes. Templates put it into their own tags.
    ///
    /// # Errors
    ///
    /// The system gives no random bytes.
    pub fn csp_nonce(&self) -> Result<String> {
        if let Some(nonce) = self.get::<Nonce>() {
            return Ok(nonce.0.clone());
        }
        let mut random = [0; BYTES];
        getrandom::fill(&mut random)
            .map_err(|error| Error::message(format!("no random bytes for a nonce: {error}")))?;
        let nonce = self.get_or_put_with(|| Nonce(URL_SAFE_NO_PAD.encode(random)));
        Ok(nonce.0.clone())
    }
}

impl Nonce {
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// The specification asks for at least 128 bits.
const BYTES: usize = 16;
