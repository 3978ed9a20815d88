//! What the settings for compression mean together.

use super::Config;
use super::spelled::Spelled;
use crate::coding::Codings;
use crate::compression::{CompressionOptions, MediaTypes};

impl Config {
    /// What is compressed, if anything is.
    pub(super) fn compression_options(&self) -> Option<CompressionOptions> {
        Some(CompressionOptions {
            codings: self.compress.clone()?.0,
            min_size: self.compress_min_size.0,
            types: self.compress_types.clone().unwrap_or_default(),
        })
    }
}

impl Spelled for Codings {
    const FORM: &'static str = "some of `gzip`, `br` and `zstd`, such as `zstd,br,gzip`";
    const PLACEHOLDER: &'static str = "CODINGS";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

impl Spelled for MediaTypes {
    const FORM: &'static str = "content types such as `text/*,application/json,application/*+xml`";
    const PLACEHOLDER: &'static str = "TYPES";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}
