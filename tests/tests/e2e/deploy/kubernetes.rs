//! The manifests are what Kubernetes expects, and the grace period is long enough for the drain.

use std::fs;
use std::process::Command;

use gateway_tests::artefacts::root;

use super::{checker, said};

fn built(folder: &str) -> String {
    let path = root().join("deploy/kubernetes").join(folder);
    said(Command::new("kubectl").arg("kustomize").arg(path))
}

#[test]
fn the_manifests_are_valid_to_the_letter() {
    let folder = tempfile::tempdir().unwrap();
    for (name, kinds) in [("base", 6), ("overlays/production", 9)] {
        let text = built(name);
        let path = folder.path().join("all.yaml");
        fs::write(&path, &text).unwrap();
        let found = said(checker("kubernetes-validate").arg("--strict").arg(&path));
        let passed = found
            .lines()
            .filter(|line| line.contains(" passed "))
            .count();
        assert_eq!(passed, kinds, "{found}");
    }
}

#[test]
fn a_pod_has_time_to_drain_and_is_asked_where_it_answers() {
    let text = built("overlays/production");
    let number = |before: &str| -> u64 {
        let start = text.find(before).unwrap_or_else(|| panic!("no {before}")) + before.len();
        let digits: String = text[start..]
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        digits.parse().unwrap()
    };
    let grace = number("terminationGracePeriodSeconds: ");
    let drain = number("GATEWAYD_DRAIN_DELAY: ") + number("GATEWAYD_GRACEFUL_TIMEOUT: ");
    assert!(grace >= drain + 5, "{grace} s for {drain} s");
    for part in [
        "path: /readyz",
        "path: /livez",
        "containerPort: 9090",
        "GATEWAYD_ADMIN: 0.0.0.0:9090",
        "readOnlyRootFilesystem: true",
        "automountServiceAccountToken: false",
        "pod-security.kubernetes.io/enforce: restricted",
        "startupProbe:",
        "readinessProbe:",
        "livenessProbe:",
        "limits:",
        "type: RuntimeDefault",
        "mountPath: /run/secrets/app",
        "kind: NetworkPolicy",
        "kind: ServiceAccount",
        "kind: HorizontalPodAutoscaler",
        "kind: PodDisruptionBudget",
        "kind: Ingress",
        "  tls:",
    ] {
        assert!(text.contains(part), "no {part}");
    }
}
