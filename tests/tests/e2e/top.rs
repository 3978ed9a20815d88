//! `gatewayd top` in a terminal: drawn again and again, until a key ends it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::Stdio;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::gatewayd::{Gatewayd, program};
use nix::pty::openpty;
use nix::sys::termios::{LocalFlags, tcgetattr};

#[test]
fn it_draws_every_second_and_leaves_the_terminal_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let control = folder.path().join("control");
    let mut command = program();
    command
        .args(["--workers", "1", "--bind", "127.0.0.1:0", "--control"])
        .arg(&control)
        .arg(Artefacts::built().module("probe"));
    let server = Gatewayd::start(&mut command);
    let terminal = openpty(None, None).unwrap();
    let end = |_| Stdio::from(terminal.slave.try_clone().unwrap());
    let before = tcgetattr(&terminal.slave).unwrap();
    let mut top = program()
        .args(["top", "--control"])
        .arg(&control)
        .stdin(end(0))
        .stdout(end(1))
        .stderr(end(2))
        .spawn()
        .unwrap();
    let mut screen = File::from(terminal.master);
    let mut said = String::new();
    let read_on = |screen: &mut File, said: &mut String| {
        let mut part = [0; 4096];
        let length = screen.read(&mut part).unwrap();
        said.push_str(&String::from_utf8_lossy(&part[..length]));
    };
    // The rate is known with the second look.
    while !said.contains("requests a second") {
        read_on(&mut screen, &mut said);
    }
    assert!(
        said.contains("1 worker wanted") && said.contains(" ready "),
        "{said:?}"
    );
    let during = tcgetattr(&terminal.slave).unwrap();
    assert!(
        !during
            .local_flags
            .intersects(LocalFlags::ICANON | LocalFlags::ECHO)
    );
    screen.write_all(b"q").unwrap();
    // Back to the page that was there before (xterm's 1049).
    while !said.contains("\x1b[?1049l") {
        read_on(&mut screen, &mut said);
    }
    assert!(top.wait().unwrap().success());
    assert_eq!(tcgetattr(&terminal.slave).unwrap(), before);
    assert_eq!(server.stop().0, 0);
}
