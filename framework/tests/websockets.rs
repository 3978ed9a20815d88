//! WebSockets in process, by the test client.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use carafe::testing::{Client, TestSocket};
use carafe::*;
use gateway_spec::http::Version;
use gateway_spec::{Gateway, Startup};

async fn echo(websocket: WebSocket) -> Response {
    websocket
        .protocols(&["tea.v2", "tea.v1"])
        .on_upgrade(async |mut socket| {
            while let Some(message) = socket.receive().await? {
                if message == SocketMessage::from("fail") {
                    return Err(Error::message("as asked"));
                }
                assert_ne!(message, SocketMessage::from("panic"), "as asked");
                if message == SocketMessage::from("leave") {
                    return Ok(socket.close(4321, "tired")?);
                }
                socket.send(message).await?;
            }
            Ok(())
        })
}

fn app() -> App {
    App::new()
        .get(rule("/echo").websocket(), echo)
        .config_set("websocket.message_size", 1000)
}

/// Sends one message and hears the end.
fn closed(client: &Client, message: impl Into<SocketMessage>) -> (Option<u16>, Option<String>) {
    let mut socket = client.websocket("/echo");
    socket.send(message);
    assert_eq!(socket.receive(), None);
    let reason = socket.close_reason().map(str::to_owned);
    (socket.close_code(), reason)
}

fn code(client: &Client, message: &str) -> Option<u16> {
    closed(client, message).0
}

#[test]
fn messages_come_back_until_the_client_closes() {
    let client = app().test();
    let mut socket = client.websocket("/echo");
    socket.send("tea");
    assert_eq!(socket.receive_text(), "tea");
    socket.send(vec![0, 255]);
    assert_eq!(socket.receive(), Some(SocketMessage::from(vec![0, 255])));
    socket.close(1000, "enough");
    assert_eq!(
        (socket.close_code(), socket.close_reason()),
        (Some(1000), Some("enough"))
    );
    assert_eq!(socket.receive(), None);
}

#[test]
fn the_first_protocol_of_the_application_that_the_client_speaks_is_chosen() {
    let client = app().test();
    let chosen = |offered: &[&str]| {
        let mut request = client.request(GET, "/echo");
        for list in offered {
            request = request.header("sec-websocket-protocol", list);
        }
        request.websocket().protocol().map(str::to_owned)
    };
    assert_eq!(chosen(&["coffee, tea.v1"]).as_deref(), Some("tea.v1"));
    assert_eq!(chosen(&["tea.v1,tea.v2"]).as_deref(), Some("tea.v2"));
    assert_eq!(chosen(&["coffee", "tea.v1"]).as_deref(), Some("tea.v1"));
    assert_eq!(chosen(&["coffee, TEA.V1"]), None);
    assert_eq!(chosen(&[]), None);
}

#[test]
fn a_server_that_drains_says_that_it_goes_away() {
    let client = app().test();
    let mut socket = client.websocket("/echo");
    socket.drain();
    assert_eq!(socket.receive(), None);
    assert_eq!(socket.close_code(), Some(1001));
}

#[test]
fn code_that_fails_or_panics_closes_with_an_error() {
    let client = app().test().errors_as_responses();
    assert_eq!(code(&client, "fail"), Some(1011));
    assert_eq!(code(&client, "panic"), Some(1011));
}

#[test]
#[should_panic(expected = "as asked")]
fn code_that_fails_fails_the_test() {
    code(&app().test(), "fail");
}

#[test]
fn an_application_closes_with_a_code_and_a_reason_of_its_own() {
    let client = app().test();
    let goodbye = closed(&client, "leave");
    assert_eq!(goodbye, (Some(4321), Some("tired".to_owned())));
}

#[test]
fn a_goodbye_that_is_none_is_refused() {
    let (sender, told) = channel();
    let view = move |websocket: WebSocket| {
        let sender = sender.clone();
        async move {
            websocket.on_upgrade(async move |mut socket| {
                let asked = match socket.receive().await? {
                    Some(SocketMessage::Text(asked)) => asked,
                    _ => String::new(),
                };
                let code = asked.len().try_into().unwrap_or(0);
                let refused = socket.close(code, &asked).expect_err("no such goodbye");
                sender.send(refused.to_string()).expect("the test waits");
                Ok(())
            })
        }
    };
    let client = App::new().get(rule("/echo").websocket(), view).test();
    // A code that means that there is none, and a reason of as many bytes.
    for asked in ["x".repeat(1005), "x".repeat(1000)] {
        assert_eq!(code(&client, &asked), Some(1000));
        let refused = told.recv().expect("an error");
        assert!(
            refused.contains(&format!("found {0} and {0}", asked.len())),
            "{refused}"
        );
    }
}

#[test]
fn what_the_client_closed_with_is_known() {
    let (sender, told) = channel();
    let view = move |websocket: WebSocket| {
        let sender = sender.clone();
        async move {
            websocket.on_upgrade(async move |mut socket| {
                while socket.receive().await?.is_some() {}
                let reason = socket.close_reason().map(str::to_owned);
                let heard = (socket.close_code(), reason);
                sender.send(heard).expect("the test waits");
                Ok(())
            })
        }
    };
    let client = App::new().get(rule("/").websocket(), view).test();
    client.websocket("/").close(3007, "late");
    assert_eq!(told.recv(), Ok((Some(3007), Some("late".to_owned()))));
}

#[test]
fn a_message_beyond_the_limit_closes() {
    let client = app().test();
    assert_eq!(code(&client, &"x".repeat(1001)), Some(1009));
}

