//! [`stream_template`]: a page that is sent while it is rendered.

use std::io::{self, Write};

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use tokio::sync::mpsc::{self, Sender};

use super::Templates;
use crate::context::{Cx, inside};
use crate::error::{Error, Result};
use crate::response::Response;
use crate::stream::stream;

/// As [`render`](super::render), for pages that are too long to be held: they are sent while they are rendered, on a
/// thread of the pool for plain views, which is busy until the client has taken the page.
///
/// Once a template fails, the status has been sent: the page breaks off.
///
/// # Errors
///
/// There is no such template.
#[track_caller]
pub fn stream_template(cx: &Cx, name: &str, context: impl Serialize) -> Result<Response> {
    let templates = Templates::of(cx)?;
    templates.environment.get_template(name)?;
    let context = templates.processors.context(cx, context);
    if templates.nonces {
        // The header that names it goes out before the template says whether it needs one.
        cx.csp_nonce()?;
    }
    let (cx, name) = (cx.clone(), name.to_owned());
    let what = format!("the page of the template {name}");
    let page = stream(async move |mut pieces| {
        let (sender, mut receiver) = mpsc::channel(1);
        let site = std::sync::Arc::clone(cx.site());
        let job = move || {
            let mut out = Out::new(sender);
            inside(&cx, || -> Result<()> {
                let template = templates.environment.get_template(&name)?;
                template.render_captured_to(context, &mut out)?;
                Ok(out.flush()?)
            })
        };
        let rendered = site.pool.run(what, job)?;
        while let Some(piece) = receiver.recv().await {
            pieces.send(piece).await?;
        }
        rendered.await.map_err(Error::from)?
    });
    Ok(page.content_type("text/html; charset=utf-8"))
}

/// Collects what a template writes into pieces worth sending.
struct Out {
    piece: BytesMut,
    sender: Sender<Bytes>,
}

impl Out {
    fn new(sender: Sender<Bytes>) -> Self {
        Self {
            piece: BytesMut::with_capacity(PIECE),
            sender,
        }
    }
}

impl Write for Out {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(text);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = self.piece.split().freeze();
        let sent = self.sender.blocking_send(piece);
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the client has gone"))
    }
}

/// Bytes of a piece, about.
const PIECE: usize = 16 << 10;
