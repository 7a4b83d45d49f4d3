//! The cache of what is in backups: any bytes, and any JSON in the place of what was found. It is only shown, so nothing in it
//! may do more than be shown.

use super::site::{DOMAIN, site};
use rocketvps_restore::backup::cache::folder::Fingerprint;
use rocketvps_restore::backup::cache::index::Index;
use rocketvps_restore::backup::{self, preview};
use rocketvps_restore::call;
use serde_json::json;
use serde_json::value::RawValue;

pub fn run(data: &[u8]) {
    show(data);
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(found) = serde_json::from_str::<&RawValue>(text)
    {
        let source = &site().source;
        let files = Fingerprint::all(source).expect("the backup's fingerprints");
        let key = source.path.canonicalize().expect("the backup's path");
        let known =
            json!({"files": files, "valid": true, "layout": null, "file_count": 1, "db_tables": 1, "read_at": 1});
        let live =
            json!({"at": "2025-10-04T03:00:00Z", "files": 1, "database": 1, "schema": null, "data_folder": null});
        let key = json!(key);
        show(
            format!("{{\"schema\":3,\"live\":{live},\"archives\":{{{key}:{known}}},\"scans\":{{{key}:{found}}}}}")
                .as_bytes(),
        );
    }
}

fn show(bytes: &[u8]) {
    let site = site();
    std::fs::write(site.index(), bytes).expect("write the index");
    let index = Index::load(&site.config, &site.domain);
    if let Some(found) = index.scan(&site.source) {
        preview::required_bytes(&found, &site.config);
    }
    backup::list(&site.config, &site.domain).expect("the list of backups needs no index");
    let request = json!({"config": site.toml(), "domain": DOMAIN});
    let document = call::call("preview_backup", &request.to_string());
    // What the cache does not answer is asked of a worker, and there is none here.
    assert!(document["ok"] == true || document["error"]["code"] == "helper_missing", "{document}");
}
