//! Compression of what applications answer.

use crate::config::setting::{Applies, Field, Group, Setting};
use crate::config::spelled::Perhaps;
use crate::value::ByteCount;

pub(super) static COMPRESSION: &[Setting] = &[
    Setting {
        name: "compress",
        short: None,
        group: Group::Compression,
        field: Field::Of(&Perhaps(|c| &mut c.compress)),
        default: "",
        help: "Compress what applications answer for clients that take it; of two codings that a client takes \
               as gladly, the first one named is used. Not for pages that show a secret beside what a \
               stranger may have chosen",
        applies: Applies::Reload,
    },
    Setting {
        name: "compress-min-size",
        short: None,
        group: Group::Compression,
        field: Field::Bytes(ByteCount(1)..=ByteCount(1 << 30), |c| {
            &mut c.compress_min_size
        }),
        default: "1KiB",
        help: "Size below which a response is not worth compressing; one of unknown size is",
        applies: Applies::Reload,
    },
    Setting {
        name: "compress-types",
        short: None,
        group: Group::Compression,
        field: Field::Of(&Perhaps(|c| &mut c.compress_types)),
        default: "text/*,application/json,application/*+json,application/javascript,application/xml,application/*+xml,image/svg+xml",
        help: "Content types that are compressed; a * stands for any part of what follows the slash. Events \
               (text/event-stream) never are",
        applies: Applies::Reload,
    },
];
