//! [`send_file`] and [`send_from_directory`].

use std::fmt;
use std::future::{Future, IntoFuture};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use gateway_spec::{Body, FileRegion};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, ETAG, EXPIRES,
    HeaderValue, LAST_MODIFIED,
};
use http::{Method, StatusCode};

use super::opened::Opened;
use super::settings::Settings;
use super::{disposition, kind};
use crate::conditional::{ByteRange, Ranged, Verdict};
use crate::context::Cx;
use crate::error::{Error, HttpError, Result, abort};
use crate::file_names::safe_join;
use crate::http_date::HttpDate;
use crate::response::Response;

/// Sends a file that the application chose; `path` is relative to the application's folder.
///
/// ```
/// use carafe::*;
///
/// async fn licence(cx: Cx) -> Result<Response> {
///     send_file(&cx, "Cargo.toml").download_name("licence.txt").as_attachment().await
/// }
///
/// let client = App::new().get("/", licence).test();
/// let response = client.get("/");
/// assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
/// assert_eq!(response.header("content-disposition"), Some("attachment; filename=licence.txt"));
/// let etag = response.header("etag").unwrap();
/// assert_eq!(client.request(GET, "/").header("If-None-Match", etag).send().status(), 304);
/// ```
///
/// The answer has validators and honours the request's conditions and ranges: 304, 412, 206, 416. The server takes
/// the content from the file itself, on plain HTTP/1 without copying it through the process.
///
/// A file that is not there is the application's mistake, 500; names that come from clients belong into
/// [`send_from_directory`]. Await it in async views; plain ones [`wait`](SendFile::wait).
pub fn send_file(cx: &Cx, path: impl AsRef<Path>) -> SendFile {
    SendFile::new(cx, Some(cx.root().join(path)), Absent::Mistake)
}

/// Sends the file `name`, which a client may have chosen, from `directory`, which is relative to the application's
/// folder. What lies outside, is not there, or is no regular file is answered 404.
///
/// Names that begin with a dot are names like others; links are followed.
pub fn send_from_directory(cx: &Cx, directory: impl AsRef<Path>, name: &str) -> SendFile {
    let path = safe_join(&cx.root().join(directory), name);
    SendFile::new(cx, path, Absent::NotFound)
}

/// A file about to be sent: await it, or [`wait`](Self::wait) for it.
#[must_use = "it is sent once it is awaited"]
pub struct SendFile {
    cx: Cx,
    path: Option<PathBuf>,
    absent: Absent,
    kind: Option<String>,
    name: Option<String>,
    attachment: bool,
    max_age: Option<Duration>,
    conditional: bool,
}

/// What it means that there is no such file.
#[derive(Clone, Copy, Debug)]
enum Absent {
    Mistake,
    NotFound,
}

impl SendFile {
    fn new(cx: &Cx, path: Option<PathBuf>, absent: Absent) -> Self {
        Self {
            cx: cx.clone(),
            path,
            absent,
            kind: None,
            name: None,
            attachment: false,
            max_age: None,
            conditional: true,
        }
    }

    /// The name under which clients store it, instead of the file's own; its end says what it is.
    pub fn download_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Asks clients to store it rather than to show it.
    pub fn as_attachment(mut self) -> Self {
        self.attachment = true;
        self
    }

