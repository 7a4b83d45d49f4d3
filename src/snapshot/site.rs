//! The files of a snapshot: the document root as a tar, and the domain's live configuration as another.
//!
//! The tree is read by handles, no link is followed. The site lives on while it is read: a file that shrinks is
//! filled up with zeros, one that vanishes is left out, and both are counted.

use crate::backup::layout::ConfigItem;
use crate::config::Config;
use crate::error::{Error, IoContext, Result};
use crate::host::tree::walk::Next;
use crate::host::tree::{Kind, Visit, walk};
use crate::path::{Domain, RelPath};
use crate::progress::{Level, Monitor, Phase};
use crate::siteconf::spellings;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use tar::{Builder, EntryType, Header};

/// Largest configuration file taken.
const MAX_CONFIG_FILE: u64 = 1 << 20;

/// What was packed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packed {
    /// Files, further names of a file included.
    pub files: u64,
    /// Folders, the root not counted.
    pub folders: u64,
    /// Symbolic links.
    pub links: u64,
    /// Bytes of file content.
    pub bytes: u64,
    /// Files that changed or vanished while they were read.
    pub changed: u64,
    /// Devices, FIFOs, sockets and nested mounts, left out.
    pub left_out: u64,
}

/// Files and bytes in a tree, for progress.
///
/// # Errors
/// `io_failed` and the monitor's own.
pub fn measure(root: &OwnedFd, monitor: &dyn Monitor) -> Result<(u64, u64)> {
    let (mut files, mut bytes) = (0, 0);
    let mut mount = None;
    walk(root, &mut |visit: &Visit| {
        monitor.keep_going()?;
        if *mount.get_or_insert(visit.stat.stx_mnt_id) != visit.stat.stx_mnt_id {
            return Ok(Next::Past);
        }
        if visit.kind == Kind::File {
            files += 1;
            bytes += visit.stat.stx_size;
        }
        Ok(Next::Into)
    })?;
    Ok((files, bytes))
}

/// Writes the tree as tar, every path below `DOMAIN/`.
///
/// # Errors
/// `io_failed`, `disk_full` and the monitor's own.
pub fn pack(root: &OwnedFd, domain: &Domain, out: impl Write, monitor: &dyn Monitor) -> Result<Packed> {
    let mut builder = Builder::new(out);
    let mut packer = Packer { packed: Packed::default(), names: HashMap::new(), mount: None, domain, monitor };
    walk(root, &mut |visit: &Visit| packer.add(&mut builder, visit))?;
    let packed = packer.packed;
    builder.into_inner().and_then(|mut out| out.flush()).doing(|| "write the files of the snapshot".into())?;
    Ok(packed)
}

struct Packer<'a> {
    packed: Packed,
    /// First path of files with several names.
    names: HashMap<u64, Vec<u8>>,
    mount: Option<u64>,
    domain: &'a Domain,
    monitor: &'a dyn Monitor,
}

impl Packer<'_> {
    fn add<W: Write>(&mut self, builder: &mut Builder<W>, visit: &Visit) -> Result<Next> {
        self.monitor.keep_going()?;
        let shown = String::from_utf8_lossy(visit.path);
        if *self.mount.get_or_insert(visit.stat.stx_mnt_id) != visit.stat.stx_mnt_id {
            self.left_out(&format!("{shown} is a mount of its own"));
            return Ok(Next::Past);
        }
        let mut name = self.domain.as_str().as_bytes().to_vec();
        if !visit.path.is_empty() {
            name.push(b'/');
            name.extend_from_slice(visit.path);
        }
        // What no restore would take back is told now.
        if let Err(error) = RelPath::parse(&name) {
            self.left_out(&error.message);
            return Ok(Next::Past);
        }
        let path = Path::new(OsStr::from_bytes(&name));
        let mut header = header(visit);
        let written = |result: std::io::Result<()>| result.doing(|| format!("write {shown} to the snapshot"));
        match visit.kind {
            Kind::Folder => {
                name.push(b'/');
                written(builder.append_data(&mut header, Path::new(OsStr::from_bytes(&name)), std::io::empty()))?;
                self.packed.folders += u64::from(!visit.path.is_empty());
            }
            Kind::Symlink => {
                let Ok(target) = visit.target() else {
                    self.packed.changed += 1;
                    return Ok(Next::Into);
                };
                written(builder.append_link(&mut header, path, OsStr::from_bytes(&target)))?;
                self.packed.links += 1;
            }
            Kind::File => {
                if visit.stat.stx_nlink > 1 {
                    if let Some(first) = self.names.get(&visit.stat.stx_ino) {
                        header.set_entry_type(EntryType::Link);
                        header.set_size(0);
                        written(builder.append_link(&mut header, path, OsStr::from_bytes(first)))?;
                        self.count(0);
                        return Ok(Next::Into);
                    }
                    self.names.insert(visit.stat.stx_ino, name.clone());
                }
                self.file(builder, visit, &mut header, path)?;
            }
            Kind::Special => self.left_out(&format!("{shown} is a device, FIFO or socket")),
        }
        Ok(Next::Into)
    }

    fn file<W: Write>(
        &mut self,
        builder: &mut Builder<W>,
        visit: &Visit,
        header: &mut Header,
        path: &Path,
    ) -> Result<()> {
        let shown = || String::from_utf8_lossy(visit.path).into_owned();
        let file = match visit.open() {
            Ok(file) => File::from(file),
            // Deleted since its folder was read: it is not part of the site any more.
            Err(error)
                if error.context.get("errno").and_then(|errno| errno.as_i64()) == Some(i64::from(libc::ENOENT)) =>
            {
                self.packed.changed += 1;
                self.names.remove(&visit.stat.stx_ino);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let size = file.metadata().doing(|| format!("look at {}", shown()))?.len();
        header.set_size(size);
        header.set_cksum();
        let attributes = attributes(&file);
        if !attributes.is_empty() {
            let pairs = attributes.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
            builder.append_pax_extensions(pairs).doing(|| format!("write {} to the snapshot", shown()))?;
        }
        let mut reader = Exact { file, left: size, short: false, failed: None, monitor: self.monitor };
        let result = builder.append_data(header, path, &mut reader);
        if let Some(error) = reader.failed {
            return Err(Error::io(format_args!("read {}", shown()), &error));
        }
        self.monitor.keep_going()?;
        result.doing(|| format!("write {} to the snapshot", shown()))?;
        self.packed.changed += u64::from(reader.short);
        self.count(size);
        Ok(())
    }

    fn count(&mut self, bytes: u64) {
        self.packed.files += 1;
        self.packed.bytes += bytes;
        self.monitor.advance(Phase::Files, 1, bytes);
    }

    fn left_out(&mut self, why: &str) {
        self.packed.left_out += 1;
        self.monitor.event(Level::Warn, &format!("not in the snapshot: {}", crate::text::printable(why)));
    }
}

fn header(visit: &Visit) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(u32::from(visit.stat.stx_mode) & 0o7777);
    header.set_uid(u64::from(visit.stat.stx_uid));
    header.set_gid(u64::from(visit.stat.stx_gid));
    // A time before 1970 has no form in the header.
    header.set_mtime(u64::try_from(visit.stat.stx_mtime.tv_sec).unwrap_or(0));
    header.set_size(0);
    header.set_entry_type(match visit.kind {
        Kind::Folder => EntryType::Directory,
        Kind::Symlink => EntryType::Symlink,
        _ => EntryType::Regular,
    });
    header
}

