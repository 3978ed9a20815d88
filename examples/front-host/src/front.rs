//! [`Front`]: a connection from the web server in front.

use std::future::poll_fn;

use anyhow::{Result, ensure};
use gateway_fastcgi::{Begun, Decoder, Event, Limits, end_request, stdout};
use gateway_spec::Frame;
use gateway_spec::cgi::Variables;
use gateway_spec::hosting::Answer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::protocol::Protocol;

/// A connection from the web server in front.
pub(crate) struct Front {
    stream: TcpStream,
    protocol: Protocol,
    /// Bytes that were read and not understood yet.
    input: Vec<u8>,
    decoder: Decoder,
}

/// A request.
pub(crate) struct Asked {
    pub(crate) variables: Variables,
    pub(crate) body: Vec<u8>,
    /// FastCGI's number of it.
    pub(crate) begun: Option<Begun>,
}

impl Front {
    pub(crate) fn new(stream: TcpStream, protocol: Protocol) -> Result<Self> {
        // An answer goes in pieces.
        stream.set_nodelay(true)?;
        let limits = Limits {
            variables: MAX_HEAD,
            connections: 1024,
            idle_records: 64,
        };
        Ok(Self {
            stream,
            protocol,
            input: Vec::with_capacity(4096),
            decoder: Decoder::new(limits),
        })
    }

    /// The next request; none once the front has gone.
    pub(crate) async fn asked(&mut self) -> Result<Option<Asked>> {
        match self.protocol {
            Protocol::FastCgi => self.records().await,
            Protocol::Scgi | Protocol::Uwsgi => self.packet().await,
        }
    }

    /// The request that FastCGI's records are.
    async fn records(&mut self) -> Result<Option<Asked>> {
        let mut body = Vec::new();
        loop {
            let step = self.decoder.decode(&self.input)?;
            let mut asked = None;
            match step.event {
                Event::More => {
                    self.input.drain(..step.consumed);
                    if self.stream.read_buf(&mut self.input).await? == 0 {
                        return Ok(None);
                    }
                    continue;
                }
                Event::Data(range) => {
                    ensure!(body.len() + range.len() <= MAX_BODY, "the body is too long");
                    body.extend_from_slice(&self.input[range]);
                }
                Event::Reply(bytes) => self.stream.write_all(&bytes).await?,
                Event::Abort => return Ok(None),
                Event::End => asked = self.decoder.request(),
                _ => {}
            }
            self.input.drain(..step.consumed);
            if let Some(begun) = asked {
                let pairs: Result<Vec<_>, _> = self.decoder.variables().collect();
                let variables = collected(pairs?.into_iter());
                let declared = declared(&variables).unwrap_or(body.len());
                ensure!(declared == body.len(), "the body has another length");
                return Ok(Some(Asked {
                    variables,
                    body,
                    begun: Some(begun),
                }));
            }
        }
    }

    /// The one request of a connection of SCGI or uwsgi.
    async fn packet(&mut self) -> Result<Option<Asked>> {
        let (variables, length) = loop {
            if let Some(found) = self.head()? {
                break found;
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Ok(None);
            }
        };
        let mut body = self.input.split_off(length);
        let declared = declared(&variables).unwrap_or(0);
        ensure!(declared <= MAX_BODY, "the body is too long");
        while body.len() < declared {
            let count = self.stream.read_buf(&mut body).await?;
            ensure!(count > 0, "the body ended early");
        }
        // What follows it is nobody's.
        body.truncate(declared);
        Ok(Some(Asked {
            variables,
            body,
            begun: None,
        }))
    }

    /// The variables at the beginning of the input and how many bytes they take; none if there is more to come.
    fn head(&self) -> Result<Option<(Variables, usize)>> {
        let input = &self.input;
        Ok(match self.protocol {
            Protocol::Uwsgi => gateway_uwsgi::head(input, MAX_HEAD)?
                .map(|head| (collected(head.variables()), head.length)),
            _ => gateway_scgi::head(input, MAX_HEAD)?
                .map(|head| (collected(head.variables()), head.length)),
        })
    }

    /// Waits until the front has gone: it has nothing more to say while a request is under way, but that it is
    /// wanted no more.
    pub(crate) async fn gone(&mut self) {
        let _word = self.stream.read_u8().await;
    }

    /// Sends an answer.
    pub(crate) async fn answer(&mut self, begun: Option<Begun>, answer: Answer) -> Result<()> {
        let status = self.protocol.before_status();
        let mut head = format!("{status} {}\r\n", answer.status).into_bytes();
        for (name, value) in answer.fields.iter() {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                head.extend_from_slice(part);
            }
        }
        if let Some(length) = answer.length {
            head.extend_from_slice(format!("content-length: {length}\r\n").as_bytes());
        }
        head.extend_from_slice(b"\r\n");
        self.send(begun, &head).await?;
        let mut content = answer.content;
        while let Some(frame) = poll_fn(|cx| content.poll_frame(cx)).await {
            // There is no place for trailers.
            if let Frame::Data(bytes) = frame? {
                self.send(begun, &bytes).await?;
            }
        }
        if let Some(begun) = begun {
            let mut end = Vec::new();
            end_request(&mut end, begun.id, gateway_fastcgi::Protocol::Complete);
            self.stream.write_all(&end).await?;
            self.decoder.answered();
        }
        Ok(())
    }

    async fn send(&mut self, begun: Option<Begun>, bytes: &[u8]) -> Result<()> {
        let Some(begun) = begun else {
            return Ok(self.stream.write_all(bytes).await?);
        };
        let mut records = Vec::new();
        stdout(&mut records, begun.id, bytes);
        Ok(self.stream.write_all(&records).await?)
    }

    /// Ends the connection behind an answer.
    pub(crate) async fn end(mut self) -> Result<()> {
        Ok(self.stream.shutdown().await?)
    }
}

fn collected<'h>(pairs: impl Iterator<Item = (&'h [u8], &'h [u8])>) -> Variables {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    // A client at a unix socket has no address; nginx says `unix:` in its place.
    let is_told = |(name, value): &(&[u8], &[u8])| *name != b"REMOTE_ADDR" || *value != b"unix:";
    let pairs = pairs.filter(is_told);
    pairs.map(|(name, value)| (text(name), value)).collect()
}

/// The length that the variables declare; one that is no number is refused with them.
fn declared(variables: &Variables) -> Option<usize> {
    let text = std::str::from_utf8(variables.get("CONTENT_LENGTH")?).ok()?;
    text.parse().ok()
}

/// Bytes of variables.
const MAX_HEAD: usize = 64 * 1024;

/// Bytes of a request's body, which is held in memory.
const MAX_BODY: usize = 64 * 1024 * 1024;
