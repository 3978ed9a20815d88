//! systemd's own tools read the units, and the server does what they rely on.

use std::fs;
use std::process::Command;

use gateway_tests::artefacts::{Artefacts, install, root};
use gateway_tests::gatewayd::program;

use super::{deployed, said};

#[test]
fn the_units_are_right_and_the_service_is_confined() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("gatewayd");
    install(Artefacts::built().program("gatewayd"), &own);
    let own = own.to_str().unwrap();
    let service = deployed(
        "systemd/gatewayd.service",
        &[("/usr/local/bin/gatewayd", own)],
    );
    fs::write(folder.path().join("gatewayd.service"), service).unwrap();
    let socket = deployed("systemd/gatewayd.socket", &[]);
    fs::write(folder.path().join("gatewayd.socket"), socket).unwrap();
    for unit in ["gatewayd.service", "gatewayd.socket"] {
        let verified = said(
            Command::new("systemd-analyze")
                .args(["verify", "--man=no", "--recursive-errors=no"])
                .arg(folder.path().join(unit)),
        );
        let complaints: Vec<&str> = verified
            .lines()
            .filter(|line| line.contains("gatewayd"))
            .collect();
        assert_eq!(complaints, [""; 0], "{verified}");
    }
    // Of 10; an unconfined service has 9.6.
    let security = ["security", "--offline=true", "--threshold=15"];
    said(
        Command::new("systemd-analyze")
            .args(security)
            .arg(folder.path().join("gatewayd.service")),
    );
}

#[test]
fn the_services_configuration_is_accepted_and_the_time_to_stop_suffices() {
    let app = Artefacts::built().module("hello").to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gatewayd.toml");
    let text = deployed("systemd/gatewayd.toml", &[("/srv/app/app.so", app)]);
    fs::write(&file, text).unwrap();
    said(program().arg("check-config").arg("--config").arg(&file));
    let printed = said(program().arg("print-config").arg("--config").arg(&file));
    let seconds = |name: &str| {
        let line = printed
            .lines()
            .find(|line| line.starts_with(&format!("{name} = ")));
        let value = line.unwrap().split('"').nth(1).unwrap().to_owned();
        value.trim_end_matches('s').parse::<u64>().unwrap()
    };
    let unit = fs::read_to_string(root().join("deploy/systemd/gatewayd.service")).unwrap();
    let stop = unit
        .lines()
        .find_map(|line| line.strip_prefix("TimeoutStopSec="));
    let stop: u64 = stop.unwrap().parse().unwrap();
    assert!(stop > seconds("drain-delay") + seconds("graceful-timeout") + 5);
}
