//! Who asks: what the kernel says of the other end of a Unix socket.

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

/// The other end of a connection, as it was when it connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its process. The number may be another's by now; 0 where it is in no process namespace of ours.
    pub pid: i32,
    /// Its user.
    pub uid: u32,
    /// Its groups, the first one and the others.
    pub groups: Vec<u32>,
}

impl Peer {
    /// Asks the kernel (`SO_PEERCRED`, `SO_PEERGROUPS` of unix(7)).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn of(stream: &UnixStream) -> io::Result<Peer> {
        let mut credentials = libc::ucred { pid: 0, uid: 0, gid: 0 };
        let mut bytes = size_of::<libc::ucred>() as libc::socklen_t;
        // SAFETY: the buffer holds `bytes` bytes of numbers, for which every pattern is a value; the kernel writes at most so many.
        let status = unsafe {
            libc::getsockopt(
                stream.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERCRED,
                (&raw mut credentials).cast(),
                &raw mut bytes,
            )
        };
        if status != 0 {
            return Err(io::Error::last_os_error());
        }
        let mut groups = vec![credentials.gid];
        groups.extend(supplementary(stream)?);
        Ok(Peer { pid: credentials.pid, uid: credentials.uid, groups })
    }

    /// The program it runs, for the audit; empty where that is not known any more.
    pub fn executable(&self) -> String {
        std::fs::read_link(format!("/proc/{}/exe", self.pid))
            .map_or_else(|_| String::new(), |path| path.display().to_string())
    }

    /// The name of its user, or the number.
    pub fn user(&self) -> String {
        user_name(self.uid).unwrap_or_else(|| self.uid.to_string())
    }
}

fn supplementary(stream: &UnixStream) -> io::Result<Vec<u32>> {
    let mut groups = vec![0_u32; 64];
    loop {
        let mut bytes = libc::socklen_t::try_from(groups.len() * 4).unwrap_or(libc::socklen_t::MAX);
        // SAFETY: the buffer holds `bytes` bytes of numbers, for which every pattern is a value; the kernel writes at most so many.
        let status = unsafe {
            libc::getsockopt(
                stream.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut bytes,
            )
        };
        let needed = bytes as usize / 4;
        if status == 0 {
            groups.truncate(needed);
            return Ok(groups);
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::ERANGE) || needed <= groups.len() {
            return Err(error);
        }
        groups.resize(needed, 0);
    }
}

/// The number of a user: by its name, or written as one.
pub fn user_id(name: &str) -> Option<u32> {
    let named = CString::new(name).ok()?;
    let mut entry = MaybeUninit::<libc::passwd>::uninit();
    let mut text = vec![0; 16 << 10];
    let mut found = std::ptr::null_mut();
    // SAFETY: all pointers are to memory of ours that outlives the call; `entry` is read only where `found` says that it was written.
    let status =
        unsafe { libc::getpwnam_r(named.as_ptr(), entry.as_mut_ptr(), text.as_mut_ptr(), text.len(), &raw mut found) };
    if status == 0 && !found.is_null() {
        // SAFETY: getpwnam_r wrote the entry.
        return Some(unsafe { entry.assume_init() }.pw_uid);
    }
    name.parse().ok()
}

/// The number of a group: by its name, or written as one.
pub fn group_id(name: &str) -> Option<u32> {
    let named = CString::new(name).ok()?;
    let mut entry = MaybeUninit::<libc::group>::uninit();
    let mut text = vec![0; 64 << 10];
    let mut found = std::ptr::null_mut();
    // SAFETY: as for `user_id`.
    let status =
        unsafe { libc::getgrnam_r(named.as_ptr(), entry.as_mut_ptr(), text.as_mut_ptr(), text.len(), &raw mut found) };
    if status == 0 && !found.is_null() {
        // SAFETY: getgrnam_r wrote the entry.
        return Some(unsafe { entry.assume_init() }.gr_gid);
    }
    name.parse().ok()
}

/// The name of a user by its number.
pub fn user_name(uid: u32) -> Option<String> {
    let mut entry = MaybeUninit::<libc::passwd>::uninit();
    let mut text = vec![0; 16 << 10];
    let mut found = std::ptr::null_mut();
    // SAFETY: as for `user_id`.
    let status = unsafe { libc::getpwuid_r(uid, entry.as_mut_ptr(), text.as_mut_ptr(), text.len(), &raw mut found) };
    if status != 0 || found.is_null() {
        return None;
    }
    // SAFETY: getpwuid_r wrote the entry, whose name is a string within `text`.
    Some(unsafe { CStr::from_ptr(entry.assume_init().pw_name) }.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_who_is_at_the_other_end() {
        let (one, _other) = UnixStream::pair().unwrap();
        let peer = Peer::of(&one).unwrap();
        assert_eq!(u32::try_from(peer.pid).unwrap(), std::process::id());
        assert_eq!(peer.uid, rustix::process::geteuid().as_raw());
        assert_eq!(peer.groups[0], rustix::process::getegid().as_raw());
        assert_eq!(peer.executable(), std::env::current_exe().unwrap().display().to_string());
    }

    #[test]
    fn accounts_are_names_or_numbers() {
        assert_eq!((user_id("root"), group_id("root")), (Some(0), Some(0)));
        assert_eq!((user_id("4711"), group_id("4711")), (Some(4711), Some(4711)));
        assert_eq!((user_id("no such user"), group_id("no such group"), user_id("a\0b")), (None, None, None));
        assert_eq!((user_name(0).as_deref(), user_name(4_000_000_000)), (Some("root"), None));
    }
}
