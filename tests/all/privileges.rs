//! What the pre-flight says of the account that speaks to the database, on a real server; and that what it passes is enough.

use crate::private_server::PrivateServer;
use rocketvps_restore::api;
use rocketvps_restore::config::Config;
use rocketvps_restore::engine::inspect;
use rocketvps_restore::host::database::{Database, LoadRequest, Patience, Real, Server, Switch, load};
use rocketvps_restore::host::spool::Spool;
use rocketvps_restore::job::folder::JobFolder;
use rocketvps_restore::progress::{Monitor, Silent};
use rocketvps_restore::sql::compat::Actions;
use serde_json::{Value, json};
use std::io::Write;
use std::process::Command;
use std::sync::Arc;

/// All that a restore of `live` needs, and nothing more.
const GRANTS: &str = "GRANT CREATE USER, SET USER, PROCESS, CONNECTION ADMIN, SELECT ON *.* TO adm@localhost; \
    GRANT SELECT, INSERT, CREATE, DROP, REFERENCES, ALTER, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER ON live.* TO adm@localhost WITH GRANT OPTION; \
    GRANT SELECT, INSERT, CREATE, DROP, ALTER ON `rvk\\_%`.* TO adm@localhost; \
    GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, \
    CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER ON `rvs\\_%`.* TO adm@localhost WITH GRANT OPTION";

const DUMP: &str = "CREATE TABLE `t` (`id` int NOT NULL PRIMARY KEY, `v` varchar(20)) ENGINE=InnoDB;\n\
    INSERT INTO `t` VALUES (1,'new'),(2,'new');\n\
    DELIMITER ;;\n\
    CREATE DEFINER=`x`@`y` TRIGGER `tr` BEFORE INSERT ON `t` FOR EACH ROW SET NEW.v = 'x';;\n\
    CREATE DEFINER=`x`@`y` PROCEDURE `p`() SELECT 1;;\n\
    CREATE DEFINER=`x`@`y` EVENT `e` ON SCHEDULE EVERY 1 DAY DO SELECT 1;;\n\
    DELIMITER ;\n\
    CREATE DEFINER=`x`@`y` VIEW `w` AS SELECT * FROM `t`;\n\
    -- Dump completed\n";

struct World {
    server: PrivateServer,
    config: Config,
}

impl World {
    /// A site with a backup, and an administrator `adm` with these grants, of whom restore.toml knows.
    fn new(grants: &str) -> World {
        let server = PrivateServer::start(&[]);
        server.sql(
            "CREATE DATABASE live; CREATE TABLE live.t (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO live.t VALUES (1,'old'); \
             CREATE USER site@localhost IDENTIFIED BY 'right'; GRANT ALL ON live.* TO site@localhost; \
             CREATE DEFINER=site@localhost VIEW live.old_view AS SELECT 1; \
             CREATE DEFINER=site@localhost PROCEDURE live.old_procedure() SELECT 1; \
             CREATE USER adm@localhost IDENTIFIED BY 'adm-secret'",
        );
        if !grants.is_empty() {
            server.sql(grants);
        }
        let base = server.folder().to_owned();
        let web = base.join("www");
        std::fs::create_dir_all(web.join("x.example")).unwrap();
        std::fs::write(
            web.join("x.example/wp-config.php"),
            "<?php define('DB_NAME','live');define('DB_USER','site');define('DB_PASSWORD','right');",
        )
        .unwrap();
        let made = base.join("made");
        std::fs::create_dir_all(made.join("www")).unwrap();
        std::fs::write(made.join("www/index.html"), "x").unwrap();
        std::fs::write(made.join("database.sql"), DUMP).unwrap();
        let backups = base.join("backups/x.example");
        std::fs::create_dir_all(&backups).unwrap();
        let tar = Command::new("tar")
            .arg("-czf")
            .arg(backups.join("backup_20251004_030000.tar.gz"))
            .arg("-C")
            .arg(&made)
            .arg(".")
            .status()
            .unwrap();
        assert!(tar.success());
        let option_file = base.join("adm.cnf");
        std::fs::write(&option_file, "[client]\nuser=adm\npassword=adm-secret\n").unwrap();
        let config = World::config(&server, &format!("admin_defaults_file = {option_file:?}\n"));
        World { server, config }
    }

    fn config(server: &PrivateServer, mysql: &str) -> Config {
        let web = format!("[paths]\nweb_root = {:?}\n", server.folder().join("www"));
        Config::parse(&format!("{}{mysql}", server.toml().replacen("[paths]\n", &web, 1))).unwrap()
    }

