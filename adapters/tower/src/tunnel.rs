//! hyper's upgraded connection as the interface's stream.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use gateway_spec::Duplex;
use gateway_spec::hosting::Draining;
use hyper::rt::{Read, ReadBuf, Write};
use hyper::upgrade::Upgraded;
use tokio::runtime::Handle;

pub(crate) struct Tunnel {
    /// Until it is dropped.
    upgraded: Option<Upgraded>,
    draining: Draining,
    /// The client has nothing more to say, or has gone.
    is_over: bool,
}

impl Tunnel {
    pub(crate) fn new(upgraded: Upgraded, draining: Draining) -> Self {
        Self {
            upgraded: Some(upgraded),
            draining,
            is_over: false,
        }
    }

    fn pinned(&mut self) -> Pin<&mut Upgraded> {
        Pin::new(self.upgraded.as_mut().expect("it is there until the drop"))
    }
}

/// What a client still sends would make the system reset the connection, and the application's last
/// words, which it has not read yet, would be lost: they are waited for.
impl Drop for Tunnel {
    fn drop(&mut self) {
        if let (Some(upgraded), false, Ok(runtime)) =
            (self.upgraded.take(), self.is_over, Handle::try_current())
        {
            runtime.spawn(async {
                // Whoever takes longer is left alone.
                let _ = tokio::time::timeout(LINGER, lingering(upgraded)).await;
            });
        }
    }
}

/// Ends our half, and reads the other's rest.
async fn lingering(mut upgraded: Upgraded) -> io::Result<()> {
    poll_fn(|cx| Pin::new(&mut upgraded).poll_shutdown(cx)).await?;
    let mut rest = [0; 4096];
    let mut left = LINGER_BYTES;
    while left > 0 {
        let mut buffer = ReadBuf::new(&mut rest);
        poll_fn(|cx| Pin::new(&mut upgraded).poll_read(cx, buffer.unfilled())).await?;
        if buffer.filled().is_empty() {
            break;
        }
        left = left.saturating_sub(buffer.filled().len());
    }
    Ok(())
}

impl Duplex for Tunnel {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let wants_some = !buffer.is_empty();
        let mut buffer = ReadBuf::new(buffer);
        let read = ready!(self.pinned().poll_read(cx, buffer.unfilled()));
        let count = buffer.filled().len();
        self.is_over = read.is_err() || wants_some && count == 0;
        Poll::Ready(read.map(|()| count))
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.pinned().poll_write_vectored(cx, buffers)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pinned().poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pinned().poll_shutdown(cx)
    }

    fn poll_draining(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.draining.poll(cx)
    }
}

/// How long a client is waited for that still sends, and how much it may.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 16 << 20;
