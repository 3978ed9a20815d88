//! lighttpd's mod_fastcgi, mod_scgi and mod_cgi.

use gateway_tests::artefacts::Artefacts;
use gateway_tests::cgi::script;
use gateway_tests::client::post;
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::lighttpd::Lighttpd;

use super::fetch;

#[test]
fn lighttpd_passes_requests_on_whole() {
    let folder = tempfile::tempdir().unwrap();
    let echo = Artefacts::built().module("echo");
    let script = script(echo, folder.path());
    assert!(script.ends_with("app.cgi"));
    let mut command = program();
    for protocol in ["fastcgi", "scgi"] {
        let socket = folder.path().join(format!("{protocol}.sock"));
        let bind = format!("{protocol}://unix:{}", socket.display());
        command.args(["--bind", &bind]);
    }
    let _server = Gatewayd::start(command.args(["--workers", "1"]).arg(echo));
    let lighttpd = Lighttpd::serve(SITE, folder.path());
    for way in ["fastcgi", "scgi", "cgi/app.cgi"] {
        for (target, length) in [("a%2Fb?q=%20", 0), ("b", 100_000)] {
            let request = post(&format!("/{way}/{target}"), &vec![b'b'; length]);
            let found = fetch(&lighttpd.address, &request);
            assert_eq!(found.status, 200, "{way}: {}", lighttpd.said());
            let found = found.json();
            assert_eq!(found["target"], format!("/{way}/{target}"), "{way}");
            assert_eq!(found["method"], "POST", "{way}");
            assert_eq!(found["body_len"], length, "{way}");
        }
    }
}

const SITE: &str = r#"
server.modules = ( "mod_fastcgi", "mod_scgi", "mod_cgi", "mod_alias" )
alias.url = ( "/cgi/" => "@folder@/" )
fastcgi.server = ( "/fastcgi" => (( "socket" => "@folder@/fastcgi.sock", "check-local" => "disable" )) )
scgi.server = ( "/scgi" => (( "socket" => "@folder@/scgi.sock", "check-local" => "disable" )) )
cgi.assign = ( ".cgi" => "" )
"#;
