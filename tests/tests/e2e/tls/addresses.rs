//! TLS is spoken where the operator says, with the certificate that the client's name asks for, and
//! what is wrong with certificates is told before anybody is served.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use gateway_tests::certificates::Certificates;
use gateway_tests::client::{Client, get};
use gateway_tests::gatewayd::{Gatewayd, program, run};

use super::{ask, port, probe, start};

#[test]
fn tls_clear_text_and_redirects_stand_side_by_side() {
    let certificates = Certificates::new();
    certificates.issue("site", &["site.test"]);
    for workers in ["2", "0"] {
        let (cert, key) = (certificates.text("site.crt"), certificates.text("site.key"));
        let server = Gatewayd::start(program().args([
            "--workers",
            workers,
            "--bind",
            "https://127.0.0.1:0",
            "--bind",
            "127.0.0.1:0",
            "--bind",
            "redirect://127.0.0.1:0",
            "--tls-cert",
            &cert,
            "--tls-key",
            &key,
            probe(),
        ]));
        let [secured, plain, redirect] = &server.addresses[..] else {
            panic!("{:?}", server.addresses)
        };
        for (version, suite) in [("1.2", "TLSv1.2 / "), ("1.3", "TLSv1.3 / ")] {
            let flag = format!("--tlsv{version}");
            let words = [flag.as_str(), "--tls-max", version];
            let (code, said) = ask(&certificates, &server, "site.test", &words);
            assert_eq!(code, 0, "{said}");
            assert!(said.contains(suite), "{said}");
            assert!(
                said.contains("HTTP/2 200") || said.contains("200 OK"),
                "{said}"
            );
        }
        assert_eq!(Client::get(plain, "/pid").status, 200);
        let request = "POST /a?b=%20 HTTP/1.1\r\nHost: site.test:80\r\nContent-Length: 0\r\n\r\n";
        let answer = Client::fetch(redirect, request);
        assert_eq!(answer.status, 308);
        let there = format!("https://site.test:{}/a?b=%20", port(secured));
        assert_eq!(answer.field("location"), Some(there.as_str()));
        // One who speaks clear text to the wrong address is told so.
        let answer = Client::fetch(secured, get("/"));
        assert_eq!((answer.status, answer.closes()), (400, true));
        assert!(answer.text().contains("https://"));
        assert_eq!(server.stop().0, 0);
    }
}

#[test]
fn a_client_gets_the_certificate_for_the_name_that_it_asks_for() {
    let certificates = Certificates::new();
    certificates.issue("one", &["one.test", "*.wild.test"]);
    certificates.issue_rsa("two", &["two.test"]);
    certificates.issue("ecdsa", &["two.test"]);
    let path = |name: &str| certificates.text(name);
    let server = start(&[
        "--tls-cert",
        &path("one.crt"),
        "--tls-key",
        &path("one.key"),
        "--tls-cert",
        &path("two.crt"),
        "--tls-key",
        &path("two.key"),
        "--tls-cert",
        &path("ecdsa.crt"),
        "--tls-key",
        &path("ecdsa.key"),
    ]);
    for (name, more, subject) in [
        ("one.test", &[][..], "CN=one"),
        ("any.WILD.test", &[], "CN=one"),
        ("two.test", &["--sigalgs", "RSA+SHA256"], "CN=two"),
        ("unknown.test", &["--insecure"], "CN=one"),
        ("a.b.wild.test", &["--insecure"], "CN=one"),
    ] {
        if more.first() == Some(&"--sigalgs") {
            // curl cannot say which signatures it likes; openssl can.
            continue;
        }
        let (code, said) = ask(&certificates, &server, name, more);
        assert_eq!(code, 0, "{name}: {said}");
        assert!(
            said.contains(&format!("subject: {subject}")),
            "{name}: {said}"
        );
    }
    for (algorithm, subject) in [
        ("rsa_pss_rsae_sha256", "CN = two"),
        ("ecdsa_secp256r1_sha256", "CN = ecdsa"),
    ] {
        let connect = format!("127.0.0.1:{}", port(&server.address));
        let output = Command::new("openssl")
            .args(["s_client", "-connect", &connect, "-servername", "two.test"])
            .args(["-sigalgs", algorithm])
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(&format!("subject={subject}")), "{said}");
    }
}

#[test]
fn a_folder_of_certificates_is_read_whole() {
    let certificates = Certificates::new();
    certificates.issue("a", &["a.test"]);
    certificates.issue("b", &["b.test"]);
    let folder = certificates.path("all");
    fs::create_dir_all(folder.join("b.test")).unwrap();
    fs::copy(certificates.path("a.crt"), folder.join("a.pem")).unwrap();
    fs::copy(certificates.path("a.key"), folder.join("a.key")).unwrap();
    fs::copy(
        certificates.path("b.crt"),
        folder.join("b.test/fullchain.pem"),
    )
    .unwrap();
    fs::copy(
        certificates.path("b.key"),
        folder.join("b.test/privkey.pem"),
    )
    .unwrap();
    fs::write(folder.join("README"), "nothing").unwrap();
    let server = start(&["--tls-cert", folder.to_str().unwrap()]);
    for name in ["a.test", "b.test"] {
        let (code, said) = ask(&certificates, &server, name, &[]);
        assert_eq!(code, 0, "{said}");
    }
}

