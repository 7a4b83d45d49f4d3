//! A dump into a real server: the world of the tests that load, with a live schema when they need one.

pub mod victim;

use crate::private_server::PrivateServer;
use rocketvps_restore::config::Config;
use rocketvps_restore::error::Error;
use rocketvps_restore::host::database::{Database, LoadRequest, Loaded, Real, Server, load};
use rocketvps_restore::host::spool::{Spool, SpoolWriter};
use rocketvps_restore::progress::{Monitor, Silent};
use rocketvps_restore::sql::compat::Actions;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A site with every kind of thing a site may have.
pub const SITE: &str = include_str!("../fixtures/site.sql");
/// Where dumps are loaded.
pub const SHADOW: &str = "rvs_1";
/// Tables a load may make.
pub const MAX_TABLES: u64 = 100;

pub struct World {
    pub server: PrivateServer,
    pub real: Real,
    /// Whether a load looks at the live tables, and passes over those that are as the dump has them.
    pub beside: bool,
}

impl World {
    pub fn new() -> World {
        let server = PrivateServer::start(&["--event-scheduler=ON", "--max-allowed-packet=4M"]);
        let config = Config::parse(&server.toml()).unwrap();
        World {
            real: Real::new(Server::admin(&config).unwrap(), "0123456789ab", Arc::new(Silent)),
            server,
            beside: false,
        }
    }

    /// Live schema `live` with every kind of thing a site may have, and its user.
    pub fn with_site() -> World {
        let world = World::new();
        world.server.sql("CREATE DATABASE live CHARACTER SET utf8mb4; CREATE USER site@localhost IDENTIFIED BY 'x'; GRANT ALL ON live.* TO site@localhost");
        let file = world.server.folder().join("site.sql");
        std::fs::write(&file, SITE).unwrap();
        world.server.client(
            "mariadb",
            &["live", "--default-character-set=utf8mb4", "-e", &format!("source {}", file.display())],
        );
        world
    }

    /// A connection of the administrator's to a schema.
    pub fn server_connection(&self, schema: &str) -> mysql::Conn {
        let options = mysql::OptsBuilder::new()
            .user(Some("root"))
            .socket(Some(self.server.socket().display().to_string()))
            .prefer_socket(false)
            .db_name(Some(schema));
        mysql::Conn::new(options).unwrap()
    }

    pub fn dump(&self, options: &[&str]) -> Vec<u8> {
        let file = self.server.folder().join("dump.sql");
        let result = format!("--result-file={}", file.display());
        self.server.client(
            "mariadb-dump",
            &[options, &["--single-transaction", "--routines", "--triggers", "--events", &result, "live"]].concat(),
        );
        std::fs::read(file).unwrap()
    }

    pub fn load(&self, dump: &[u8], filter: bool) -> Result<Loaded, Error> {
        self.load_with(dump, filter, Arc::new(Silent))
    }

    /// Loads with these `options.compatibility`.
    pub fn load_as_asked(&self, dump: &str, compatibility: &str) -> Result<Loaded, Error> {
        self.load_fully(dump.as_bytes(), true, serde_json::from_str(compatibility).unwrap(), Arc::new(Silent))
    }

    pub fn load_with(&self, dump: &[u8], filter: bool, monitor: Arc<dyn Monitor>) -> Result<Loaded, Error> {
        self.load_fully(dump, filter, Actions::default(), monitor)
    }

    fn load_fully(
        &self,
        dump: &[u8],
        filter: bool,
        compatibility: Actions,
        monitor: Arc<dyn Monitor>,
    ) -> Result<Loaded, Error> {
        let text = dump.to_vec();
        self.load_stream(filter, compatibility, monitor, move |writer, _| {
            text.chunks(100_000).try_for_each(|piece| writer.write_all(piece)).unwrap();
        })
    }

    /// Loads what `write` writes meanwhile; it is told when the load has ended.
    pub fn load_stream(
        &self,
        filter: bool,
        compatibility: Actions,
        monitor: Arc<dyn Monitor>,
        write: impl FnOnce(&mut SpoolWriter, &AtomicBool) + Send + 'static,
    ) -> Result<Loaded, Error> {
        let path = self.server.folder().join("spool.sql");
        let _ = std::fs::remove_file(&path);
        let spool = Spool::create(&path).unwrap();
        let config = Config::parse(&self.server.toml()).unwrap();
        self.real.drop_schema(SHADOW).unwrap();
        let charset = self.real.schema_charset("live").unwrap();
        self.real.create_schema(SHADOW, charset.as_ref()).unwrap();
        let request = LoadRequest {
            server: Server::admin(&config).unwrap(),
            schema: SHADOW.into(),
            account: "rv_1".into(),
            definer: "`site`@`localhost`".into(),
            connections: 3,
            max_tables: MAX_TABLES,
            choice: None,
            beside: self.beside.then(|| "live".into()),
            reader: self.beside.then(|| "rvc_0123456789ab".into()),
            compatibility,
            filter,
            checkpoint: None,
        };
        let mut writer = spool.writer();
        let ended = Arc::new(AtomicBool::new(false));
        let told = ended.clone();
        let writing = std::thread::spawn(move || {
            write(&mut writer, &told);
            writer.finish();
        });
        let result = load(&spool, &request, monitor);
        ended.store(true, Ordering::SeqCst);
        writing.join().unwrap();
        assert!(self.real.accounts("rv_").unwrap().is_empty(), "the throw-away account is gone, however it ended");
        result
    }

    /// Rows and checksum by table.
    pub fn state(&self, schema: &str) -> BTreeMap<String, (u64, u64)> {
        let tables = self.real.tables(schema).unwrap();
        let facts =
            |name: &str| (self.real.count_rows(schema, name).unwrap(), self.real.checksum_table(schema, name).unwrap());
        tables.iter().filter(|table| !table.sequence).map(|table| (table.name.clone(), facts(&table.name))).collect()
    }

    pub fn definitions(&self, schema: &str) -> Vec<String> {
        let tables = self.real.tables(schema).unwrap();
        let show = |name: &str| self.server.sql(&format!("SHOW CREATE TABLE `{schema}`.`{}`", name.replace('`', "``")));
        tables.iter().filter(|table| !table.sequence).map(|table| show(&table.name)).collect()
    }
}
