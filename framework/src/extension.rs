//! [`Extension`]: what others add to an application.

use std::any::type_name;
use std::future::{Future, ready};
use std::sync::Arc;

use crate::app::{App, Plugin, Starting};
use crate::error::Result;

/// Something that others add to an application: `App::new().extension(Sql::from_config())`.
///
/// ```
/// use carafe::*;
///
/// struct Motto;
///
/// impl Extension for Motto {
///     fn setup(&self, app: App) -> App {
///         app.after(async |response: Response, motto: State<String>| {
///             response.header("x-motto", motto.as_str())
///         })
///     }
///
///     async fn start(&self, starting: &mut Starting<'_>) -> Result<()> {
///         let motto: Option<String> = starting.config().get("motto")?;
///         starting.provide(motto.unwrap_or_else(|| "festina lente".to_owned()));
///         Ok(())
///     }
/// }
///
/// let client = App::new().get("/", async || "x").extension(Motto).test();
/// assert_eq!(client.get("/").header("x-motto"), Some("festina lente"));
/// ```
pub trait Extension: Send + Sync + Sized + 'static {
    /// Adds routes, hooks, parts to the application. The configuration has not been read yet.
    fn setup(&self, app: App) -> App {
        app
    }

    /// Opens what it needs and provides shared state; extensions start in the order in which they
    /// were added, in each worker.
    ///
    /// # Errors
    ///
    /// Why the application cannot start.
    fn start(&self, starting: &mut Starting<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = starting;
        ready(Ok(()))
    }

    /// Closes it; extensions stop in reverse order, after the last request and spawned task.
    fn stop(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }
}

impl App {
    /// Adds an extension.
    pub fn extension<E: Extension>(mut self, extension: E) -> Self {
        let extension = Arc::new(extension);
        let (starts, stops) = (Arc::clone(&extension), Arc::clone(&extension));
        self.plugins.push(Plugin {
            name: type_name::<E>(),
            setup: Some(Box::new(move |app| extension.setup(app))),
            start: Box::new(move |starting| {
                let extension = Arc::clone(&starts);
                Box::pin(async move { extension.start(starting).await })
            }),
            stop: Box::new(move || {
                let extension = Arc::clone(&stops);
                Box::pin(async move { extension.stop().await })
            }),
        });
        self
    }
}
