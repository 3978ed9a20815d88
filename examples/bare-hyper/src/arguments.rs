//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// What is served, and where.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) module: PathBuf,
    pub(crate) bind: SocketAddr,
    /// Files of a certificate chain and its key, PEM.
    pub(crate) tls: Option<[PathBuf; 2]>,
    pub(crate) lint: bool,
}

impl Arguments {
    pub(crate) fn read() -> Result<Self> {
        let mut words = std::env::args().skip(1);
        let mut module = None;
        let mut this = Self {
            module: PathBuf::new(),
            bind: SocketAddr::from(([127, 0, 0, 1], 8000)),
            tls: None,
            lint: false,
        };
        while let Some(word) = words.next() {
            let mut next = || words.next().with_context(|| format!("{word}: of what?"));
            match word.as_str() {
                "--bind" => this.bind = next()?.parse().context("--bind")?,
                "--tls" => this.tls = Some([next()?.into(), next()?.into()]),
                "--lint" => this.lint = true,
                _ if module.is_none() => module = Some(word.into()),
                _ => bail!("{word}: expected one application"),
            }
        }
        this.module = module.context(USAGE)?;
        Ok(this)
    }
}

const USAGE: &str = "usage: bare-hyper app.so [--bind ADDRESS] [--tls CERTIFICATE KEY] [--lint]";
