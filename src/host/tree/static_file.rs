//! Which files of a site a web server gives out as they are, by their names. Pure.

/// What such files are called at their end.
const ENDS: [&[u8]; 13] =
    [b"css", b"js", b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"ico", b"txt", b"woff2", b"html", b"htm"];
/// Folders that are closed to visitors, or whose files a site makes anew at any time.
const PASSED: [&[u8]; 8] = [b"cache", b"caches", b"log", b"logs", b"node_modules", b"storage", b"tmp", b"vendor"];

/// Whether no program makes a file of this name anew for a visitor.
pub fn is_static(name: &[u8]) -> bool {
    let at = name.iter().rposition(|byte| *byte == b'.');
    at.is_some_and(|at| ENDS.contains(&name[at + 1..].to_ascii_lowercase().as_slice()))
}

/// Whether what lies in a folder of this name is no file to ask for.
pub fn is_passed(folder: &[u8]) -> bool {
    PASSED.contains(&folder.to_ascii_lowercase().as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_last_end() {
        for name in ["a.css", "jquery.min.js", "A.PNG"] {
            assert!(is_static(name.as_bytes()), "{name}");
        }
        for name in ["index.php", "css", "a.css.php", "a.", "dump.sql"] {
            assert!(!is_static(name.as_bytes()), "{name}");
        }
        assert!(is_passed(b"Cache") && is_passed(b"vendor") && !is_passed(b"uploads"));
    }
}