#[test]
fn what_is_wrong_with_a_certificate_is_told_at_the_start_with_its_file() {
    let certificates = Certificates::new();
    certificates.issue("good", &["good.test"]);
    certificates.issue("other", &["other.test"]);
    certificates.issue_expired("old", &["old.test"]);
    fs::write(certificates.path("empty.crt"), "").unwrap();
    fs::write(
        certificates.path("broken.key"),
        "-----BEGIN PRIVATE KEY-----\nMIIsecret\n",
    )
    .unwrap();
    fs::write(
        certificates.path("wrong.crt"),
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    fs::create_dir(certificates.path("none")).unwrap();
    for (cert, key, file, why) in [
        ("missing.crt", "good.key", "missing.crt", "No such file"),
        ("good.crt", "missing.key", "missing.key", "No such file"),
        (
            "good.crt",
            "other.key",
            "other.key",
            "expected the key of the certificate in",
        ),
        (
            "old.crt",
            "old.key",
            "old.crt",
            "the certificate has expired",
        ),
        (
            "empty.crt",
            "good.key",
            "empty.crt",
            "expected a certificate in PEM, found none",
        ),
        (
            "good.crt",
            "broken.key",
            "broken.key",
            "expected a private key in PEM",
        ),
        (
            "good.crt",
            "good.crt",
            "good.crt",
            "expected a private key in PEM, found none",
        ),
        (
            "wrong.crt",
            "good.key",
            "wrong.crt",
            "expected an X.509 certificate",
        ),
        ("none", "good.key", "none", "expected pairs such as"),
    ] {
        for workers in ["1", "0"] {
            let (code, said) = run(&[
                "--workers",
                workers,
                "--bind",
                "https://127.0.0.1:0",
                "--tls-cert",
                &certificates.text(cert),
                "--tls-key",
                &certificates.text(key),
                probe(),
            ]);
            assert_eq!(code, 1, "{said}");
            let place = certificates.text(file);
            assert!(said.contains(&place) && said.contains(why), "{said}");
            assert!(!said.contains("secret"), "{said}");
        }
    }
}

#[test]
fn settings_that_do_not_go_together_are_told() {
    for (arguments, why) in [
        (
            &["--bind", "https://127.0.0.1:0"][..],
            "--bind (command line): expected a tls-cert",
        ),
        (
            &["--bind", "redirect://127.0.0.1:0"],
            "expected an https address, or a redirect-port",
        ),
        (
            &["--tls-cert", "a"],
            "--tls-cert (command line): expected an address that is secured, such as \
             `--bind https://0.0.0.0:443`, found none: all would serve clear text",
        ),
        (
            &["--tls-key", "a"],
            "expected no more keys than certificates, found 1 for 0",
        ),
        (
            &["--tls-client-auth", "required"],
            "expected a tls-client-ca to judge clients by",
        ),
        (
            &["--tls-crl", "a"],
            "expected tls-client-auth to be `optional` or `required`",
        ),
    ] {
        let (code, said) = run(&[arguments, &[probe()]].concat());
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn one_secured_address_is_enough_for_certificates_whosever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("g.toml");
    let app = |name: &str, bind: &str| {
        let probe = probe();
        format!("[[app]]\npath = '{probe}'\nname = '{name}'\nbind = '{bind}'\n")
    };
    let file_is = |second: &str| {
        let apps = [app("inner", "127.0.0.1:0"), app("outer", second)].concat();
        fs::write(&file, format!("tls-cert = 'a.crt'\n{apps}")).unwrap();
        run(&["print-config", "--config", file.to_str().unwrap()])
    };
    let (code, said) = file_is("https://127.0.0.1:0");
    assert_eq!(code, 0, "{said}");
    let (code, said) = file_is("127.0.0.1:0");
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("g.toml:1: tls-cert: expected an address that is secured"),
        "{said}"
    );
}

#[test]
fn a_handshake_that_does_not_end_is_cut() {
    let certificates = Certificates::new();
    certificates.issue("site", &["site.test"]);
    let server = start(&[
        "--tls-cert",
        &certificates.text("site.crt"),
        "--tls-key",
        &certificates.text("site.key"),
        "--handshake-timeout",
        "3s",
    ]);
    let address = format!("127.0.0.1:{}", port(&server.address));
    // Nothing at all, and the beginning of a record.
    for bytes in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let mut client = TcpStream::connect(&address).unwrap();
        client.write_all(bytes).unwrap();
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"");
    }
    let (code, said) = ask(&certificates, &server, "site.test", &[]);
    assert_eq!(code, 0, "{said}");
}
