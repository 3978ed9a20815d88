//! [`Ear`]: hears the errors that are logged, for whoever shows the last of them elsewhere.

use std::sync::OnceLock;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::record::Record;

/// Has each error that this process logs from now on be told to `hear` as well; the first who asks is told.
pub(crate) fn hear_errors(hear: impl Fn(&str) + Send + Sync + 'static) {
    let _ = HEARS.set(Box::new(hear));
}

/// The layer that does it.
pub(super) struct Ear;

impl<S: Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        if *event.metadata().level() == Level::ERROR
            && let Some(hear) = HEARS.get()
        {
            hear(&Record::of(event).to_string());
        }
    }
}

type Hear = Box<dyn Fn(&str) + Send + Sync>;

static HEARS: OnceLock<Hear> = OnceLock::new();
