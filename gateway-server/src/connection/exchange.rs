//! [`Exchange`]: a request whose answer did not come at once: its call, its bodies both ways, an
//! upgrade.

use std::io;
use std::task::{Context, Poll, Waker};

use gateway_spec::ErrorKind;
use gateway_spec::abi::host::Call;

use super::after::AfterWork;
use super::answer::{Answer, Given};
use super::bounds::{Bounds, Waiting};
use super::download::Download;
use super::io::Io;
use super::label::Label;
use super::output::Output;
use super::places::Place;
use super::refusal;
use super::service::Service;
use super::tunnel::Tunnel;
use super::upload::{Upload, Wish};
use crate::date::Date;
use crate::http1::{BodyFraming, Outgoing, Recipient, encode};
use crate::logging::Visit;
use crate::scoreboard::Held;

/// One request in progress.
pub(super) struct Exchange {
    call: Option<Call<Box<Answer>>>,
    upload: Option<Upload>,
    download: Option<Download>,
    tunnel: Option<Tunnel>,
    given: Option<(u16, bool)>,
    /// The response switched protocols.
    upgraded: bool,
    recipient: Recipient,
    visit: Option<Visit>,
    pub(super) label: Label,
    pub(super) bounds: Bounds,
    /// As long as the application has something to do.
    place: Option<Place>,
    held: Option<Held>,
    told_draining: bool,
    told_closed: bool,
    /// Bytes read of the body, to tell progress.
    received: u64,
}

/// What is known of a request beside its call.
#[derive(Debug)]
pub(super) struct Docket {
    pub(super) recipient: Recipient,
    pub(super) visit: Option<Visit>,
    pub(super) label: Label,
    pub(super) bounds: Bounds,
    pub(super) place: Place,
    pub(super) held: Held,
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
    pub(super) fn new(call: Call<Box<Answer>>, upload: Option<Upload>, docket: Docket) -> Self {
        Self {
            call: Some(call),
            upload,
            download: None,
            tunnel: None,
            given: None,
            upgraded: false,
            recipient: docket.recipient,
            visit: docket.visit,
            label: docket.label,
            bounds: docket.bounds,
            place: Some(docket.place),
            held: Some(docket.held),
            told_draining: false,
            told_closed: false,
            received: 0,
        }
    }

    /// What is done from now on is done for this request.
    pub(super) fn attend(&self) {
        if let Some(held) = &self.held {
            held.attend();
        }
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
            if woken && self.is_called() && !self.poll_call(io, cx.waker()) {
                return Ok(self.broken_off(io));
            }
            woken = false;
            // One that another thread gives while the response comes is too late.
            if let Some(call) = &self.call
                && self.given.is_none()
                && !io.output.is_full()
            {
                call.shared().take_informs(&mut io.output.bytes);
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
                self.place = None;
            }
            if self.upgraded {
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
                    self.tell_closed();
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
        let Some(call) = &mut self.call else {
            return true;
        };
        let ended = call.end();
        if ended.is_ready() {
            call.shared().forget_upgraded();
        }
        let answer = call.exchange();
        if io.output.bytes.is_empty() {
            std::mem::swap(&mut io.output.bytes, &mut answer.out);
        } else {
            io.output.bytes.append(&mut answer.out);
        }
        if let Some(why) = answer.refused.take() {
            tracing::error!("{}: the response was refused: {why}", self.label);
        }
        if let Some(given) = answer.given.take() {
            self.begin(given);
            if self.ends_with_connection() {
                io.wire.end_with_reset(true);
            }
        }
        // The call itself stays until the response is written: what its body holds of the exchange
        // lasts as long.
        let Poll::Ready(end) = ended else { return true };
        if self.given.is_none() {
            let kind = end.err().unwrap_or(ErrorKind::NoResponse);
            tracing::error!(
                "{}: the call ended without a response: {kind:?}",
                self.label
            );
            let status = kind.status().as_u16();
            self.answer_with(io, |out, to, date| refusal::write(out, status, to, date));
        } else if let Err(kind) = end {
            tracing::error!(
                "{}: the call failed behind its response: {kind:?}",
                self.label
            );
            return self.download.as_ref().is_none_or(Download::is_ended);
        }
        true
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
        if let Some(mut call) = self.call.take() {
            call.shared().tell_closed();
            let answered = self.given.is_some();
            let goes_on = call.shared().finishes_on_disconnect() || answered && !self.upgraded;
            if goes_on && call.end().is_pending() {
                call.exchange().discards = true;
                AfterWork::spawn(call, self.held.take(), &io.service, &mut io.left_behind);
            } else {
                io.service.give_answer(call.finish(&io.service.pool));
            }
        }
    }

    /// Gives an answer of the server's own, where the application has given none.
    pub(super) fn answer_with(
        &mut self,
        io: &mut Io,
        write: impl FnOnce(&mut Outgoing, &Recipient, &Date) -> Given,
    ) {
        self.recipient.keep_alive &= !self.is_last(io);
        let given = write(
            &mut io.output.bytes,
            &self.recipient,
            &io.service.clock.date,
        );
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
        self.given.is_some()
    }

    /// Whether nothing more is expected of the application, or it speaks another protocol now.
    pub(super) fn is_all_given(&self) -> bool {
        self.upgraded || self.is_answered() && !self.is_called()
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
        if let Some(call) = self.call.as_mut().filter(|call| call.end().is_pending()) {
            call.exchange().terms.closes = last;
            let _ = call.poll(waker);
        }
        self.take_answer(io)
    }

    /// Whether the connection is to end with an answer that is given now.
    fn is_last(&self, io: &Io) -> bool {
        let drained = io.service.drain.is_draining() && io.input.is_empty();
        drained || self.upload.as_ref().is_some_and(Upload::spoils)
    }

    fn begin(&mut self, given: Given) {
        let Given {
            status,
            keep_alive,
            framing,
            rest,
            sent,
        } = given;
        self.given = Some((status, keep_alive));
        self.download = Some(Download::new(framing, rest, sent));
        if framing == BodyFraming::Upgraded {
            // From here on the connection's bytes are the other protocol's.
            self.upload = None;
            self.upgraded = true;
        }
    }

    /// Moves a frame to the output, if that has room; whether there may be more at once.
    fn poll_download(&mut self, io: &mut Io, cx: &mut Context<'_>) -> Result<bool, ()> {
        let Some(download) = &mut self.download else {
            return Ok(false);
        };
        if download.is_ended() || io.output.is_full() {
            return Ok(!download.is_ended());
        }
        match download.poll_next(&self.label, &mut io.output, cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(())) => Ok(!download.is_ended()),
            Poll::Ready(Err(error)) => {
                tracing::error!("{}: the response was broken off: {error}", self.label);
                Err(())
            }
        }
    }

