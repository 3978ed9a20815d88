//! Forms: the fields that a browser sent, as a type or one by one, and the files with them.

mod parts;
mod spool;
mod upload;

use std::ops::Deref;
use std::sync::Arc;

use gateway_spec::http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use crate::context::Cx;
use crate::error::{HttpError, Result};
use crate::extract::{Arg, Kind, Take};
use crate::multidict::MultiDict;

pub(crate) use parts::Limits;
pub use upload::{Files, UploadedFile};

/// The fields of the form as a type; on GET and HEAD those of no form. What does not read as a `T`
/// is answered 400.
#[derive(Clone, Copy, Debug)]
pub struct Form<T>(pub T);

/// What a request's form held, read once.
#[derive(Debug, Default)]
struct Read {
    fields: Arc<MultiDict>,
    files: Files,
}

/// Read by whoever asks first; an error is told to all who ask.
#[derive(Debug, Default)]
struct FormCell(OnceCell<Result<Read, HttpError>>);

impl<T> Deref for Form<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + Send + 'static> Arg for Form<T> {
    const KIND: Kind = Kind::Form;
    type Path<Rest> = Rest;

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        let fields = t.cx().form().await?;
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(fields.iter());
        serde_html_form::from_str(&pairs.finish())
            .map(Self)
            .map_err(|error| {
                let sentence = format!("The form is not what this address takes: {error}.");
                HttpError::new(StatusCode::BAD_REQUEST)
                    .describe(sentence)
                    .into()
            })
    }
}

impl Arg for Files {
    const KIND: Kind = Kind::Form;
    type Path<Rest> = Rest;

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        t.cx().files().await
    }
}

impl Cx {
    /// The fields of the form, if somebody has read it.
    pub(crate) fn form_at_hand(&self) -> Option<Arc<MultiDict>> {
        let cell = self.get::<FormCell>()?;
        let read = cell.0.get()?.as_ref().ok()?;
        Some(Arc::clone(&read.fields))
    }

    /// The fields of the form in the body; empty if there is none, as on GET.
    ///
    /// # Errors
    ///
    /// Those of [`body`](Cx::body); 400 if a form with files is malformed, 413 if it has more or longer parts than
    /// the section `form` of the configuration allows.
    pub async fn form(&self) -> Result<Arc<MultiDict>> {
        let cell = self.form_cell().await;
        Ok(Arc::clone(&found(&cell)?.fields))
    }

    /// The files that came with the form; inputs in which none was chosen do not count.
    ///
    /// # Errors
    ///
    /// Those of [`form`](Cx::form).
    pub async fn files(&self) -> Result<Files> {
        let cell = self.form_cell().await;
        Ok(found(&cell)?.files.clone())
    }

    async fn form_cell(&self) -> Arc<FormCell> {
        let cell = self.get_or_put_with(FormCell::default);
        cell.0.get_or_init(|| read(self)).await;
        cell
    }
}

fn found(cell: &FormCell) -> Result<&Read> {
    match cell.0.get() {
        Some(Ok(read)) => Ok(read),
        Some(Err(error)) => Err(error.clone().into()),
        None => Err(HttpError::new(StatusCode::INTERNAL_SERVER_ERROR).into()),
    }
}

async fn read(cx: &Cx) -> Result<Read, HttpError> {
    if [Method::GET, Method::HEAD].contains(cx.method()) {
        return Ok(Read::default());
    }
    match cx.mimetype().as_deref() {
        Some("application/x-www-form-urlencoded") => {
            let body = cx.body().await.map_err(|error| told(cx, &error))?;
            Ok(Read {
                fields: Arc::new(MultiDict::parse(&body)),
                files: Files::default(),
            })
        }
        Some("multipart/form-data") => {
            let (fields, files) = parts::read(cx).await.map_err(|error| told(cx, &error))?;
            Ok(Read {
                fields: Arc::new(fields),
                files: Files::new(files),
            })
        }
        _ => Ok(Read::default()),
    }
}

/// What may be told of an error; the rest goes to the log.
fn told(cx: &Cx, error: &crate::error::Error) -> HttpError {
    let summary = error.summary();
    if summary.status().is_server_error() {
        cx.log(
            gateway_spec::Level::Error,
            &format!("the form cannot be read: {error}"),
        );
    }
    summary
}
