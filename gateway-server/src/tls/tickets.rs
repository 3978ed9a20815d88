//! The keys of session tickets, in memory that all workers see: whoever accepts a client can resume
//! what another has begun.
//!
//! Only one process writes, and the others are given a descriptor that cannot be written: it replaces the key again and again, so that a key which is stolen opens
//! little of what was recorded before (RFC 8446 §8.1). Nobody reads where it writes.

use std::fmt;
use std::fs::{File, Permissions};
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use rustls::server::ProducesTickets;

use crate::os::shared_memory::SharedWords;

/// The keys: one that seals, and the one before it, which still opens.
pub(crate) struct TicketKeys {
    words: SharedWords,
}

/// Seals tickets by the keys of the day.
pub(super) struct Ticketer {
    keys: TicketKeys,
    lifetime: Duration,
}

struct Key {
    name: [u8; NAME_BYTES],
    secret: [u8; SECRET_BYTES],
}

impl TicketKeys {
    /// The memory, with a key in it.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn create() -> io::Result<File> {
        let file = SharedWords::create("gatewayd-tickets", WORDS.get())?;
        // Or whoever has a descriptor to read could open it anew.
        file.set_permissions(Permissions::from_mode(0o600))?;
        Self::map(&file)?.turn()?;
        Ok(file)
    }

    /// Maps what [`TicketKeys::create`] made, for the one that replaces keys.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn map(file: impl AsFd) -> io::Result<Self> {
        Ok(Self {
            words: SharedWords::map(file, WORDS)?,
        })
    }

    /// Maps it for all others.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn map_to_read(file: impl AsFd) -> io::Result<Self> {
        Ok(Self {
            words: SharedWords::map_to_read(file, WORDS)?,
        })
    }

    /// A descriptor of it for those others.
    ///
    /// # Errors
    ///
    /// The kernel's; `/proc` must be mounted.
    pub(crate) fn to_read(file: &File) -> io::Result<OwnedFd> {
        let file = File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
        Ok(file.into())
    }

    /// Replaces the key that seals; the one before the last opens no more, and is forgotten. For one
    /// process alone.
    ///
    /// # Errors
    ///
    /// There are no random numbers.
    pub(crate) fn turn(&self) -> io::Result<()> {
        let next = self.words.word(0).load(Relaxed).wrapping_add(1);
        let mut bytes = [0; KEY_BYTES];
        // From the system: the library's own generator takes longer to begin than the whole server.
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
        self.store(next, &bytes);
        self.words.word(0).store(next, Release);
        self.store(next.wrapping_add(1), &[0; KEY_BYTES]);
        Ok(())
    }

    fn store(&self, turn: u64, key: &[u8; KEY_BYTES]) {
        let (words, _) = key.as_chunks::<8>();
        for (at, word) in words.iter().enumerate() {
            let stored = self.words.word(place(turn) + at);
            stored.store(u64::from_le_bytes(*word), Relaxed);
        }
    }

    /// The key that seals, and the one before it.
    fn current(&self) -> [Key; 2] {
        let turn = self.words.word(0).load(Acquire);
        [turn, turn.wrapping_sub(1)].map(|turn| {
            let mut bytes = [0; KEY_BYTES];
            for (at, word) in bytes.chunks_mut(8).enumerate() {
                let stored = self.words.word(place(turn) + at).load(Relaxed);
                word.copy_from_slice(&stored.to_le_bytes());
            }
            let (name, secret) = bytes.split_at(NAME_BYTES);
            Key {
                name: name.try_into().expect("so many bytes"),
                secret: secret.try_into().expect("the rest"),
            }
        })
    }
}

impl Ticketer {
    pub(super) fn new(keys: TicketKeys, lifetime: Duration) -> Self {
        Self { keys, lifetime }
    }
}

impl ProducesTickets for Ticketer {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        u32::try_from(self.lifetime.as_secs()).unwrap_or(u32::MAX)
    }

    /// The key's name, a nonce, what is sealed.
    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let [key, _] = self.keys.current();
        let mut sealed = plain.to_vec();
        let nonce = key.seal(&mut sealed)?;
        Some([&key.name, nonce.as_ref(), &sealed].concat())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let (name, rest) = ticket.split_first_chunk::<NAME_BYTES>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        // A key that is no more is all zeros, and so could a name be that somebody sends.
        let known = |key: &Key| key.name == *name && key.name != [0; NAME_BYTES];
        let key = self.keys.current().into_iter().find(known)?;
        let mut plain = sealed.to_vec();
        let length = key.open(*nonce, &mut plain)?;
        plain.truncate(length);
        Some(plain)
    }
}

