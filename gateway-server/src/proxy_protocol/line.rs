//! Version 1: a line of text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::error::ProxyError;
use super::introduction::{Introduction, Source};
use crate::limits::PROXY_LINE;

/// What it begins with.
pub(super) const SIGN: &[u8] = b"PROXY ";

/// Reads a line that begins with as much of [`SIGN`] as there is.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Introduction, usize)>, ProxyError> {
    let within = &bytes[..bytes.len().min(PROXY_LINE)];
    let Some(end) = memchr::memchr(b'\n', within) else {
        let too_long = within.len() == PROXY_LINE;
        return if too_long {
            Err(ProxyError::LineTooLong)
        } else {
            Ok(None)
        };
    };
    let line = within[..end].strip_suffix(b"\r");
    let line = line.filter(|line| !line.contains(&b'\r'));
    let words = line.and_then(|line| line.strip_prefix(SIGN));
    let introduction = words.and_then(introduction).ok_or(ProxyError::Line)?;
    Ok(Some((introduction, end + 1)))
}

fn introduction(words: &[u8]) -> Option<Introduction> {
    let unknown = words.strip_prefix(b"UNKNOWN");
    if unknown.is_some_and(|rest| matches!(rest.first(), None | Some(b' '))) {
        // Whatever stands behind it is to be ignored.
        return Some(Introduction::of(Source::Unknown));
    }
    let mut words = std::str::from_utf8(words).ok()?.split(' ');
    let mut next = || words.next();
    let (family, source, destination) = (next()?, next()?, next()?);
    let ports = (port(next()?)?, port(next()?)?);
    if next().is_some() {
        return None;
    }
    let ip: fn(&str) -> Option<IpAddr> = match family {
        "TCP4" => |text| Some(text.parse::<Ipv4Addr>().ok()?.into()),
        "TCP6" => |text| Some(text.parse::<Ipv6Addr>().ok()?.into()),
        _ => return None,
    };
    ip(destination)?;
    let client = SocketAddr::new(ip(source)?, ports.0);
    Some(Introduction::of(Source::Client(client.into())))
}

/// A number without sign or zeros before it.
fn port(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| plain)?;
    (text == "0" || !text.starts_with('0')).then_some(number)
}
