//! Listening sockets that the process was started with, by systemd or by whoever else opened them.
//!
//! They belong to somebody: they are never unlinked, never turned against newcomers, and stay open
//! for as long as the process lives, so that a reload can come back to them.

use std::env;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::process;
use std::rc::Rc;

use super::bind::{Bind, Place};
use super::bind_error::BindError;
use super::listener::Listener;

/// All that were passed, asked for or not.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    sockets: Vec<Socket>,
}

#[derive(Debug)]
struct Socket {
    number: RawFd,
    /// What systemd calls it.
    name: Option<String>,
    /// The listener, or what the socket is instead.
    listener: Result<Rc<Listener>, String>,
}

impl Passed {
    /// Takes the descriptors that `binds` name and those that systemd passes to this process
    /// (`sd_listen_fds(3)`). To be called before anything else is opened, for any number may be meant.
    /// `adopt` opens a descriptor once more.
    pub(crate) fn take(binds: &[Bind], adopt: fn(RawFd) -> io::Result<OwnedFd>) -> Self {
        let variable = |name| env::var(name).unwrap_or_default();
        let mut wanted = Vec::new();
        if variable("LISTEN_PID") == process::id().to_string() {
            let count = variable("LISTEN_FDS").parse().unwrap_or(0);
            wanted = named(count, &variable("LISTEN_FDNAMES"));
        }
        for bind in binds {
            if let Place::Descriptor(number) = &bind.place
                && wanted.iter().all(|(known, _)| known != number)
            {
                wanted.push((*number, None));
            }
        }
        let sockets = wanted.into_iter().map(|(number, name)| Socket {
            number,
            name,
            listener: adopt(number)
                .map_err(|_| "no open descriptor".to_owned())
                .and_then(Listener::adopt)
                .map(Rc::new),
        });
        Self {
            sockets: sockets.collect(),
        }
    }

    /// Those that this process had as another program: the number that each was passed as, its name,
    /// and the descriptor that it is kept as.
    ///
    /// # Errors
    ///
    /// What one of them is instead of a socket that listens.
    pub(crate) fn inherit(
        sockets: impl IntoIterator<Item = (RawFd, Option<String>, OwnedFd)>,
    ) -> Result<Self, String> {
        let sockets = sockets.into_iter().map(|(number, name, fd)| {
            Ok(Socket {
                number,
                name,
                listener: Ok(Rc::new(Listener::adopt(fd)?)),
            })
        });
        Ok(Self {
            sockets: sockets.collect::<Result<_, String>>()?,
        })
    }

    /// What [`Passed::inherit`] needs to know.
    pub(crate) fn leave(&self) -> impl Iterator<Item = (RawFd, Option<&str>, &Listener)> {
        self.sockets.iter().filter_map(|socket| {
            let listener = socket.listener.as_deref().ok()?;
            Some((socket.number, socket.name.as_deref(), listener))
        })
    }

    /// The listeners that are asked for, at least one.
    ///
    /// # Errors
    ///
    /// There is none, or one of them does not listen.
    pub(super) fn listeners(&self, bind: &Bind) -> Result<Vec<Rc<Listener>>, BindError> {
        let wanted = |socket: &&Socket| match &bind.place {
            Place::Address(_) => false,
            Place::Descriptor(number) => socket.number == *number,
            Place::Systemd(None) => socket.name.is_some(),
            Place::Systemd(name) => socket.name == *name,
        };
        let found = self.sockets.iter().filter(wanted).map(|socket| {
            let listener = socket.listener.clone();
            listener.map_err(|found| BindError::NotListening {
                bind: bind.clone(),
                found,
            })
        });
        let found: Vec<_> = found.collect::<Result<_, _>>()?;
        if found.is_empty() {
            let names = self.sockets.iter().filter_map(|socket| socket.name.clone());
            return Err(BindError::NotPassed {
                bind: bind.clone(),
                found: match names.collect::<Vec<_>>().join(", ") {
                    none if none.is_empty() => "none".to_owned(),
                    names => format!("systemd's {names}"),
                },
            });
        }
        Ok(found)
    }
}

/// The numbers of systemd's sockets with their names.
fn named(count: u32, names: &str) -> Vec<(RawFd, Option<String>)> {
    let mut names = names.split(':').filter(|name| !name.is_empty());
    let end = FIRST.saturating_add_unsigned(count.min(MOST));
    (FIRST..end)
        .map(|number| (number, Some(names.next().unwrap_or(NAMELESS).to_owned())))
        .collect()
}

/// The first descriptor that systemd passes.
const FIRST: RawFd = 3;
/// No service has more sockets than this.
const MOST: u32 = 1024;
/// What systemd itself calls a socket without a name.
const NAMELESS: &str = "unknown";

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};
    use std::os::fd::{AsFd, AsRawFd};

    use super::*;

    fn passed(sockets: Vec<(RawFd, Option<&str>, OwnedFd)>) -> Passed {
        let sockets = sockets.into_iter().map(|(number, name, socket)| Socket {
            number,
            name: name.map(str::to_owned),
            listener: Listener::adopt(socket).map(Rc::new),
        });
        Passed {
            sockets: sockets.collect(),
        }
    }

    #[test]
    fn systemds_sockets_count_from_3_and_have_names() {
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(named(2, "web"), [(3, some("web")), (4, some("unknown"))]);
        assert_eq!(named(u32::MAX, "").len(), MOST as usize);
    }

    #[test]
    fn sockets_are_found_by_number_and_by_name_and_others_are_named() {
        let tcp = || OwnedFd::from(TcpListener::bind("127.0.0.1:0").unwrap());
        let udp = OwnedFd::from(UdpSocket::bind("127.0.0.1:0").unwrap());
        let all = passed(vec![
            (3, Some("web"), tcp()),
            (4, Some("log"), udp),
            (7, None, tcp()),
        ]);
        let ask = |text: &str| all.listeners(&Bind::parse(text).unwrap());
        assert_eq!(ask("fd://7").unwrap().len(), 1);
        let web = ask("systemd:web").unwrap();
        assert!(Rc::ptr_eq(&web[0], &ask("fd://3").unwrap()[0]));
        let told = ask("systemd").unwrap_err().to_string();
        assert_eq!(
            told,
            "cannot listen on systemd: expected a stream socket that listens, found a socket that \
             does not"
        );
        let told = ask("systemd:admin").unwrap_err().to_string();
        assert_eq!(
            told,
            "cannot listen on systemd:admin: expected the server to be started with it, found \
             systemd's web, log"
        );
        assert!(
            passed(vec![])
                .listeners(&Bind::parse("systemd").unwrap())
                .unwrap_err()
                .to_string()
                .ends_with("found none")
        );
    }

    #[test]
    fn a_socket_of_another_stays_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let theirs = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let ours = theirs.as_fd().try_clone_to_owned().unwrap();
        let listener = Listener::adopt(ours).unwrap();
        assert_eq!(
            listener.address().to_string(),
            format!("unix:{}", path.display())
        );
        listener.turn_newcomers_away();
        drop(listener);
        std::os::unix::net::UnixStream::connect(&path).unwrap();
        assert!(theirs.as_raw_fd() > 2);
    }
}
