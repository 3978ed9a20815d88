//! The same files under every server, behind the same nginx, answer alike.

use gateway_tests::matrix::swap;

#[test]
fn every_server_behind_nginx_answers_as_gatewayd_but_for_documented_limits() {
    let folder = tempfile::tempdir().unwrap();
    let [echo, ..] = swap::applications(&folder);
    assert!(echo.requests() >= 80, "{} requests", echo.requests());
    let (table, faults) = swap::table();
    assert_eq!(faults, [""; 0], "{table}");
}
