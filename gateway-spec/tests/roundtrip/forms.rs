//! What may stand in `export!`, and what a start that fails says.

use gateway_spec::{ErrorKind, Gateway, Request, Response, Startup, StartupError};

use super::host::{block_on, call, content, get, module, start, try_start};
use gateway_spec::abi::host::Step;

async fn hello(request: Request) -> Response {
    let path = String::from_utf8_lossy(request.path()).into_owned();
    Response::text(format!("hello from {path}"))
}

fn function() -> impl Gateway {
    hello
}

async fn constructor(startup: Startup) -> Result<impl Gateway, StartupError> {
    let greeting = startup
        .setting("greeting")
        .ok_or_else(|| StartupError::new("expected the setting greeting"))?
        .to_owned();
    Ok(move |_: Request| std::future::ready(greeting.clone()))
}

#[test]
fn a_value_a_function_and_a_constructor_serve() {
    for module in [module!(hello), module!(function)] {
        let app = start(module);
        let response = call(&app, get("/a?b"));
        assert_eq!(response.status_code(), 200);
        assert_eq!(response.body().length(), Some(13));
        assert_eq!(content(response), b"hello from /a");
    }
    let app = try_start(module!(constructor), &[("greeting", "good morning")])
        .ok()
        .unwrap();
    assert_eq!(content(call(&app, get("/"))), b"good morning");
}

#[test]
fn a_constructor_that_fails_is_heard_word_for_word() {
    let failure = try_start(module!(constructor), &[]).err().unwrap();
    assert_eq!(failure.step, Step::Startup);
    assert_eq!(failure.message, "expected the setting greeting");
}

#[test]
fn a_long_complaint_is_cut_between_characters() {
    async fn verbose(
        _: Startup,
    ) -> Result<fn(Request) -> std::future::Ready<Response>, StartupError> {
        Err(StartupError::new("é".repeat(5000)))
    }
    let failure = try_start(module!(verbose), &[]).err().unwrap();
    assert_eq!(failure.message, "é".repeat(2048));
}

#[test]
fn a_constructor_that_panics_is_a_failure_like_any_other() {
    async fn broken(
        startup: Startup,
    ) -> Result<fn(Request) -> std::future::Ready<Response>, StartupError> {
        match startup.setting("nothing") {
            None => panic!("a start-up's panic"),
            Some(_) => Err(StartupError::new("unreachable")),
        }
    }
    let failure = try_start(module!(broken), &[]).err().unwrap();
    assert_eq!(failure.kind, ErrorKind::Panic);
}

#[test]
fn a_module_of_one_thread_is_refused() {
    use gateway_spec::abi::types::{GwModule, module_flag};
    static MODULE: GwModule = GwModule {
        flags: module_flag::SINGLE_THREAD,
        ..gateway_spec::__module!(gateway_spec::abi::export::NoRuntime, hello)
    };
    let failure = try_start(&MODULE, &[]).err().unwrap();
    assert_eq!(
        (failure.step, failure.kind),
        (Step::Create, ErrorKind::Unsupported)
    );
    assert!(failure.message.contains("SINGLE_THREAD"), "{failure}");
}

#[test]
fn calls_behind_the_shutdown_are_refused() {
    let app = start(module!(hello));
    assert_eq!(call(&app, get("/")).status_code(), 200);
    block_on(app.shutdown());
    assert_eq!(call(&app, get("/")).status_code(), 503);
}

#[cfg(feature = "tokio")]
#[test]
#[cfg_attr(miri, ignore = "tokio asks the kernel for what miri does not know")]
fn a_runtime_of_its_own_is_there_in_calls_bodies_and_drops() {
    use gateway_spec::{Body, Frame};
    use std::time::Duration;

    struct NeedsRuntime;
    impl Drop for NeedsRuntime {
        fn drop(&mut self) {
            assert!(tokio::runtime::Handle::try_current().is_ok());
        }
    }
    async fn timed(request: Request) -> Response {
        let _needs = NeedsRuntime;
        tokio::time::sleep(Duration::from_millis(1)).await;
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let _ = sender.send(request.path().to_vec()).await;
        });
        let needs = NeedsRuntime;
        Response::new(Body::from_fn(move |cx| {
            let _here = &needs;
            receiver
                .poll_recv(cx)
                .map(|path| path.map(|path| Ok(Frame::Data(path.into()))))
        }))
    }
    let app = start(module!(gateway_spec::abi::export::Tokio, timed));
    assert_eq!(content(call(&app, get("/clock"))), b"/clock");
    block_on(app.shutdown());
}

/// Built as a project of its own, since a test cannot be built with `panic = "abort"`.
#[test]
#[cfg_attr(miri, ignore = "runs cargo")]
fn an_application_that_aborts_on_panics_does_not_build() {
    let folder = tempfile::tempdir().unwrap();
    let spec = env!("CARGO_MANIFEST_DIR");
    let manifest = format!(
        "[package]\nname = \"aborts\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
         [lib]\ncrate-type = [\"cdylib\"]\n[dependencies]\ngateway-spec = {{ path = {spec:?} }}\n\
         [profile.dev]\npanic = \"abort\"\n"
    );
    std::fs::create_dir(folder.path().join("src")).unwrap();
    std::fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    let source = "async fn app(_: gateway_spec::Request) -> &'static str { \"\" }\n\
                  gateway_spec::export!(app);\n";
    std::fs::write(folder.path().join("src/lib.rs"), source).unwrap();
    std::fs::copy(
        format!("{spec}/../Cargo.lock"),
        folder.path().join("Cargo.lock"),
    )
    .unwrap();
    let build = std::process::Command::new(env!("CARGO"))
        .args(["check", "--offline", "--quiet"])
        .env("CARGO_TARGET_DIR", folder.path().join("target"))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&build.stderr);
    assert!(!build.status.success(), "it was built");
    assert!(
        said.contains("must be built with panic = \"unwind\""),
        "{said}"
    );
}
