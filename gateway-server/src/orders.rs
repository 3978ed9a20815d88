//! What master and worker say to each other over the worker's own socket, one message a packet.
//!
//! Orders travel here and not as signals: a terminal's Ctrl-C, a hang-up and a supervisor's TERM reach
//! every process of a group, and must mean something to the master alone.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, sendmsg, socketpair};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg,
};

/// What the master tells a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The server will stop soon: tell the application, and go on as before.
    Announce,
    /// Accept no more, finish what has begun, exit: another worker takes over the listeners.
    Retire,
    /// The same, but nobody takes over: first accept what waits in the backlog.
    Shutdown,
    /// Drop what has begun and exit.
    StopNow,
}

/// What a worker hears from the master.
#[derive(Debug)]
pub(crate) enum Heard {
    /// An order.
    Order(Order),
    /// The file that its access log goes to from now on.
    Log(OwnedFd),
    /// The certificates and keys that new connections are given from now on.
    Certificates(OwnedFd),
}

/// What a worker tells the master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The application is up and connections are accepted.
    Ready(AppIdentity),
    /// The worker cannot serve and exits; with the reason for the operator.
    Failed(String),
    /// No connection is accepted any more: [`Order::Retire`] or [`Order::Shutdown`] has been obeyed.
    Retired,
}

/// What an application calls itself; empty if it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AppIdentity {
    /// Its name, `hello`.
    pub(crate) name: String,
    /// Its version, `0.1.0`.
    pub(crate) version: String,
}

/// The two ends, the master's and the worker's: nonblocking and close-on-exec.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    Ok(socketpair(
        AddressFamily::Unix,
        SockType::SeqPacket,
        None,
        flags,
    )?)
}

/// What a read found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received<T> {
    /// A message.
    Message(T),
    /// Nothing yet.
    Nothing,
    /// A packet that is no message, or a truncated one.
    Garbage,
    /// The other end is closed.
    Closed,
}

impl Order {
    /// Sends the order; a full or closed socket is an error.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn send(self, socket: &impl AsFd) -> io::Result<()> {
        let code = match self {
            Self::Announce => b'A',
            Self::Retire => b'R',
            Self::Shutdown => b'S',
            Self::StopNow => b'N',
        };
        send(socket, &[code])
    }

    /// What comes next.
    pub(crate) fn receive(socket: &impl AsFd) -> Received<Heard> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
        let mut packet = [0; 2];
        let mut bytes = [IoSliceMut::new(&mut packet)];
        let length = match recvmsg(socket, &mut bytes, &mut ancillary, flags) {
            Ok(received) => received.bytes,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return Received::Nothing,
            Err(_) => return Received::Closed,
        };
        let file = ancillary.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut files) => files.next(),
            _ => None,
        });
        let order = match (&packet[..length], file) {
            ([], _) => return Received::Closed,
            (b"L", Some(file)) => return Received::Message(Heard::Log(file)),
            (b"C", Some(file)) => return Received::Message(Heard::Certificates(file)),
            (b"A", None) => Self::Announce,
            (b"R", None) => Self::Retire,
            (b"S", None) => Self::Shutdown,
            (b"N", None) => Self::StopNow,
            _ => return Received::Garbage,
        };
        Received::Message(Heard::Order(order))
    }
}

/// Sends a worker the file that its access log goes to from now on.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn send_log(socket: &impl AsFd, file: &impl AsFd) -> io::Result<()> {
    send_file(socket, b"L", file)
}

/// Sends a worker the certificates and keys that new connections are given from now on.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn send_certificates(socket: &impl AsFd, file: &impl AsFd) -> io::Result<()> {
    send_file(socket, b"C", file)
}

fn send_file(socket: &impl AsFd, what: &[u8], file: &impl AsFd) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let files = [file.as_fd()];
    let fits = ancillary.push(SendAncillaryMessage::ScmRights(&files));
    debug_assert!(fits, "there is space for one");
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    rustix::net::sendmsg(socket, &[IoSlice::new(what)], &mut ancillary, flags)?;
    Ok(())
}

