//! A small strict host over the safe layer of the ABI: asks one thing at a time and collects what
//! the interposer reports meanwhile on behalf of this test's thread.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use gateway_spec::abi::host::{
    App, AppResponse, Call, CallHead, Config, Exchange, HostAddress, HostTable, Module, Pool,
    Services, Shared,
};
use gateway_spec::abi::{Field, ForeignBody, ForeignFrame, log_level, method, version};
use gateway_spec::lint::Violation;
use gateway_spec::rules::{self, Rule};
use gateway_spec::{Address, Body, Duplex, ErrorKind, Fields, Frame};
use http::{HeaderName, HeaderValue};

/// An instance under the interposer, alone in the process while it lives.
pub(crate) struct Watched {
    app: App,
    pool: Pool<Strict>,
    _alone: MutexGuard<'static, ()>,
}

/// One request.
pub(crate) struct Ask {
    path: String,
    is_connect: bool,
    pieces: Option<Vec<&'static [u8]>>,
    trailer: Option<(&'static str, &'static str)>,
}

/// What came of it; status 0 if there was no response.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u32,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
    pub(crate) error: Option<ErrorKind>,
}

impl Ask {
    pub(crate) fn get(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            is_connect: false,
            pieces: None,
            trailer: None,
        }
    }

    /// One for another protocol, of HTTP/2 (RFC 8441).
    pub(crate) fn connect(path: &str) -> Self {
        Self {
            is_connect: true,
            ..Self::get(path)
        }
    }

    /// A body of these pieces, which come one by one, each after a wake.
    pub(crate) fn with_body(mut self, pieces: &[&'static [u8]]) -> Self {
        self.pieces = Some(pieces.to_vec());
        self
    }

    pub(crate) fn with_trailer(mut self, name: &'static str, value: &'static str) -> Self {
        self.trailer = Some((name, value));
        self
    }

    fn body(&self) -> Option<Body> {
        let mut frames: VecDeque<Frame> = self
            .pieces
            .as_ref()?
            .iter()
            .map(|piece| Frame::Data(Bytes::from_static(piece)))
            .collect();
        if let Some((name, value)) = self.trailer {
            let mut fields = Fields::new();
            fields.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
            frames.push_back(Frame::Trailers(fields));
        }
        let mut is_ready = false;
        Some(Body::from_fn(move |cx| {
            is_ready = !is_ready;
            if is_ready {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(frames.pop_front().map(Ok))
        }))
    }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Watched {
    /// Creates and starts an instance.
    pub(crate) fn start(module: &Module, argument: &str) -> Self {
        let alone = alone();
        let app = create(module, argument).expect("the module starts");
        Self {
            app,
            pool: Pool::default(),
            _alone: alone,
        }
    }

    /// What is reported while an instance tries to start.
    pub(crate) fn try_start(module: &Module, argument: &str) -> Vec<&'static Rule> {
        let _alone = alone();
        assert!(
            create(module, argument).is_none(),
            "{argument} does not start"
        );
        reported()
    }

    /// Makes a request and reads its response to the end.
    pub(crate) fn ask(&mut self, ask: Ask) -> Answer {
        self.run(&ask, |call, waker| wait(|| call.poll(waker)))
    }

    /// Makes a request that stays pending, and cancels it.
    pub(crate) fn ask_and_cancel(&mut self, ask: Ask) -> Answer {
        self.run(&ask, |call, waker| {
            assert!(call.poll(waker).is_pending());
            Ok(())
        })
    }

    fn run(
        &mut self,
        ask: &Ask,
        finish: impl FnOnce(&mut Call<Strict>, &Waker) -> Result<(), ErrorKind>,
    ) -> Answer {
        let waker = Waker::from(Arc::new(Bell(std::thread::current())));
        let target = ask.path.as_bytes();
        let here = HostAddress::from(&Address::Unknown);
        let fields = [Field::new(1, b"host", b"example.org")];
        let mut head = CallHead::new(b"");
        head.set_method(method::GET, b"GET");
        if ask.is_connect {
            head.set_method(method::CONNECT, b"CONNECT");
            head.set_version(version::HTTP_2);
            head.set_protocol(Some(b"websocket"));
        }
        head.set_target(target, target, None);
        head.set_authority(b"example.org");
        head.set_fields(&fields);
        head.set_content_length(if ask.pieces.is_some() { None } else { Some(0) });
        head.set_addresses(&here, &here, &here);
        let exchange = Strict {
            is_connect: ask.is_connect,
            ..Strict::default()
        };
        let mut call = Call::start(&self.app, &self.pool, head, ask.body(), exchange, &waker);
        let error = finish(&mut call, &waker).err();
        let Strict {
            status,
            first,
            body,
            ..
        } = call.finish(&self.pool);
        let mut answer = Answer {
            status,
            body: first,
            error,
            trailers: Vec::new(),
        };
        if let Some(body) = body {
            answer.read(body, &waker);
        }
        answer
    }

    /// Shuts the instance down and says which rules were reported since it started, each once.
    pub(crate) fn end(self) -> Vec<&'static Rule> {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(self.app.poll_shutdown(&mut cx, 0).is_ready());
        self.app.destroy();
        reported()
    }
}

