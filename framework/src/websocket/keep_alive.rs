//! [`KeepAlive`]: pings, and how long the other side may take to be heard of behind one.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::SinkExt as _;
use tokio::time::{Instant, Sleep, sleep};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::line::Line;

/// When to ask the other side whether it is still there, and since when it was asked.
#[derive(Debug)]
pub(super) struct KeepAlive {
    every: Duration,
    within: Duration,
    timer: Pin<Box<Sleep>>,
    asked: bool,
    /// A ping waits to be written.
    writing: bool,
}

/// The other side was not heard of for too long.
#[derive(Debug)]
pub(super) struct Silent;

impl KeepAlive {
    /// Asks so often, and waits so long; `None` if it is never asked.
    pub(super) fn new(every: Duration, within: Duration) -> Option<Self> {
        (!every.is_zero()).then(|| Self {
            every,
            within,
            timer: Box::pin(sleep(every)),
            asked: false,
            writing: false,
        })
    }

    /// Does what is due; ready only with the verdict. Proxies too want to see something from time to
    /// time, so that a talkative client is asked as well.
    pub(super) fn poll(
        &mut self,
        stream: &mut WebSocketStream<Line>,
        cx: &mut Context<'_>,
    ) -> Poll<Silent> {
        while self.timer.as_mut().poll(cx).is_ready() {
            let heard = stream.get_mut().take_heard();
            if self.asked && !heard {
                return Poll::Ready(Silent);
            }
            self.asked = !self.asked;
            if self.asked {
                self.ask(stream, cx);
            }
            let pause = if self.asked { self.within } else { self.every };
            self.timer.as_mut().reset(Instant::now() + pause);
        }
        if self.writing && stream.poll_flush_unpin(cx).is_ready() {
            self.writing = false;
        }
        Poll::Pending
    }

    /// Sends a ping, unless the other side does not even read: then its time runs all the same.
    fn ask(&mut self, stream: &mut WebSocketStream<Line>, cx: &mut Context<'_>) {
        if stream.poll_ready_unpin(cx).is_ready() {
            // What is wrong with the connection the next read says.
            let _ = stream.start_send_unpin(Message::Ping(Bytes::new()));
            self.writing = true;
        }
    }
}
