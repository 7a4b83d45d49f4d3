//! Accounts of this machine, by `/etc/passwd` and `/etc/group`: what a process that takes one on needs to know.

use std::io;
use std::path::PathBuf;

/// An account, with every group that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// Its own group.
    pub gid: u32,
    /// Its own group and the others.
    pub groups: Vec<u32>,
    /// Its home.
    pub home: PathBuf,
}

impl Account {
    /// The account of a name.
    pub fn named(name: &str) -> Option<Account> {
        let (users, groups) = files();
        find(&users, &groups, |fields| fields[0] == name)
    }

    /// The first account of a number.
    pub fn numbered(uid: u32) -> Option<Account> {
        let (users, groups) = files();
        find(&users, &groups, |fields| fields[2].parse() == Ok(uid))
    }

    /// Does something with this account's rights, in a thread of its own, and no other thread has them: the system calls are those of
    /// the kernel, which change the thread that makes them. The real and the saved account stay root's, so that the account may not end
    /// this process; the folders, files and sockets that the account may not use are closed to the thread.
    ///
    /// # Errors
    /// When this process may not take the account on.
    pub fn act<T: Send>(&self, act: impl FnOnce() -> T + Send) -> io::Result<T> {
        let ours = rustix::process::geteuid().as_raw();
        std::thread::scope(|scope| {
            let acting = scope.spawn(|| {
                if self.uid != ours {
                    self.take_on()?;
                }
                Ok(act())
            });
            acting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn take_on(&self) -> io::Result<()> {
        let unchanged = -1_i64;
        // SAFETY: system calls with numbers and with a list that outlives them; they change this thread's rights and no memory.
        let done = unsafe {
            libc::syscall(libc::SYS_setgroups, self.groups.len(), self.groups.as_ptr()) == 0
                && libc::syscall(libc::SYS_setresgid, unchanged, i64::from(self.gid), unchanged) == 0
                && libc::syscall(libc::SYS_setresuid, unchanged, i64::from(self.uid), unchanged) == 0
        };
        if done { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

fn files() -> (String, String) {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    (read("/etc/passwd"), read("/etc/group"))
}

/// The groups of a user, its own one first.
pub fn groups_of(user: &str, own: u32) -> Vec<u32> {
    all_groups(&files().1, user, own)
}

fn fields(line: &str) -> Vec<String> {
    line.split(':').map(str::to_owned).collect()
}

fn all_groups(groups: &str, user: &str, own: u32) -> Vec<u32> {
    let is_in = |members: &str| members.split(',').any(|member| member == user);
    let others = groups.lines().map(fields).filter(|group| group.len() >= 4 && is_in(&group[3]));
    let others = others.filter_map(|group| group[2].parse().ok()).filter(|group| *group != own);
    [own].into_iter().chain(others).collect()
}

fn find(users: &str, groups: &str, wanted: impl Fn(&[&str]) -> bool) -> Option<Account> {
    let line = users.lines().map(fields).find(|fields| {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        fields.len() >= 6 && wanted(&fields)
    })?;
    let (uid, gid) = (line[2].parse().ok()?, line[3].parse().ok()?);
    let groups = all_groups(groups, &line[0], gid);
    Some(Account { name: line[0].clone(), uid, gid, groups, home: PathBuf::from(&line[5]) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_with_an_accounts_rights_is_done_by_one_thread_alone() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "").unwrap();
        std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let nobody = Account::named("nobody").unwrap();
        let (mine, denied) = nobody.act(|| (rustix::process::geteuid().as_raw(), std::fs::read(&secret))).unwrap();
        assert_eq!((mine, denied.unwrap_err().kind()), (nobody.uid, io::ErrorKind::PermissionDenied));
        assert!(rustix::process::geteuid().is_root() && std::fs::read(&secret).is_ok());
    }

    #[test]
    fn an_account_is_in_its_own_group_and_in_those_that_name_it() {
        let users = "root:x:0:0::/root:/bin/sh\nweb:x:33:44::/srv:/bin/sh\nshort:x:5\n";
        let groups = "www:x:44:\nredis:x:112:other,web\ncache:x:113:webber\n";
        let of = |name: &str| find(users, groups, |fields| fields[0] == name);
        let web = of("web").unwrap();
        assert_eq!((web.uid, web.gid, web.groups, web.home), (33, 44, vec![44, 112], "/srv".into()));
        assert_eq!(of("root").unwrap().groups, [0]);
        assert_eq!(of("short"), None);
    }
}
