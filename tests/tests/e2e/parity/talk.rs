//! Requests one after the other, with the cookies that the answers bring.

use std::collections::BTreeMap;
use std::time::Instant;

use gateway_tests::DEADLINE;
use gateway_tests::address::Address;
use gateway_tests::client::Client;
use gateway_tests::response::Response;

use super::better::{self, Better};

/// What a client does. Each talk begins without cookies.
pub(super) struct Talk {
    pub(super) name: &'static str,
    pub(super) jars: Jars,
    pub(super) steps: Vec<Step>,
}

/// Whose cookies go to whom.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Jars {
    /// Each server gets its own back.
    Own,
    /// After each request the servers get each other's.
    Swapped,
}

/// One request.
pub(super) struct Step {
    method: &'static str,
    target: String,
    host: &'static str,
    fields: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
    /// Sent again until the answer has this status: for what happens after an answer.
    until: Option<u16>,
}

/// What a client keeps of answers.
#[derive(Default)]
pub(super) struct Jar {
    /// The cookies, by name.
    cookies: BTreeMap<String, String>,
    /// What `{etag}` and `{modified}` in later fields stand for.
    validators: [String; 2],
}

impl Talk {
    pub(super) fn new(name: &'static str, steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            name,
            jars: Jars::Own,
            steps: steps.into_iter().collect(),
        }
    }

    pub(super) fn swapped(mut self) -> Self {
        self.jars = Jars::Swapped;
        self
    }
}

/// Requests that have nothing to do with each other.
pub(super) fn each(name: &'static str, steps: impl IntoIterator<Item = Step>) -> Vec<Talk> {
    let alone = |step| Talk::new(name, [step]);
    steps.into_iter().map(alone).collect()
}

pub(super) fn get(target: impl Into<String>) -> Step {
    request("GET", target)
}

pub(super) fn post(target: impl Into<String>, kind: &str, body: impl Into<Vec<u8>>) -> Step {
    request("POST", target).body(kind, body)
}

pub(super) fn request(method: &'static str, target: impl Into<String>) -> Step {
    Step {
        method,
        target: target.into(),
        host: "localhost",
        // As browsers say of a site's own pages.
        fields: vec![("sec-fetch-site", "same-origin".to_owned())],
        body: None,
        until: None,
    }
}

impl Step {
    pub(super) fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        if !kind.is_empty() {
            self = self.field("content-type", kind);
        }
        self.body = Some(body.into());
        self
    }

    pub(super) fn field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.retain(|(other, _)| *other != name);
        self.fields.push((name, value.into()));
        self
    }

    pub(super) fn host(mut self, host: &'static str) -> Self {
        self.host = host;
        self
    }

    pub(super) fn until(mut self, status: u16) -> Self {
        self.until = Some(status);
        self
    }

    /// How carafe's answer is better than Flask's, if it is to be.
    pub(super) fn better(&self, talk: &str) -> Option<&'static Better> {
        let told = self.told();
        let rest = told.strip_prefix(&self.first_line()).unwrap_or_default();
        better::of(&self.first_line(), &format!("{talk} {} {rest}", self.host))
    }

    fn first_line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    /// All of it, to be told.
    pub(super) fn told(&self) -> String {
        let body = self
            .body
            .as_deref()
            .unwrap_or_default()
            .escape_ascii()
            .to_string();
        let fields = &self.fields[1..];
        format!(
            "{} {fields:?} {}",
            self.first_line(),
            body.chars().take(160).collect::<String>()
        )
    }

    pub(super) fn send(&self, address: &Address, jar: &Jar) -> Response {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let response = self.send_once(address, jar);
            if self.until.is_none_or(|status| response.status == status) {
                return response;
            }
            assert!(
                Instant::now() < deadline,
                "{} stays {response:?}",
                self.first_line()
            );
        }
    }

    fn send_once(&self, address: &Address, jar: &Jar) -> Response {
        let mut head = format!("{} HTTP/1.1\r\nHost: {}\r\n", self.first_line(), self.host);
        for (name, value) in &self.fields {
            let [etag, modified] = &jar.validators;
            let value = value
                .replace("{etag}", etag)
                .replace("{modified}", modified);
            head += &format!("{name}: {value}\r\n");
        }
        if !jar.cookies.is_empty() {
            let pairs: Vec<_> = jar
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            head += &format!("cookie: {}\r\n", pairs.join("; "));
        }
        if let Some(body) = &self.body {
            head += &format!("content-length: {}\r\n", body.len());
        }
        head += "\r\n";
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        let mut client = Client::connect(address);
        client.send(bytes);
        match self.method {
            "HEAD" => client.response_to_head(),
            _ => client.response(),
        }
    }
}

impl Jar {
    /// Takes the cookies of an answer, those without a value go, and its validators.
    pub(super) fn keep(&mut self, response: &Response) {
        for (kept, name) in self.validators.iter_mut().zip(["etag", "last-modified"]) {
            response.field(name).unwrap_or_default().clone_into(kept);
        }
        for line in response.all("set-cookie") {
            let pair = line.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match value {
                "" | "\"\"" => self.cookies.remove(name),
                _ => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
    }
}
