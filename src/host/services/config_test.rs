//! Lets nginx or PHP-FPM judge a configuration that is not installed.
//!
//! Both programs, run as root, open the logs, pid files and cache folders that the tested text names. So the text is
//! rendered into a folder of its own: every file that is read is copied there, includes lead to the copies, and paths
//! that would be written lead into the folder. Line numbers stay as they are, and messages name the real files.
//! (`nginx -t` binds addresses that nobody listens on, for a moment; those in use it leaves alone.)

use super::{Service, command, include, master};
use crate::config::{Config, ServiceUnit};
use crate::error::{Code, Error, IoContext, Result};
use crate::random;
use crate::siteconf::{ConfFile, Item, nginx};
use crate::text;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a test may take: nginx looks up the names of upstreams.
const PATIENCE: Duration = Duration::from_secs(30);
const MAX_FILES: usize = 5_000;
const MAX_BYTES: usize = 64 << 20;
const MAX_NESTING: usize = 16;

/// Tests `candidates` together with the live rest of the service's configuration.
///
/// # Errors
/// `config_rejected` with the program's message, `service_down` when the program is missing, `io_failed`.
pub fn test(
    service: Service,
    unit: &ServiceUnit,
    config: &Config,
    candidates: &[ConfFile],
    work: &Path,
) -> Result<Vec<String>> {
    let program = master::program(service, unit).ok_or_else(|| {
        let name = service.name();
        Error::new(Code::ServiceDown, format!("the program of {name} was not found"))
            .hint(format!("Install {name}, or name its program in restore.toml."))
    })?;
    let item = if service == Service::Nginx { Item::Nginx } else { Item::PhpFpm };
    let copy = Copy::make(work, unit, config, item, candidates)?;
    let outcome = match service {
        Service::Nginx => {
            copy.run_nginx(&program, master::Master::find(service, unit).and_then(|master| master.prefix()))
        }
        _ => copy.run_php_fpm(&program),
    };
    let outcome = outcome.map_err(|why| Error::new(Code::ConfigRejected, why))?;
    let said = copy.explain(&outcome.said);
    if !outcome.success {
        let name = service.name();
        let first = said.first().cloned().unwrap_or_else(|| "it gives no reason".into());
        return Err(Error::new(Code::ConfigRejected, format!("{name} refuses the configuration: {first}"))
            .with("messages", said));
    }
    if !copy.missing_folders.is_empty() {
        return Err(Error::new(Code::ConfigRejected, copy.missing_folders.join("; "))
            .hint("Create the folder, or correct the path in the backup's configuration."));
    }
    Ok(said)
}

/// The rendered copy; removed when dropped.
struct Copy<'a> {
    folder: PathBuf,
    main: PathBuf,
    conf_folder: PathBuf,
    item: Item,
    config: &'a Config,
    /// Candidate content by the real path it will be read at.
    overlay: BTreeMap<PathBuf, Overlaid>,
    /// Rendered path → real path.
    names: HashMap<String, String>,
    files: usize,
    bytes: usize,
    /// Folders made so far, one an include; their number names the next one.
    includes: usize,
    has_pid: bool,
    /// Real folder that nginx keeps files in → the one that takes its place. One path has one place: nginx itself finds
    /// two caches in one folder.
    stores: HashMap<String, String>,
    missing_folders: Vec<String>,
}

#[derive(Clone)]
struct Overlaid {
    content: Vec<u8>,
    copy: Option<PathBuf>,
}

/// The path with the links of its folder resolved, so that two spellings compare equal.
fn normal(path: &Path) -> PathBuf {
    if let Ok(whole) = path.canonicalize() {
        return whole;
    }
    match (path.parent().and_then(|parent| parent.canonicalize().ok()), path.file_name()) {
        (Some(parent), Some(name)) => parent.join(name),
        _ => path.to_owned(),
    }
}

