//! The clients that people use talk to a WebSocket, directly and through nginx.

use std::process::Command;

use gateway_tests::address::Address;
use gateway_tests::artefacts::{Artefacts, root};
use gateway_tests::browser::Browser;
use gateway_tests::client::Client;
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::nginx::Nginx;
use gateway_tests::{until, websocket};
use serde_json::json;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, Role};
use tungstenite::{Message, WebSocket};

use super::echo;

#[test]
fn tungstenite_talks_directly_and_through_nginx() {
    let folder = tempfile::tempdir().unwrap();
    let server = echo(&["--workers", "2"]);
    let nginx = Nginx::start(&server.address, folder.path());
    for address in [&server.address, &nginx.address] {
        let mut sockets: Vec<_> = (0..20).map(|_| open(address)).collect();
        let large = vec![7; 1 << 20];
        for (number, socket) in sockets.iter_mut().enumerate() {
            socket
                .send(Message::text(format!("number {number}")))
                .unwrap();
            socket.send(Message::binary(large.clone())).unwrap();
            socket.send(Message::Ping("?".into())).unwrap();
        }
        for (number, socket) in sockets.iter_mut().enumerate() {
            let text = Message::text(format!("number {number}"));
            assert_eq!(socket.read().unwrap(), text);
            assert_eq!(socket.read().unwrap(), Message::binary(large.clone()));
            assert_eq!(socket.read().unwrap(), Message::Pong("?".into()));
            let goodbye = CloseFrame {
                code: CloseCode::Library(4001),
                reason: "enough".into(),
            };
            socket.close(Some(goodbye.clone())).unwrap();
            assert_eq!(socket.read().unwrap(), Message::Close(Some(goodbye)));
            let end = socket.read().unwrap_err();
            assert!(matches!(end, tungstenite::Error::ConnectionClosed), "{end}");
        }
    }
    assert_eq!(server.stop().0, 0);
}

#[test]
fn the_library_of_python_talks() {
    let server = echo(&["--workers", "2"]);
    let python = root().join("target/oracle/bin/python");
    assert!(
        python.exists(),
        "expected {}: run tests/run",
        python.display()
    );
    let talked = Command::new(python)
        .arg(root().join("tests/tests/e2e/websockets/client.py"))
        .arg(server.url("/echo").replace("http", "ws"))
        .output()
        .expect("python to start");
    let (said, errors) = (
        talked.stdout,
        String::from_utf8_lossy(&talked.stderr).into_owned(),
    );
    let expected =
        "protocol echo\na message in fragments\nclosed 4000 enough\ntwo one\nrefused 403\n";
    assert_eq!(String::from_utf8_lossy(&said), expected, "{errors}");
}

#[test]
fn a_browser_talks_from_the_page_and_not_from_others() {
    let folder = tempfile::tempdir().unwrap();
    let server = echo(&["--workers", "2"]);
    // Another port is another origin.
    let elsewhere = Gatewayd::serve(Artefacts::built().module("hello"), &[]);
    let mut browser = Browser::start(folder.path());
    browser.open(&server.url("/"));
    let mut state = |wanted: &str| {
        until(wanted, || browser.text().contains(wanted));
    };
    state("The socket is open.");
    browser.type_into("#words", "tea, κόσμε");
    browser.click("button");
    until("echo", || browser.text().contains("tea, κόσμε"));
    let longest = "new Promise((heard) => { socket.onmessage = (event) => heard(event.data.length); \
        socket.send('x'.repeat(1 << 20)); })";
    assert_eq!(browser.run(longest), json!(1 << 20));
    // A message that is too long ends it, and the page is told why.
    let too_long = "new Promise((closed) => { socket.onclose = (event) => closed(event.code); \
        socket.send('x'.repeat((1 << 20) + 1)); })";
    assert_eq!(browser.run(too_long), json!(1009));

    let address = server.url("/echo").replace("http", "ws");
    let foreign = format!(
        "new Promise((end) => {{ const socket = new WebSocket('{address}'); \
         socket.onopen = () => end('open'); socket.onerror = () => end('refused'); }})"
    );
    browser.open(&elsewhere.url("/"));
    assert_eq!(browser.run(&foreign), json!("refused"));
    browser.open(&server.url("/"));
    assert_eq!(browser.run(&foreign), json!("open"));
}

fn open(address: &Address) -> WebSocket<Client> {
    let client = websocket::open(address, "/echo", "");
    WebSocket::from_raw_socket(client, Role::Client, None)
}