impl Key {
    fn cipher(&self) -> Option<RandomizedNonceKey> {
        RandomizedNonceKey::new(&AES_256_GCM_SIV, &self.secret).ok()
    }

    fn seal(&self, bytes: &mut Vec<u8>) -> Option<[u8; NONCE_LEN]> {
        let cipher = self.cipher()?;
        let nonce = cipher.seal_in_place_append_tag(Aad::from(self.name), bytes);
        nonce.ok().map(|nonce| *nonce.as_ref())
    }

    fn open(&self, nonce: [u8; NONCE_LEN], bytes: &mut [u8]) -> Option<usize> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self
            .cipher()?
            .open_in_place(nonce, Aad::from(self.name), bytes);
        opened.ok().map(|plain| plain.len())
    }
}

impl fmt::Debug for TicketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketKeys")
    }
}

impl fmt::Debug for Ticketer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticketer")
    }
}

/// Where the key of a turn stands.
fn place(turn: u64) -> usize {
    let at = usize::try_from(turn % KEYS as u64).expect("fewer than four");
    1 + at * (KEY_BYTES / 8)
}

/// Places of keys: of the one that seals, the one before it, and the next.
const KEYS: usize = 3;
const NAME_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;
const KEY_BYTES: usize = NAME_BYTES + SECRET_BYTES;
/// How often the key was replaced, then the keys.
const WORDS: NonZeroUsize = NonZeroUsize::new(1 + KEYS * KEY_BYTES / 8).expect("there are some");

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileExt, MetadataExt};

    use super::*;

    fn ticketer(file: &File) -> Ticketer {
        let worker = TicketKeys::to_read(file).unwrap();
        let keys = TicketKeys::map_to_read(&worker).unwrap();
        Ticketer::new(keys, Duration::from_secs(60))
    }

    #[test]
    fn another_worker_opens_a_ticket_until_its_key_has_been_replaced_twice() {
        let file = TicketKeys::create().unwrap();
        let (one, other) = (ticketer(&file), ticketer(&file));
        let ticket = one.encrypt(b"session").unwrap();
        assert_ne!(one.encrypt(b"session").unwrap(), ticket);
        assert_eq!(other.decrypt(&ticket).as_deref(), Some(&b"session"[..]));
        let master = TicketKeys::map(&file).unwrap();
        master.turn().unwrap();
        assert_eq!(other.decrypt(&ticket).as_deref(), Some(&b"session"[..]));
        master.turn().unwrap();
        assert_eq!(other.decrypt(&ticket), None);
    }

    #[test]
    fn a_worker_cannot_write_where_the_keys_are() {
        let file = TicketKeys::create().unwrap();
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
        let worker = TicketKeys::to_read(&file).unwrap();
        let refused = TicketKeys::map(&worker).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        let written = File::from(worker).write_at(b"x", 0);
        assert!(written.is_err());
    }

    #[test]
    fn what_is_no_ticket_opens_nothing() {
        let file = TicketKeys::create().unwrap();
        let ticketer = ticketer(&file);
        let ticket = ticketer.encrypt(b"session").unwrap();
        for length in 0..ticket.len() {
            assert_eq!(ticketer.decrypt(&ticket[..length]), None);
            let mut broken = ticket.clone();
            broken[length] ^= 1;
            assert_eq!(ticketer.decrypt(&broken), None);
        }
        // The place of the key before the first is empty.
        let empty = Key {
            name: [0; NAME_BYTES],
            secret: [0; SECRET_BYTES],
        };
        let mut sealed = b"forged".to_vec();
        let nonce = empty.seal(&mut sealed).unwrap();
        let forged = [&empty.name[..], &nonce, &sealed].concat();
        assert_eq!(ticketer.decrypt(&forged), None);
        let others = TicketKeys::create().unwrap();
        let foreign = Ticketer::new(TicketKeys::map(&others).unwrap(), Duration::ZERO);
        assert_eq!(ticketer.decrypt(&foreign.encrypt(b"x").unwrap()), None);
    }
}
