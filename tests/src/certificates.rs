//! Certificates, made by openssl as people make them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A folder of certificates, and an authority that signs them.
#[derive(Debug)]
pub struct Certificates {
    folder: TempDir,
}

impl Default for Certificates {
    fn default() -> Self {
        Self::new()
    }
}

impl Certificates {
    /// An authority alone.
    ///
    /// # Panics
    /// When openssl is not installed.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let this = Self { folder };
        this.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout ca.key \
             -out ca.crt -days 3650 -subj /CN=authority -addext keyUsage=keyCertSign,cRLSign",
        );
        this
    }

    /// `NAME.crt` and `NAME.key`: a certificate for these DNS names, with an ECDSA key.
    pub fn issue(&self, file: &str, names: &[&str]) {
        self.issue_with(file, names, "ec -pkeyopt ec_paramgen_curve:P-256", &[]);
    }

    /// The same with an RSA key.
    pub fn issue_rsa(&self, file: &str, names: &[&str]) {
        self.issue_with(file, names, "rsa:2048", &[]);
    }

    /// The same, expired since 2020.
    pub fn issue_expired(&self, file: &str, names: &[&str]) {
        let past = ["faketime", "2020-01-01 00:00:00"];
        self.issue_with(file, names, "ec -pkeyopt ec_paramgen_curve:P-256", &past);
    }

    fn issue_with(&self, file: &str, names: &[&str], key: &str, before: &[&str]) {
        let names: Vec<String> = names.iter().map(|name| format!("DNS:{name}")).collect();
        let extensions = format!("subjectAltName={}\n", names.join(","));
        fs::write(self.path("extensions"), extensions).unwrap();
        self.openssl(&format!(
            "req -newkey {key} -noenc -keyout {file}.key -out {file}.csr -subj /CN={file}"
        ));
        let sign = format!(
            "x509 -req -in {file}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 \
             -extfile extensions -out {file}.crt"
        );
        self.run(before, &sign);
    }

    /// `crl.pem`: a list on which these certificates stand.
    pub fn revoke(&self, files: &[&str]) {
        fs::write(self.path("index.txt"), "").unwrap();
        fs::write(self.path("crlnumber"), "01\n").unwrap();
        let config = "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\ncrlnumber=crlnumber\n\
                      default_md=sha256\ndefault_crl_days=30\ncertificate=ca.crt\nprivate_key=ca.key\n";
        fs::write(self.path("ca.cnf"), config).unwrap();
        for file in files {
            self.openssl(&format!("ca -config ca.cnf -revoke {file}.crt"));
        }
        self.openssl("ca -config ca.cnf -gencrl -out crl.pem");
    }

    /// The path of a file in the folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same as text.
    ///
    /// # Panics
    /// When the temporary folder's name is no text.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// What a server is told that shows a certificate.
    #[must_use]
    pub fn arguments(&self, name: &str) -> [String; 4] {
        let [cert, key] = ["crt", "key"].map(|kind| self.text(&format!("{name}.{kind}")));
        ["--tls-cert".to_owned(), cert, "--tls-key".to_owned(), key]
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn openssl(&self, words: &str) {
        self.run(&[], words);
    }

    fn run(&self, before: &[&str], words: &str) {
        let mut all = before.to_vec();
        all.push("openssl");
        all.extend(words.split_whitespace());
        let output = Command::new(all[0])
            .args(&all[1..])
            .current_dir(self.folder.path())
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", all[0]));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{all:?}: {said}");
    }
}