impl<'a> Copy<'a> {
    fn make(
        work: &Path,
        unit: &ServiceUnit,
        config: &'a Config,
        item: Item,
        candidates: &[ConfFile],
    ) -> Result<Copy<'a>> {
        let folder = work.join(format!("config-test-{}", random::hex(6)?));
        fs::DirBuilder::new().mode(0o700).create(&folder).doing(|| format!("create {}", folder.display()))?;
        let conf = unit.conf.canonicalize().unwrap_or_else(|_| unit.conf.clone());
        let mut copy = Copy {
            main: folder.join(conf.file_name().unwrap_or(OsStr::new("main.conf"))),
            conf_folder: unit.conf.parent().unwrap_or(Path::new("/")).to_owned(),
            folder,
            item,
            config,
            overlay: BTreeMap::new(),
            names: HashMap::new(),
            files: 0,
            bytes: 0,
            includes: 0,
            has_pid: false,
            stores: HashMap::new(),
            missing_folders: Vec::new(),
        };
        for name in ["files", "written", "given"] {
            fs::DirBuilder::new()
                .mode(0o700)
                .create(copy.folder.join(name))
                .doing(|| format!("create folder {name}"))?;
        }
        copy.lay_over(candidates)?;
        if item == Item::Nginx {
            copy.link_neighbours()?;
        }
        let mut text = copy.read(&unit.conf)?;
        text = copy.render(&unit.conf, &text, 0, false)?;
        if item == Item::PhpFpm {
            let written = copy.folder.join("written");
            let path = written.display();
            // A later setting wins over the file's own.
            text.extend(format!("\n[global]\npid = {path}/pid\nerror_log = {path}/log\n").bytes());
        }
        let main = copy.main.clone();
        copy.write(&main, &text, &unit.conf)?;
        Ok(copy)
    }

    fn lay_over(&mut self, candidates: &[ConfFile]) -> Result<()> {
        for (number, file) in candidates.iter().enumerate() {
            // Keys and certificates are read by path; the rest is read through includes.
            let copy = if file.item == Item::Ssl {
                let path = self.folder.join("given").join(format!("{number}-{}", file.name.replace('/', "_")));
                self.write(&path, &file.content, &file.target)?;
                Some(path)
            } else {
                None
            };
            let overlaid = Overlaid { content: file.content.clone(), copy };
            for path in [Some(&file.target), file.link.as_ref().map(|link| &link.path)].into_iter().flatten() {
                self.overlay.insert(path.clone(), overlaid.clone());
                self.overlay.insert(normal(path), overlaid.clone());
            }
        }
        Ok(())
    }

    /// nginx takes relative names from the folder of its main file: what lies beside the real one is linked.
    fn link_neighbours(&self) -> Result<()> {
        let Ok(entries) = fs::read_dir(&self.conf_folder) else { return Ok(()) };
        for entry in entries.flatten().take(MAX_FILES) {
            let link = self.folder.join(entry.file_name());
            if link != self.main && link.symlink_metadata().is_err() {
                symlink(entry.path(), &link).doing(|| format!("link {}", link.display()))?;
            }
        }
        Ok(())
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        let what = || format!("read {}", path.display());
        let mut text = Vec::new();
        // A FIFO among the includes must not hold us up.
        let file = fs::File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path).doing(what)?;
        file.take(MAX_BYTES as u64 + 1).read_to_end(&mut text).doing(what)?;
        Ok(text)
    }

    fn write(&mut self, path: &Path, text: &[u8], real: &Path) -> Result<()> {
        self.files += 1;
        self.bytes += text.len();
        if self.files > MAX_FILES || self.bytes > MAX_BYTES {
            return Err(Error::new(Code::LimitExceeded, "the configuration is larger than 5,000 files or 64 MiB"));
        }
        let what = || format!("write {}", path.display());
        let mut file = fs::File::options().write(true).create_new(true).mode(0o600).open(path).doing(what)?;
        file.write_all(text).doing(what)?;
        self.names.insert(path.display().to_string(), real.display().to_string());
        Ok(())
    }

    fn overlaid(&self, path: &Path) -> Option<&Overlaid> {
        self.overlay.get(path).or_else(|| self.overlay.get(&normal(path)))
    }

    fn render(&mut self, path: &Path, text: &[u8], depth: usize, candidate: bool) -> Result<Vec<u8>> {
        if depth > MAX_NESTING {
            return Err(Error::new(Code::ConfigRejected, format!("{}: includes nest too deep", path.display())));
        }
        match self.item {
            Item::Nginx => self.render_nginx(path, text, depth, candidate),
            _ => self.render_pool(text, depth, candidate),
        }
    }

    fn render_nginx(&mut self, path: &Path, text: &[u8], depth: usize, candidate: bool) -> Result<Vec<u8>> {
        let directives = match nginx::parse(text) {
            Ok(directives) => directives,
            Err(why) => {
                let shown = path.display();
                return Err(Error::new(
                    Code::ConfigRejected,
                    format!("nginx refuses the configuration: {why} in {shown}"),
                ));
            }
        };
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        for directive in &directives {
            let Some(first) = directive.arguments.first() else { continue };
            let name = directive.name.as_str();
            let special = |text: &str| {
                ["off", "stderr", "on"].contains(&text) || text.starts_with("syslog:") || text.starts_with("memory:")
            };
            match name {
                "include" => {
                    let rendered = self.include(&self.conf_folder.join(&first.text), depth)?;
                    edits.push((first.extent.clone(), quote(&rendered)));
                }
                "pid" if directive.parent.is_none() => {
                    self.has_pid = true;
                    edits.push((first.extent.clone(), self.written("pid")));
                }
                "lock_file" => edits.push((first.extent.clone(), self.written("lock"))),
                "access_log" | "error_log" if !special(&first.text) => {
                    self.note_folder(name, &first.text, candidate);
                    edits.push((first.extent.clone(), self.written("log")));
                }
                _ if name.ends_with("_temp_path") || name.ends_with("_cache_path") => {
                    self.note_folder(name, &first.text, candidate);
                    edits.push((first.extent.clone(), self.store(&first.text)));
                }
                _ => {
                    for argument in &directive.arguments {
                        let path = self.conf_folder.join(&argument.text);
                        if let Some(copy) = self.overlaid(&path).and_then(|overlaid| overlaid.copy.clone()) {
                            edits.push((argument.extent.clone(), quote(&copy)));
                        }
                    }
                }
            }
        }
        Ok(apply(text, &edits))
    }

    fn render_pool(&mut self, text: &[u8], depth: usize, candidate: bool) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(text.len());
        let mut section = String::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let shown = String::from_utf8_lossy(line).into_owned();
            let trimmed = shown.trim();
            if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
                name.clone_into(&mut section);
            }
            let setting = if trimmed.starts_with([';', '#', '[']) { None } else { trimmed.split_once('=') };
            let value = |raw: &str| raw.trim().trim_matches(['"', '\'']).replace("$pool", &section);
            match setting.map(|(key, raw)| (key.trim(), value(raw))) {
                Some(("include", pattern)) if pattern.starts_with('/') => {
                    let rendered = self.include(Path::new(&pattern), depth)?;
                    out.extend(format!("include = {}\n", rendered.display()).bytes());
                }
                Some((key @ ("access.log" | "slowlog"), path)) if !path.is_empty() => {
                    self.note_folder(key, &path, candidate);
                    out.extend(format!("{key} = {}\n", self.written("log")).bytes());
                }
                Some(("listen", path)) => {
                    self.note_folder("listen", &path, candidate);
                    out.extend(line);
                }
                _ => out.extend(line),
            }
        }
        Ok(out)
    }

    /// What the test opens elsewhere or not at all: logs, sockets of PHP-FPM, and the folders of nginx, of which it makes the last
    /// part only. A folder that is missing is found here. Folders of the site may come with it.
    fn note_folder(&mut self, setting: &str, text: &str, candidate: bool) {
        let path = Path::new(text.trim_end_matches('/'));
        let within = path.starts_with(&self.config.paths.web_root);
        let Some(folder) = path.parent().filter(|_| candidate && path.is_absolute() && !within) else { return };
        if !text.contains('$') && !path.is_dir() && !folder.is_dir() {
            let (folder, text) = (text::printable(&folder.display().to_string()), text::printable(text));
            self.missing_folders.push(format!("the folder {folder} does not exist; `{setting} {text}` needs it"));
        }
    }

    /// The place of a folder that nginx makes and keeps files in.
    fn store(&mut self, real: &str) -> String {
        let real = real.trim_end_matches('/');
        if let Some(place) = self.stores.get(real) {
            return place.clone();
        }
        let place = self.written(&format!("store-{}", self.stores.len()));
        self.names.insert(place.clone(), real.to_owned());
        self.stores.insert(real.to_owned(), place.clone());
        place
    }

    fn written(&self, name: &str) -> String {
        self.folder.join("written").join(name).display().to_string()
    }

    /// Renders every file a pattern names into a folder of its own; gives the pattern of the copies.
    fn include(&mut self, pattern: &Path, depth: usize) -> Result<PathBuf> {
        let wild = pattern.to_string_lossy().contains(['*', '?', '[']);
        let found = if wild { self.expand(pattern) } else { vec![pattern.to_owned()] };
        let folder = self.folder.join("files").join(self.includes.to_string());
        self.includes += 1;
        fs::DirBuilder::new().mode(0o700).create(&folder).doing(|| format!("create {}", folder.display()))?;
        let mut single = folder.clone();
        for (number, path) in found.iter().enumerate() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            single = folder.join(format!("{number:05}-{name}"));
            let copy = single.clone();
            let overlaid = self.overlaid(path).map(|overlaid| overlaid.content.clone());
            let candidate = overlaid.is_some();
            let text = match overlaid {
                Some(content) => content,
                None if path.is_file() => self.read(path)?,
                // The program itself says that it is missing. A pattern names links that lead nowhere, too.
                None => {
                    self.names.insert(copy.display().to_string(), path.display().to_string());
                    if !path.exists() || path.is_dir() {
                        symlink(path, &copy).doing(|| format!("link {}", copy.display()))?;
                    }
                    continue;
                }
            };
            let text = self.render(path, &text, depth + 1, candidate)?;
            self.write(&copy, &text, path)?;
        }
        Ok(if wild { folder.join("*") } else { single })
    }

    /// The files a pattern names, on disk or given, in the order of their names as glob(3) gives them.
    fn expand(&self, pattern: &Path) -> Vec<PathBuf> {
        let given: Vec<&Path> = self.overlay.keys().map(PathBuf::as_path).collect();
        let mut found = include::matches(pattern, &given);
        found.retain(|path| self.overlaid(path).is_some() || path.symlink_metadata().is_ok());
        found
    }

    fn run_nginx(&self, program: &Path, prefix: Option<PathBuf>) -> std::result::Result<command::Outcome, String> {
        let log = self.folder.join("written/log");
        let pid = format!("pid {};", self.written("pid"));
        let prefix = prefix.unwrap_or_default();
        let mut arguments: Vec<&OsStr> = vec!["-t".as_ref(), "-c".as_ref(), self.main.as_os_str()];
        if !self.has_pid {
            arguments.extend([OsStr::new("-g"), OsStr::new(&pid)]);
        }
        if !prefix.as_os_str().is_empty() {
            arguments.extend([OsStr::new("-p"), prefix.as_os_str()]);
        }
        let mut modern = arguments.clone();
        modern.extend([OsStr::new("-e"), log.as_os_str()]);
        let outcome = command::run(program, &modern, PATIENCE)?;
        if outcome.said.contains("invalid option") {
            // nginx before 1.19.5 cannot move its first log.
            return command::run(program, &arguments, PATIENCE);
        }
        Ok(outcome)
    }

    fn run_php_fpm(&self, program: &Path) -> std::result::Result<command::Outcome, String> {
        let arguments = ["-t".as_ref(), "--fpm-config".as_ref(), self.main.as_os_str()];
        command::run(program, &arguments, PATIENCE)
    }

    /// The messages with real file names, errors first, without the closing lines.
    fn explain(&self, said: &str) -> Vec<String> {
        let mut names: Vec<_> = self.names.iter().collect();
        names.sort_by_key(|(copy, _)| std::cmp::Reverse(copy.len()));
        let here = format!("{}/", self.folder.display());
        let mut lines: Vec<String> = said
            .lines()
            .map(|line| {
                let mut line = line.to_owned();
                for (copy, real) in &names {
                    line = line.replace(copy.as_str(), real);
                }
                text::printable(line.replace(&here, "").trim())
            })
            .filter(|line| {
                !line.is_empty()
                    && !line.ends_with("test failed")
                    && !line.ends_with("syntax is ok")
                    && !line.ends_with("is successful")
            })
            .take(20)
            .collect();
        lines.dedup();
        lines.sort_by_key(|line| !(line.contains("[emerg]") || line.contains("ERROR:")));
        lines
    }
}

