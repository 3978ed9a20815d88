//! [`Variant`]: a file as it is, or one beside it that holds the same, compressed ahead.

use std::time::{SystemTime, UNIX_EPOCH};

use super::folder::{Folder, Opened};
use super::tag::Tag;
use crate::coding::{Accepted, Coding};

/// What is sent for a file.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) opened: Opened,
    /// How it is compressed.
    pub(super) coding: Option<Coding>,
}

impl Variant {
    /// The one that the client likes best: `app.js.br` instead of `app.js`. One that is older than the file
    /// itself is of another state of it.
    pub(super) fn choose(
        folder: &Folder,
        path: &[u8],
        original: Opened,
        accepted: Accepted,
    ) -> Self {
        for coding in accepted.choose(Coding::ALL.into_iter()) {
            let end: &[u8] = match coding {
                Coding::Brotli => b".br",
                Coding::Zstd => b".zst",
                Coding::Gzip => b".gz",
            };
            // Whatever is wrong with it, the file itself is there.
            if let Ok(Some(opened)) = folder.open_file(&[path, end].concat())
                && seconds(opened.changed) >= seconds(original.changed)
            {
                return Self {
                    opened,
                    coding: Some(coding),
                };
            }
        }
        Self {
            opened: original,
            coding: None,
        }
    }

    /// What it is known again by.
    pub(super) fn tag(&self, now: SystemTime) -> Tag {
        let Opened {
            length, changed, ..
        } = self.opened;
        Tag::of(changed, length, self.coding, now)
    }
}

/// Some compressors give their output the time of their input, and cut it to whole seconds.
fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs()
}