impl Report {
    /// Sends the report, its texts cut to what a packet holds.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn send(&self, socket: &impl AsFd) -> io::Result<()> {
        let mut packet = Vec::new();
        match self {
            Self::Ready(app) => {
                packet.push(b'r');
                packet.extend_from_slice(cut(&app.name, MAX_NAME).as_bytes());
                packet.push(0);
                packet.extend_from_slice(cut(&app.version, MAX_NAME).as_bytes());
            }
            Self::Failed(reason) => {
                packet.push(b'f');
                packet.extend_from_slice(cut(reason, MAX_PACKET - 1).as_bytes());
            }
            Self::Retired => packet.push(b'q'),
        }
        send(socket, &packet)
    }

    /// The next report. Its texts come from a process that runs foreign code: control characters and
    /// what is not UTF-8 are replaced, so that they can be logged.
    pub(crate) fn receive(socket: &impl AsFd) -> Received<Self> {
        receive(socket, |bytes| match bytes.split_first()? {
            (b'r', rest) => {
                let zero = rest.iter().position(|byte| *byte == 0)?;
                let (name, version) = (printable(&rest[..zero]), printable(&rest[zero + 1..]));
                Some(Self::Ready(AppIdentity { name, version }))
            }
            (b'f', reason) => Some(Self::Failed(printable(reason))),
            (b'q', []) => Some(Self::Retired),
            _ => None,
        })
    }
}

/// Longest message, in bytes.
const MAX_PACKET: usize = 4096;
/// Longest name or version of an application, in bytes.
const MAX_NAME: usize = 64;

fn send(socket: &impl AsFd, packet: &[u8]) -> io::Result<()> {
    let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    let fd = socket.as_fd().as_raw_fd();
    sendmsg::<()>(fd, &[IoSlice::new(packet)], &[], flags, None)?;
    Ok(())
}

fn receive<T>(socket: &impl AsFd, read: impl FnOnce(&[u8]) -> Option<T>) -> Received<T> {
    let mut packet = [0; MAX_PACKET];
    let fd = socket.as_fd().as_raw_fd();
    match recv(fd, &mut packet, MsgFlags::MSG_DONTWAIT) {
        Ok(0) => Received::Closed,
        Ok(length) => read(&packet[..length]).map_or(Received::Garbage, Received::Message),
        Err(Errno::EAGAIN | Errno::EINTR) => Received::Nothing,
        Err(_) => Received::Closed,
    }
}

/// At most `limit` bytes of `text`, cut between characters.
fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\n' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_arrive_one_by_one_and_then_the_end() {
        let (master, worker) = pair().unwrap();
        for order in [
            Order::Announce,
            Order::Retire,
            Order::Shutdown,
            Order::StopNow,
        ] {
            order.send(&master).unwrap();
            let heard = Order::receive(&worker);
            assert!(matches!(heard, Received::Message(Heard::Order(one)) if one == order));
        }
        send_log(&master, &master).unwrap();
        let heard = Order::receive(&worker);
        assert!(matches!(heard, Received::Message(Heard::Log(_))));
        send(&master, b"L").unwrap();
        assert!(matches!(Order::receive(&worker), Received::Garbage));
        assert!(matches!(Order::receive(&worker), Received::Nothing));
        drop((heard, master));
        assert!(matches!(Order::receive(&worker), Received::Closed));
    }

    #[test]
    fn a_report_is_cut_to_a_packet_and_made_printable() {
        let (master, worker) = pair().unwrap();
        let ready = Report::Ready(AppIdentity {
            name: "he\x1bllo".into(),
            version: "1.0".into(),
        });
        ready.send(&worker).unwrap();
        let printable = AppIdentity {
            name: "he\u{fffd}llo".into(),
            version: "1.0".into(),
        };
        assert_eq!(
            Report::receive(&master),
            Received::Message(Report::Ready(printable))
        );
        Report::Retired.send(&worker).unwrap();
        let heard = Report::receive(&master);
        assert_eq!(heard, Received::Message(Report::Retired));
        Report::Failed("ä".repeat(5000)).send(&worker).unwrap();
        let Received::Message(Report::Failed(reason)) = Report::receive(&master) else {
            panic!()
        };
        assert_eq!(reason, "ä".repeat(2047));
    }

    #[test]
    fn what_is_no_message_is_garbage_and_an_empty_packet_is_the_end() {
        let (master, worker) = pair().unwrap();
        send(&worker, b"r no zero byte").unwrap();
        assert_eq!(Report::receive(&master), Received::Garbage);
        send(&worker, b"?").unwrap();
        assert_eq!(Report::receive(&master), Received::Garbage);
    }
}
