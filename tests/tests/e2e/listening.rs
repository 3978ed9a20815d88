//! Addresses are taken honestly: never one that another server holds, never a file that is not ours.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::FileTypeExt;

use gateway_tests::address::Address;
use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::Client;
use gateway_tests::gatewayd::{Gatewayd, program, run};

fn hello() -> &'static str {
    Artefacts::built().module("hello").to_str().unwrap()
}

#[test]
fn a_port_in_use_is_refused_and_named() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    for workers in ["2", "0"] {
        let (code, said) = run(&["--workers", workers, "--bind", &address, hello()]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(&address) && said.contains("in use"), "{said}");
        assert!(!said.contains("ready in"), "{said}");
    }
}

#[test]
fn a_unix_path_serves_and_goes_with_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.sock");
    let bind = format!("unix:{}", path.display());
    for workers in ["1", "0"] {
        let server =
            Gatewayd::start(program().args(["--workers", workers, "--bind", &bind, hello()]));
        assert_eq!(server.address, Address::Unix(path.clone()));
        assert_eq!(server.get("/").text(), "Hello, World!");
        let (code, said) = server.stop();
        assert_eq!(code, 0, "{said}");
        assert!(
            !path.exists(),
            "--workers {workers} left {}",
            path.display()
        );
    }
}

#[test]
fn a_unix_path_of_a_live_server_is_refused_and_stays_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.sock");
    let bind = format!("unix:{}", path.display());
    let server = Gatewayd::start(program().args(["--workers", "1", "--bind", &bind, hello()]));
    let (code, said) = run(&["--workers", "1", "--bind", &bind, hello()]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("gateway.sock"), "{said}");
    assert_eq!(server.get("/").text(), "Hello, World!");
}

#[test]
fn a_unix_path_left_over_by_a_killed_server_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.sock");
    let bind = format!("unix:{}", path.display());
    // Dropped means killed: nothing is tidied up.
    drop(Gatewayd::start(program().args([
        "--workers",
        "1",
        "--bind",
        &bind,
        hello(),
    ])));
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
    let server = Gatewayd::start(program().args(["--workers", "1", "--bind", &bind, hello()]));
    assert_eq!(server.get("/").text(), "Hello, World!");
}

#[test]
fn a_file_that_is_no_socket_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("precious.txt");
    fs::write(&path, "precious").unwrap();
    let bind = format!("unix:{}", path.display());
    let (code, said) = run(&["--workers", "1", "--bind", &bind, hello()]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("precious.txt"), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn several_addresses_are_served_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.sock");
    let bind = format!("unix:{}", path.display());
    let mut command = program();
    command.args([
        "--workers",
        "2",
        "--bind",
        "127.0.0.1:0",
        "--bind",
        &bind,
        hello(),
    ]);
    let server = Gatewayd::start(&mut command);
    assert_eq!(server.get("/").text(), "Hello, World!");
    assert_eq!(
        Client::get(&Address::Unix(path), "/").text(),
        "Hello, World!"
    );
}
