//! Folders of static files.

use std::path::{Path, PathBuf};

use super::send::send_from_directory;
use crate::app::App;
use crate::blueprint::Blueprint;
use crate::context::Cx;
use crate::parts::Parts;
use crate::view::named;

/// The folders that an application or a blueprint serves.
#[derive(Clone, Default)]
struct Folders(Vec<PathBuf>);

macro_rules! serves {
    ($owner:ident, $url:literal) => {
        impl $owner {
            #[doc = concat!("Serves the files of a folder, relative to the application's, at `", $url, "`: the endpoint")]
            /// `static` with the value `filename`, as in `url_for('static', filename='style.css')`. See
            /// [`send_from_directory`](crate::send_from_directory).
            ///
            /// A folder that is missing when the application starts is a mistake.
            #[track_caller]
            pub fn static_files(self, folder: impl Into<PathBuf>) -> Self {
                self.static_files_at("/static", folder)
            }

            /// As [`static_files`](Self::static_files), at another place: `.static_files_at("/assets", "dist")`.
            #[track_caller]
            pub fn static_files_at(mut self, url: &str, folder: impl Into<PathBuf>) -> Self {
                let folder = folder.into();
                self.part::<Folders>().0.push(folder.clone());
                let rule = format!("{}/<path:filename>", url.trim_end_matches('/'));
                let view = move |cx: Cx, filename: String| {
                    send_from_directory(&cx, &folder, &filename).into_future()
                };
                self.get(rule, named("static", view))
            }
        }
    };
}
serves!(App, "/static/...");
serves!(Blueprint, "/static/...` below its prefix");

/// Folders that are missing, and those beyond the first: `url_for` could not tell them apart.
pub(crate) fn mistakes(app: &Parts, blueprints: &[(String, Parts)], root: &Path) -> Vec<String> {
    let parts = blueprints.iter().map(|(_, parts)| parts);
    let all = std::iter::once(app).chain(parts);
    let mut mistakes = Vec::new();
    for Folders(folders) in all.filter_map(Parts::get) {
        if let [first, second, ..] = &folders[..] {
            mistakes.push(format!(
                "static files: expected one folder, found {} and {}: give the second a view with \
                 `send_from_directory`",
                first.display(),
                second.display()
            ));
        }
        for path in folders.iter().map(|folder| root.join(folder)) {
            if !path.is_dir() {
                let path = path.display();
                mistakes.push(format!(
                    "static files: expected a folder at {path}, found none: the application's folder is what `root` \
                         in `[app.config]` says, or `App::root`"
                ));
            }
        }
    }
    mistakes
}
