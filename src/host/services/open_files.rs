//! Whether nginx keeps the files of a site open between requests.
//!
//! With `open_file_cache` a worker serves the file that it opened first, for `open_file_cache_valid` (60 s by default), whatever has
//! taken its path since (ngx_http_core_module). Only a reload makes it forget.

use super::include;
use crate::siteconf::nginx;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Files that are read, bytes of one, and includes within one another.
const MAX_FILES: usize = 5_000;
const MAX_BYTES: u64 = 4 << 20;
const MAX_NESTING: usize = 16;

/// Whether any part of the configuration in this file has `open_file_cache`. What cannot be read has none: nginx could not read it either.
pub fn are_kept(conf: &Path) -> bool {
    let folder = conf.parent().unwrap_or(Path::new("/"));
    let mut left = MAX_FILES;
    let mut open: Vec<(PathBuf, usize)> = vec![(conf.to_owned(), 0)];
    while let Some((path, depth)) = open.pop() {
        let Some(still) = left.checked_sub(1) else { return false };
        left = still;
        let Some(directives) = read(&path) else { continue };
        for directive in directives {
            match directive.name.as_str() {
                "open_file_cache" if directive.first() != "off" => return true,
                "include" if depth < MAX_NESTING => {
                    let named = include::matches(&folder.join(directive.first()), &[]);
                    open.extend(named.into_iter().map(|path| (path, depth + 1)));
                }
                _ => {}
            }
        }
    }
    false
}

fn read(path: &Path) -> Option<Vec<nginx::Directive>> {
    // Not a pipe, which would be waited for.
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = Vec::new();
    File::open(path).ok()?.take(MAX_BYTES).read_to_end(&mut text).ok()?;
    nginx::parse(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_wherever_an_include_leads() {
        let base = tempfile::tempdir().unwrap();
        let conf = base.path().join("nginx.conf");
        std::fs::create_dir(base.path().join("sites")).unwrap();
        std::fs::write(
            &conf,
            "http { # open_file_cache max=1;\n include sites/*.conf; include nowhere; include nginx.conf; }",
        )
        .unwrap();
        let site = base.path().join("sites/a.conf");
        for (text, kept) in [
            ("server { root /x; }", false),
            ("server { open_file_cache off; }", false),
            ("server { location / { open_file_cache max=100 inactive=60s; } }", true),
            ("server { open_file_cache", false),
        ] {
            std::fs::write(&site, text).unwrap();
            assert_eq!(are_kept(&conf), kept, "{text}");
        }
    }
}
