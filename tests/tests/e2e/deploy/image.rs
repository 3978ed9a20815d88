//! The image: what its recipe puts together starts as nobody in particular, on a root that nobody can
//! write to.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use gateway_tests::artefacts::{Artefacts, install, root};
use gateway_tests::process::Process;
use nix::sys::signal::Signal;

use super::{checker, said};

#[test]
fn the_recipe_is_right() {
    let recipe = root().join("deploy/docker/Dockerfile");
    said(checker("hadolint").arg(recipe));
}

#[test]
fn the_compose_file_is_right_and_leaves_the_application_time_to_stop() {
    let file = root().join("deploy/docker/compose.yaml");
    let mut compose = Command::new("docker-compose");
    let text = said(compose.arg("--file").arg(file).arg("config"));
    // As long as gatewayd itself takes at most, and five seconds more.
    assert!(text.contains("stop_grace_period: 40s"), "{text}");
    for part in ["read_only: true", "no-new-privileges:true", "- ALL"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    // nginx waits until the application is well, which somebody has to find out.
    assert!(text.contains("condition: service_healthy"), "{text}");
    let recipe = fs::read_to_string(root().join("deploy/docker/Dockerfile")).unwrap();
    assert!(recipe.contains("\nHEALTHCHECK "), "{recipe}");
    // Whom the application trusts is the network that nginx reaches it through.
    let [trusted, subnet] = ["GATEWAYD_TRUSTED_PROXIES: ", "subnet: "].map(|name| {
        let (_, rest) = text.split_once(name).unwrap_or_else(|| panic!("{text}"));
        rest.lines().next().unwrap()
    });
    assert_eq!(trusted, subnet);
}

#[test]
fn what_the_image_holds_serves_as_nobody_on_a_read_only_root() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path();
    let recipe = fs::read_to_string(root().join("deploy/docker/Dockerfile")).unwrap();
    let stage = recipe.rsplit_once("\nFROM ").unwrap().1;
    assert!(stage.starts_with("gcr.io/distroless/cc-debian12:nonroot\n"));
    // What is copied comes from this machine's build instead.
    let built = Artefacts::built();
    for line in stage.lines().filter(|line| line.starts_with("COPY ")) {
        let [_, _, from, to] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let name = Path::new(from).file_name().unwrap().to_str().unwrap();
        let source = match name.strip_prefix("lib") {
            Some(module) => built.module(module.strip_suffix(".so").unwrap()),
            None => built.program(name),
        };
        let place = tree.join(to.trim_start_matches('/'));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        install(source, &place);
        libraries(source, tree);
    }
    for name in ["tmp", "proc"] {
        fs::create_dir(tree.join(name)).unwrap();
    }
    fs::set_permissions(tree.join("tmp"), PermissionsExt::from_mode(0o1777)).unwrap();
    fs::set_permissions(tree, PermissionsExt::from_mode(0o755)).unwrap();
    // As the runtime has it: the tree, read-only, with /proc and a /tmp in memory, and its user.
    let script = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && \
                  mount -t tmpfs tmpfs \"$0/tmp\" && mount --rbind /proc \"$0/proc\" && cd \"$0\" && \
                  exec chroot --userspec=65532:65532 . /usr/local/bin/gatewayd /srv/app.so";
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--propagation", "private", "sh", "-c", script])
        .arg(tree)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("GATEWAYD_BIND", "127.0.0.1:0")
        .env("GATEWAYD_WORKERS", "2")
        .env("GATEWAYD_ADMIN", "unix:/tmp/admin");
    let server = Process::start(&mut command);
    let line = server.line_with("workers ready", 0);
    let start = line.find("http://").unwrap();
    let url = line[start..].split_whitespace().next().unwrap();
    let answer = gateway_tests::curl::curl(&[url]);
    assert_eq!(answer.stdout, "Hello, World!", "{answer:?}");
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    assert!(
        status.contains("Uid:\t65532\t65532\t65532\t65532"),
        "{status}"
    );
    server.signal(Signal::SIGTERM);
    let (code, told) = server.end();
    assert_eq!(code, 0, "{told}");
    assert!(!told.contains("WARN"), "{told}");
}

/// Copies the libraries that a program or module needs, all of which have to be in the image's base.
fn libraries(of: &Path, tree: &Path) {
    for line in said(Command::new("ldd").arg(of)).lines() {
        let Some(path) = line.split_whitespace().find(|word| word.starts_with('/')) else {
            continue;
        };
        let name = Path::new(path).file_name().unwrap().to_str().unwrap();
        assert!(BASE.contains(&name), "{name} is not in the image's base");
        let place = tree.join(path.trim_start_matches('/'));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(path, place).unwrap();
    }
}

/// Of distroless/cc, what programs of Rust may need.
const BASE: [&str; 4] = [
    "libc.so.6",
    "libm.so.6",
    "libgcc_s.so.1",
    "ld-linux-x86-64.so.2",
];
