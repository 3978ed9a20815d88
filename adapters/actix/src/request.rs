//! From actix-web's request to a gateway's.

use actix_web::http::Version as OldVersion;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use actix_web::{HttpRequest, web};
use gateway_spec::hosting::Arrival;
use gateway_spec::{Address, Error, Request, Scheme};
use http::{Method, StatusCode, Version};

use crate::upload;

/// Converts a request below `mount`; a status where it is none of the gateway's.
pub(crate) fn received(
    request: &HttpRequest,
    payload: web::Payload,
    mount: Option<&str>,
) -> Result<Request, StatusCode> {
    let method = Method::from_bytes(request.method().as_str().as_bytes());
    let method = method.map_err(|_| StatusCode::BAD_REQUEST)?;
    let version = match request.version() {
        OldVersion::HTTP_10 => Version::HTTP_10,
        OldVersion::HTTP_2 => Version::HTTP_2,
        _ => Version::HTTP_11,
    };
    let arrival = Arrival::new(method, version, &target(request));
    let mut arrival = arrival.map_err(|_| StatusCode::BAD_REQUEST)?;
    if version == Version::HTTP_2
        && let Some(authority) = request.uri().authority()
    {
        arrival.authority(authority.as_str());
    }
    for (name, value) in request.headers() {
        // There is no stream to switch.
        if name != UPGRADE {
            arrival.field(name.as_str(), value.as_bytes());
        }
    }
    let body = has_body(request).then(|| upload::pulled(payload, length(request)));
    let refused = |error: Error| error.kind().status();
    let received = arrival.finish(body).map_err(refused)?;
    let received = match mount {
        None => received,
        Some(mount) => received
            .with_mount(mount.as_bytes())
            .ok_or(StatusCode::NOT_FOUND)?,
    };
    let config = request.app_config();
    let scheme = if config.secure() {
        Scheme::Https
    } else {
        Scheme::Http
    };
    let peer = request.peer_addr().map_or(Address::Unknown, Address::Ip);
    let local = Address::Ip(config.local_addr());
    Ok(received
        .with_scheme(scheme)
        .with_addresses(&peer, &peer, &local))
}

/// The target as it was sent.
fn target(request: &HttpRequest) -> String {
    let uri = request.uri();
    let path = uri.path_and_query().map(|path| path.as_str());
    match (path, uri.authority()) {
        (None, Some(authority)) if uri.scheme().is_none() => authority.to_string(),
        _ if request.version() < OldVersion::HTTP_2 && uri.scheme().is_some() => uri.to_string(),
        (path, _) => path.unwrap_or("/").to_owned(),
    }
}

fn has_body(request: &HttpRequest) -> bool {
    let is_chunked = request.headers().contains_key(TRANSFER_ENCODING);
    is_chunked || length(request).is_some_and(|length| length > 0)
}

fn length(request: &HttpRequest) -> Option<u64> {
    let value = request.headers().get(CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}
