//! The line that says that the server is up, for a person to read at a glance.

use std::path::Path;
use std::time::Duration;

use crate::orders::AppIdentity;

/// What is served.
#[derive(Clone, Debug)]
pub(crate) enum Served<'a> {
    /// One application, by what it calls itself, and its file.
    One(&'a AppIdentity, Option<&'a Path>),
    /// Several, by their names.
    Several(Vec<&'a str>),
}

impl<'a> Served<'a> {
    /// Applications with these names and files, the first of which calls itself `first`.
    pub(crate) fn of(
        first: &'a AppIdentity,
        mut apps: impl ExactSizeIterator<Item = (&'a str, Option<&'a Path>)>,
    ) -> Self {
        if apps.len() > 1 {
            return Self::Several(apps.map(|(name, _)| name).collect());
        }
        Self::One(first, apps.next().and_then(|(_, path)| path))
    }
}

/// `gatewayd 0.1.0 | hello 0.1.0 (app.so) | http://127.0.0.1:8000 | 2 workers ready in 4 ms`.
pub(crate) fn line(served: &Served<'_>, urls: &[String], workers: u32, took: Duration) -> String {
    let line = format!("gatewayd {} | {}", env!("CARGO_PKG_VERSION"), named(served));
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

fn named(served: &Served<'_>) -> String {
    let (app, path) = match served {
        Served::One(app, path) => (app, path),
        Served::Several(names) => {
            return format!("{} applications: {}", names.len(), names.join(", "));
        }
    };
    let mut named = match &*app.name {
        "" => "application".to_owned(),
        name => name.to_owned(),
    };
    if !app.version.is_empty() {
        named = format!("{named} {}", app.version);
    }
    if let Some(file) = path.and_then(Path::file_name) {
        named = format!("{named} ({})", file.to_string_lossy());
    }
    named
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
        let took = Duration::from_millis(4);
        let served = Served::One(&app, Some(Path::new("/a/app.so")));
        let one = line(&served, &urls, 2, took);
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            one,
            format!(
                "gatewayd {version} | hello 0.1.0 (app.so) | http://127.0.0.1:8000 unix:/run/x | \
                 2 workers ready in 4 ms"
            )
        );
        let several = line(&Served::Several(vec!["shop", "blog"]), &urls, 1, took);
        assert!(
            several.contains("| 2 applications: shop, blog | http"),
            "{several}"
        );
    }
}
