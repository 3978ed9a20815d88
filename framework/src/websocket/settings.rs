//! The section `websocket` of the configuration.

use serde::Deserialize;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::config::{Config, ConfigError};

/// Limits of each connection, in bytes.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    /// The longest message that a client may send.
    message_size: usize,
    /// The longest frame of it.
    frame_size: usize,
    /// What may wait to be sent, and so the longest message that is sent.
    write_buffer: usize,
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
        }
    }
}

/// Each connection has two of these, idle ones too.
const BUFFER: usize = 8 << 10;
