//! [`Exchange`]: a request whose answer did not come at once: its call, its bodies both ways, an
//! upgrade.

use std::io;
use std::task::{Context, Poll, Waker};

use gateway_spec::ErrorKind;
use gateway_spec::abi::host::Call;

use super::answer::{Answer, Given};
use super::bounds::Waiting;
use super::case::{Case, Fault};
use super::docket::Docket;
use super::download::Download;
use super::inlet::Wish;
use super::io::Io;
use super::output::Output;
use super::refusal;
use super::service::Service;
use super::tunnel::Tunnel;
use super::upload::Upload;
use crate::date::Date;
use crate::http1::{BodyFraming, Outgoing, Recipient, encode};
use crate::wire::PROTOCOL;

/// One request in progress.
pub(super) struct Exchange {
    pub(super) case: Case,
    upload: Option<Upload>,
    download: Option<Download>,
    tunnel: Option<Tunnel>,
    /// Bytes read of the body, to tell progress.
    received: u64,
    /// Room for the next ones.
    room: usize,
}

/// How an exchange left the connection.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Ready for the next request, once the rest of this one's body is out of the way.
    KeepAlive(Option<Upload>),
    /// The answer is written, and neither side wants another.
    Close,
    /// The connection is lost or must be broken off.
    Broken,
}

impl Exchange {
    pub(super) fn new(
        call: Call<Box<Answer>>,
        upload: Option<Upload>,
        docket: Docket,
        received: u64,
    ) -> Self {
        Self {
            case: Case::new(Some(call), docket),
            upload,
            download: None,
            tunnel: None,
            received,
            room: BODY_READ_BYTES,
        }
    }

    /// For an answer of the server's own, of which the head stands in the output.
    pub(super) fn sending(given: Given, docket: Docket) -> Self {
        let mut exchange = Self {
            case: Case::new(None, docket),
            upload: None,
            download: None,
            tunnel: None,
            received: 0,
            room: BODY_READ_BYTES,
        };
        exchange.case.note(&given);
        exchange.begin(given);
        exchange
    }

    /// Goes on as far as it can. `woken` says whether the call may have something to do.
    pub(super) fn poll(
        &mut self,
        io: &mut Io,
        mut woken: bool,
        cx: &mut Context<'_>,
    ) -> Result<Outcome, Waiting> {
        self.tell_draining(&io.service);
        if let Some(upload) = &self.upload {
            upload.stay_awake();
        }
        loop {
            if woken && self.case.is_called() && !self.poll_call(io, cx.waker()) {
                return Ok(self.broken_off(io));
            }
            woken = false;
            if !io.output.is_full() {
                self.case.take_informs(&mut io.output.bytes);
            }
            let Ok(more) = self.poll_download(io, cx) else {
                return Ok(self.broken_off(io));
            };
            let written = match io.output.poll_flush(&mut io.wire) {
                Poll::Ready(Ok(())) => true,
                Poll::Pending => false,
                Poll::Ready(Err(_)) => return Ok(self.broken_off(io)),
            };
            if more && written {
                continue;
            }
            if self.is_all_given() {
                self.case.leave_place();
            }
            if self.case.is_upgraded() {
                if written && let Poll::Ready(end) = self.poll_tunnel(io, cx) {
                    return Ok(match end {
                        Ok(()) => self.finish(io),
                        Err(_) => self.broken_off(io),
                    });
                }
            } else if written && self.is_answered() {
                return Ok(self.finish(io));
            }
            let waiting = match self.poll_upload(io) {
                Uploaded::Fed => {
                    woken = true;
                    continue;
                }
                Uploaded::Asked => continue,
                Uploaded::Waiting => Waiting::Body,
                Uploaded::Nothing if self.listen(io) => return Ok(self.broken_off(io)),
                Uploaded::Nothing if io.input_ended && self.tunnel.is_none() => {
                    self.case.tell_closed();
                    Waiting::HalfClosed
                }
                Uploaded::Nothing => Waiting::Application,
            };
            if self.sleep(waiting == Waiting::Body, &io.output, cx.waker()) {
                let blocked = self.tunnel.as_ref().is_some_and(Tunnel::is_blocked);
                return Err(if written && !blocked {
                    waiting
                } else {
                    Waiting::Write
                });
            }
        }
    }

    /// Takes the response of a call that was started or polled; false if it is to be broken off.
    pub(super) fn take_answer(&mut self, io: &mut Io) -> bool {
        let taken = self.case.take(&mut io.output.bytes);
        if let Some(given) = taken.given {
            self.begin(given);
            if self.ends_with_connection() {
                io.wire.end_with_reset(true);
            }
        }
        match taken.fault {
            None => true,
            Some(Fault::NoResponse(status)) => {
                self.answer_with(io, |out, to, date| refusal::write(out, status, to, date));
                true
            }
            Some(Fault::Behind) => self.download.as_ref().is_none_or(Download::is_ended),
        }
    }

