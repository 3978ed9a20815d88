//! What this program and the application say, on the standard error, which is the server's error log.

use std::io::{self, Write as _};

use gateway_spec::abi::host::Services;
use gateway_spec::abi::log_level;

/// The application's host.
#[derive(Debug)]
pub(crate) struct Diagnostics;

impl Services for Diagnostics {
    fn log(
        &self,
        level: u32,
        target: &[u8],
        message: &[u8],
        pairs: &mut dyn Iterator<Item = (&[u8], &[u8])>,
    ) {
        let level = match level {
            log_level::ERROR => "ERROR",
            log_level::WARN => "WARN",
            log_level::INFO => "INFO",
            log_level::DEBUG => "DEBUG",
            _ => "TRACE",
        };
        let mut line = format!(
            "{level} [{}] {}",
            target.escape_ascii(),
            message.escape_ascii()
        );
        for (key, value) in pairs {
            line += &format!(" {}={}", key.escape_ascii(), value.escape_ascii());
        }
        say(&line);
    }

    /// The process ends behind the answer anyway.
    fn request_shutdown(&self, _: i32) {}
}

/// Writes a line.
pub(crate) fn say(text: &str) {
    // Who does not listen misses it.
    let _ = writeln!(io::stderr(), "gateway-cgi: {text}");
}
