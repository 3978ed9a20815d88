//! Conversations over TLS.

use std::io::{self, Read, Write};
use std::sync::Arc;

use gateway_tests::address::{Address, Stream};
use gateway_tests::certificates::Certificates;
use gateway_tests::websocket;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::carrier::{Carrier, Wire};

/// A connection whose bytes are encrypted.
struct Secured(StreamOwned<ClientConnection, Stream>);

/// HTTP/1.1 over TLS, to a server whose certificate is for `site.test`.
pub(super) fn carrier(address: &Address, certificates: &Certificates) -> Carrier {
    let authority = CertificateDer::from_pem_file(certificates.path("ca.crt")).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(authority).unwrap();
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (config, address) = (Arc::new(config), address.clone());
    Carrier::new("TLS", move || {
        let name = ServerName::try_from("site.test").unwrap();
        let tls = ClientConnection::new(Arc::clone(&config), name).unwrap();
        let stream = StreamOwned::new(tls, address.connect().unwrap());
        let mut secured = Secured(stream);
        websocket::switch(&mut secured, "/echo");
        Box::new(secured)
    })
}

impl Read for Secured {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Secured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Wire for Secured {
    fn finish(&mut self) {
        self.0.conn.send_close_notify();
        self.0.flush().unwrap();
        self.0.sock.finish().unwrap();
    }
}
