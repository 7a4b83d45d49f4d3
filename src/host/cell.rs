//! A cell: a place of its own in which a staged site's PHP runs before the site is live, and from which nothing reaches the machine.
//!
//! The worker starts the helper again ([`inside`]), and that one leaves the machine: by namespaces of its own for mounts, network,
//! processes and shared memory. In the cell the staged tree lies at the live tree's path, beneath a layer that takes its writes and
//! goes with the cell. Everything else is read-only, and what others put into the folders of sites, sockets and temporary files is not
//! there. PHP-FPM and nginx run as the account of the site's own pool from their first instruction on. The one way out is the socket of a
//! [`gate`](gate::Gate), which lets one account of the database in.
//!
//! A cell ends with its worker, however that ends: its first process reads the worker's pipe to its end, and the kernel ends the
//! others and takes the mounts with it.

pub mod gate;
pub mod inside;
mod mounts;
pub mod pool;
pub mod web;

use crate::error::{Code, Error, IoContext, Result};
use serde::{Deserialize, Serialize};
use std::fs::{File, Permissions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The folder that the cell's own files lie in, inside of it.
pub const OWN: &str = "/run/rocketvps-cell";
/// PHP's first file, which leads the site to its restored tables.
pub const PRELUDE: &str = "/run/rocketvps-cell/prelude.php";
/// The word of the helper's command.
pub const COMMAND: &str = "cell";

/// An account of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its number.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its further groups.
    pub groups: Vec<u32>,
}

/// What a cell is made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Spec {
    /// The site's PHP; `None`: it has none.
    pub php: Option<Php>,
    /// The site's web server; `None`: it has none.
    pub web: Option<Web>,
    /// The account that all of it runs as.
    pub account: Account,
    /// The staged tree.
    pub tree: PathBuf,
    /// The path that it will have when it is live.
    pub place: PathBuf,
    /// The live folder around that path that is the site's, too.
    pub around: Option<PathBuf>,
    /// Paths below the tree that the site does not see: what would serve it from caches of the live one.
    pub hidden: Vec<PathBuf>,
    /// Folders that are empty in the cell.
    pub covered: Vec<PathBuf>,
    /// The gate's socket, and the path at which the site finds it.
    pub database: Option<(PathBuf, PathBuf)>,
    /// Longest life, in seconds.
    pub seconds: u64,
}

/// PHP-FPM in a cell.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Php {
    /// The program.
    pub program: PathBuf,
    /// Its configuration, as [`pool::text`] writes it.
    pub pool: String,
    /// The text of [`PRELUDE`].
    pub prelude: String,
    /// Where it is to listen: a place in a folder of ours, outside of the cell.
    pub socket: PathBuf,
}

/// nginx in a cell.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Web {
    /// The program.
    pub program: PathBuf,
    /// The configuration with the site's own server block ([`web::own`]), or why that is not taken.
    pub own: std::result::Result<String, String>,
    /// The one that is taken where nginx refuses that ([`web::plain`]).
    pub plain: String,
    /// Where it is to listen: a place in a folder of ours, outside of the cell.
    pub socket: PathBuf,
}

/// By what a web server answers in a cell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answers {
    /// There is none.
    #[default]
    Nobody,
    /// nginx did not take any configuration, for this reason.
    Failed(String),
    /// A server of ours, because the site's own is not taken for this reason.
    Plain(String),
    /// What the site's own server block says.
    Own,
}

/// What a cell says through its pipe, a line each.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    /// What answers was started, and requests are taken.
    Ready {
        /// The site's writes have a layer of their own; else its tree is read-only.
        layered: bool,
        /// By what the web server answers.
        web: Answers,
    },
    /// It could not be made.
    Failed(String),
    /// It has ended.
    Ended(Leavings),
}

/// What is left of a cell.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Leavings {
    /// The end of PHP-FPM's own log.
    pub log: String,
    /// The end of nginx's own log.
    pub server: String,
    /// PHP-FPM, or the web server where there is no PHP, ended before it was told to.
    pub early: bool,
    /// The end of what the site wrote into files that speak of errors, such as its logs.
    pub written: String,
    /// Something in it tried the network.
    pub network: bool,
}

/// A cell with what answers in it; it ends with this value.
pub struct Cell {
    child: Child,
    control: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
    sockets: Vec<PathBuf>,
    /// The site's writes have a layer of their own; else its tree is read-only.
    pub layered: bool,
    /// By what the web server answers.
    pub web: Answers,
}

impl Cell {
    /// Makes a cell and starts PHP-FPM and nginx in it.
    ///
    /// # Errors
    /// `internal` with the reason, where this machine does not let one be made.
    pub fn open(spec: &Spec) -> Result<Cell> {
        let php = spec.php.iter().map(|php| php.socket.clone());
        let sockets: Vec<PathBuf> = php.chain(spec.web.iter().map(|web| web.socket.clone())).collect();
        sockets.iter().for_each(|socket| remove(socket));
        let mut command = Command::new("/proc/self/exe");
        command.arg(COMMAND).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().doing(|| "start the helper for a cell".to_owned())?;
        let (Some(control), Some(said)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::new(Code::Internal, "the cell has no pipes"));
        };
        let mut cell = Cell {
            child,
            control: Some(control),
            said: BufReader::new(said),
            sockets,
            layered: false,
            web: Answers::Nobody,
        };
        let text = serde_json::to_vec(spec).map_err(|error| Error::new(Code::Internal, error.to_string()))?;
        if let Some(control) = &mut cell.control {
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes();
            control
                .write_all(&length)
                .and_then(|()| control.write_all(&text))
                .doing(|| "speak to a cell".to_owned())?;
        }
        match cell.hear()? {
            Said::Ready { layered, web } => {
                cell.layered = layered;
                cell.web = web;
                Ok(cell)
            }
            Said::Failed(why) => Err(Error::new(Code::Internal, why)),
            Said::Ended(left) => Err(Error::new(Code::Internal, format!("PHP-FPM did not start: {}", left.log))),
        }
    }

    /// Ends it, and tells what is left.
    pub fn close(mut self) -> Leavings {
        // The end of the pipe is the word.
        self.control = None;
        match self.hear() {
            Ok(Said::Ended(left)) => left,
            _ => Leavings::default(),
        }
    }

    fn hear(&mut self) -> Result<Said> {
        let mut line = String::new();
        // Its first process bounds its own life; what it says is short.
        (&mut self.said).take(1 << 20).read_line(&mut line).doing(|| "hear a cell".to_owned())?;
        serde_json::from_str(&line).map_err(|_| Error::new(Code::Internal, "the cell ended without a word"))
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        self.control = None;
        // It reads the pipe's end, and waits for everything in it.
        let _ = self.child.wait();
        self.sockets.iter().for_each(|socket| remove(socket));
    }
}

/// Listens at a path that may be longer than the address of a socket.
fn listen(path: &Path, mode: u32) -> io::Result<UnixListener> {
    let (folder, name) = path.parent().zip(path.file_name()).ok_or(io::ErrorKind::InvalidInput)?;
    let folder = File::open(folder)?;
    let place = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    let listener = UnixListener::bind(&place)?;
    std::fs::set_permissions(&place, Permissions::from_mode(mode))?;
    Ok(listener)
}

fn remove(socket: &Path) {
    let _ = std::fs::remove_file(socket);
}