    fn poll_upload(&mut self, io: &mut Io) -> Uploaded {
        let Some(upload) = &mut self.upload else {
            return Uploaded::Nothing;
        };
        if upload.is_over() || upload.wish() != Wish::More {
            return Uploaded::Nothing;
        }
        if std::mem::take(&mut upload.continue_due) && self.given.is_none() && io.input.is_empty() {
            io.output.bytes.extend_from_slice(encode::CONTINUE);
            return Uploaded::Asked;
        }
        if io.input.is_empty() {
            if io.input_ended {
                upload.fail(ErrorKind::Closed);
                return Uploaded::Fed;
            }
            io.input.reserve(BODY_READ_BYTES);
            match io.wire.poll_read_behind(&mut io.input) {
                Poll::Pending => return Uploaded::Waiting,
                Poll::Ready(Ok(0) | Err(_)) => {
                    io.input_ended = true;
                    upload.fail(ErrorKind::Closed);
                    return Uploaded::Fed;
                }
                Poll::Ready(Ok(_)) => {}
            }
        }
        self.received += io.input.len() as u64;
        upload.feed(&mut io.input);
        Uploaded::Fed
    }

    /// Hears whether the client goes away while the application works; true if it has.
    fn listen(&mut self, io: &mut Io) -> bool {
        let between_bodies = self.upload.as_ref().is_none_or(Upload::is_over);
        if !between_bodies {
            // What comes belongs to the body, which waits for the application.
            return io.wire.is_gone();
        }
        if io.input_ended || self.upgraded {
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
        let quiet = self.call.as_ref().is_none_or(|call| {
            // Informational responses wait while the client does not read.
            call.shared().sleep(waker) || self.given.is_some() || output.is_full()
        });
        let fed = self
            .upload
            .as_ref()
            .is_none_or(|upload| upload.sleep(waker) || for_body);
        quiet && fed
    }

    /// Whether the application is still at it.
    fn is_called(&self) -> bool {
        self.call
            .as_ref()
            .is_some_and(|call| call.end().is_pending())
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
        if let (None, Some(call)) = (&self.tunnel, &self.call)
            && call.end().is_pending()
        {
            let ahead = std::mem::take(&mut io.input);
            // Many tunnels are idle, and none needs what the head was written to.
            io.output.give_up_memory();
            let (tunnel, stream) = Tunnel::new(&ahead, self.told_draining);
            call.shared().give_upgraded(stream);
            self.tunnel = Some(tunnel);
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
        let (status, keep_alive) = self.given.unwrap_or_default();
        self.record(&io.service, status);
        if self.ends_with_connection() {
            io.wire.end_with_reset(false);
        }
        if let Some(call) = self.call.take() {
            if call.end().is_pending() {
                AfterWork::spawn(call, self.held.take(), &io.service, &mut io.left_behind);
            } else {
                let mut answer = call.finish(&io.service.pool);
                // What was written leaves its memory to the next answer.
                std::mem::swap(&mut answer.out, &mut io.output.bytes);
                io.service.give_answer(answer);
            }
        }
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
        if let (Some(log), Some(visit)) = (&service.access_log, self.visit.take()) {
            let status = self.given.map_or(status, |(status, _)| status);
            log.record(
                visit,
                status,
                self.download.as_ref().map_or(0, |one| one.sent),
            );
        }
    }

    /// A client that has ended its half may be gone for good: the application may want to know.
    fn tell_closed(&mut self) {
        if !std::mem::replace(&mut self.told_closed, true)
            && let Some(call) = &self.call
        {
            call.shared().tell_closed();
        }
    }

    fn tell_draining(&mut self, service: &Service) {
        if !self.told_draining && service.drain.is_announced() {
            self.told_draining = true;
            if let Some(call) = &self.call {
                call.shared().tell_draining();
            }
            if let Some(tunnel) = &self.tunnel {
                tunnel.tell_draining();
            }
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

/// Bytes read at once of a request body.
const BODY_READ_BYTES: usize = 64 * 1024;
/// Bytes of later requests that are read while one is being answered; reading on only serves to
/// hear that the client goes away.
const PIPELINED_BYTES: usize = 16 * 1024;