    /// The connection is lost or was broken off: what becomes of the call.
    pub(super) fn broken_off(&mut self, io: &mut Io) -> Outcome {
        self.let_go(ErrorKind::Closed, io);
        self.record(&io.service, 499);
        Outcome::Broken
    }

    /// Nobody waits for the application any more: its body ends with `kind`, and the call goes on by
    /// itself if it wants that, or else ends.
    pub(super) fn let_go(&mut self, kind: ErrorKind, io: &mut Io) {
        if let Some(upload) = &mut self.upload {
            upload.fail(kind);
        }
        self.tunnel = None;
        self.case.let_go(&io.service, &mut io.left_behind);
    }

    /// Gives an answer of the server's own, where the application has given none.
    pub(super) fn answer_with(
        &mut self,
        io: &mut Io,
        write: impl FnOnce(&mut Outgoing, &Recipient, &Date) -> Given,
    ) {
        self.case.recipient.keep_alive &= !self.is_last(io);
        let given = write(
            &mut io.output.bytes,
            &self.case.recipient,
            &io.service.clock.date,
        );
        self.case.note(&given);
        self.begin(given);
    }

    /// Bytes read of the body so far.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Bytes written to the other protocol so far.
    pub(super) fn tunnelled(&self) -> u64 {
        self.tunnel.as_ref().map_or(0, Tunnel::written)
    }

    /// Whether an answer has begun.
    pub(super) fn is_given(&self) -> bool {
        self.case.given().is_some()
    }

    /// Whether nothing more is expected of the application, or it speaks another protocol now.
    pub(super) fn is_all_given(&self) -> bool {
        self.case.is_upgraded() || self.is_answered() && !self.case.is_called()
    }

    /// The client took too long over its body: the application hears of it, once.
    pub(super) fn body_timed_out(&mut self) -> bool {
        match &mut self.upload {
            Some(upload) if !upload.is_over() => {
                upload.fail(ErrorKind::Timeout);
                true
            }
            _ => false,
        }
    }

    fn poll_call(&mut self, io: &mut Io, waker: &Waker) -> bool {
        let last = self.is_last(io);
        self.case.poll(last, waker);
        self.take_answer(io)
    }

    /// Whether the connection is to end with an answer that is given now.
    fn is_last(&self, io: &Io) -> bool {
        let drained = io.service.drain.is_draining() && io.input.is_empty();
        drained || self.upload.as_ref().is_some_and(Upload::spoils)
    }

    fn begin(&mut self, given: Given) {
        let Given {
            framing,
            rest,
            sent,
            ..
        } = given;
        self.download = Some(Download::new(framing, rest, sent));
        if framing == BodyFraming::Upgraded {
            // From here on the connection's bytes are the other protocol's.
            self.upload = None;
        }
    }

