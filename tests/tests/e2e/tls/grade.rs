//! What a scanner makes of it that thousands judge their servers by.

use std::process::Command;

use gateway_tests::gatewayd::{Gatewayd, program};
use serde_json::Value;

use super::{port, probe, site};

#[test]
fn testssl_finds_nothing_to_complain_of_but_who_issued_the_certificate() {
    let (certificates, words) = site();
    let server = Gatewayd::start(
        program()
            .args(["--workers", "2", "--bind", "https://127.0.0.1:0"])
            .args(words)
            .arg(probe()),
    );
    let report = certificates.path("report.json");
    let report_text = report.to_str().unwrap();
    // Protocols, suites, forward secrecy, preferences, the server's defaults, known vulnerabilities.
    let asked = ["-p", "-s", "-f", "-P", "-S", "-U"];
    let manners = ["--quiet", "--color", "0", "--warnings", "off", "--sneaky"];
    let authority = certificates.text("ca.crt");
    let ran = Command::new("testssl")
        .args(manners)
        .args(asked)
        .args(["--add-ca", &authority, "--ip", "127.0.0.1"])
        .args(["--jsonfile", report_text])
        .arg(format!("https://site.test:{}", port(&server.address)))
        .output()
        .expect("testssl.sh to be installed: apt-get install testssl.sh");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let findings = std::fs::read(&report).unwrap_or_else(|_| panic!("no report: {said}"));
    let findings: Vec<Value> = serde_json::from_slice(&findings).unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let is_good = |id: &str, severity: &str| {
        let found = |one: &Value| text(one, "id") == id && text(one, "severity") == severity;
        findings.iter().any(found)
    };
    // It has looked, and seen what there is.
    assert!(is_good("TLS1_2", "OK") && is_good("TLS1_3", "OK"), "{said}");
    assert!(is_good("FS", "OK") || is_good("PFS", "OK"), "{said}");
    let complaints: Vec<String> = findings
        .iter()
        .filter(|one| ["LOW", "MEDIUM", "HIGH", "CRITICAL"].contains(&&*text(one, "severity")))
        .filter(|one| !ISSUER.contains(&&*text(one, "id")))
        .map(|one| {
            let [severity, id, finding] = ["severity", "id", "finding"].map(|key| text(one, key));
            format!("{severity} {id}: {finding}")
        })
        .collect();
    assert_eq!(complaints, [""; 0], "{said}");
}

/// Findings about who issued the certificate, for how long, and how it is taken back.
const ISSUER: [&str; 5] = [
    "cert_expirationStatus",
    "cert_notAfter",
    "cert_revocation",
    "cert_trust",
    "DNS_CAArecord",
];
