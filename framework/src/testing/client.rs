//! [`Client`]: starts an application for a test and talks to it.

use std::ffi::OsString;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use gateway_spec::http::Method;
use gateway_spec::{Gateway, Startup, Upgrade};
use tokio::runtime::{Builder, Runtime};

use super::jar::Jar;
use super::response::TestResponse;
use crate::app::App;
use crate::commands::Sink;
use crate::config::Environment;
use crate::context::Cx;
use crate::dispatch::Carafe;
use crate::extract::Args;
use crate::keys;
use crate::routing::Outcome;
use crate::site::Observer;
use crate::url::UrlValues;
use crate::view::ViewFn;

/// A client of an application that runs in this process: with a cookie jar, and with the eyes of a
/// test, which fails on errors that the application did not expect.
///
/// It has threads of its own, so that it serves plain tests and `#[tokio::test]` alike. Dropping it
/// shuts the application down.
#[derive(Debug)]
pub struct Client {
    carafe: Carafe,
    runtime: Option<Runtime>,
    jar: Mutex<Jar>,
    errors: Errors,
    errors_as_responses: bool,
}

/// Errors that nobody expected, since the last request.
type Errors = Arc<Mutex<Vec<String>>>;

impl App {
    /// Starts the application for a test. The process's environment does not count; settings are
    /// those of files and of [`config_set`](App::config_set).
    ///
    /// # Panics
    ///
    /// If the application has mistakes: the message tells them all.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    #[track_caller]
    pub fn test(self) -> Client {
        match self.try_test() {
            Ok(client) => client,
            Err(mistakes) => panic!("the application does not start: {mistakes}"),
        }
    }

    /// As [`test`](App::test), for tests of mistakes.
    ///
    /// # Errors
    ///
    /// All mistakes in the application.
    ///
    /// # Panics
    ///
    /// If the system has no threads left.
    pub fn try_test(self) -> Result<Client, crate::start::Mistakes> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime for the test: the system has no threads left");
        let errors = Errors::default();
        let observer = {
            let errors = Arc::clone(&errors);
            Observer(Box::new(move |line| guarded(&errors).push(line.to_owned())))
        };
        let environment = Environment::default();
        let with_secret = self.config_default("secret_key", test_secret());
        let starting = with_secret.start_observed(Startup::default(), environment, Some(observer));
        let started = wait(&runtime, starting);
        match started {
            Ok(carafe) => Ok(Client {
                carafe,
                runtime: Some(runtime),
                jar: Mutex::default(),
                errors,
                errors_as_responses: false,
            }),
            Err(mistakes) => {
                runtime.shutdown_background();
                Err(mistakes)
            }
        }
    }
}

impl Client {
    /// Answers errors that the application did not expect as its clients see them, with 500,
    /// instead of failing the test.
    #[must_use]
    pub fn errors_as_responses(mut self) -> Self {
        self.errors_as_responses = true;
        self
    }

    /// The URL of a view, as [`Cx::url`] builds it for a request of this client.
    ///
    /// # Panics
    ///
    /// If the view has no such URL.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    #[track_caller]
    pub fn url<V, A, U>(&self, view: V, values: U) -> String
    where
        V: ViewFn<A>,
        A: Args,
        U: UrlValues<A::Path>,
    {
        match self.context(|head| head).url(view, values) {
            Ok(url) => url,
            Err(error) => panic!("{error}"),
        }
    }

    /// Shared state of the application.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.carafe.service().site.state.get_arc()
    }

    /// The value of a cookie in the jar.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar().get(name)
    }

    /// Puts a cookie into the jar.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.jar().set(name, value);
    }

    pub(super) fn jar(&self) -> MutexGuard<'_, Jar> {
        guarded(&self.jar)
    }

    /// The context of a request that is never sent.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    #[track_caller]
    pub(super) fn context(
        &self,
        change: impl FnOnce(gateway_spec::Request) -> gateway_spec::Request,
    ) -> Cx {
        let head = match gateway_spec::Request::build(Method::GET, "/") {
            Ok(head) => change(head.with_authority(HOST)),
            Err(error) => panic!("{error}"),
        };
        Cx::new(
            Arc::clone(&self.carafe.service().site),
            head,
            Outcome::NotFound,
        )
    }

    /// Runs a command; answers its status.
    #[track_caller]
    pub(super) fn run(&self, words: Vec<OsString>, sink: Sink) -> u8 {
        let carafe = self.carafe.clone();
        self.wait(async move { carafe.run(&words, sink).await })
    }

    /// One exchange: no cookies, no redirects.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    #[track_caller]
    pub(super) fn exchange(
        &self,
        request: gateway_spec::Request,
        target: &str,
    ) -> (TestResponse, Option<Upgrade>) {
        guarded(&self.errors).clear();
        let carafe = self.carafe.clone();
        let answered = self.wait(async move {
            let mut response = carafe.call(request).await;
            let (after, upgrade) = (response.take_after(), response.take_upgrade());
            let (status, fields) = (response.status_code(), response.fields().clone());
            let body = response.into_body().collect(usize::MAX).await;
            if let Some(after) = after {
                after.await;
            }
            (status, fields, body, upgrade)
        });
        let (status, fields, body, upgrade) = answered;
        self.expect_no_errors();
        match body {
            Ok(body) => (TestResponse::new(target, status, fields, body), upgrade),
            Err(error) => panic!("the body of {target} broke off: {error}"),
        }
    }

    /// Fails the test if something happened since that the application did not expect.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    #[track_caller]
    pub(super) fn expect_no_errors(&self) {
        let unexpected = std::mem::take(&mut *guarded(&self.errors));
        if !unexpected.is_empty() && !self.errors_as_responses {
            panic!("the application failed: {}", unexpected.join("; "));
        }
    }

    /// Runs a future on the client's threads and waits for it.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    #[track_caller]
    pub(super) fn wait<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> T {
        match &self.runtime {
            Some(runtime) => wait(runtime, future),
            None => panic!("the client has been dropped"),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            let carafe = self.carafe.clone();
            // A test that failed has let go of everything already.
            if !std::thread::panicking() {
                wait(&runtime, async move { carafe.shutdown().await });
            }
            runtime.shutdown_background();
        }
    }
}

/// A secret for an application that names none; another one in each test.
fn test_secret() -> String {
    let random = keys::random_hex(32);
    random.expect("random bytes for the test: the system has none")
}

/// Runs a future on the client's threads and waits for it, whatever thread the test is on.
#[track_caller]
fn wait<T: Send + 'static>(
    runtime: &Runtime,
    future: impl Future<Output = T> + Send + 'static,
) -> T {
    let (sender, receiver) = mpsc::sync_channel(1);
    runtime.spawn(async move {
        let _ = sender.send(future.await);
    });
    receiver.recv_timeout(DEADLINE).expect(
        "the application to answer within a minute and without a panic outside of its views",
    )
}

fn guarded<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Longer than any view that a test calls.
const DEADLINE: Duration = Duration::from_secs(60);
/// The host that the client names.
pub(super) const HOST: &str = "localhost";
