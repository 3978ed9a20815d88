//! The same files under every server, behind the same nginx, answer alike.

use gateway_tests::matrix::swap;

#[test]
fn every_server_behind_nginx_answers_as_gatewayd_but_for_documented_limits() {
    let folder = tempfile::tempdir().unwrap();
    for application in swap::applications(&folder) {
        let (name, count) = (application.name, application.requests());
        assert!(count >= 80, "{name}: {count} requests");
    }
    let (table, faults) = swap::table("");
    assert_eq!(faults, [""; 0], "{table}");
}
