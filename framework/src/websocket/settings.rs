//! The section `websocket` of the configuration.

use std::time::Duration;

use serde::Deserialize;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::config::{Config, ConfigError, size, time};

/// Limits of each connection.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    /// Bytes of the longest message that a client may send.
    #[serde(deserialize_with = "size")]
    message_size: usize,
    /// Bytes of the longest frame of it.
    #[serde(deserialize_with = "size")]
    frame_size: usize,
    /// Bytes that may wait to be sent, and so the longest message that is sent.
    #[serde(deserialize_with = "size")]
    write_buffer: usize,
    /// How often a client is asked whether it is still there; never with 0.
    #[serde(deserialize_with = "time")]
    pub(super) ping_interval: Duration,
    /// How long it may take to be heard of then.
    #[serde(deserialize_with = "time")]
    pub(super) ping_timeout: Duration,
}

impl Settings {
    pub(super) fn read(config: &Config) -> Result<Self, ConfigError> {
        config.section("websocket")
    }

    pub(super) fn limits(&self) -> WebSocketConfig {
        WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(BUFFER.min(self.write_buffer / 2))
            .max_write_buffer_size(self.write_buffer.max(1))
            .max_message_size(Some(self.message_size))
            .max_frame_size(Some(self.frame_size))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            message_size: 1 << 20,
            frame_size: 1 << 20,
            write_buffer: 2 << 20,
            // Together less than the minute for which nginx waits.
            ping_interval: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(20),
        }
    }
}

/// Bytes that each connection reads into, idle ones too.
const BUFFER: usize = 4 << 10;
