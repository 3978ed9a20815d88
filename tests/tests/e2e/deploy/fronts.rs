//! Apache, HAProxy and Caddy with the files of `deploy/`.

use std::fs;
use std::process::Command;

use gateway_tests::address::Address;
use gateway_tests::apache::Apache;
use gateway_tests::client::Client;
use gateway_tests::process::Process;
use gateway_tests::until;

use super::{below, deployed, serve};

fn place(address: &Address) -> String {
    match address {
        Address::Tcp(address) => address.to_string(),
        Address::Unix(path) => path.display().to_string(),
    }
}

/// Waits until somebody answers there as the probe does.
fn expect_probe(address: &Address, said: impl Fn() -> String) {
    until("an answer through the front", || {
        let connected = address.connect().is_ok();
        connected && Client::get(address, "/version").status == 200
    });
    let answer = Client::get(address, "/facts/a%2Fb%25c").text().to_owned();
    assert!(
        answer.contains("target: /facts/a%2Fb%25c\n"),
        "{answer}: {}",
        said()
    );
}

#[test]
fn haproxy_speaks_http_and_introduces_clients_by_the_proxy_protocol() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(
        "probe",
        &["127.0.0.1:0", "proxy+http://127.0.0.1:0"],
        &["--trusted-proxies", "127.0.0.1"],
    );
    let [plain, introduced] = &server.addresses[..] else {
        panic!("{:?}", server.addresses)
    };
    let (http, bytes) = (
        below(folder.path(), "http.sock"),
        below(folder.path(), "bytes.sock"),
    );
    let text = deployed(
        "haproxy/haproxy.cfg",
        &[
            ("127.0.0.1:8000", &place(plain)),
            ("127.0.0.1:8001", &place(introduced)),
            ("bind :80\n", &format!("bind unix@{http}\n")),
            ("bind :81\n", &format!("bind unix@{bytes}\n")),
        ],
    );
    // Unix sockets have no address to hand on.
    let file = folder.path().join("haproxy.cfg");
    fs::write(&file, text).unwrap();
    let mut command = Command::new("/usr/sbin/haproxy");
    let process = Process::start(command.arg("-db").arg("-f").arg(file));
    for socket in [http, bytes] {
        expect_probe(&Address::Unix(socket.into()), || process.said());
    }
}

#[test]
fn caddy_speaks_http() {
    let folder = tempfile::tempdir().unwrap();
    let socket = below(folder.path(), "app.sock");
    let _server = serve(
        "probe",
        &[&format!("unix:{socket}")],
        &["--trusted-proxies", "unix"],
    );
    let front = below(folder.path(), "caddy.sock");
    let site = deployed(
        "caddy/Caddyfile",
        &[
            ("/run/gatewayd/app.sock", &socket),
            (":80 {", &format!("http:// {{\n\tbind unix/{front}")),
        ],
    );
    let file = folder.path().join("Caddyfile");
    let global = "{\n\tadmin off\n\tauto_https off\n}\n";
    fs::write(&file, format!("{global}{site}")).unwrap();
    let mut command = Command::new("caddy");
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(file)
        .env("HOME", folder.path());
    let process = Process::start(&mut command);
    expect_probe(&Address::Unix(front.into()), || process.said());
}

#[test]
fn apache_speaks_http_fastcgi_scgi_and_uwsgi() {
    let fronts = [
        ("http.conf", "proxy_http", "unix:", "/run/gatewayd/app.sock"),
        ("fastcgi.conf", "proxy_fcgi", "fastcgi://", "127.0.0.1:9000"),
        ("scgi.conf", "proxy_scgi", "scgi://", "127.0.0.1:9000"),
        ("uwsgi.conf", "proxy_uwsgi", "uwsgi://", "127.0.0.1:9000"),
    ];
    for (file, module, scheme, own) in fronts {
        let folder = tempfile::tempdir().unwrap();
        let bind = match scheme {
            "unix:" => format!("unix:{}", below(folder.path(), "app.sock")),
            _ => format!("{scheme}127.0.0.1:0"),
        };
        let server = serve("probe", &[&bind], &["--unix-mode", "0666"]);
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(folder.path(), open).unwrap();
        let there = place(&server.address);
        let modules = ["headers", "proxy", module];
        let site = deployed(&format!("apache/{file}"), &[(own, &there)]);
        let apache = Apache::serve(&site, &modules, folder.path());
        expect_probe(&apache.address, || apache.said());
    }
}
