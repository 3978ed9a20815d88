//! What an application logs by `log` and `tracing` stands in the server's log, with its level, its
//! target and its values.

use gateway_tests::artefacts::Artefacts;
use gateway_tests::gatewayd::Gatewayd;

#[test]
fn an_applications_records_and_events_stand_in_the_servers_log() {
    let probe = Artefacts::built().module("probe");
    let server = Gatewayd::serve(probe, &["--workers", "1", "--log-level", "info"]);
    assert_eq!(server.get("/log").text(), "logged");
    let (_, said) = server.stop();
    for (level, line) in [
        ("INFO", "[probe] by log answer=42"),
        ("WARN", "[probe] by tracing answer=43 name=a b"),
    ] {
        let is_it = |said: &str| said.contains(level) && said.ends_with(line);
        assert!(said.lines().any(is_it), "{line}: {said}");
    }
    assert!(!said.contains("not wanted"), "{said}");
    assert!(!said.contains("unkept"), "{said}");
}
