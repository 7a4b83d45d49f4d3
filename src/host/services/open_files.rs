//! Whether nginx keeps the files of a site open between requests.
//!
//! With `open_file_cache` a worker serves the file that it opened first, for `open_file_cache_valid` (60 s by default), whatever has
//! taken its path since (ngx_http_core_module). Only a reload makes it forget.

use super::nginx_whole;
use std::path::Path;

/// Whether any part of the configuration in this file has `open_file_cache`.
pub fn are_kept(conf: &Path) -> bool {
    nginx_whole::read(conf).iter().any(|directive| directive.name == "open_file_cache" && directive.first() != "off")
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
