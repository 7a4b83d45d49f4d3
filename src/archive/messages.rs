//! Lines that a dump program says of its work ahead of the dump, where its errors went the same way (`mysqldump … >dump.sql 2>&1`, and cron
//! jobs of panels). Those that say nothing of what is in the dump are passed over. Others stay, and are refused as the client refuses them.

/// How such a line begins, and what it has behind that.
const HARMLESS: [(&[u8], &[u8]); 7] = [
    (b"mysqldump: [Warning] ", b""),
    (b"mysqlpump: [Warning] ", b""),
    (b"mariadb-dump: [Warning] ", b""),
    (b"Warning: Using a password on the command line interface can be insecure.", b""),
    (b"Warning: A partial dump from a server that has GTIDs", b""),
    // Tablespaces are the server's, and none of a site's tables lies in one.
    (b"mysqldump: Error: 'Access denied", b"when trying to dump tablespaces"),
    (b"mariadb-dump: Deprecated program name. ", b""),
];
/// Bytes of a dump in which they end; a longer one is none of them.
pub const MOST: usize = 2048;

/// How many bytes of a dump's beginning are such lines.
pub fn length(start: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = &start[at..];
        let Some(end) = memchr::memchr(b'\n', rest) else { return at };
        let line = &rest[..end];
        let is_one = |(begin, then): &(&[u8], &[u8])| {
            line.strip_prefix(*begin).is_some_and(|rest| memchr::memmem::find(rest, then).is_some())
        };
        if !HARMLESS.iter().any(is_one) {
            return at;
        }
        at += end + 1;
    }
}

/// What stands in their place: lines keep their numbers.
pub fn blank(told: &[u8]) -> Vec<u8> {
    told.iter().copied().filter(|byte| *byte == b'\n').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dump_program_says_of_its_work_is_passed_over() {
        let insecure = "mysqldump: [Warning] Using a password on the command line interface can be insecure.\r\n";
        let spaces = "mysqldump: Error: 'Access denied; you need (at least one of) the PROCESS privilege(s) for this operation' when trying to dump tablespaces\n";
        let both = format!("{insecure}{spaces}");
        for told in [insecure, spaces, &both] {
            assert_eq!(length(format!("{told}-- MySQL dump 10.13\n").as_bytes()), told.len());
        }
        assert_eq!(blank(both.as_bytes()), b"\n\n");
        for other in [
            "-- MySQL dump 10.13\n",
            "mysqldump: Couldn't execute 'SHOW TRIGGERS LIKE 'a'': Access denied (1045)\n",
            "mysqldump: Error: 'Access denied for user' when trying to connect\n",
            "mysqldump: [Warning] without an end",
            "",
        ] {
            assert_eq!(length(other.as_bytes()), 0, "{other}");
        }
    }
}
