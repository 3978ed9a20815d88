//! [`Console`]: what a command says before its end.

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::extract::{Arg, Take};

/// The terminal of a command: an argument of its function, for what is to be said before its end. Tests see
/// what is written here.
#[derive(Clone, Debug)]
pub struct Console {
    sink: Sink,
}

/// Where a command's words go.
#[derive(Clone, Debug)]
pub(crate) enum Sink {
    /// The process's standard output and error.
    Process,
    /// What a test looks at: output and errors.
    Kept(Arc<Mutex<(String, String)>>),
}

impl Console {
    pub(crate) fn new(sink: Sink) -> Self {
        Self { sink }
    }

    /// Writes a line to standard output. Whoever closed it has read enough.
    pub fn say(&self, line: impl AsRef<str>) {
        self.write(line.as_ref(), false);
    }

    /// Writes a line to standard error.
    pub fn warn(&self, line: impl AsRef<str>) {
        self.write(line.as_ref(), true);
    }

    /// A line end is added to a text that has none.
    fn write(&self, text: &str, is_error: bool) {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let text = format!("{text}{end}");
        match &self.sink {
            Sink::Process if is_error => {
                let _ = io::stderr().write_all(text.as_bytes());
            }
            Sink::Process => {
                let mut out = io::stdout();
                let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            }
            Sink::Kept(kept) => {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let (output, errors) = &mut *kept;
                *(if is_error { errors } else { output }) += &text;
            }
        }
    }
}

impl Arg for Console {
    type Path<Rest> = Rest;

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        let console = t.cx().get::<Self>();
        let console = console.ok_or_else(|| Error::message("only commands have a `Console`"))?;
        Ok(Self::clone(&console))
    }
}