impl Answer {
    fn read(&mut self, mut body: ForeignBody, waker: &Waker) {
        let read = async {
            while let Some(frame) = poll_fn(|cx| body.poll_frame(cx)).await {
                match frame {
                    Ok(ForeignFrame::Data(data)) => self.body.extend_from_slice(&data),
                    Ok(ForeignFrame::Trailers(fields)) => {
                        self.trailers.extend(fields.iter().map(|(name, value)| {
                            (
                                name.to_string(),
                                String::from_utf8_lossy(value.as_bytes()).into(),
                            )
                        }));
                    }
                    Ok(_) => {}
                    Err(error) => {
                        self.error = Some(error.kind());
                        return;
                    }
                }
            }
        };
        let mut read = pin!(read);
        wait(|| read.as_mut().poll(&mut Context::from_waker(waker)));
    }
}

/// Polls after each wake of a [`Bell`]; gives up after a while.
fn wait<T>(mut poll: impl FnMut() -> Poll<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Poll::Ready(output) = poll() {
            return output;
        }
        assert!(Instant::now() < end, "nothing after {DEADLINE:?}");
        std::thread::park_timeout(DEADLINE);
    }
}

/// Wakes the thread that waits.
struct Bell(Thread);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn create(module: &Module, argument: &str) -> Option<App> {
    let config = Config {
        argument: argument.into(),
        ..Config::default()
    };
    let table = HostTable::leak(Silent, "test", log_level::TRACE);
    let app = module.create(table, &config).ok()?;
    let mut cx = Context::from_waker(Waker::noop());
    match app.poll_startup(&mut cx) {
        Poll::Ready(Ok(())) => Some(app),
        Poll::Ready(Err(_)) => {
            app.destroy();
            None
        }
        Poll::Pending => panic!("expected a start at once"),
    }
}

/// A host's half of an exchange that refuses what a host has to refuse.
#[derive(Default)]
pub(crate) struct Strict {
    is_connect: bool,
    status: u32,
    first: Vec<u8>,
    body: Option<ForeignBody>,
}

impl Exchange for Strict {
    type Shared = Quiet;

    fn respond(&mut self, shared: &Quiet, response: &mut AppResponse<'_>) -> Result<(), ErrorKind> {
        let is_token = |name: &[u8]| {
            let lower = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
            !name.is_empty() && name.iter().all(lower)
        };
        let is_clean = |value: &[u8]| {
            !value.iter().any(u8::is_ascii_control)
                && !value.starts_with(b" ")
                && !value.ends_with(b" ")
        };
        let own: [&[u8]; 3] = [b"transfer-encoding", b"connection", b"upgrade"];
        let fits = response.fields().iter().all(|field| {
            is_token(field.name()) && is_clean(field.value()) && !own.contains(&field.name())
        });
        let final_from = if self.is_connect { 300 } else { 200 };
        if !fits || !(final_from..=599).contains(&response.status()) || response.upgrade().is_some()
        {
            return Err(ErrorKind::Invalid);
        }
        shared.has_response.store(true, Ordering::Release);
        self.status = response.status();
        self.first = response.take_first().to_vec();
        self.body = response.take_body();
        Ok(())
    }
}

/// The other half: nobody goes, nothing drains.
#[derive(Default)]
pub(crate) struct Quiet {
    has_response: AtomicBool,
}

impl Shared for Quiet {
    fn inform(&self, _: u16, fields: &[Field<'_>]) -> Result<(), ErrorKind> {
        if self.has_response.load(Ordering::Acquire) {
            return Err(ErrorKind::TooLate);
        }
        let is_split = fields
            .iter()
            .any(|field| field.value().iter().any(u8::is_ascii_control));
        if is_split {
            Err(ErrorKind::Invalid)
        } else {
            Ok(())
        }
    }

    fn poll_closed(&self, _: &Waker) -> Poll<()> {
        Poll::Pending
    }

    fn poll_draining(&self, _: &Waker) -> Poll<()> {
        Poll::Pending
    }

    fn poll_upgrade(&self, _: &Waker) -> Poll<Result<Box<dyn Duplex>, ErrorKind>> {
        Poll::Ready(Err(ErrorKind::Invalid))
    }

    fn set_flags(&self, _: u64) -> Result<(), ErrorKind> {
        Ok(())
    }
}

struct Silent;

impl Services for Silent {
    fn log(&self, _: u32, _: &[u8], _: &[u8], _: &mut dyn Iterator<Item = (&[u8], &[u8])>) {}

    fn request_shutdown(&self, _: i32) {}
}

// ---- reports --------------------------------------------------------------------------------

/// The sink of all watched modules.
pub(crate) fn report(violation: Violation) {
    let mut reports = REPORTS.lock().unwrap_or_else(PoisonError::into_inner);
    // On a busy machine any poll may take long.
    if !reports.contains(&violation.rule) && violation.rule != rules::CALL_05 {
        reports.push(violation.rule);
    }
}

fn reported() -> Vec<&'static Rule> {
    std::mem::take(&mut *REPORTS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// One instance at a time, so that reports belong to it.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    reported();
    alone
}

static REPORTS: Mutex<Vec<&'static Rule>> = Mutex::new(Vec::new());

/// Longest wait for an answer.
const DEADLINE: Duration = Duration::from_secs(10);