/// Whoever is not heard of is told to the channel.
fn asking(often: &str, within: &str, wait: Duration) -> (Client, Receiver<String>) {
    let (sender, told) = channel();
    let view = move |websocket: WebSocket| {
        let sender = sender.clone();
        async move {
            websocket.on_upgrade(async move |mut socket| {
                let waited = tokio::time::timeout(wait, socket.receive());
                match waited.await {
                    Ok(Err(error)) => sender.send(error.to_string()).expect("the test waits"),
                    Ok(Ok(_)) => {}
                    Err(_) => socket.send("still there").await?,
                }
                Ok(())
            })
        }
    };
    let app = App::new()
        .get(rule("/").websocket(), view)
        .config_set("websocket.ping_interval", often)
        .config_set("websocket.ping_timeout", within);
    (app.test(), told)
}

const LONG: Duration = Duration::from_secs(30);

#[test]
fn a_client_that_does_not_answer_is_given_up() {
    let (client, told) = asking("20ms", "20ms", LONG);
    // Nobody reads, so nobody answers.
    let _silent: TestSocket<'_> = client.websocket("/");
    let error = told.recv().expect("an error");
    assert!(error.contains("does not answer"), "{error}");
}

#[test]
fn a_client_that_answers_may_be_idle_for_long() {
    let (client, _told) = asking("1s", "3s", Duration::from_secs(5));
    assert_eq!(client.websocket("/").receive_text(), "still there");
}

#[test]
fn nobody_is_asked_where_that_is_switched_off() {
    let (client, told) = asking("0s", "0s", Duration::from_secs(1));
    let mut silent = client.websocket("/");
    assert_eq!(silent.receive_text(), "still there");
    assert!(told.try_recv().is_err());
}

#[test]
fn what_is_no_sound_handshake_is_refused() {
    let client = app().test();
    assert_eq!(client.get("/echo").status(), 400);
    let without_key = client.request(GET, "/echo").header("sec-websocket-key", "");
    let refused = without_key.try_websocket().expect_err("no key");
    assert_eq!(refused.status(), 400);
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let one = client
        .request(GET, "/echo")
        .header("sec-websocket-key", key);
    let two = one.header("sec-websocket-key", key).try_websocket();
    assert_eq!(two.expect_err("two keys").status(), 400);
    let old = client
        .request(GET, "/echo")
        .header("sec-websocket-version", "8");
    let refused = old.try_websocket().expect_err("an old version");
    assert_eq!(refused.status(), 426);
    assert_eq!(refused.header("sec-websocket-version"), Some("13"));
}

#[test]
fn a_page_of_another_site_opens_nothing() {
    let client = app().test();
    let from = |client: &Client, origin: &str| {
        let request = client.request(GET, "/echo").from_old_browser();
        match request.header("origin", origin).try_websocket() {
            Ok(_) => 101,
            Err(refused) => refused.status(),
        }
    };
    assert_eq!(from(&client, "https://evil.example"), 403);
    assert_eq!(from(&client, "http://localhost"), 101);
    let cross = client.request(GET, "/echo").cross_site().try_websocket();
    assert_eq!(cross.expect_err("another site").status(), 403);
    let trusting = app().trusted_origin("https://pay.example").test();
    assert_eq!(from(&trusting, "https://pay.example"), 101);
    assert_eq!(from(&trusting, "https://evil.example"), 403);
}

#[test]
fn a_socket_knows_the_session_of_its_client() {
    async fn who(session: Session, websocket: WebSocket) -> Response {
        let name: Option<String> = session.user_id();
        websocket.on_upgrade(async move |mut socket| {
            socket.send(name.unwrap_or_default()).await?;
            Ok(())
        })
    }
    let client = App::new().get(rule("/").websocket(), who).test();
    client
        .session(|session| session.log_in("ann"))
        .expect("a session");
    assert_eq!(client.websocket("/").receive_text(), "ann");
}

#[tokio::test]
async fn an_extended_connect_is_what_get_with_an_upgrade_is() {
    let carafe = app().start(Startup::default()).await.expect("no mistakes");
    let ask = |version, protocol| {
        let request = gateway_spec::Request::build(Method::CONNECT, "/echo").expect("a target");
        let request = request.with_version(version).with_protocol(protocol);
        let name = HeaderName::from_static("sec-websocket-version");
        carafe.call(
            request
                .with_authority("localhost")
                .with(&name, &HeaderValue::from_static("13")),
        )
    };
    let response = ask(Version::HTTP_2, "websocket").await;
    assert_eq!(response.status_code(), 101);
    let accept = HeaderName::from_static("sec-websocket-accept");
    assert_eq!(response.fields().get(&accept), None);
    // HTTP/1.1 has a key, and other protocols are not for this rule.
    assert_eq!(ask(Version::HTTP_11, "websocket").await.status_code(), 400);
    assert_eq!(ask(Version::HTTP_2, "connect-udp").await.status_code(), 405);
}

#[tokio::test]
async fn connect_for_another_protocol_or_a_tunnel_reaches_no_view_that_answers_get() {
    async fn hello() -> &'static str {
        "hello"
    }
    let carafe = App::new().get("/", hello);
    let carafe = carafe.start(Startup::default()).await.expect("no mistakes");
    let ask = |target, protocol: Option<&'static str>| {
        let mut request = gateway_spec::Request::build(Method::CONNECT, target).expect("a target");
        if let Some(protocol) = protocol {
            request = request.with_protocol(protocol);
        }
        carafe.call(
            request
                .with_version(Version::HTTP_2)
                .with_authority("localhost"),
        )
    };
    // To the client, a success would be the protocol's beginning.
    assert_eq!(ask("/", Some("connect-udp")).await.status_code(), 405);
    let tunnel = ask("localhost:443", None).await.status_code();
    assert!(tunnel.as_u16() >= 300, "{tunnel}");
}
