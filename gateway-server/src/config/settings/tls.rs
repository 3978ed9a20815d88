//! Certificates and keys.

use super::durations::{SECOND, WEEK};
use crate::config::setting::{Applies, Field, Group, Setting};

pub(super) static TLS: &[Setting] = &[
    Setting {
        name: "tls-cert",
        short: None,
        group: Group::Tls,
        field: Field::Files(|c| &mut c.tls_cert),
        default: "",
        help: "Certificate for https addresses, in PEM, with those that lead to its root behind it; or a \
               folder of NAME.crt or NAME.pem with NAME.key, or of NAME/fullchain.pem with \
               NAME/privkey.pem. May be repeated: clients get the one for the name that they ask for, \
               else the first",
        applies: Applies::Reload,
    },
    Setting {
        name: "tls-key",
        short: None,
        group: Group::Tls,
        field: Field::Files(|c| &mut c.tls_key),
        default: "",
        help: "Private key of a certificate that is a file, in PEM; repeated in the same order. Without \
               one it is looked for in the certificate's file",
        applies: Applies::Reload,
    },
    Setting {
        name: "tls-min-version",
        short: None,
        group: Group::Tls,
        field: Field::TlsVersion(|c| &mut c.tls_min_version),
        default: "1.2",
        help: "Oldest version of TLS that is spoken",
        applies: Applies::Reload,
    },
    Setting {
        name: "tls-client-auth",
        short: None,
        group: Group::Tls,
        field: Field::ClientAuth(|c| &mut c.tls_client_auth),
        default: "none",
        help: "Whether clients show certificates, which the application is told of. With optional a \
               client may have none; a bad one is refused",
        applies: Applies::Reload,
    },
    Setting {
        name: "tls-client-ca",
        short: None,
        group: Group::Tls,
        field: Field::File(|c| &mut c.tls_client_ca),
        default: "",
        help: "Certificates, in PEM, of those who sign clients' certificates",
        applies: Applies::Reload,
    },
    Setting {
        name: "tls-crl",
        short: None,
        group: Group::Tls,
        field: Field::File(|c| &mut c.tls_crl),
        default: "",
        help: "Lists, in PEM, of clients' certificates that are revoked",
        applies: Applies::Reload,
    },
    Setting {
        name: "tls-ticket-lifetime",
        short: None,
        group: Group::Tls,
        field: Field::Time(SECOND..=WEEK, |c| &mut c.tls_ticket_lifetime),
        default: "12h",
        help: "How long a TLS session can be resumed, at least; twice that at most. The keys of session \
               tickets are replaced as often. Where clients show certificates nothing is resumed",
        applies: Applies::Reload,
    },
    Setting {
        name: "redirect-port",
        short: None,
        group: Group::Tls,
        field: Field::Count(0..=65_535, |c| &mut c.redirect_port),
        default: "0",
        help: "Port that redirect:// addresses send clients to; 0 is that of the first https address",
        applies: Applies::Reload,
    },
];
