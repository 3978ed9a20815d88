//! Files as responses: `send_file`, `send_from_directory`, and folders of static files.

mod disposition;
mod kind;
mod opened;
mod send;
mod settings;
mod statics;

pub use send::{SendFile, send_file, send_from_directory};
pub(crate) use settings::Settings;
pub(crate) use statics::mistakes;
