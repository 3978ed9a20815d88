//! [`Syslog`]: a system's log as it is told by RFC 5424, in datagrams, one a line.

use std::fs;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::SystemTime;

use super::dates::rfc3339;
use crate::value::DatagramPlace;

/// A socket, and what stands before each line.
#[derive(Debug)]
pub(super) struct Syslog {
    way: Way,
    /// Host, program, process and kind of message.
    sender: String,
}

/// Nothing is connected: who listens may go and come again.
#[derive(Debug)]
enum Way {
    Unix(UnixDatagram, PathBuf),
    Udp(UdpSocket, SocketAddr),
}

impl Syslog {
    /// # Errors
    ///
    /// The kernel's; a host that is not found.
    pub(super) fn open(place: &DatagramPlace) -> io::Result<Self> {
        let way = match place {
            DatagramPlace::Unix(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.set_nonblocking(true)?;
                Way::Unix(socket, path.clone())
            }
            DatagramPlace::Udp(..) => {
                let address = place.find()?.ok_or(io::ErrorKind::NotFound)?;
                let any = if address.is_ipv4() {
                    "0.0.0.0:0"
                } else {
                    "[::]:0"
                };
                let socket = UdpSocket::bind(any)?;
                socket.set_nonblocking(true)?;
                Way::Udp(socket, address)
            }
        };
        Ok(Self {
            way,
            sender: format!("{} gatewayd {} access -", host_name(), std::process::id()),
        })
    }

    /// Sends a line; its end stays behind.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room, else the kernel's.
    pub(super) fn send(&self, line: &[u8]) -> io::Result<usize> {
        let message = self.message(line.trim_ascii_end());
        match &self.way {
            Way::Unix(socket, path) => socket.send_to(&message, path)?,
            Way::Udp(socket, address) => socket.send_to(&message, address)?,
        };
        Ok(line.len())
    }

    fn message(&self, line: &[u8]) -> Vec<u8> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap_or_default();
        let (second, millis) = (rfc3339(now.as_secs()), now.subsec_millis());
        let head = format!("<{PRIORITY}>1 {second}.{millis:03}Z {} ", self.sender);
        [head.as_bytes(), line].concat()
    }
}

impl AsFd for Syslog {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.way {
            Way::Unix(socket, _) => socket.as_fd(),
            Way::Udp(socket, _) => socket.as_fd(),
        }
    }
}

/// The name of this machine; the nil value if it has none that may stand there.
fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    let good = !name.is_empty() && name.len() <= 255 && name.bytes().all(|b| b.is_ascii_graphic());
    if good {
        name.to_owned()
    } else {
        "-".to_owned()
    }
}

/// Facility local0 (16), severity informational (6).
const PRIORITY: u8 = 16 * 8 + 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_message_of_rfc_5424() {
        let ear = UdpSocket::bind("127.0.0.1:0").unwrap();
        let place = ear.local_addr().unwrap().to_string();
        let syslog = Syslog::open(&DatagramPlace::parse(&place).unwrap()).unwrap();
        assert_eq!(syslog.send(b"GET / 200\n").unwrap(), 10);
        let mut datagram = [0; 1_000];
        let length = ear.recv(&mut datagram).unwrap();
        let text = str::from_utf8(&datagram[..length]).unwrap();
        let words: Vec<_> = text.splitn(8, ' ').collect();
        let pid = std::process::id().to_string();
        assert_eq!(words[0], "<134>1");
        assert_eq!(words[1].len(), "2026-11-22T05:18:49.123Z".len());
        assert_eq!(words[3..], ["gatewayd", &pid, "access", "-", "GET / 200"]);
    }
}
