//! What the settings for TLS mean together.

use super::origin::Origin;
use super::problem::Problem;
use super::{Config, SETTINGS};
use crate::net::{Place, Scheme};
use crate::options::TlsFiles;
use crate::value::ClientAuth;

impl Config {
    /// Where certificates are; none if no address needs any.
    pub(crate) fn tls_files(&self) -> Option<TlsFiles> {
        self.speaks(Scheme::Https).then(|| TlsFiles {
            certificates: self.tls_cert.clone(),
            keys: self.tls_key.clone(),
            client_ca: self.tls_client_ca.clone(),
            revocations: self.tls_crl.clone(),
            client_auth: self.tls_client_auth,
        })
    }

    /// Where redirecting addresses send clients, if that is known yet: a port may be the kernel's to
    /// choose, a socket another's to open.
    pub(super) fn redirect_port(&self) -> Option<u16> {
        if self.redirect_port != 0 {
            return u16::try_from(self.redirect_port).ok();
        }
        let mut secured = self
            .bind
            .iter()
            .filter(|one| one.manner.scheme == Scheme::Https);
        secured.find_map(|one| match &one.place {
            Place::Address(address) => address.port(),
            _ => None,
        })
    }

    /// Whether this is spoken at any address.
    pub(super) fn speaks(&self, scheme: Scheme) -> bool {
        let speaks = |config: &Self| config.bind.iter().any(|one| one.manner.scheme == scheme);
        self.each_pool().any(|(_, config)| speaks(config))
    }
}

/// Refuses certificates and their like where every address, whosever it is, is one of clear text: whoever
/// names them believes that they are used. `origins` are those of the settings.
pub(super) fn look_for_addresses(config: &Config, origins: &[Origin], problems: &mut Vec<Problem>) {
    if config.speaks(Scheme::Https) {
        return;
    }
    let given = [
        ("tls-cert", !config.tls_cert.is_empty()),
        ("tls-key", !config.tls_key.is_empty()),
        (
            "tls-client-auth",
            config.tls_client_auth != ClientAuth::None,
        ),
    ];
    let given = given.into_iter().filter(|(_, is_given)| *is_given);
    problems.extend(given.map(|(name, _)| Problem::Refused {
        lead: at(origins, name),
        expected: "an address that is secured, such as `--bind https://0.0.0.0:443`".to_owned(),
        found: "none: all would serve clear text".to_owned(),
    }));
}

/// Finds what does not go together; `origins` are those of the settings.
pub(super) fn look_through(config: &Config, origins: &[Origin], problems: &mut Vec<Problem>) {
    let mut refuse = |setting: &str, expected: &str, found: &str| {
        problems.push(Problem::Refused {
            lead: at(origins, setting),
            expected: expected.to_owned(),
            found: found.to_owned(),
        });
    };
    if config.speaks(Scheme::Https) && config.tls_cert.is_empty() {
        refuse("bind", "a tls-cert for an https address", "none");
    }
    if config.speaks(Scheme::Redirect) && !config.speaks(Scheme::Https) && config.redirect_port == 0
    {
        refuse(
            "bind",
            "an https address, or a redirect-port, to redirect to",
            "neither",
        );
    }
    if config.tls_key.len() > config.tls_cert.len() {
        refuse(
            "tls-key",
            "no more keys than certificates",
            &format!("{} for {}", config.tls_key.len(), config.tls_cert.len()),
        );
    }
    let judges = config.tls_client_auth != ClientAuth::None;
    if judges && config.tls_client_ca.is_none() {
        refuse(
            "tls-client-auth",
            "a tls-client-ca to judge clients by",
            "none",
        );
    }
    for (name, file) in [
        ("tls-client-ca", &config.tls_client_ca),
        ("tls-crl", &config.tls_crl),
    ] {
        if file.is_some() && !judges {
            let expected = "tls-client-auth to be `optional` or `required`";
            refuse(name, expected, "`none`");
        }
    }
}

/// The beginning of a message about the setting `name`.
fn at(origins: &[Origin], name: &str) -> String {
    let at = SETTINGS.iter().position(|one| one.name == name);
    at.map_or_else(|| name.to_owned(), |at| origins[at].lead(name))
}
