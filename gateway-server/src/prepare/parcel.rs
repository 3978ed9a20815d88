//! What the process that prepares a generation sends to the master: one packet, with descriptors.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use crate::config::MOST_APPS;

/// What a generation is started from, or why there is none.
#[derive(Debug)]
pub(crate) enum Parcel {
    /// Everything is at hand.
    Ready(Goods),
    /// What is wrong, a sentence each; at least one.
    Refused(Vec<String>),
}

/// What a generation is started from.
#[derive(Debug)]
pub(crate) struct Goods {
    /// The configuration in its wire form, sealed.
    pub(crate) config: OwnedFd,
    /// The copies of the applications, sealed; none if there is no file to copy.
    pub(crate) apps: Vec<OwnedFd>,
    /// Certificates and keys, sealed; none if no address speaks TLS.
    pub(crate) tls: Option<OwnedFd>,
}

impl Parcel {
    /// Sends it.
    ///
    /// # Errors
    ///
    /// The kernel's: the master is gone, for one.
    pub(crate) fn send(&self, socket: &impl AsFd) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let mut fds = Vec::new();
        let mut packet = Vec::new();
        match self {
            Self::Ready(Goods { config, apps, tls }) => {
                packet.push(READY);
                packet.push(u8::try_from(apps.len()).unwrap_or(u8::MAX));
                packet.push(u8::from(tls.is_some()));
                fds.push(config.as_fd());
                fds.extend(apps.iter().chain(tls).map(AsFd::as_fd));
                let fits = ancillary.push(SendAncillaryMessage::ScmRights(&fds));
                debug_assert!(fits, "a configuration has no more applications");
            }
            Self::Refused(reasons) => {
                packet.push(REFUSED);
                packet.extend_from_slice(reasons.join("\0").as_bytes());
                packet.truncate(MAX_PACKET);
            }
        }
        let bytes = [IoSlice::new(&packet)];
        sendmsg(socket, &bytes, &mut ancillary, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Receives it; none if it has not come yet.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if the other end is closed, `InvalidData` if it sent something else.
    pub(crate) fn receive(socket: &impl AsFd) -> io::Result<Option<Self>> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut packet = vec![0; MAX_PACKET];
        let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
        let mut bytes = [IoSliceMut::new(&mut packet)];
        let length = match recvmsg(socket, &mut bytes, &mut ancillary, flags) {
            Ok(received) => received.bytes,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut fds = Vec::new();
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(sent) = message {
                fds.extend(sent);
            }
        }
        let mut fds = fds.into_iter();
        match packet[..length].split_first() {
            None => Err(io::ErrorKind::UnexpectedEof.into()),
            Some((&READY, &[apps, tls])) => {
                let mut take = || fds.next().ok_or(io::ErrorKind::InvalidData);
                Ok(Some(Self::Ready(Goods {
                    config: take()?,
                    apps: (0..apps).map(|_| take()).collect::<Result<_, _>>()?,
                    tls: (tls == 1).then(&mut take).transpose()?,
                })))
            }
            Some((&REFUSED, reasons)) => {
                let reasons = String::from_utf8_lossy(reasons);
                let reasons = reasons.split('\0').map(str::to_owned).collect();
                Ok(Some(Self::Refused(reasons)))
            }
            Some(_) => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// Longest packet, in bytes; more reasons than fit are cut off.
const MAX_PACKET: usize = 32 * 1024;
/// Most descriptors: one for each application, and two beside them. The kernel passes on 253 at once.
const MOST: usize = MOST_APPS + 2;
const READY: u8 = b'r';
const REFUSED: u8 = b'f';

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Seek};

    use super::*;
    use crate::orders;
    use crate::os::memfd;

    fn text(fd: OwnedFd) -> String {
        let mut text = String::new();
        let mut file = File::from(fd);
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn descriptors_arrive_with_their_contents() {
        let (ours, theirs) = orders::pair().unwrap();
        assert!(Parcel::receive(&ours).unwrap().is_none());
        let all = [vec![], vec!["code"], vec!["code", "more"]]
            .map(|app| [None, Some("keys")].map(|tls| (app.clone(), tls)));
        for (app, tls) in all.into_iter().flatten() {
            let file = |text: &str| memfd::sealed("b", text.as_bytes()).unwrap();
            let sent = Parcel::Ready(Goods {
                config: file("workers=1"),
                apps: app.iter().copied().map(file).collect(),
                tls: tls.map(file),
            });
            sent.send(&theirs).unwrap();
            let Some(Parcel::Ready(goods)) = Parcel::receive(&ours).unwrap() else {
                panic!("expected what was sent")
            };
            assert_eq!(text(goods.config), "workers=1");
            assert_eq!(goods.apps.into_iter().map(text).collect::<Vec<_>>(), app);
            assert_eq!(goods.tls.map(text).as_deref(), tls);
        }
        drop(theirs);
        let error = Parcel::receive(&ours).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn reasons_arrive_one_by_one_and_too_many_are_cut_off() {
        let (ours, theirs) = orders::pair().unwrap();
        let reasons = vec!["a: b\nc".to_owned(), "ü".repeat(MAX_PACKET)];
        Parcel::Refused(reasons.clone()).send(&theirs).unwrap();
        let Some(Parcel::Refused(heard)) = Parcel::receive(&ours).unwrap() else {
            panic!("expected reasons")
        };
        assert_eq!(heard[0], reasons[0]);
        assert!(heard[1].starts_with("üü") && heard.len() == 2);
    }

    #[test]
    fn a_packet_of_another_program_is_refused() {
        let (ours, theirs) = orders::pair().unwrap();
        orders::Order::Retire.send(&theirs).unwrap();
        let error = Parcel::receive(&ours).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