impl Drop for Copy<'_> {
    fn drop(&mut self) {
        // Only our own folder, made with a random name in a folder nobody else may enter; links are removed, not followed.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn quote(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('\\', "\\\\").replace('"', "\\\""))
}

fn apply(text: &[u8], edits: &[(Range<usize>, String)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    for (range, new) in edits {
        out.extend(&text[at..range.start]);
        out.extend(new.bytes());
        // Line numbers stay: a quoted value may have gone over lines.
        out.extend(text[range.clone()].iter().filter(|byte| **byte == b'\n'));
        at = range.end;
    }
    out.extend(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_match_nothing_do_not_hinder_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let conf = folder.path().join("nginx.conf");
        fs::write(&conf, "include modules/*.conf;\ninclude conf.d/*.conf;\ninclude mime.types;\n").unwrap();
        fs::write(folder.path().join("mime.types"), "types {}\n").unwrap();
        let unit = ServiceUnit { conf, ..ServiceUnit::default() };
        let config = Config::default();
        let copy = Copy::make(folder.path(), &unit, &config, Item::Nginx, &[]).unwrap();
        let text = fs::read_to_string(&copy.main).unwrap();
        let included: Vec<&str> = text.lines().map(|line| line.trim_end_matches(';')).collect();
        assert_eq!(included.len(), 3);
        assert_ne!(included[0], included[1], "each pattern has a folder of its own");
        assert!(text.contains("00000-mime.types"), "{text}");
    }

    #[test]
    fn a_link_to_nowhere_is_one_in_the_copy_and_goes_by_its_real_name() {
        let folder = tempfile::tempdir().unwrap();
        let (sites, conf) = (folder.path().join("sites"), folder.path().join("nginx.conf"));
        fs::create_dir(&sites).unwrap();
        symlink("/nowhere/b", sites.join("b")).unwrap();
        fs::write(&conf, "include sites/*;\ninclude gone.conf;\n").unwrap();
        let unit = ServiceUnit { conf, ..ServiceUnit::default() };
        let config = Config::default();
        let copy = Copy::make(folder.path(), &unit, &config, Item::Nginx, &[]).unwrap();
        for real in [sites.join("b"), folder.path().join("gone.conf")] {
            let real = real.display().to_string();
            let (place, _) = copy.names.iter().find(|(_, named)| **named == real).unwrap();
            assert!(Path::new(place).symlink_metadata().unwrap().is_symlink(), "{real}");
            assert!(fs::read(place).is_err(), "{real}");
            let said =
                copy.explain(&format!("nginx: [emerg] open() \"{place}\" failed (2: No such file or directory)"));
            assert_eq!(said, [format!("nginx: [emerg] open() \"{real}\" failed (2: No such file or directory)")]);
        }
    }

    /// The copy of a configuration that is nothing but one restored file.
    fn copy_of(folder: &Path, item: Item, content: &str) -> (Vec<String>, String) {
        let target = folder.join("restored.conf");
        let conf = folder.join("main.conf");
        let include = if item == Item::Nginx {
            "include restored.conf;\n".to_owned()
        } else {
            format!("include={}\n", target.display())
        };
        fs::write(&conf, include).unwrap();
        let content = content.as_bytes().to_vec();
        let restored = ConfFile { item, name: "restored".into(), target, content, mode: 0o644, link: None };
        let unit = ServiceUnit { conf, ..ServiceUnit::default() };
        let config = Config::default();
        let copy = Copy::make(folder, &unit, &config, item, &[restored]).unwrap();
        let read = copy.names.iter().find(|(_, real)| real.ends_with("restored.conf")).unwrap().0;
        (copy.missing_folders.clone(), fs::read_to_string(read).unwrap())
    }

    #[test]
    fn a_folder_that_a_service_needs_and_does_not_make_is_missed_before_the_restore() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().display();
        fs::create_dir(folder.path().join("kept")).unwrap();
        for (item, setting, ends) in [
            (Item::Nginx, "access_log @/x;", " @/x`"),
            (Item::Nginx, "error_log @/x warn;", " @/x`"),
            (Item::Nginx, "fastcgi_cache_path @/x levels=1:2 keys_zone=x:1m;", " @/x`"),
            (Item::Nginx, "proxy_cache_path @/x/ keys_zone=x:1m;", " @/x/`"),
            (Item::Nginx, "scgi_cache_path @/x keys_zone=x:1m;", " @/x`"),
            (Item::Nginx, "uwsgi_cache_path @/x keys_zone=x:1m;", " @/x`"),
            (Item::Nginx, "client_body_temp_path @/x 1 2;", " @/x`"),
            (Item::Nginx, "proxy_temp_path @/x;", " @/x`"),
            (Item::PhpFpm, "[x]\nlisten = @/x\n", " @/x`"),
            (Item::PhpFpm, "[x]\nslowlog = @/x\n", " @/x`"),
            (Item::PhpFpm, "[x]\naccess.log = \"@/$pool.log\"\n", " @/x.log`"),
        ] {
            let (missing, _) = copy_of(folder.path(), item, &setting.replace('@', &format!("{here}/none")));
            assert_eq!(missing.len(), 1, "{setting}");
            assert!(missing[0].starts_with(&format!("the folder {here}/none does not exist; `")), "{missing:?}");
            assert!(missing[0].contains(&ends.replace('@', &format!("{here}/none"))), "{missing:?}");
            for fine in
                [format!("{here}/kept"), "/var/www/shop.example/none".into(), "memory:none".into(), "none".into()]
            {
                assert_eq!(
                    copy_of(folder.path(), item, &setting.replace('@', &fine)).0,
                    Vec::<String>::new(),
                    "{setting}"
                );
            }
        }
        // The last part is what nginx makes, and what it may find.
        let (missing, _) = copy_of(folder.path(), Item::Nginx, &format!("proxy_temp_path {here}/kept;"));
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn two_caches_in_one_folder_are_in_one_folder_of_the_copy() {
        let folder = tempfile::tempdir().unwrap();
        let text = "fastcgi_cache_path /var/cache/a keys_zone=a:1m;\nproxy_cache_path /var/cache/a/ keys_zone=b:1m;\n\
            proxy_temp_path /var/cache/b;\n";
        let (_, copy) = copy_of(folder.path(), Item::Nginx, text);
        let places: Vec<&str> = copy.lines().map(|line| line.split([' ', ';']).nth(1).unwrap()).collect();
        assert_eq!(places[0], places[1]);
        assert_ne!(places[0], places[2]);
        assert!(places.iter().all(|place| place.contains("/written/")), "{places:?}");
    }
}
