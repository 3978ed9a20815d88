//! What docs/guide tells a newcomer to write is what its code reads, and its deployment serves.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gateway_tests::artefacts::{Artefacts, root};
use gateway_tests::client::Client;
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::nginx::Nginx;
use gateway_tests::process::Process;

#[test]
fn templates_and_styles_of_the_guide_are_those_that_its_code_renders() {
    let folder = root().join("docs/guide");
    let mut told = BTreeSet::new();
    for chapter in files(&folder, "md") {
        let text = fs::read_to_string(&chapter).unwrap();
        told.extend(
            blocks(&text, "html")
                .into_iter()
                .chain(blocks(&text, "css")),
        );
    }
    let mut kept = BTreeSet::new();
    let read = [("templates", "html"), ("static", "css")];
    for (below, extension) in read {
        let files = files(&folder.join(below), extension).into_iter();
        kept.extend(files.map(|file| fs::read_to_string(file).unwrap()));
    }
    assert!(!kept.is_empty());
    assert_eq!(told, kept);
}

#[test]
fn each_chapter_is_listed_compiled_and_leads_to_the_next() {
    let folder = root().join("docs/guide");
    let compiled = fs::read_to_string(root().join("tests/src/guide.rs")).unwrap();
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let first = fs::read_to_string(folder.join("README.md")).unwrap();
    let chapters = files(&folder, "md");
    assert_eq!(chapters.len(), 13);
    for chapter in chapters {
        let name = chapter.file_name().unwrap().to_str().unwrap();
        assert!(
            compiled.contains(&format!("{name:?}")),
            "{name} is not compiled"
        );
        assert!(
            summary.contains(&format!("(guide/{name})")),
            "{name} is not in SUMMARY.md"
        );
        assert!(
            name == "README.md" || first.contains(&format!("]({name})")),
            "{name} is not listed"
        );
        let text = fs::read_to_string(&chapter).unwrap();
        let is_end = ["README.md", "deployment.md"].contains(&name);
        assert!(is_end || text.contains("\nNext: ["), "{name} leads nowhere");
    }
}

#[test]
fn later_chapters_are_compiled_with_the_code_of_the_chapter_on_the_database() {
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.trim().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    };
    let kept = fs::read_to_string(root().join("tests/src/notebook.rs")).unwrap();
    let (_, kept) = kept.split_once("() => {\n").unwrap();
    let (kept, _) = kept.split_once("\n    };\n}").unwrap();
    let (imports, items) = kept.split_once("\n\n").unwrap();
    let text = fs::read_to_string(root().join("docs/guide/database.md")).unwrap();
    let told = lines(&blocks(&text, "rust")[0]);
    for import in lines(imports) {
        assert!(told.contains(&import), "{import}");
    }
    let items = lines(items);
    assert!(told.windows(items.len()).any(|window| window == items));
}

#[test]
fn the_manifest_of_the_guide_asks_for_what_the_blog_has() {
    let text = fs::read_to_string(root().join("docs/guide/README.md")).unwrap();
    let told = &blocks(&text, "toml")[0];
    let ours = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let blog = fs::read_to_string(root().join("examples/blog/Cargo.toml")).unwrap();
    let (_, needs) = blog.split_once("[dependencies]").unwrap();
    let needs = needs
        .lines()
        .filter_map(|line| line.split_once(".workspace"));
    let needs: Vec<&str> = needs.map(|(name, _)| name).collect();
    assert_eq!(needs, ["carafe", "rusqlite", "serde", "tempfile"]);
    // The framework is asked for by its path.
    for name in &needs[1..] {
        let version = |manifest: &str| {
            let line = manifest
                .lines()
                .find(|line| line.starts_with(&format!("{name} = ")));
            line.unwrap().split('"').nth(1).unwrap().to_owned()
        };
        assert_eq!(version(told), version(&ours), "{name}");
    }
    assert!(told.contains("crate-type = [\"cdylib\"]"), "{told}");
}

#[test]
fn the_deployment_of_the_guide_serves_the_blog_behind_nginx() {
    let text = fs::read_to_string(root().join("docs/guide/deployment.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let below = |name: &str| folder.path().join(name).display().to_string();
    let module = Artefacts::built().module("blog").display().to_string();
    let here = |text: &str| {
        text.replace("/srv/blog/libblog.so", &module)
            .replace(
                "/srv/blog",
                &root().join("examples/blog").display().to_string(),
            )
            .replace("/var/lib/blog/", &below(""))
            .replace("/etc/blog/secret", &below("secret"))
            .replace("/run/blog/", &below(""))
    };
    fs::write(below("secret"), "0123456789abcdef0123456789abcdef\n").unwrap();
    let settings = blocks(&text, "toml");
    let trial = settings[1].split_once("[app.config]\n").unwrap().1;
    let told = settings[0].replace("[app.config]\n", &format!("[app.config]\n{trial}"));
    fs::write(below("gatewayd.toml"), here(&told)).unwrap();
    // The command of the guide's chapter on databases, with the configuration that serves.
    let wants = ["init-db", "--config", &below("gatewayd.toml")];
    let (code, said) = Process::start(program().args(wants)).end();
    assert_eq!((code, said.as_str()), (0, "The database is empty now."));
    let server = Gatewayd::start(program().args(["--config", &below("gatewayd.toml")]));
    assert_eq!(server.workers().len(), 4);
    // As long as the second block says.
    let told = "GET /auth/login HTTP/1.1\r\nHost: blog.example\r\nX-Forwarded-Proto: https\r\n\r\n";
    let page = server.fetch(told);
    let transport = page.field("strict-transport-security");
    assert_eq!(transport, Some("max-age=300"), "{}", page.text());
    let nginx = Nginx::serve(&here(&blocks(&text, "nginx")[0]), folder.path());
    let page = Client::get(&nginx.address, "/auth/login");
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains("<h1>Log in</h1>"), "{}", page.text());
    // Cookies are for HTTPS alone, except on a developer's own machine, of which nginx tells the name.
    let is_secure = |host: &str| {
        let request = format!("GET /auth/login HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let page = Client::fetch(&nginx.address, request);
        page.field("set-cookie")
            .expect("a session")
            .contains("Secure")
    };
    assert!(is_secure("blog.example") && !is_secure("localhost:8000"));
    let style = Client::get(&nginx.address, "/static/style.css");
    assert_eq!(style.status, 200);
}

/// The files in `folder` whose name has this extension.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

/// The blocks of a chapter in one language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let rest = text.split(&opening).skip(1);
    rest.map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}