    /// The line about privileges of a validation; whatever it says, nothing was made.
    fn validated(&self) -> Value {
        let before = self.state();
        let job = self.server.folder().join("job");
        std::fs::create_dir_all(&job).unwrap();
        std::fs::write(job.join("job.json"), "{}").unwrap();
        let request: api::Restore = api::parse(r#"{"domain": "x.example"}"#).unwrap();
        let monitor: Arc<dyn Monitor> = Arc::new(Silent);
        let folder = JobFolder::at(&job).unwrap();
        let answer = inspect::validate(&self.config, &folder, &request, &monitor).unwrap();
        let answer = serde_json::to_value(answer).unwrap();
        assert_eq!(self.state(), before);
        assert!(!answer.to_string().contains("secret") && !answer.to_string().contains("IDENTIFIED"));
        let groups = answer["groups"].as_array().unwrap();
        let checks = groups.iter().flat_map(|group| group["checks"].as_array().unwrap());
        let line = checks.into_iter().find(|check| check["name"] == "privileges").unwrap().clone();
        if line["outcome"] == "fail" {
            assert_eq!((&answer["outcome"], &answer["plan_token"]), (&json!("fail"), &Value::Null));
            assert_eq!(line["figures"]["code"], "insufficient_privilege");
        }
        line
    }

    fn state(&self) -> String {
        self.server.sql(
            "SHOW DATABASES; SELECT User, Host, Priv FROM mysql.global_priv ORDER BY 1,2; CHECKSUM TABLE live.t; \
             SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA='live' ORDER BY 1",
        )
    }
}

#[test]
fn root_may_do_all_that_a_restore_needs() {
    let mut world = World::new("");
    world.config = World::config(&world.server, "");
    let line = world.validated();
    assert_eq!((&line["outcome"], &line["figures"]["account"]), (&json!("pass"), &json!("root@localhost")), "{line}");
}

#[test]
fn an_administrator_with_just_the_rights_needed_passes_and_they_are_enough() {
    let world = World::new(GRANTS);
    let line = world.validated();
    assert_eq!(line["outcome"], "pass", "{line}");

    // The whole way of the database as this administrator: stage, change over, go back, clean up.
    let admin = Real::new(Server::admin(&world.config).unwrap(), "0123456789ab", Arc::new(Silent));
    let definer = admin.account_of("site").unwrap().unwrap();
    admin.create_schema("rvs_1", None).unwrap();
    let spool = Spool::create(&world.server.folder().join("spool.sql")).unwrap();
    let mut writer = spool.writer();
    writer.write_all(DUMP.as_bytes()).unwrap();
    writer.finish();
    let request = LoadRequest {
        server: Server::admin(&world.config).unwrap(),
        schema: "rvs_1".into(),
        account: "rv_1".into(),
        definer,
        connections: 2,
        max_tables: 10,
        choice: None,
        beside: None,
        reader: None,
        compatibility: Actions::default(),
        filter: true,
        checkpoint: None,
    };
    let loaded = load(&spool, &request, Arc::new(Silent)).unwrap();
    assert_eq!(loaded.objects.0.len(), 4);
    let old = admin.objects("live").unwrap();
    assert_eq!(old.0.len(), 2, "the text of others' routines is seen");
    admin.create_schema("rvk_1", None).unwrap();
    admin.drop_objects("live", &old, Patience::default()).unwrap();
    let there = Switch::exchange("live", "rvk_1", &["t".to_owned()], "rvs_1", &["t".to_owned()]);
    admin.switch(&there, Patience::default()).unwrap();
    admin.create_objects("live", &loaded.objects, Patience::default()).unwrap();
    assert_eq!(admin.count_rows("live", "t").unwrap(), 2);
    admin.drop_objects("live", &loaded.objects, Patience::default()).unwrap();
    admin.switch(&there.inverse(), Patience::default()).unwrap();
    admin.create_objects("live", &old, Patience::default()).unwrap();
    admin.drop_schema("rvs_1").unwrap();
    admin.drop_schema("rvk_1").unwrap();
    assert_eq!(admin.accounts("rv_").unwrap(), [] as [String; 0]);
}

#[test]
fn rights_that_are_only_useful_are_a_warning() {
    let world = World::new(&GRANTS.replace("PROCESS, CONNECTION ADMIN, ", ""));
    let line = world.validated();
    assert_eq!(line["outcome"], "warn", "{line}");
    assert!(line["message"].as_str().unwrap().contains("PROCESS ON *.*"), "{line}");
}

#[test]
fn an_administrator_without_create_user_is_refused_naming_it() {
    let world = World::new(&GRANTS.replace("CREATE USER, ", ""));
    let line = world.validated();
    assert_eq!(
        (&line["outcome"], &line["figures"]["missing"]),
        (&json!("fail"), &json!(["CREATE USER ON *.*"])),
        "{line}"
    );
    assert_eq!(line["message"], "adm@localhost lacks CREATE USER ON *.*");
    let hint = line["figures"]["hint"].as_str().unwrap();
    assert!(hint.ends_with("GRANT CREATE USER ON *.* TO `adm`@`localhost`;"), "{hint}");
    // The remedy is one.
    world.server.sql(hint.split_once(": ").unwrap().1);
    assert_eq!(world.validated()["outcome"], "pass");
}

#[test]
fn e73_a_site_without_an_administrator_is_refused_naming_every_grant_and_the_remedy_helps() {
    let world = World::new("DROP USER adm@localhost");
    let line = world.validated();
    assert_eq!((&line["outcome"], &line["figures"]["account"]), (&json!("fail"), &json!("site@localhost")), "{line}");
    let message = line["message"].as_str().unwrap();
    for part in [
        "site@localhost lacks",
        "CREATE USER",
        "ON `rvs\\_%`.*",
        "ON `rvk\\_%`.*",
        "ON `mysql`.*",
        "the administrator is not let in",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let hint = line["figures"]["hint"].as_str().unwrap();
    world.server.sql(hint.split_once(": ").unwrap().1);
    let line = world.validated();
    assert_ne!(line["outcome"], "fail", "{line}");
}
