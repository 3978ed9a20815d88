//! Where a test fails that the client ends: at the test's own line.

use std::panic;
use std::sync::mpsc;

use carafe::testing::TestResponse;
use carafe::*;

#[test]
fn a_call_that_the_application_fails_is_the_line_that_fails() {
    let client = App::new()
        .get("/", async || Err::<&str, _>(Error::message("no tea")))
        .test();
    let (said, hear) = mpsc::channel();
    panic::set_hook(Box::new(move |panic| {
        let place = panic.location().expect("a place");
        said.send((place.file().to_owned(), place.line()))
            .expect("the test to hear");
    }));
    let calls: [(&dyn Fn() -> TestResponse, u32); 2] = [
        (&|| client.get("/"), line!()),
        (&|| client.request(GET, "/").follow(), line!()),
    ];
    let calls = calls.map(|(call, line)| {
        panic::catch_unwind(panic::AssertUnwindSafe(call)).expect_err("the call to fail");
        (hear.recv().expect("a panic"), line)
    });
    let _ = panic::take_hook();
    for (place, line) in calls {
        assert_eq!(place, (file!().to_owned(), line));
    }
}
