//! Whatever a module does that a host can see, it gets refusals: the host stays whole, gives back what it
//! was given, sends nothing but HTTP, and the next request is answered as ever.
//!
//! The module is one of C functions in this process. It does by the bytes of the input what SPEC.md
//! forbids, and never what no host could see: its pointers are valid, and it ends nothing twice.
#![expect(
    unsafe_code,
    reason = "a module is made of C functions, whatever it is written in"
)]

mod body;
mod call;
mod create;
mod deeds;
mod imported;
mod play;
mod response;

use std::cell::OnceCell;

use gateway_server::internal::worker::Rehearsal;

use self::play::{begin, next, play};
use super::responses::responses;

/// Asserts it of one input.
pub(crate) fn run(input: &[u8]) {
    // Hosts are made of a module that behaves.
    imported::load();
    for (stage, lint) in [(&SERVED, "false"), (&WATCHED, "true")] {
        stage.with(|cell| _ = cell.get_or_init(|| rehearsal(lint)));
    }
    begin(input);
    match next() % 4 {
        0 => create::try_another(),
        1 => serve(&WATCHED),
        2 => imported::call(),
        _ => serve(&SERVED),
    }
    deeds::give_everything_back();
    let (alive, complaints) = play(|it| (it.alive, std::mem::take(&mut it.complaints)));
    assert_eq!(complaints, [""; 0]);
    assert_eq!(alive, [0; 3], "buffers, bodies and calls are kept");
}

/// Has the module answer some requests of one connection, and then one more of another.
fn serve(on: &'static Stage) {
    on.with(|cell| {
        let rehearsal = cell.get().expect("made before");
        let asked: Vec<usize> = (0..=next() % 4)
            .map(|_| usize::from(next()) % REQUESTS.len())
            .collect();
        let texts = asked.iter().map(|one| REQUESTS[*one].as_bytes());
        let methods: Vec<_> = asked.iter().map(|one| method(REQUESTS[*one])).collect();
        let heard = rehearsal.serve(None, texts);
        responses(&heard.bytes, &methods);
        // Work behind an answer goes on until it ends.
        begin(b"");
        call::wake_all();
        assert_eq!(rehearsal.rest(), 0, "something outlives its connection");
        let heard = rehearsal.serve(None, [REQUESTS[0].as_bytes()]);
        let text = heard.bytes.escape_ascii().to_string();
        assert!(text.ends_with("\\r\\n\\r\\nok"), "{text}");
        // What it breaks is known.
        drop(rehearsal.breaches());
    });
}

fn rehearsal(lint: &str) -> Rehearsal {
    begin(b"");
    Rehearsal::of(create::good(), &[("lint", lint)]).expect("it behaves")
}

fn method(request: &str) -> &str {
    request.split(' ').next().unwrap_or_default()
}

type Stage = std::thread::LocalKey<OnceCell<Rehearsal>>;

thread_local! {
    static SERVED: OnceCell<Rehearsal> = const { OnceCell::new() };
    static WATCHED: OnceCell<Rehearsal> = const { OnceCell::new() };
}

const REQUESTS: [&str; 7] = [
    "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: TE\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: mirror\r\n\r\n",
    "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n",
];
