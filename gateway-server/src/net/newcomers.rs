//! Turning newcomers away before a listening socket closes.
//!
//! A connection whose handshake ends between the last accept and the close would be reset, although
//! its client was told that it is connected. Once no handshake begins any more, those under way end
//! within a round trip and can be accepted; a client that is not answered asks again a second later,
//! and meets whoever listens then.

use std::io;
use std::os::fd::AsFd;

use nix::libc::{BPF_ABS, BPF_ALU, BPF_AND, BPF_B, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET};
use socket2::{SockFilter, SockRef};

/// Lets no TCP handshake begin on a listening socket, in whichever process it is accepted from. For
/// good: only for sockets of our own, and only when they are about to close.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn turn_away(listener: &impl AsFd) -> io::Result<()> {
    SockRef::from(listener).attach_filter(&DROP_FIRST_PACKETS)
}

/// Over a segment from its TCP header on: drops those with SYN and without ACK (RFC 9293 §3.1).
const DROP_FIRST_PACKETS: [SockFilter; 5] = [
    step(BPF_LD | BPF_B | BPF_ABS, 0, FLAGS_AT),
    step(BPF_ALU | BPF_AND | BPF_K, 0, SYN | ACK),
    step(BPF_JMP | BPF_JEQ | BPF_K, 1, SYN),
    step(BPF_RET | BPF_K, 0, 0),
    step(BPF_RET | BPF_K, 0, u32::MAX),
];
/// Where the flags stand in the header.
const FLAGS_AT: u32 = 13;
const SYN: u32 = 0x02;
const ACK: u32 = 0x10;

/// An instruction that skips `otherwise` steps if its comparison fails.
const fn step(code: u32, otherwise: u8, k: u32) -> SockFilter {
    #[expect(clippy::cast_possible_truncation, reason = "codes are 16 bits wide")]
    let code = code as u16;
    SockFilter::new(code, 0, otherwise, k)
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_is_connected_is_accepted_and_who_comes_later_is_not_answered() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let early = TcpStream::connect(address).unwrap();
        turn_away(&listener).unwrap();
        let late = TcpStream::connect_timeout(&address, Duration::from_millis(50));
        assert_eq!(late.unwrap_err().kind(), ErrorKind::TimedOut);
        let (_, peer) = listener.accept().unwrap();
        assert_eq!(peer, early.local_addr().unwrap());
    }
}
