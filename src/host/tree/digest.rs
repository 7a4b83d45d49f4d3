//! One text for a whole tree: equal exactly when path, type, mode, owner, size, content and link targets are.

use super::kind::Kind;
use super::walk::{Next, walk};
use crate::error::{IoContext, Result};
use crate::text;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;

/// SHA-256, in hexadecimal, over everything in the tree at `root`. Times are not part of it.
///
/// # Errors
/// `io_failed` naming the path.
pub fn digest(root: impl AsFd) -> Result<String> {
    let mut all = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    walk(root, &mut |visit| {
        let stat = visit.stat;
        let size = if visit.kind == Kind::File { stat.stx_size } else { 0 };
        let mut field = |bytes: &[u8]| {
            all.update((bytes.len() as u64).to_le_bytes());
            all.update(bytes);
        };
        field(visit.path);
        field(&[visit.kind as u8]);
        for number in [u64::from(stat.stx_mode), u64::from(stat.stx_uid), u64::from(stat.stx_gid), size] {
            field(&number.to_le_bytes());
        }
        match visit.kind {
            Kind::Symlink => field(&visit.target()?),
            Kind::File => {
                let mut file = File::from(visit.open()?);
                loop {
                    let count =
                        file.read(&mut buffer).doing(|| format!("read {}", String::from_utf8_lossy(visit.path)))?;
                    if count == 0 {
                        break;
                    }
                    all.update(&buffer[..count]);
                }
            }
            _ => {}
        }
        Ok(Next::Into)
    })?;
    Ok(text::hex(&all.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::tree::handle::open_folder;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn every_property_counts_and_time_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let now = || digest(open_folder(folder.path()).unwrap()).unwrap();
        std::fs::write(path("f"), "one").unwrap();
        symlink("f", path("l")).unwrap();
        let first = now();
        assert_eq!(first, now());
        std::fs::write(path("f"), "two").unwrap();
        assert_ne!(first, now());
        std::fs::write(path("f"), "one").unwrap();
        assert_eq!(first, now());
        std::fs::set_permissions(path("f"), std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_ne!(first, now());
        std::fs::set_permissions(path("f"), std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(first, now());
        std::fs::remove_file(path("l")).unwrap();
        symlink("g", path("l")).unwrap();
        assert_ne!(first, now());
    }
}
