//! Who owns restored files and which mode they get.

use crate::config::{self, Permissions};
use crate::error::{Code, Error, Result};

/// User and group.
pub type Owner = (u32, u32);

/// Owner and modes of restored files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePolicy {
    /// Whose the site is as a whole.
    pub owner: Owner,
    /// Every owner that such a site has, this one among them; root only where files.owner says so.
    pub known: Vec<Owner>,
    /// How archived modes are cut.
    pub permissions: Permissions,
}

impl FilePolicy {
    /// The policy of a site that is one owner's.
    pub fn new(owner: Owner, permissions: Permissions) -> FilePolicy {
        FilePolicy { owner, known: vec![owner], permissions }
    }

    /// The policy of restore.toml, names looked up in /etc/passwd and /etc/group.
    ///
    /// # Errors
    /// `config_invalid` for a name this machine does not know.
    pub fn from_config(files: &config::Files) -> Result<FilePolicy> {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        FilePolicy::parse(files, &read("/etc/passwd"), &read("/etc/group"))
    }

    /// The same, with the texts of both files given. `user` alone means that user's own group.
    ///
    /// # Errors
    /// `config_invalid`.
    pub fn parse(files: &config::Files, passwd: &str, group: &str) -> Result<FilePolicy> {
        let unknown = |what: &str, name: &str| {
            Error::new(Code::ConfigInvalid, format!("files.owner = {:?}: there is no {what} {name:?}", files.owner))
                .hint("Set files.owner in restore.toml to the web server's user:group.")
        };
        let (user, wanted) = match files.owner.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (files.owner.as_str(), None),
        };
        let field = |line: &str, at: usize| line.split(':').nth(at).and_then(|text| text.parse::<u32>().ok());
        let line = |text: &'_ str, name: &str| -> Option<String> {
            text.lines().find(|line| line.split(':').next() == Some(name)).map(str::to_owned)
        };
        let account = line(passwd, user);
        let uid = account
            .as_deref()
            .and_then(|line| field(line, 2))
            .or_else(|| user.parse().ok())
            .ok_or_else(|| unknown("user", user))?;
        let gid = match wanted {
            Some(name) => line(group, name).and_then(|line| field(&line, 2)).or_else(|| name.parse().ok()),
            None => account.as_deref().and_then(|line| field(line, 3)),
        }
        .ok_or_else(|| unknown("group", wanted.unwrap_or(user)))?;
        if uid == u32::MAX || gid == u32::MAX {
            return Err(unknown("owner", "4294967295"));
        }
        Ok(FilePolicy::new((uid, gid), files.permissions))
    }

    /// The same for a site that has these owners, the most likely one first; root is none of them.
    #[must_use]
    pub fn of_site(mut self, owners: impl IntoIterator<Item = Owner>) -> FilePolicy {
        let owners = owners.into_iter().filter(|(uid, _)| *uid != 0);
        self.known = owners.chain([self.owner]).collect();
        self.owner = self.known[0];
        self
    }

    /// Whether user and group are of those that the site has.
    pub fn is_the_sites(&self, (uid, gid): Owner) -> bool {
        self.known.iter().any(|known| known.0 == uid) && self.known.iter().any(|known| known.1 == gid)
    }

    /// The mode of a file: never wider than archived, never set-id or sticky.
    pub fn file_mode(&self, archived: u32) -> u32 {
        match self.permissions {
            Permissions::Standard => archived & 0o644,
            Permissions::Preserve => archived & 0o777,
        }
    }

    /// The mode of a folder.
    pub fn folder_mode(&self, archived: u32) -> u32 {
        match self.permissions {
            Permissions::Standard => archived & 0o755,
            Permissions::Preserve => archived & 0o777,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(owner: &str, permissions: Permissions) -> Result<FilePolicy> {
        let files = config::Files { owner: owner.into(), permissions, ..config::Files::default() };
        FilePolicy::parse(&files, "root:x:0:0::/:/bin/sh\nweb:x:33:44::/:/bin/sh\n", "root:x:0:\nwww:x:55:web\n")
    }

    #[test]
    fn owners_are_names_or_numbers() {
        let ids = |owner| parse(owner, Permissions::Standard).map(|policy| policy.owner);
        assert_eq!(ids("web:www").unwrap(), (33, 55));
        assert_eq!(ids("web").unwrap(), (33, 44));
        assert_eq!(ids("1000:1001").unwrap(), (1000, 1001));
        for bad in ["nobody:www", "web:nogroup", "", "web:", "1000", "-1:0", "4294967295:0"] {
            assert_eq!(ids(bad).unwrap_err().code, Code::ConfigInvalid, "{bad}");
        }
    }

    #[test]
    fn the_first_owner_of_a_site_that_is_not_root_is_the_sites() {
        let policy = |owners: &[Owner]| parse("web", Permissions::Standard).unwrap().of_site(owners.iter().copied());
        assert_eq!(policy(&[(0, 0), (1001, 33), (7, 7)]).owner, (1001, 33));
        assert_eq!(policy(&[(0, 0)]).owner, (33, 44));
        assert!(policy(&[(1001, 33)]).is_the_sites((33, 33)));
        assert!(!policy(&[(0, 0)]).is_the_sites((0, 0)));
    }

    #[test]
    fn modes_are_cut_and_never_widened() {
        let standard = parse("web", Permissions::Standard).unwrap();
        assert_eq!((standard.file_mode(0o7777), standard.folder_mode(0o7777)), (0o644, 0o755));
        assert_eq!((standard.file_mode(0o600), standard.folder_mode(0o700)), (0o600, 0o700));
        let preserve = parse("web", Permissions::Preserve).unwrap();
        assert_eq!((preserve.file_mode(0o4775), preserve.folder_mode(0o3777)), (0o775, 0o777));
    }
}
