//! Accounts of this machine, by `/etc/passwd` and `/etc/group`: what a process that takes one on needs to know.

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
}

fn files() -> (String, String) {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    (read("/etc/passwd"), read("/etc/group"))
}

fn find(users: &str, groups: &str, wanted: impl Fn(&[&str]) -> bool) -> Option<Account> {
    let fields = |line: &'_ str| line.split(':').map(str::to_owned).collect::<Vec<String>>();
    let line = users.lines().map(fields).find(|fields| {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        fields.len() >= 6 && wanted(&fields)
    })?;
    let (uid, gid) = (line[2].parse().ok()?, line[3].parse().ok()?);
    let is_in = |members: &str| members.split(',').any(|member| member == line[0]);
    let others = groups.lines().map(fields).filter(|group| group.len() >= 4 && is_in(&group[3]));
    let mut groups: Vec<u32> = others.filter_map(|group| group[2].parse().ok()).filter(|group| *group != gid).collect();
    groups.insert(0, gid);
    Some(Account { name: line[0].clone(), uid, gid, groups, home: PathBuf::from(&line[5]) })
}

#[cfg(test)]
mod tests {
    use super::*;

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
