//! `gatewayd healthcheck`: one question, and yes or no.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::line::Witness;
use super::mouth::{Mouth, Said};
use crate::control::{Command, Phase};
use crate::net::ListenAddress;

/// Asks whoever knows.
///
/// # Errors
///
/// In words: it is not ready, or does not answer.
pub(super) fn ask(witness: &Witness, timeout: Duration) -> Result<(), String> {
    match witness {
        Witness::Admin(address, path) => ask_admin(address, path, timeout)
            .map_err(|error| format!("http://{address}{path}: {error}"))?,
        Witness::Master(path) => ask_master(path, timeout)?,
    }
    Ok(())
}

fn ask_admin(address: &ListenAddress, path: &str, timeout: Duration) -> Result<(), String> {
    let fail = |error: std::io::Error| error.to_string();
    let limit = Some(timeout);
    let answer = match address {
        ListenAddress::Tcp(address) => {
            let mut there = *address;
            // Who listens everywhere listens here.
            match there.ip() {
                IpAddr::V4(ip) if ip.is_unspecified() => there.set_ip(Ipv4Addr::LOCALHOST.into()),
                IpAddr::V6(ip) if ip.is_unspecified() => there.set_ip(Ipv6Addr::LOCALHOST.into()),
                _ => {}
            }
            let stream = TcpStream::connect_timeout(&there, timeout).map_err(fail)?;
            stream.set_read_timeout(limit).map_err(fail)?;
            exchange(stream, path).map_err(fail)?
        }
        ListenAddress::Unix(socket) => {
            let stream = UnixStream::connect(socket).map_err(fail)?;
            stream.set_read_timeout(limit).map_err(fail)?;
            exchange(stream, path).map_err(fail)?
        }
    };
    let answer = String::from_utf8_lossy(&answer).into_owned();
    if answer.starts_with("HTTP/1.1 200 ") {
        return Ok(());
    }
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let status = answer.lines().next().unwrap_or("no answer");
    Err(format!("{status}: {}", body.trim()))
}

fn exchange(mut stream: impl Read + Write, path: &str) -> std::io::Result<Vec<u8>> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer)?;
    Ok(answer)
}

fn ask_master(path: &std::path::Path, timeout: Duration) -> Result<(), String> {
    let said = Mouth::open(path, timeout)?.ask(&Command::Status)?;
    let Said::Reply(reply) = said else {
        return Err("the server has closed the connection".to_owned());
    };
    match reply.status.map(|status| status.phase) {
        Some(Phase::Serving | Phase::Reloading | Phase::Upgrading) => Ok(()),
        Some(phase) => Err(format!("the server is {}", super::table::phase(phase))),
        None => Err(reply.error.unwrap_or_default()),
    }
}

/// Longest answer that is read, in bytes.
const MOST: u64 = 16 * 1024;
