//! Signals: what happens in an application, told to whoever listens (`flask.signals`, blinker).
//!
//! A signal is a type: the framework's own are in [`events`], and any type of the application's can be one.

pub mod events;
mod listeners;

use std::any::Any;
use std::panic::Location;
use std::sync::Arc;

use crate::app::App;
use crate::context::Cx;
use crate::step;
use crate::view::inline;
use events::{RequestFinished, RequestStarted, RequestTearingDown};
use listeners::Listeners;

impl App {
    /// Listens to a signal: the type of the second argument says to which.
    ///
    /// A listener is called where the signal is sent, before whoever sends it goes on: it must not block, and
    /// leaves longer work to [`Cx::spawn`]. It changes nothing of the request; if it panics, the log says so and
    /// the request goes on. What nobody listens to costs nothing.
    ///
    /// ```
    /// use carafe::*;
    /// use std::sync::Mutex;
    ///
    /// struct OrderPlaced {
    ///     number: u32,
    /// }
    ///
    /// struct Mails(Mutex<Vec<String>>);
    ///
    /// async fn order(cx: Cx) -> &'static str {
    ///     cx.signal(OrderPlaced { number: 7 });
    ///     "thank you"
    /// }
    ///
    /// let client = App::new()
    ///     .state(Mails(Mutex::default()))
    ///     .on(|cx: &Cx, order: &OrderPlaced| {
    ///         let mails = cx.state::<Mails>();
    ///         mails.unwrap().0.lock().unwrap().push(format!("order {}", order.number));
    ///     })
    ///     .post("/orders", order)
    ///     .test();
    /// client.post("/orders", "");
    /// assert_eq!(*client.state::<Mails>().unwrap().0.lock().unwrap(), ["order 7"]);
    /// ```
    pub fn on<T, F>(mut self, listener: F) -> Self
    where
        T: Send + Sync + 'static,
        F: Fn(&Cx, &T) + Send + Sync + 'static,
    {
        let listener = Arc::new(move |cx: &Cx, event: &dyn Any| {
            if let Some(event) = event.downcast_ref() {
                listener(cx, event);
            }
        });
        self.part::<Listeners>().add::<T>(listener);
        self
    }
}

impl Cx {
    /// Tells everybody who listens to signals of this type, in the order in which they were added by [`App::on`].
    pub fn signal<T: Send + Sync + 'static>(&self, event: T) {
        send(self, || event);
    }
}

/// Sends a signal that is made only if somebody listens.
pub(crate) fn send<T: Send + Sync + 'static>(cx: &Cx, event: impl FnOnce() -> T) {
    let Some(listeners) = cx.state::<Listeners>() else {
        return;
    };
    if listeners.has::<T>() {
        listeners.tell(cx, &event());
    }
}

/// The application with its listeners where requests find them, and with what sends the signals around requests.
#[track_caller]
pub(crate) fn connected(mut app: App) -> App {
    let listeners = app.part::<Listeners>().clone();
    if listeners.is_empty() {
        return app;
    }
    let origin = Location::caller();
    if listeners.has::<RequestStarted>() {
        let guard = inline(|cx: Cx| cx.signal(RequestStarted));
        app.scope.guards.insert(0, step::hook(guard, origin));
    }
    if listeners.has::<RequestTearingDown>() {
        let hook = inline(|cx: Cx| cx.signal(RequestTearingDown));
        app.scope.teardown.push(step::hook(hook, origin));
    }
    if listeners.has::<RequestFinished>() {
        app = app.finish(|cx, response| {
            let status = response.status();
            cx.signal(RequestFinished { status });
        });
    }
    app.state(listeners)
}
