//! Watches the database server's disk while a dump is loaded. A server whose disk is full does not fail: it waits until somebody makes
//! room, and its clients wait with it. So the load is ended while there is some room left.

use crate::error::{Code, Error, Result};
use crate::host::database::server::run;
use crate::host::database::{Server, accounts};
use crate::host::tree;
use crate::progress::Monitor;
use crate::text;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The server's data folder, and the account that loads.
pub struct DiskWatch<'a> {
    /// The data folder.
    pub folder: &'a Path,
    /// Bytes that stay free.
    pub headroom: u64,
    /// The server, as administrator.
    pub server: Server,
    /// The account that loads.
    pub account: &'a str,
}

impl DiskWatch<'_> {
    /// Looks until `done`. When room gets short, or the job is to stop, `stop` tells the load; statements that hang all the same
    /// are ended on the server.
    ///
    /// # Errors
    /// `disk_full` when room got short.
    pub fn watch(&self, done: &AtomicBool, monitor: &dyn Monitor, stop: impl Fn()) -> Result<()> {
        let mut short = Ok(());
        let mut told: Option<Instant> = None;
        while !done.load(Ordering::Acquire) {
            if told.is_none() {
                short = self.check_once();
                if short.is_err() || monitor.keep_going().is_err() {
                    stop();
                    told = Some(Instant::now());
                }
            }
            // Most statements that are at work end by themselves.
            if told.is_some_and(|then| then.elapsed() > Duration::from_secs(1)) {
                let _ = self.end_statements();
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        short
    }

    fn check_once(&self) -> Result<()> {
        let Ok(space) = tree::space(self.folder) else { return Ok(()) };
        if space.free_bytes >= self.headroom.max(1 << 20) {
            return Ok(());
        }
        let free = text::bytes(space.free_bytes);
        let folder = self.folder.display();
        Err(Error::new(Code::DiskFull, format!("only {free} are left in the database server's folder {folder}"))
            .with("path", folder.to_string())
            .with("free_bytes", space.free_bytes))
    }

    fn end_statements(&self) -> Result<()> {
        let mut connection = self.server.impatient().connect(None)?;
        // The watch waits for none of them: on a full disk one may take long to end, and the others have to be told too.
        for id in accounts::connections_of(&mut connection, self.account)? {
            let _ = run(&mut connection, &format!("KILL CONNECTION {id}"));
        }
        Ok(())
    }
}
