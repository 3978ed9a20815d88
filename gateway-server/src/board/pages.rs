//! How pages of the scoreboard come to the process that reads them all: the master sends each, with the
//! number of its worker and where things are in it, before the board speaks of that worker.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use crate::scoreboard::{Layout, Page};

/// Sends a page.
///
/// # Errors
///
/// The kernel's: the socket is full, or nobody reads it any more.
pub(crate) fn send_page(socket: &impl AsFd, worker: u32, page: &Page) -> io::Result<()> {
    let text = format!("{worker} {}", page.layout());
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let files = [page.as_fd()];
    let fits = ancillary.push(SendAncillaryMessage::ScmRights(&files));
    debug_assert!(fits, "there is space for one");
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    sendmsg(
        socket,
        &[IoSlice::new(text.as_bytes())],
        &mut ancillary,
        flags,
    )?;
    Ok(())
}

/// The next page, mapped for reading, and whose it is; none if none waits.
///
/// # Errors
///
/// `UnexpectedEof` once the master is gone, `InvalidData` for what is no page, or the kernel's.
pub(crate) fn receive_page(socket: &impl AsFd) -> io::Result<Option<(u32, Page)>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut packet = [0; LONGEST];
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let received = recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut packet)],
        &mut ancillary,
        flags,
    );
    let length = match received {
        Ok(received) if received.bytes == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(received) => received.bytes,
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let file = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut files) => files.next(),
        _ => None,
    });
    let file: OwnedFd = file.ok_or(io::ErrorKind::InvalidData)?;
    let parsed = str::from_utf8(&packet[..length]).ok().and_then(|text| {
        let (worker, layout) = text.split_once(' ')?;
        Some((worker.parse().ok()?, Layout::parse(layout)?))
    });
    let (worker, layout) = parsed.ok_or(io::ErrorKind::InvalidData)?;
    Ok(Some((worker, Page::adopt_to_read(file, layout)?)))
}

/// Longest message, in bytes: the layout names every counter.
const LONGEST: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;
    use crate::scoreboard::{Counter, Slot};

    #[test]
    fn a_page_arrives_and_shows_what_its_worker_counts() {
        let (one, other) = UnixDatagram::pair().unwrap();
        assert!(receive_page(&other).unwrap().is_none());
        let page = Page::create().unwrap();
        send_page(&one, 7, &page).unwrap();
        let (worker, seen) = receive_page(&other).unwrap().unwrap();
        Slot::map(&page).unwrap().add(Counter::Requests);
        assert_eq!((worker, seen.counter(Counter::Requests)), (7, 1));
        one.send(b"nonsense").unwrap();
        let error = receive_page(&other).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
