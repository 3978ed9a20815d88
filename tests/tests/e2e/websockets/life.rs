//! Conversations end when the server drains, when nobody is there, and cost little while nothing is said.

use std::fs;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::Client;
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::websocket::{self, Frame, Sent, opcode};
use nix::sys::signal::Signal;

use super::echo;

fn open(server: &Gatewayd) -> Client {
    websocket::open(&server.address, "/echo", "")
}

fn frame(client: &mut Client) -> Frame {
    let frame = Frame::read(client).expect("a frame that is right");
    frame.expect("a frame before the end")
}

/// Says something and hears it back.
fn talk(client: &mut Client) {
    client.send(Sent::new(opcode::TEXT, "tea").bytes());
    assert_eq!(frame(client).payload, b"tea");
}

/// Hears the goodbye, answers it, and sees the end.
fn part(client: &mut Client, code: u16) {
    assert_eq!(frame(client).code(), Some(code));
    client.send(Sent::close(code, "").bytes());
    client.expect_end();
}

#[test]
fn a_stop_tells_clients_that_the_server_goes_away() {
    let server = echo(&["--workers", "1"]);
    let mut clients: Vec<Client> = (0..10).map(|_| open(&server)).collect();
    clients.iter_mut().for_each(talk);
    server.process.signal(Signal::SIGTERM);
    for client in &mut clients {
        part(client, 1001);
    }
    let (code, said) = server.process.end();
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_reload_parts_with_old_conversations_and_new_ones_begin() {
    let server = echo(&["--workers", "2"]);
    let mut clients: Vec<Client> = (0..10).map(|_| open(&server)).collect();
    clients.iter_mut().for_each(talk);
    server.process.signal(Signal::SIGHUP);
    for client in &mut clients {
        part(client, 1001);
    }
    let mut next = open(&server);
    talk(&mut next);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_client_that_does_not_part_ends_with_the_graceful_timeout() {
    let server = echo(&["--workers", "1", "--graceful-timeout", "1s"]);
    let mut client = open(&server);
    talk(&mut client);
    server.process.signal(Signal::SIGTERM);
    assert_eq!(frame(&mut client).code(), Some(1001));
    // It neither answers nor closes.
    let (_, said) = server.process.end();
    assert!(
        said.contains("has not finished its requests within 1 s"),
        "{said}"
    );
    assert_eq!(client.rest(), b"");
}

#[test]
fn a_client_that_does_not_answer_a_ping_is_given_up() {
    let server = asking("1s", "1s");
    let mut client = open(&server);
    let ping = frame(&mut client);
    assert_eq!((ping.opcode, ping.payload), (opcode::PING, Vec::new()));
    let goodbye = frame(&mut client);
    assert_eq!(goodbye.code(), Some(1011));
    assert!(
        goodbye.payload.ends_with(b"no answer to a ping"),
        "{goodbye:?}"
    );
    client.send(Sent::new(opcode::CLOSE, "").bytes());
    client.expect_end();
}

#[test]
fn a_client_that_is_heard_of_may_go_on() {
    let server = asking("1s", "3s");
    let mut client = open(&server);
    for _ in 0..3 {
        assert_eq!(frame(&mut client).opcode, opcode::PING);
        client.send(Sent::new(opcode::PONG, "").bytes());
    }
    talk(&mut client);
}

#[test]
fn a_thousand_idle_conversations_cost_little_memory() {
    let server = echo(&["--workers", "1"]);
    let worker = server.workers()[0];
    let mut first: Vec<Client> = (0..100).map(|_| open(&server)).collect();
    first.iter_mut().for_each(talk);
    let before = resident(worker);
    let mut idle: Vec<Client> = (0..1_000).map(|_| open(&server)).collect();
    idle.iter_mut().for_each(talk);
    let each = resident(worker).saturating_sub(before) * 1024 / 1_000;
    assert!(each < 20 * 1024, "an idle conversation costs {each} bytes");
    idle.iter_mut().step_by(100).for_each(talk);
}

/// Kibibytes of a process that are in memory.
fn resident(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.expect("a number of kB").parse().unwrap()
}

/// The example, asking its clients so often whether they are there, and waiting so long.
fn asking(every: &str, within: &str) -> Gatewayd {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gatewayd.toml");
    let text =
        format!("[app.config.websocket]\nping_interval = '{every}'\nping_timeout = '{within}'\n");
    fs::write(&config, text).unwrap();
    let mut command = program();
    command.args(["--bind", "127.0.0.1:0", "--workers", "1", "--config"]);
    Gatewayd::start(
        command
            .arg(config)
            .arg(Artefacts::built().module("websocket-echo")),
    )
}
