//! [`Folder`]: opens what lies in a folder, and nothing else.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{self, CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// A folder whose files are served. It stays the same whatever becomes of its path.
#[derive(Debug)]
pub(super) struct Folder {
    place: OwnedFd,
    resolver: Resolver,
}

/// Who keeps a path within the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolver {
    /// The kernel, by openat2: links are followed as long as they stay within.
    Kernel,
    /// We, name by name, where the kernel cannot or must not: no link is followed.
    Walk,
}

/// A regular file, opened for reading.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) length: u64,
    /// When it was last changed.
    pub(super) changed: SystemTime,
}

impl Folder {
    /// Opens the folder itself; here links are followed wherever they lead.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let place = fs::openat(CWD, path, FOLDER, Mode::empty())?;
        // Kernels before 5.6 do not know the call, and some sandboxes forbid it.
        let probe = fs::openat2(&place, ".", FOLDER, Mode::empty(), BENEATH);
        let resolver = match probe {
            Ok(_) => Resolver::Kernel,
            Err(Errno::NOSYS | Errno::PERM) => Resolver::Walk,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { place, resolver })
    }

    /// Opens the regular file with this path, names with slashes between them and no `..` among them.
    /// `None` if there is none, or something else.
    pub(super) fn open_file(&self, path: &[u8]) -> io::Result<Option<Opened>> {
        let path = OsStr::from_bytes(path);
        let opened = match self.resolver {
            Resolver::Kernel => self.resolve(path),
            Resolver::Walk => self.walk(path),
        };
        match opened {
            Ok(fd) => regular(fd),
            Err(error) if is_absence(error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn resolve(&self, path: &OsStr) -> Result<OwnedFd, Errno> {
        let mut tries = 0..TRIES;
        loop {
            match fs::openat2(&self.place, path, FILE, Mode::empty(), BENEATH) {
                // Something was moved meanwhile, so that the kernel cannot be sure.
                Err(Errno::AGAIN) if tries.next().is_some() => {}
                Err(Errno::INTR) => {}
                other => return other,
            }
        }
    }

    fn walk(&self, path: &OsStr) -> Result<OwnedFd, Errno> {
        let mut names = path.as_bytes().split(|byte| *byte == b'/').peekable();
        let mut within: Option<OwnedFd> = None;
        loop {
            let name = OsStr::from_bytes(names.next().ok_or(Errno::NOENT)?);
            let place = within.as_ref().unwrap_or(&self.place);
            let flags = match names.peek() {
                Some(_) => FOLDER,
                None => FILE,
            };
            let opened = fs::openat(place, name, flags | OFlags::NOFOLLOW, Mode::empty())?;
            if names.peek().is_none() {
                return Ok(opened);
            }
            within = Some(opened);
        }
    }
}

/// What was opened, if it is a regular file.
fn regular(fd: OwnedFd) -> io::Result<Option<Opened>> {
    let stat = fs::fstat(&fd)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Ok(None);
    }
    Ok(Some(Opened {
        file: fd.into(),
        length: u64::try_from(stat.st_size).unwrap_or(0),
        changed: time(stat.st_mtime, stat.st_mtime_nsec),
    }))
}

fn time(seconds: i64, nanoseconds: u64) -> SystemTime {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let time = match seconds {
        0.. => UNIX_EPOCH.checked_add(whole),
        _ => UNIX_EPOCH.checked_sub(whole),
    };
    let time = time.and_then(|time| time.checked_add(Duration::from_nanos(nanoseconds)));
    time.unwrap_or(UNIX_EPOCH)
}

/// Whether there is no such file, or none that is served: a link that leads out, a loop of links, a
/// socket, a device without its driver, a name that is too long.
fn is_absence(error: Errno) -> bool {
    matches!(
        error,
        Errno::NOENT
            | Errno::NOTDIR
            | Errno::LOOP
            | Errno::XDEV
            | Errno::NAMETOOLONG
            | Errno::NXIO
            | Errno::NODEV
    )
}

const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// To open a pipe must not mean to wait for its other end, nor a terminal to have it.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);
const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);
/// How often a path is looked up anew.
const TRIES: usize = 8;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use nix::sys::stat::Mode as Permissions;

    use super::*;

    #[test]
    fn only_regular_files_within_the_folder_are_opened() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("public");
        std::fs::create_dir_all(inner.join("sub")).unwrap();
        std::fs::write(outer.path().join("secret"), "s").unwrap();
        std::fs::write(inner.join("a"), "abc").unwrap();
        std::fs::write(inner.join("sub/b"), "b").unwrap();
        symlink("../secret", inner.join("out")).unwrap();
        symlink(outer.path().join("secret"), inner.join("absolute")).unwrap();
        symlink("..", inner.join("up")).unwrap();
        symlink("/proc/self/root/etc", inner.join("magic")).unwrap();
        symlink("loop", inner.join("loop")).unwrap();
        symlink("sub/b", inner.join("within")).unwrap();
        symlink("sub", inner.join("folder")).unwrap();
        nix::unistd::mkfifo(&inner.join("pipe"), Permissions::S_IRWXU).unwrap();
        let _socket = UnixListener::bind(inner.join("socket")).unwrap();
        let kernel = Folder::open(&inner).unwrap();
        assert_eq!(kernel.resolver, Resolver::Kernel);
        let walk = Folder {
            resolver: Resolver::Walk,
            ..Folder::open(&inner).unwrap()
        };
        let long = "n".repeat(300);
        for folder in [&kernel, &walk] {
            let length = |path: &str| {
                let opened = folder.open_file(path.as_bytes()).unwrap();
                opened.map(|opened| opened.length)
            };
            assert_eq!((length("a"), length("sub/b")), (Some(3), Some(1)));
            for path in [
                "missing",
                "sub",
                "sub/missing",
                "a/b",
                "out",
                "absolute",
                "up/secret",
                "magic/passwd",
                "loop",
                "pipe",
                "socket",
                &long,
            ] {
                assert_eq!(length(path), None, "{path} {:?}", folder.resolver);
            }
            let within = (folder.resolver == Resolver::Kernel).then_some(1);
            assert_eq!((length("within"), length("folder/b")), (within, within));
        }
        let missing = Folder::open(&inner.join("missing")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let file = Folder::open(&inner.join("a")).unwrap_err();
        assert_eq!(file.kind(), io::ErrorKind::NotADirectory);
    }

    #[test]
    fn times_before_and_beyond_the_epoch_are_times() {
        assert_eq!(
            time(-1, 500_000_000),
            UNIX_EPOCH - Duration::from_millis(500)
        );
        assert_eq!(time(1, 1), UNIX_EPOCH + Duration::new(1, 1));
        assert!(time(i64::MIN, 0) <= UNIX_EPOCH);
        assert!(time(i64::MAX, u64::MAX) >= UNIX_EPOCH);
    }
}
