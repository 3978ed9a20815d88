//! From a server's request to a gateway's.

use std::borrow::Cow;

use gateway_spec::hosting::Arrival;
use gateway_spec::{Error, Request, TlsInfo};
use http::header::UPGRADE;
use http::request::Parts;
use http::{Method, StatusCode, Uri, Version};
use hyper::upgrade::OnUpgrade;

use crate::body::{self, BoxError};
use crate::connection::Connection;

/// A request, and what of it stays with the adapter.
pub(crate) struct Received {
    pub(crate) request: Request,
    pub(crate) upgrade: Option<OnUpgrade>,
    pub(crate) tls: Option<TlsInfo>,
}

/// Converts a request below `mount` that came by `known`, unless it says otherwise; a status where
/// it is none of the gateway's.
pub(crate) fn received<B>(
    request: http::Request<B>,
    mount: Option<&str>,
    known: Option<&Connection>,
) -> Result<Received, StatusCode>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let (mut parts, body) = request.into_parts();
    let upgrade = parts.extensions.remove::<OnUpgrade>();
    let target = target(&parts);
    let refused = |error: Error| error.kind().status();
    let arrival = Arrival::new(parts.method.clone(), parts.version, &target.text);
    let mut arrival = arrival.map_err(|_| StatusCode::BAD_REQUEST)?;
    if parts.version >= Version::HTTP_2
        && let Some(authority) = parts.uri.authority()
    {
        arrival.authority(authority.as_str());
    }
    if upgrade.is_some()
        && let Some(protocol) = extended(&parts)
    {
        arrival.protocol(protocol);
    }
    for (name, value) in &parts.headers {
        // What cannot be switched is not offered.
        if upgrade.is_some() || name != UPGRADE {
            arrival.field(name.as_str(), value.as_bytes());
        }
    }
    let request = arrival.finish(body::received(body)).map_err(refused)?;
    let mut request = match mount.map(Cow::from).or(target.mount) {
        None => request,
        Some(mount) => request
            .with_mount(mount.as_bytes())
            .ok_or(StatusCode::NOT_FOUND)?,
    };
    let mut tls = None;
    let connection = connection(&parts).or(known.map(Cow::Borrowed));
    if let Some(connection) = connection {
        request = request.with_scheme(connection.scheme()).with_addresses(
            connection.peer(),
            connection.client(),
            connection.local(),
        );
        tls = connection.tls().cloned();
    }
    *request.extensions_mut() = parts.extensions;
    Ok(Received {
        request,
        upgrade,
        tls,
    })
}

struct Target<'a> {
    text: Cow<'a, str>,
    /// What was taken off on the way here.
    mount: Option<Cow<'static, str>>,
}

fn target(parts: &Parts) -> Target<'_> {
    let uri = original(parts).unwrap_or(&parts.uri);
    let text = if parts.method == Method::CONNECT && uri.path_and_query().is_none() {
        Cow::from(uri.authority().map_or("", |authority| authority.as_str()))
    } else if parts.version < Version::HTTP_2 && uri.scheme().is_some() {
        Cow::from(uri.to_string())
    } else {
        Cow::from(uri.path_and_query().map_or("/", |path| path.as_str()))
    };
    let mount = original(parts).and_then(|uri| taken_off(uri.path(), parts.uri.path()));
    Target {
        text,
        mount: mount.map(|mount| Cow::from(mount.to_owned())),
    }
}

/// The prefix that was taken off a path, if one was.
fn taken_off<'a>(whole: &'a str, rest: &str) -> Option<&'a str> {
    if whole == rest {
        return None;
    }
    // `/app` becomes `/`, as `/app/` does.
    let prefix = match whole.strip_suffix(rest) {
        Some(prefix) => prefix,
        None if rest == "/" => whole,
        None => return None,
    };
    Some(prefix)
}

/// The target as it was before axum nested services.
#[cfg(feature = "axum")]
fn original(parts: &Parts) -> Option<&Uri> {
    let original = parts.extensions.get::<axum::extract::OriginalUri>()?;
    Some(&original.0)
}

#[cfg(not(feature = "axum"))]
fn original(_: &Parts) -> Option<&Uri> {
    None
}

/// The protocol of an extended CONNECT.
#[cfg(feature = "http2")]
fn extended(parts: &Parts) -> Option<&str> {
    let protocol = parts.extensions.get::<hyper::ext::Protocol>()?;
    Some(protocol.as_str())
}

#[cfg(not(feature = "http2"))]
fn extended(_: &Parts) -> Option<&str> {
    None
}

fn connection(parts: &Parts) -> Option<Cow<'_, Connection>> {
    if let Some(connection) = parts.extensions.get::<Connection>() {
        return Some(Cow::Borrowed(connection));
    }
    #[cfg(feature = "axum")]
    {
        use axum::extract::ConnectInfo;
        use gateway_spec::Address;
        let info = parts
            .extensions
            .get::<ConnectInfo<std::net::SocketAddr>>()?;
        Some(Cow::Owned(Connection::new(info.0, Address::Unknown)))
    }
    #[cfg(not(feature = "axum"))]
    None
}

#[cfg(test)]
mod tests {
    use super::taken_off;

    #[test]
    fn what_was_taken_off_is_found_by_what_is_left() {
        assert_eq!(taken_off("/app/a/b", "/a/b"), Some("/app"));
        assert_eq!(taken_off("/app", "/"), Some("/app"));
        assert_eq!(taken_off("/app/", "/"), Some("/app"));
        assert_eq!(taken_off("/x/y/x/y", "/x/y"), Some("/x/y"));
        assert_eq!(taken_off("/a%2Fb/c", "/c"), Some("/a%2Fb"));
        assert_eq!(taken_off("/a", "/a"), None);
        assert_eq!(taken_off("/a", "/b"), None);
    }
}
