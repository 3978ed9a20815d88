//! The line that says that the server is up, for a person to read at a glance.

use std::path::Path;
use std::time::Duration;

use crate::orders::AppIdentity;

/// `gatewayd 0.1.0 | hello 0.1.0 (app.so) | http://127.0.0.1:8000 | 2 workers ready in 4 ms`.
pub(crate) fn line(
    app: &AppIdentity,
    path: Option<&Path>,
    urls: &[String],
    workers: u32,
    took: Duration,
) -> String {
    let name = if app.name.is_empty() {
        "application"
    } else {
        &app.name
    };
    let mut line = format!("gatewayd {} | {name}", env!("CARGO_PKG_VERSION"));
    if !app.version.is_empty() {
        line = format!("{line} {}", app.version);
    }
    if let Some(file) = path.and_then(Path::file_name) {
        line = format!("{line} ({})", file.to_string_lossy());
    }
    let workers = match workers {
        0 => "one process".to_owned(),
        1 => "1 worker".to_owned(),
        many => format!("{many} workers"),
    };
    format!(
        "{line} | {} | {workers} ready in {} ms",
        urls.join(" "),
        took.as_millis()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_server_application_addresses_and_workers() {
        let app = AppIdentity {
            name: "hello".into(),
            version: "0.1.0".into(),
        };
        let urls = ["http://127.0.0.1:8000", "unix:/run/x"].map(str::to_owned);
        let line = line(
            &app,
            Some(Path::new("/a/app.so")),
            &urls,
            2,
            Duration::from_millis(4),
        );
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            line,
            format!(
                "gatewayd {version} | hello 0.1.0 (app.so) | http://127.0.0.1:8000 unix:/run/x | \
                 2 workers ready in 4 ms"
            )
        );
    }
}