    /// Moves frames to the output while that has room; whether there may be more at once.
    fn poll_download(&mut self, io: &mut Io, cx: &mut Context<'_>) -> Result<bool, ()> {
        let Some(download) = &mut self.download else {
            return Ok(false);
        };
        while !download.is_ended() && !io.output.is_full() {
            match download.poll_next(&self.case.label, &mut io.output, cx) {
                Poll::Pending => return Ok(false),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    let label = &self.case.label;
                    // An application that passes its client's end on has done no wrong.
                    if self.upload.as_ref().is_some_and(Upload::has_failed) {
                        tracing::debug!("{label}: the response was broken off: {error}");
                    } else {
                        tracing::error!("{label}: the response was broken off: {error}");
                    }
                    // What was given before that is sent all the same, as far as it goes.
                    let _ = io.output.poll_flush(&mut io.wire);
                    return Err(());
                }
            }
        }
        Ok(!download.is_ended())
    }

    fn poll_upload(&mut self, io: &mut Io) -> Uploaded {
        let given = self.is_given();
        let Some(upload) = &mut self.upload else {
            return Uploaded::Nothing;
        };
        if upload.is_over() || upload.wish() != Wish::More {
            return Uploaded::Nothing;
        }
        if std::mem::take(&mut upload.continue_due) && !given && io.input.is_empty() {
            io.output.bytes.extend_from_slice(encode::CONTINUE);
            return Uploaded::Asked;
        }
        if io.input.is_empty() {
            if io.input_ended {
                upload.fail(ErrorKind::Closed);
                return Uploaded::Fed;
            }
            match io.poll_read_body(&mut self.room) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Pending => return Uploaded::Waiting,
                Poll::Ready(end) => {
                    io.input_ended = true;
                    upload.fail(match end {
                        Err(error) if error.kind() == PROTOCOL => ErrorKind::Protocol,
                        _ => ErrorKind::Closed,
                    });
                    return Uploaded::Fed;
                }
            }
        }
        self.received += upload.feed(&mut io.input);
        io.service.body_room.give_back(&mut io.input);
        Uploaded::Fed
    }

    /// Hears whether the client goes away while the application works; true if it has.
    fn listen(&mut self, io: &mut Io) -> bool {
        let between_bodies = self.upload.as_ref().is_none_or(Upload::is_over);
        if !between_bodies {
            // What comes belongs to the body, which waits for the application.
            return io.wire.is_gone();
        }
        if io.input_ended || self.case.is_upgraded() {
            return false;
        }
        while io.input.len() < PIPELINED_BYTES && io.wire.may_read() {
            io.input.reserve(1024);
            match io.wire.poll_read_behind(&mut io.input) {
                Poll::Pending => return false,
                Poll::Ready(Err(_)) => return true,
                Poll::Ready(Ok(0)) => {
                    io.input_ended = true;
                    return false;
                }
                Poll::Ready(Ok(_)) => {}
            }
        }
        false
    }

    /// Registers for what other threads may bring; false if something has come already. That the
    /// application wants more of the body is nothing new if the client was asked `for_body`.
    fn sleep(&self, for_body: bool, output: &Output, waker: &Waker) -> bool {
        // Informational responses wait while the client does not read.
        let quiet = self.case.sleep(waker) || output.is_full();
        let fed = self
            .upload
            .as_ref()
            .is_none_or(|upload| upload.sleep(waker) || for_body);
        quiet && fed
    }

    fn ends_with_connection(&self) -> bool {
        self.download
            .as_ref()
            .is_some_and(Download::ends_with_connection)
    }

    fn is_answered(&self) -> bool {
        self.download.as_ref().is_some_and(Download::is_ended)
    }

    /// Moves the upgraded connection's bytes; ready once it is over.
    ///
    /// # Errors
    ///
    /// The connection broke.
    fn poll_tunnel(&mut self, io: &mut Io, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.tunnel.is_none() {
            self.tunnel = self.case.give_stream(|draining| {
                let ahead = std::mem::take(&mut io.input);
                // Many tunnels are idle, and none needs what the head was written to.
                io.output.give_up_memory();
                Tunnel::new(&ahead, draining)
            });
        }
        // A call that ended without it has no use for the stream.
        let Some(tunnel) = &self.tunnel else {
            return Poll::Ready(Ok(()));
        };
        let scratch = &mut *io.service.scratch.borrow_mut();
        tunnel.poll(&mut io.wire, &mut scratch.buffer, cx)
    }

    /// The answer is written: the call may go on behind it, the connection may be used again.
    fn finish(&mut self, io: &mut Io) -> Outcome {
        let (status, keep_alive) = self.case.given().unwrap_or_default();
        self.record(&io.service, status);
        if self.ends_with_connection() {
            io.wire.end_with_reset(false);
        }
        self.case
            .finish(&mut io.output.bytes, &io.service, &mut io.left_behind);
        let upload = self
            .upload
            .take()
            .filter(|upload| !upload.is_over() || upload.has_failed());
        let unusable = upload.as_ref().is_some_and(|upload| {
            // A client that was not asked to go on may or may not send its body now.
            upload.has_failed() || upload.continue_due
        });
        // Requests that were read before the client ended its half are answered too.
        let more = !io.input_ended || !io.input.is_empty();
        if keep_alive && !unusable && more {
            Outcome::KeepAlive(upload)
        } else {
            Outcome::Close
        }
    }

    fn record(&mut self, service: &Service, status: u16) {
        let sent = self.download.as_ref().map_or(0, Download::sent);
        self.case.record(service, status, self.received, sent);
    }

    fn tell_draining(&mut self, service: &Service) {
        if self.case.tell_draining(service)
            && let Some(tunnel) = &self.tunnel
        {
            tunnel.tell_draining();
        }
    }
}

/// What became of a turn at the request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Uploaded {
    /// The application has something to look at.
    Fed,
    /// `100 Continue` is to be written.
    Asked,
    /// The client has to send.
    Waiting,
    Nothing,
}

/// Bytes read at once of a request body, at first.
const BODY_READ_BYTES: usize = 64 * 1024;
/// Bytes of later requests that are read while one is being answered; reading on only serves to
/// hear that the client goes away.
const PIPELINED_BYTES: usize = 16 * 1024;
