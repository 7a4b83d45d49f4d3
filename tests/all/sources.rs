//! What the sources must not hold: rules that no compiler knows.

use crate::rust_files;
use std::collections::BTreeMap;
use std::path::Path;

/// Files that look at paths by their names, and whose paths those are. Everything else, and above all whatever lies below a site's
/// document root, is looked at beneath an open folder (`src/host/tree/handle.rs`): a tenant can make a link of any part of a path.
const BY_NAME: &[(&str, &str)] = &[
    ("src/backup/cache/catalogue.rs", "our folder of catalogues"),
    ("src/backup/chain.rs", "the folder of backups; its archives are opened without following a link"),
    ("src/host/services/door.rs", "certificates that root's nginx file names, and those of `paths.ssl`"),
    ("src/engine/inspect/domains.rs", "whether folders exist"),
    ("src/backup/cache/index.rs", "our cache"),
    ("src/backup/list.rs", "the folder of backups"),
    ("src/backup/locate.rs", "the folder of backups; what is opened is opened beneath it"),
    ("src/backup/source.rs", "an archive, its last name not followed"),
    ("src/call.rs", "whether a document root exists"),
    ("src/cli/approve.rs", "/proc/self/loginuid"),
    ("src/cli/request.rs", "a dump that a person names on the command line"),
    ("src/config.rs", "restore.toml; what PHP is installed"),
    ("src/config/in_force.rs", "whether what restore.toml names is there"),
    ("src/disk.rs", "the primitives themselves"),
    ("src/engine/leftovers/cleanup.rs", "our folder of jobs"),
    ("src/engine/inspect/diff/pages.rs", "our folder of jobs"),
    ("src/engine/inspect/diff/settings.rs", "the machine's configuration"),
    ("src/engine/machine.rs", "/proc; the server's folder of data"),
    ("src/engine/leftovers/orphans.rs", "our folders of staging and snapshots"),
    ("src/engine/preflight.rs", "whether folders of configuration exist"),
    ("src/engine/recovery.rs", "our folder of jobs"),
    ("src/engine/leftovers/resume.rs", "our folder of jobs"),
    ("src/engine/site_config.rs", "the machine's configuration"),
    ("src/engine/preflight/space.rs", "whether folders exist"),
    ("src/engine/commit/step.rs", "our folder of snapshots"),
    ("src/engine/verify.rs", "our manifest; the machine's configuration"),
    ("src/clock.rs", "the machine's time zone"),
    ("src/host/account.rs", "/etc/passwd, /etc/group"),
    ("src/host/command.rs", "programs"),
    ("src/host/hooks.rs", "the administrator's folder of hooks"),
    ("src/host/mounts.rs", "/proc: what is mounted, and by whom"),
    ("src/host/credentials/administrator.rs", "the administrator's folder of credentials"),
    ("src/host/database/load/checkpoint.rs", "our folder of staging"),
    ("src/host/process.rs", "/proc, /dev/null"),
    ("src/engine/rehearsal.rs", "the configuration of nginx"),
    ("src/host/cell.rs", "our folder of staging"),
    ("src/host/cell/inside.rs", "a cell's own files; what the site wrote there, when all of its processes have ended"),
    ("src/host/cell/mounts.rs", "where mounts go, when everything of the machine is read-only"),
    ("src/host/services.rs", "whether a socket exists"),
    ("src/host/services/include.rs", "the folders of nginx and PHP-FPM"),
    ("src/host/services/master.rs", "/proc, pid files"),
    ("src/host/services/config_test.rs", "the machine's configuration"),
    ("src/host/services/caches/requests.rs", "/proc/net, and the sockets that nginx's configuration names"),
    ("src/host/services/nginx_whole.rs", "the configuration of nginx"),
    ("src/host/services/workers.rs", "the configuration of supervisor and systemd"),
    ("src/host/tree/policy.rs", "/etc/passwd, /etc/group"),
    ("src/host/tree/space.rs", "whether folders exist"),
    ("src/job/estimate.rs", "our folder of jobs"),
    ("src/job/events.rs", "our folder of jobs"),
    ("src/job/folder.rs", "our folder of jobs"),
    ("src/job/lock.rs", "our folder of jobs"),
    ("src/job/logs.rs", "our logs"),
    ("src/backup/dump_folder.rs", "a file that was opened beneath its folder"),
    ("src/drills/history.rs", "our folder of drills"),
    ("src/worker/recovery.rs", "our folder of jobs"),
    ("src/worker/spawn.rs", "the helper program; whether systemd runs"),
    ("src/worker.rs", "our folder of jobs; whether a document root exists"),
    ("src/journal.rs", "our journal"),
    ("src/siteconf/certbot.rs", "the machine's configuration"),
    ("src/siteconf/change.rs", "the machine's configuration"),
    ("src/siteconf/check.rs", "the machine's configuration"),
    ("src/siteconf/guard.rs", "folders of logs that a configuration names: whose they are, nothing in them"),
    ("src/siteconf/guard/nginx.rs", "the machine's configuration"),
    ("src/siteconf/pool.rs", "the machine's configuration"),
    ("src/siteconf/target.rs", "the machine's configuration"),
    ("src/snapshot/database.rs", "the dump program, our option file"),
    ("src/snapshot/list.rs", "our folder of snapshots"),
    ("src/snapshot/remove.rs", "our folder of snapshots"),
    ("src/snapshot/site.rs", "the machine's configuration"),
    ("src/backup/archives.rs", "the folder of backups; links are named, not followed"),
    ("src/backup/cache/folder.rs", "our cache"),
    ("src/job/monitor.rs", "our folder of jobs"),
    ("src/host/tree/trusted.rs", "a folder above, beneath an open one; root's links alone are followed"),
    ("src/engine/commit/steps.rs", "whether folders above a document root exist"),
    ("src/host/site.rs", "the web root, the configuration of nginx; whether a document root exists"),
    ("src/host/tree/handle.rs", "the name of an open folder"),
    ("src/broker/approval.rs", "our folder of approvals, below base"),
    ("src/broker/audit.rs", "our file of lines, below base"),
    ("src/broker/settings.rs", "restore.toml and access.toml, which are the administrator's"),
    ("src/broker/peer.rs", "the caller's program, as the kernel names it, for the audit"),
    ("src/broker/serve.rs", "the folder of the broker's socket, which is root's"),
];

