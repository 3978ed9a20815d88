//! The load: one thread, a few connections, each request answered before the connection's next.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// What is asked, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scenario {
    /// A request with three fields.
    Hello,
    /// A request as a browser sends it, with eleven fields.
    Browser,
    /// Sixteen requests at once.
    Pipelined,
    /// A connection for each request.
    Close,
}

/// Connections to one server.
#[derive(Debug)]
pub(crate) struct Load {
    address: SocketAddr,
    scenario: Scenario,
    connections: Vec<BufReader<TcpStream>>,
}

impl Scenario {
    pub(crate) const ALL: [Self; 4] = [Self::Hello, Self::Browser, Self::Pipelined, Self::Close];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Browser => "browser",
            Self::Pipelined => "pipelined",
            Self::Close => "close",
        }
    }

    fn depth(self) -> usize {
        if matches!(self, Self::Pipelined) {
            16
        } else {
            1
        }
    }

    fn request(self, address: SocketAddr) -> Vec<u8> {
        let more = match self {
            Self::Browser => BROWSER_FIELDS,
            Self::Close => "Connection: close\r\n",
            Self::Hello | Self::Pipelined => "",
        };
        let plain = "User-Agent: bench\r\nAccept: */*\r\n";
        let one = format!("GET / HTTP/1.1\r\nHost: {address}\r\n{plain}{more}\r\n");
        one.repeat(self.depth()).into_bytes()
    }
}

impl Load {
    /// Opens the connections.
    pub(crate) fn connect(address: SocketAddr, scenario: Scenario, count: usize) -> Result<Self> {
        let connections = (0..count).map(|_| open(address)).collect::<Result<_>>()?;
        Ok(Self {
            address,
            scenario,
            connections,
        })
    }

    /// Sends at least that many requests and checks every answer.
    pub(crate) fn run(&mut self, requests: usize) -> Result<()> {
        let batch = self.scenario.request(self.address);
        let mut body = Vec::new();
        for _ in 0..requests.div_ceil(self.scenario.depth() * self.connections.len()) {
            if matches!(self.scenario, Scenario::Close) {
                for connection in &mut self.connections {
                    *connection = open(self.address)?;
                }
            }
            for connection in &mut self.connections {
                connection.get_mut().write_all(&batch)?;
            }
            for connection in &mut self.connections {
                for _ in 0..self.scenario.depth() {
                    read_answer(connection, &mut body)?;
                }
            }
        }
        Ok(())
    }
}

fn open(address: SocketAddr) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address).context("connect")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    Ok(BufReader::new(stream))
}

fn read_answer(connection: &mut BufReader<TcpStream>, scratch: &mut Vec<u8>) -> Result<()> {
    let mut length = 0;
    let mut first = true;
    loop {
        scratch.clear();
        connection.read_until(b'\n', scratch)?;
        let line = std::str::from_utf8(scratch)?.trim_end();
        ensure!(
            !first || line == "HTTP/1.1 200 OK",
            "expected 200, found {line:?}"
        );
        first = false;
        if line.is_empty() {
            break;
        }
        let field = line.split_once(':');
        if let Some((_, value)) = field.filter(|field| field.0.eq_ignore_ascii_case(LENGTH)) {
            length = value.trim().parse()?;
        }
    }
    scratch.resize(length, 0);
    connection.read_exact(scratch)?;
    ensure!(
        scratch == b"Hello, World!",
        "expected the greeting, found {scratch:?}"
    );
    Ok(())
}

const LENGTH: &str = "content-length";

const BROWSER_FIELDS: &str = "Accept-Language: en-GB,en;q=0.9,fr;q=0.6\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Cache-Control: max-age=0\r\n\
    Cookie: session=Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4.Zm9vYmFy.YmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFy\r\n\
    Referer: http://127.0.0.1/begin?from=menu\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Upgrade-Insecure-Requests: 1\r\n";