    /// The media type, instead of what the name says.
    pub fn mimetype(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// How long clients may use it without asking again, instead of the setting `files.max_age`; zero: not at all.
    pub fn max_age(mut self, time: Duration) -> Self {
        self.max_age = Some(time);
        self
    }

    /// Whether the request's conditions and ranges count; they do unless switched off.
    pub fn conditional(mut self, on: bool) -> Self {
        self.conditional = on;
        self
    }

    /// The response, for plain views: this blocks.
    ///
    /// # Errors
    ///
    /// As of awaiting it: 404 or, for [`send_file`], 500 if there is no such file; 412, 416.
    pub fn wait(self) -> Result<Response> {
        let Some(path) = &self.path else {
            return abort(StatusCode::NOT_FOUND);
        };
        let opened = Opened::open(path);
        self.answer(opened)
    }

    fn answer(self, opened: std::io::Result<Option<Opened>>) -> Result<Response> {
        let path = self.path.as_deref().unwrap_or(Path::new(""));
        let unreadable = |why: &dyn fmt::Display| {
            Error::message(format!("the file {} cannot be sent: {why}", path.display()))
        };
        match (opened, self.absent) {
            (Ok(Some(opened)), _) => self.respond(opened),
            (Ok(None), Absent::NotFound) => abort(StatusCode::NOT_FOUND),
            (Ok(None), Absent::Mistake) => Err(unreadable(&"there is no such regular file")),
            (Err(error), _) => Err(unreadable(&error)),
        }
    }

    fn respond(self, opened: Opened) -> Result<Response> {
        let reads = [Method::GET, Method::HEAD].contains(self.cx.method());
        let conditional = self.conditional && reads;
        let (method, fields) = (self.cx.method(), self.cx.headers());
        let (validators, length) = (&opened.validators, opened.length);
        let mut range = Ranged::Whole;
        let mut response = Response::default();
        if conditional {
            match validators.judge(method, fields) {
                Verdict::Failed => return abort(StatusCode::PRECONDITION_FAILED),
                Verdict::NotModified => response.set_status(StatusCode::NOT_MODIFIED),
                Verdict::Proceed => range = validators.ranged(method, fields, length),
            }
        }
        self.describe(&mut response, &opened);
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(response);
        }
        self.name(&mut response);
        if conditional {
            let bytes = const { HeaderValue::from_static("bytes") };
            response.headers_mut().insert(ACCEPT_RANGES, bytes);
        }
        let (offset, length) = match range {
            Ranged::Whole => (0, length),
            Ranged::Part(part) => {
                response.set_status(StatusCode::PARTIAL_CONTENT);
                response.set_header(CONTENT_RANGE, part.to_string());
                (ByteRange::start(part), ByteRange::count(part))
            }
            Ranged::Unsatisfiable => return Err(unsatisfiable(length)),
        };
        let file = opened.file;
        *response.body_mut() = match length {
            0 => Body::empty(),
            length => Body::file(FileRegion {
                file,
                offset,
                length,
            }),
        };
        Ok(response)
    }

    /// What a 304 says as well: validators and freshness.
    fn describe(&self, response: &mut Response, opened: &Opened) {
        if let Some(etag) = &opened.validators.etag {
            response.set_header(ETAG, etag.to_string());
        }
        if let Some(time) = opened.validators.last_modified {
            response.set_header(LAST_MODIFIED, HttpDate(time).to_string());
        }
        let usual = || self.cx.state::<Settings>().map(|files| files.max_age);
        let max_age = self.max_age.or_else(usual).unwrap_or_default();
        match max_age.as_secs() {
            0 => {
                let value = const { HeaderValue::from_static("no-cache") };
                response.headers_mut().insert(CACHE_CONTROL, value);
            }
            seconds => {
                response.set_header(CACHE_CONTROL, format!("public, max-age={seconds}"));
                let far = Duration::from_secs(seconds.min(FAR));
                let expires = HttpDate(SystemTime::now() + far);
                response.set_header(EXPIRES, expires.to_string());
            }
        }
    }

    /// What it is, and what it is called.
    fn name(&self, response: &mut Response) {
        let path = self.path.as_deref().and_then(Path::file_name);
        let own = path.map(|name| name.to_string_lossy());
        let name = self.name.as_deref().or(own.as_deref()).unwrap_or_default();
        let kind = match &self.kind {
            Some(kind) => kind::value(kind),
            None => kind::of_name(name),
        };
        response.headers_mut().insert(CONTENT_TYPE, kind);
        let disposition = disposition::value(self.attachment, name);
        let fields = response.headers_mut();
        fields.insert(CONTENT_DISPOSITION, disposition);
    }
}

impl IntoFuture for SendFile {
    type Output = Result<Response>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Response>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Some(path) = self.path.clone() else {
                return abort(StatusCode::NOT_FOUND);
            };
            let runtime = &self.cx.site().runtime;
            let opened = runtime.spawn_blocking(move || Opened::open(&path)).await?;
            self.answer(opened)
        })
    }
}

impl fmt::Debug for SendFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SendFile({:?})", self.path)
    }
}

/// 416, with the length that there is.
fn unsatisfiable(length: u64) -> Error {
    let error = Error::from(HttpError::new(StatusCode::RANGE_NOT_SATISFIABLE));
    match HeaderValue::try_from(format!("bytes */{length}")) {
        Ok(value) => error.with(CONTENT_RANGE, value),
        Err(_) => error,
    }
}

/// Expires has four digits for the year; ten years are for ever.
const FAR: u64 = 10 * 365 * 24 * 60 * 60;
