//! carafe: a web framework in Flask's manner, on the Gateway Interface.
//!
//! ```
//! use carafe::*;
//!
//! export!(App::new().get("/", async || "Hello, World!"));
//! ```
//!
//! An [`App`] is put together from views, hooks, error handlers and [`Blueprint`]s, and exported from
//! a `cdylib`, which any server of the interface loads. Views are functions, plain or async, that
//! ask for what they need by the types of their arguments ([`Arg`]) and return anything sensible
//! ([`IntoResponse`]). [`Cx`] is the request and all that belongs to it.
#![forbid(unsafe_code)]

mod answer;
mod app;
mod ascii_json;
mod blueprint;
mod chain;
mod commands;
mod compile;
pub mod conditional;
mod config;
mod context;
pub mod csrf;
mod debug_page;
mod dispatch;
mod error;
mod extension;
mod extract;
mod file_names;
mod files;
mod form;
mod http_date;
mod json;
mod json_format;
mod keys;
mod multidict;
pub mod multipart;
mod pages;
mod parts;
mod password;
mod pool;
mod redirects;
mod request;
mod resource;
mod response;
mod route;
mod route_options;
pub mod routing;
mod rule;
mod scope;
mod secret;
mod security;
pub mod session;
pub mod signals;
pub mod signing;
mod site;
mod sse;
mod start;
mod step;
mod stream;
pub mod templates;
pub mod testing;
mod trusted_hosts;
mod url;
mod view;
mod websocket;

pub use answer::{Answer, Html, IntoResponse};
pub use app::{App, Starting};
pub use blueprint::Blueprint;
pub use commands::{CommandReply, Console, Told, Words};
pub use config::{Config, ConfigError, size, time};
pub use context::{Cx, current};
pub use csrf::csrf_exempt;
pub use dispatch::Carafe;
pub use error::{Abort, Caught, Error, HttpError, OrAbort, Result, Source, abort};
pub use extension::Extension;
pub use extract::{Arg, Args, Check, Cookies, Flat, Kind, PathValue, Query, State, Take};
pub use file_names::{safe_join, secure_filename};
pub use files::{SendFile, send_file, send_from_directory};
pub use form::{Files, Form, UploadedFile};
pub use http_date::{HttpDate, NotADate};
pub use json::Json;
pub use multidict::MultiDict;
pub use parts::Parts;
pub use password::{
    BadPasswordHash, PasswordMethod, check_password_hash, generate_password_hash,
    generate_password_hash_by, needs_rehash,
};
pub use redirects::{redirect_back, safe_redirect};
pub use request::{Accept, Request};
pub use resource::Resource;
pub use response::{Cookie, Response, SameSite, redirect};
pub use route_options::RouteOptions;
pub use rule::{Rule, rule};
pub use scope::Codes;
pub use secret::Secret;
pub use session::Session;
pub use sse::{BadEvent, Event, Events, Sse};
pub use start::{Application, Mistakes};
pub use stream::{Pieces, stream};
pub use templates::{render, render_str, stream_template};
pub use url::{UrlValue, UrlValues};
pub use view::{
    FirstFn, HookReply, Inline, Later, Now, Reply, ViewFn, body_limit, cancel_on_disconnect,
    inline, modified, named,
};
pub use websocket::{Socket, SocketError, SocketMessage, WebSocket};

pub use bytes::Bytes;
pub use gateway_spec::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
pub use gateway_spec::{Body, BodyStream, Counter, Frame, Gauge, Histogram, Level, Metrics};
pub use serde_json::json;
pub use uuid::Uuid;

#[doc(hidden)]
pub use gateway_spec as __gateway_spec;

/// GET.
pub const GET: Method = Method::GET;
/// HEAD.
pub const HEAD: Method = Method::HEAD;
/// POST.
pub const POST: Method = Method::POST;
/// PUT.
pub const PUT: Method = Method::PUT;
/// PATCH.
pub const PATCH: Method = Method::PATCH;
/// DELETE.
pub const DELETE: Method = Method::DELETE;
/// OPTIONS.
pub const OPTIONS: Method = Method::OPTIONS;

/// Exports an [`App`] from a `cdylib`: `export!(app())`. It stands once, in a leaf crate; keep what
/// others import in a plain library with a `pub fn app() -> App`.
///
/// The application gets a tokio runtime of its own, in which its timers, sockets and spawned tasks
/// live.
#[macro_export]
macro_rules! export {
    ($app:expr) => {
        $crate::__gateway_spec::export!(tokio: $app);
    };
}
