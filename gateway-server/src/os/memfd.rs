//! Anonymous files in memory that nobody can change any more.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};

/// Creates an empty, close-on-exec, sealable memory file; `name` shows in `/proc/PID/maps`.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn create(name: &str) -> io::Result<File> {
    let name: String = name.chars().filter(|c| *c != '\0').take(200).collect();
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    // Without the flag newer kernels warn, and refuse where vm.memfd_noexec is 2; kernels before 6.3
    // do not know it. Libraries can be mapped executable either way.
    let fd = match memfd_create(
        name.as_str(),
        flags | MFdFlags::from_bits_retain(libc::MFD_NOEXEC_SEAL),
    ) {
        Err(Errno::EINVAL) => memfd_create(name.as_str(), flags)?,
        fd => fd?,
    };
    Ok(File::from(fd))
}

/// A sealed file that holds `bytes`.
///
/// # Errors
///
/// The kernel's; out of memory, in all likelihood.
pub(crate) fn sealed(name: &str, bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = create(name)?;
    file.write_all(bytes)?;
    seal(&file)?;
    Ok(file.into())
}

/// The whole of a file, without moving the position that other processes share.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn read(file: &File) -> io::Result<Vec<u8>> {
    let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Forbids every further change of contents and length.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn seal(file: &File) -> io::Result<()> {
    add_seals(file, SealFlag::F_SEAL_WRITE | LENGTH_SEALS)
}

/// Forbids every further change of length; contents stay writable. A process that shrank a file which
/// others have mapped would kill them with SIGBUS.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn seal_length(file: &File) -> io::Result<()> {
    add_seals(file, LENGTH_SEALS)
}

const LENGTH_SEALS: SealFlag = SealFlag::F_SEAL_SHRINK
    .union(SealFlag::F_SEAL_GROW)
    .union(SealFlag::F_SEAL_SEAL);

fn add_seals(file: &File, seals: SealFlag) -> io::Result<()> {
    fcntl(file, FcntlArg::F_ADD_SEALS(seals))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::*;

    #[test]
    fn sealed_bytes_can_be_read_and_not_changed() {
        let mut file = File::from(sealed("test", b"abc").unwrap());
        let mut read = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut read).unwrap();
        assert_eq!(read, "abc");
        assert_eq!(
            file.write(b"x").unwrap_err().kind(),
            io::ErrorKind::PermissionDenied
        );
        assert_eq!(
            file.set_len(0).unwrap_err().kind(),
            io::ErrorKind::PermissionDenied
        );
    }

    #[test]
    fn a_file_sealed_in_length_can_be_written() {
        let mut file = create("test").unwrap();
        file.set_len(8).unwrap();
        seal_length(&file).unwrap();
        file.write_all(b"12345678").unwrap();
        assert_eq!(
            file.set_len(4).unwrap_err().kind(),
            io::ErrorKind::PermissionDenied
        );
        assert_eq!(
            file.write(b"9").unwrap_err().kind(),
            io::ErrorKind::PermissionDenied
        );
    }
}
