//! A form with parts, read as it arrives: fields into memory, files into a spool.

use bytes::Bytes;
use gateway_spec::http::StatusCode;
use gateway_spec::{Body, ErrorKind};

use super::spool::Spool;
use super::upload::UploadedFile;
use crate::config::size;
use crate::context::{Cx, LARGER};
use crate::error::{Error, HttpError, Result};
use crate::multidict::MultiDict;
use crate::multipart::{self, Event, MultipartError, PartHead};

/// The section `form`: what a form with parts may have at most. The body as a whole is limited by `body_limit`.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    /// `MAX_FORM_PARTS`: fields and files together.
    pub(crate) max_parts: usize,
    /// `MAX_FORM_MEMORY_SIZE`: bytes of one field that is no file.
    #[serde(deserialize_with = "size")]
    pub(crate) max_field_size: usize,
    /// Bytes of all files of a request that are kept in memory; more go to a file without a name.
    #[serde(deserialize_with = "size")]
    pub(crate) memory_size: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_parts: 1_000,
            max_field_size: 500_000,
            memory_size: 512_000,
        }
    }
}

/// The part that is being read.
enum Open {
    Field { name: String, value: Vec<u8> },
    File { head: PartHead, spool: Spool },
}

/// Reads the fields and files of the request.
pub(super) async fn read(cx: &Cx) -> Result<(MultiDict, Vec<UploadedFile>)> {
    let limits = cx
        .state::<Limits>()
        .map_or_else(Limits::default, |limits| *limits);
    let content_type = cx.header("content-type").unwrap_or_default();
    let boundary = multipart::boundary(content_type.as_bytes()).map_err(malformed)?;
    let mut reading = Reading {
        limits,
        parser: multipart::Parser::new(&boundary, limits.of_parser()),
        memory_left: limits.memory_size,
        open: None,
        fields: MultiDict::new(),
        files: Vec::new(),
    };
    let mut body = match cx.body_stream() {
        Ok(body) => body,
        // Somebody has read it whole already.
        Err(_) => Body::from(cx.body().await?),
    };
    let mut left = cx.body_limit();
    while let Some(piece) = body.data().await {
        let piece = piece.map_err(|error| broken(&error, cx.body_limit()))?;
        left = left
            .checked_sub(piece.len())
            .ok_or_else(|| too_large(cx.body_limit()))?;
        reading.parser.feed(&piece);
        reading.advance().await?;
    }
    reading.parser.finish().map_err(malformed)?;
    Ok((reading.fields, reading.files))
}

/// A form that has been read up to somewhere.
struct Reading {
    limits: Limits,
    parser: multipart::Parser,
    /// Bytes of files that may still stay in memory.
    memory_left: usize,
    open: Option<Open>,
    fields: MultiDict,
    files: Vec<UploadedFile>,
}

impl Reading {
    /// Takes everything that the parser can tell by now.
    async fn advance(&mut self) -> Result<()> {
        loop {
            match self.parser.next_event().map_err(malformed)? {
                Event::Part(head) => self.open = Some(Open::of(head)),
                Event::Data(content) => self.take(content).await?,
                Event::EndOfPart => self.close().await?,
                Event::End | Event::NeedsMore => return Ok(()),
            }
        }
    }

    async fn take(&mut self, content: Bytes) -> Result<()> {
        match &mut self.open {
            Some(Open::Field { name, value }) => {
                if value.len() + content.len() > self.limits.max_field_size {
                    let limit = self.limits.max_field_size;
                    let sentence = format!(
                        "The field `{}` has more than {limit} bytes.",
                        name.escape_debug()
                    );
                    let told = HttpError::new(StatusCode::PAYLOAD_TOO_LARGE).describe(sentence);
                    return Err(told.advise("the limit is form.max_field_size").into());
                }
                value.extend_from_slice(&content);
            }
            Some(Open::File { spool, .. }) => spool.write(content, &mut self.memory_left).await?,
            None => {}
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        match self.open.take() {
            Some(Open::Field { name, value }) => {
                self.fields
                    .add(name, String::from_utf8_lossy(&value).into_owned());
            }
            Some(Open::File { head, spool }) => {
                let content = spool.finish().await?;
                let chosen = head.filename.as_deref() != Some("") || content.length() > 0;
                if chosen {
                    self.files.push(UploadedFile::new(head, content));
                }
            }
            None => {}
        }
        Ok(())
    }
}

impl Limits {
    fn of_parser(self) -> multipart::Limits {
        multipart::Limits::default().parts(self.max_parts)
    }
}

impl Open {
    fn of(head: PartHead) -> Self {
        match head.filename {
            Some(_) => Self::File {
                head,
                spool: Spool::default(),
            },
            None => Self::Field {
                name: head.name,
                value: Vec::new(),
            },
        }
    }
}

fn malformed(error: MultipartError) -> Error {
    let status = match error.is_limit() {
        true => StatusCode::PAYLOAD_TOO_LARGE,
        false => StatusCode::BAD_REQUEST,
    };
    let told = HttpError::new(status).describe(format!("The form cannot be read: {error}."));
    match error {
        MultipartError::TooManyParts(_) => told.advise("the limit is form.max_parts").into(),
        MultipartError::Boundary(_) => told
            .describe("The form cannot be read: it did not arrive as one.")
            .advise(error.to_string())
            .into(),
        _ => told.into(),
    }
}

fn broken(error: &gateway_spec::Error, limit: usize) -> Error {
    match error.kind() {
        ErrorKind::Limit => too_large(limit),
        ErrorKind::Timeout => refusal(
            StatusCode::REQUEST_TIMEOUT,
            "The form took too long to arrive.".to_owned(),
        ),
        _ => refusal(StatusCode::BAD_REQUEST, "The form broke off.".to_owned()),
    }
}

fn too_large(limit: usize) -> Error {
    let sentence = format!("This address takes forms of at most {limit} bytes, files included.");
    let told = HttpError::new(StatusCode::PAYLOAD_TOO_LARGE).describe(sentence);
    told.advise(LARGER).into()
}

fn refusal(status: StatusCode, sentence: String) -> Error {
    HttpError::new(status).describe(sentence).into()
}