/// Ways to look at a path by its name.
const LOOKS: &[&str] = &[
    "fs::read(",
    "fs::read_to_string(",
    "fs::read_dir(",
    "fs::metadata(",
    "fs::symlink_metadata(",
    "fs::canonicalize(",
    "fs::read_link(",
    "fs::lstat(",
    "fs::stat(",
    "File::open(",
    "fs::open(",
    ".exists()",
    ".is_dir()",
    ".is_file()",
    ".symlink_metadata()",
    ".canonicalize()",
    ".read_link()",
];

/// Lines of the product, tests and comments left out, by file.
fn product() -> BTreeMap<String, Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files::find(&root.join("src"), &mut files);
    let for_tests =
        |name: &str| ["tests.rs", "testing.rs", "contract.rs", "fake.rs"].iter().any(|end| name.ends_with(end));
    files
        .iter()
        .map(|path| (path.strip_prefix(root).unwrap().display().to_string(), std::fs::read_to_string(path).unwrap()))
        .filter(|(name, _)| !for_tests(name))
        .map(|(name, text)| {
            let product = text.split("#[cfg(test)]").next().unwrap();
            let lines = product.lines().filter(|line| !line.trim_start().starts_with("//"));
            (name, lines.map(str::to_owned).collect())
        })
        .collect()
}

#[test]
fn only_what_is_not_a_tenants_is_looked_at_by_its_name() {
    let mut found: Vec<String> = Vec::new();
    for (name, lines) in product() {
        // A file that is open, or an entry of a listing, is no name.
        let by_name = |line: &&String| {
            LOOKS.iter().any(|look| line.contains(look))
                && !line.contains("kind.is_file()")
                && !line.contains("kind.is_dir()")
        };
        if lines.iter().any(|line| by_name(&line)) {
            found.push(name);
        }
    }
    let listed: Vec<&str> = BY_NAME.iter().map(|(name, _)| *name).collect();
    let new: Vec<&String> = found.iter().filter(|name| !listed.contains(&name.as_str())).collect();
    let gone: Vec<&&str> = listed.iter().filter(|name| !found.iter().any(|found| found == *name)).collect();
    assert!(
        new.is_empty(),
        "these look at paths by name; below a document root use tree::open_site and tree::read_beneath: {new:?}"
    );
    assert!(gone.is_empty(), "these are listed and do not do so any more: {gone:?}");
}

#[test]
fn no_path_is_put_together_below_a_document_root() {
    // Shown in messages, never opened.
    const SHOWN: &[&str] = &["src/host/credentials/claims.rs"];
    for (name, lines) in product() {
        let text = lines.join("\n");
        for (at, _) in text.match_indices("document_root") {
            let rest: String = text[at..].chars().take(80).filter(|letter| !letter.is_whitespace()).collect();
            let after = rest.trim_start_matches("document_root");
            let after =
                after.strip_prefix('(').map_or(after, |inner| inner.split_once(')').map_or("", |(_, after)| after));
            assert!(!after.starts_with(".join(") || SHOWN.contains(&name.as_str()), "{name}: {rest}");
        }
    }
}
