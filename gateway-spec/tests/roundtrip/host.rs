//! The host of these tests: an executor of one thread, an exchange that notes what it is asked.

use std::future::Future;
use std::ops::Deref;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use gateway_spec::abi::host::{Config, HostTable, Module, Services, StartFailure};
use gateway_spec::abi::import::Loaded;
use gateway_spec::abi::types::GwModule;
use gateway_spec::{Error, Exchange, Fields, Gateway, HostExchange, Request, Response};
use http::{Method, StatusCode};

/// The descriptor of an exported application.
macro_rules! module {
    ($app:expr) => {
        module!(gateway_spec::abi::export::NoRuntime, $app)
    };
    ($runtime:ty, $app:expr) => {{
        static MODULE: gateway_spec::abi::GwModule = gateway_spec::__module!($runtime, $app);
        &MODULE
    }};
}
pub(crate) use module;

/// Longest wait for anything; miri is slow.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// Runs a future on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "expected a wake-up before the deadline");
        thread::park_timeout(left);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Starts an application, with settings.
pub(crate) fn try_start(
    module: &'static GwModule,
    settings: &[(&str, &str)],
) -> Result<Started, StartFailure> {
    let module = Module::linked(module).unwrap();
    let settings = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let config = Config {
        settings: settings.collect(),
        ..Config::default()
    };
    block_on(Loaded::start(&module, table(), &config)).map(Started)
}

/// A host without services, the same for all: miri reports what else is leaked.
pub(crate) fn table() -> &'static HostTable {
    static TABLE: OnceLock<&HostTable> = OnceLock::new();
    TABLE.get_or_init(|| HostTable::leak(Quiet, "roundtrip", 0))
}

/// A started application, shut down at the end of its test.
pub(crate) struct Started(Loaded);

impl Deref for Started {
    type Target = Loaded;

    fn deref(&self) -> &Loaded {
        &self.0
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        block_on(self.0.shutdown());
    }
}

/// Starts an application.
pub(crate) fn start(module: &'static GwModule) -> Started {
    try_start(module, &[]).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Calls it and waits for the response.
pub(crate) fn call(app: &Loaded, request: Request) -> Response {
    block_on(app.call(request))
}

/// The whole content of a response.
pub(crate) fn content(response: Response) -> Vec<u8> {
    block_on(response.into_body().collect(1 << 20))
        .unwrap()
        .to_vec()
}

pub(crate) fn get(target: &str) -> Request {
    Request::build(Method::GET, target).unwrap()
}

struct Quiet;

impl Services for Quiet {
    fn log(&self, _: u32, _: &[u8], _: &[u8], _: &mut dyn Iterator<Item = (&[u8], &[u8])>) {}

    fn request_shutdown(&self, _: i32) {}
}

/// An informational response: its status and its fields.
type Informed = (u16, Vec<(String, Vec<u8>)>);

/// An exchange that a test looks into.
#[derive(Default)]
pub(crate) struct Noted {
    pub(crate) informed: Mutex<Vec<Informed>>,
    pub(crate) finishes: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    closed: bool,
    draining: bool,
    wakers: Vec<Waker>,
}

impl Noted {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn exchange(self: &Arc<Self>) -> Exchange {
        let host: Arc<dyn HostExchange> = Arc::clone(self) as _;
        Exchange::new(host)
    }

    pub(crate) fn close(&self) {
        self.change(|state| state.closed = true);
    }

    pub(crate) fn drain(&self) {
        self.change(|state| state.draining = true);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let wakers = {
            let mut state = self.state.lock().unwrap();
            change(&mut state);
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    fn poll(&self, cx: &Context<'_>, is: impl FnOnce(&State) -> bool) -> Poll<()> {
        let mut state = self.state.lock().unwrap();
        if is(&state) {
            return Poll::Ready(());
        }
        state.wakers.push(cx.waker().clone());
        Poll::Pending
    }
}

impl HostExchange for Noted {
    fn inform(&self, status: StatusCode, fields: &Fields) -> Result<(), Error> {
        let fields = fields
            .iter()
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
        let mut informed = self.informed.lock().unwrap();
        informed.push((status.as_u16(), fields.collect()));
        Ok(())
    }

    fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll(cx, |state| state.closed)
    }

    fn poll_draining(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll(cx, |state| state.draining)
    }

    fn finish_on_disconnect(&self) {
        self.finishes.store(true, Ordering::SeqCst);
    }
}