/// The file's `user.*` attributes as PAX records.
fn attributes(file: &File) -> Vec<(String, Vec<u8>)> {
    let mut names = [0_u8; 4096];
    // No support, or more than fits: most files have none, and none is what most restores keep.
    let Ok(length) = rustix::fs::flistxattr(file, &mut names[..]) else { return Vec::new() };
    let mut found = Vec::new();
    for name in names[..length].split(|byte| *byte == 0).filter(|name| name.starts_with(b"user.")) {
        let mut value = vec![0; 65536];
        let (Ok(text), Ok(length)) = (std::str::from_utf8(name), rustix::fs::fgetxattr(file, name, &mut value[..]))
        else {
            continue;
        };
        value.truncate(length);
        found.push((format!("SCHILY.xattr.{text}"), value));
    }
    found
}

/// Gives exactly as many bytes as the header says, whatever happens to the file meanwhile.
struct Exact<'a> {
    file: File,
    left: u64,
    short: bool,
    failed: Option<std::io::Error>,
    monitor: &'a dyn Monitor,
}

impl Read for Exact<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        // The caller asks the monitor again and gets its own error.
        if self.monitor.keep_going().is_err() {
            return Err(std::io::Error::other("stopped"));
        }
        let read = if self.short {
            0
        } else {
            self.file.read(&mut buffer[..most]).inspect_err(|error| {
                self.failed = Some(std::io::Error::from(error.kind()));
            })?
        };
        if read == 0 {
            self.short = true;
            buffer[..most].fill(0);
            self.left -= most as u64;
            return Ok(most);
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// A live configuration file of the domain and its name in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveConfig {
    /// Its kind.
    pub item: ConfigItem,
    /// Member name in `config.tar.gz`.
    pub member: String,
    /// Where it is.
    pub path: PathBuf,
}

/// The domain's configuration files that exist.
pub fn live_config(config: &Config, domain: &Domain) -> Vec<LiveConfig> {
    let paths = &config.paths;
    let mut found = Vec::new();
    let mut add = |item, member: String, path: PathBuf| {
        if path.is_file() {
            found.push(LiveConfig { item, member, path });
        }
    };
    if let Some(path) = spellings(&paths.nginx_available, domain).into_iter().find(|path| path.is_file()) {
        add(ConfigItem::Nginx, "config/nginx.conf".into(), path);
    }
    add(ConfigItem::PhpFpm, "config/php-fpm.conf".into(), paths.php_pool_dir.join(format!("{domain}.conf")));
    let certificates = std::fs::read_dir(paths.ssl.join(domain.as_str())).into_iter().flatten().flatten();
    let mut names: Vec<String> = certificates
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(".pem"))
        .collect();
    names.sort();
    for name in names {
        let path = paths.ssl.join(domain.as_str()).join(&name);
        add(ConfigItem::Ssl, format!("config/ssl/{name}"), path);
    }
    add(ConfigItem::Cron, "config/cron".into(), paths.cron.join(domain.underscored()));
    found
}

/// Writes configuration files as tar.
///
/// # Errors
/// `io_failed`, `disk_full`.
pub fn pack_config(files: &[LiveConfig], out: impl Write) -> Result<()> {
    let mut builder = Builder::new(out);
    for file in files {
        let mut content = Vec::new();
        let read = || format!("read {}", file.path.display());
        File::open(&file.path).doing(read)?.take(MAX_CONFIG_FILE).read_to_end(&mut content).doing(read)?;
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        // Keys are in it: nobody but root reads what is unpacked.
        header.set_mode(if file.item == ConfigItem::Ssl { 0o600 } else { 0o644 });
        header.set_size(content.len() as u64);
        header.set_mtime(0);
        builder
            .append_data(&mut header, &file.member, content.as_slice())
            .doing(|| "write the configuration of the snapshot".into())?;
    }
    builder.into_inner().and_then(|mut out| out.flush()).doing(|| "write the configuration of the snapshot".into())
}
