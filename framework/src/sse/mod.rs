//! [`Sse`]: server-sent events, which a page listens to with `EventSource`.
//!
//! Source: the HTML standard, section 9.2.

mod event;
mod kept;

use std::future::Future;
use std::time::Duration;

use gateway_spec::Body;
use gateway_spec::http::HeaderValue;
use gateway_spec::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};

use crate::answer::IntoResponse;
use crate::context::{Cx, current};
use crate::error::Result;
use crate::response::Response;
use crate::stream::{Pieces, stream};

pub use event::{BadEvent, Event};
use kept::Kept;

/// Events that are sent as they happen:
///
/// ```
/// use carafe::*;
///
/// async fn clock() -> Sse {
///     Sse::new(async |mut events| {
///         for hour in 1..=2 {
///             events.send(Event::new(format!("{hour} o'clock")).name("hour")).await?;
///         }
///         Ok(())
///     })
/// }
///
/// let client = App::new().get("/clock", clock).test();
/// let expected = "event: hour\ndata: 1 o'clock\n\nevent: hour\ndata: 2 o'clock\n\n";
/// assert_eq!(client.get("/clock").text(), expected);
/// ```
///
/// The code ends at its next `await` when the client goes away, and when the server drains: the
/// browser then asks again, another worker answers, and [`Cx::last_event_id`] says where to go on.
#[must_use = "events are sent by returning them from a view"]
#[derive(Debug)]
pub struct Sse {
    body: Response,
    keep_alive: Option<Duration>,
}

/// Where the code of an [`Sse`] sends its events.
#[derive(Debug)]
pub struct Events {
    pieces: Pieces,
}

impl Sse {
    /// Events that `produce` sends.
    pub fn new<F, Fut>(produce: F) -> Self
    where
        F: FnOnce(Events) -> Fut,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        Self {
            body: stream(|pieces| produce(Events { pieces })),
            keep_alive: Some(KEEP_ALIVE),
        }
    }

    /// How long nothing may be sent before a comment is, so that proxies do not take the connection
    /// for dead: 15 seconds unless this says otherwise.
    pub fn keep_alive(mut self, period: Duration) -> Self {
        self.keep_alive = Some(period);
        self
    }

    /// Sends nothing but events.
    pub fn without_keep_alive(mut self) -> Self {
        self.keep_alive = None;
        self
    }
}

impl IntoResponse for Sse {
    fn into_response(self) -> Result<Response> {
        let body = Kept::new(self.body.into_body(), current(), self.keep_alive);
        let mut response = Response::new(Body::stream(body));
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        // nginx would collect events until a buffer is full.
        fields.insert(
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        );
        Ok(response)
    }
}

impl Events {
    /// Sends an event; ready when the client has room for the next.
    ///
    /// # Errors
    ///
    /// The event cannot be sent as it is, or the client has gone.
    pub async fn send(&mut self, event: Event) -> Result<()> {
        self.pieces.send(event.into_text()?).await
    }
}

impl Cx {
    /// The id of the last event that the client has seen, if it comes back for more.
    #[must_use]
    pub fn last_event_id(&self) -> Option<&str> {
        self.header("last-event-id").filter(|id| !id.is_empty())
    }
}

/// Shorter than the idle times of usual proxies, of which 30 seconds is among the shortest.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
