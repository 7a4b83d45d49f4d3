//! Accounts of sites against real servers: the first that is let in, at the place that the site's own configuration names.

mod private_server;

use private_server::PrivateServer;
use rocketvps_restore::config::Config;
use rocketvps_restore::engine::hosts::Hosts;
use rocketvps_restore::error::Code;
use rocketvps_restore::host::credentials;
use rocketvps_restore::path::Domain;
use std::path::PathBuf;

struct Site {
    server: PrivateServer,
    config: Config,
    domain: Domain,
    root: PathBuf,
}

impl Site {
    fn new() -> Site {
        let server = PrivateServer::start(&[]);
        server.sql("CREATE DATABASE site; CREATE USER site@localhost IDENTIFIED BY 'right'; GRANT ALL ON site.* TO site@localhost");
        let config = Config::parse(&server.toml()).unwrap();
        let root = server.folder().join("root");
        std::fs::create_dir_all(&root).unwrap();
        std::fs::create_dir_all(server.folder().join("config/database_credentials")).unwrap();
        Site { config, domain: Domain::parse("x.example").unwrap(), root, server }
    }

    fn conf(&self, text: &str) {
        std::fs::write(self.server.folder().join("config/database_credentials/x.example.conf"), text).unwrap();
    }

    fn wp_config(&self, password: &str, host: &str) {
        let text = format!(
            "<?php define('DB_NAME','site');define('DB_USER','site');define('DB_PASSWORD','{password}');define('DB_HOST','{host}');"
        );
        std::fs::write(self.root.join("wp-config.php"), text).unwrap();
    }
}

#[test]
fn an_account_that_is_not_let_in_is_passed_over_and_its_password_is_not_shown() {
    let site = Site::new();
    site.conf("MYSQL_DB_NAME=site\nMYSQL_DB_USER=site\nMYSQL_DB_PASSWORD=stale-secret\n");
    site.wp_config("right", "localhost");
    let sought = credentials::sought(&site.config, &site.domain, &site.root).unwrap();
    assert!(sought.account.source.ends_with("root/wp-config.php"), "{sought:?}");
    assert_eq!(sought.passed_over.len(), 1);
    assert!(sought.passed_over[0].contains("x.example.conf names site: "), "{sought:?}");
    assert!(sought.passed_over[0].contains("Access denied"), "{sought:?}");
    assert!(!format!("{sought:?}").contains("secret") && !format!("{sought:?}").contains("right"));
    // The schema has to be there too.
    site.conf("MYSQL_DB_NAME=gone\nMYSQL_DB_USER=site\nMYSQL_DB_PASSWORD=right\n");
    assert_eq!(credentials::site(&site.config, &site.domain, &site.root).unwrap().schema, "site");
    site.conf("MYSQL_DB_NAME=site\nMYSQL_DB_USER=site\nMYSQL_DB_PASSWORD='right' # good\r\n");
    let sought = credentials::sought(&site.config, &site.domain, &site.root).unwrap();
    assert!(sought.account.source.ends_with("x.example.conf") && sought.passed_over.is_empty(), "{sought:?}");
}

#[test]
fn the_site_is_connected_to_where_its_own_configuration_says() {
    let (site, other) = (Site::new(), Site::new());
    other.server.sql("ALTER USER site@localhost IDENTIFIED BY 'elsewhere'");
    let hosts = Hosts::of(&site.config, &site.domain, true, site.server.folder()).unwrap();
    let connect = |password: &str, host: &str| {
        site.wp_config(password, host);
        hosts.connect_as(&credentials::site(&site.config, &site.domain, &site.root).unwrap())
    };
    let there = format!("localhost:{}", other.server.socket().display());
    connect("right", "localhost").unwrap();
    connect("right", "").unwrap();
    connect("elsewhere", &there).unwrap();
    assert_eq!(connect("right", &there).unwrap_err().code, Code::InsufficientPrivilege);
    assert_eq!(connect("elsewhere", "localhost").unwrap_err().code, Code::InsufficientPrivilege);
    // A port of this machine on which nobody listens.
    assert_eq!(connect("right", "127.0.0.1:1").unwrap_err().code, Code::DatabaseUnreachable);
    assert_eq!(connect("right", "$(touch /tmp/rv-host)").unwrap_err().code, Code::CredentialsMissing);
    assert!(!std::path::Path::new("/tmp/rv-host").exists());
}

#[test]
fn a_place_that_never_answers_ends_in_bounded_time() {
    let site = Site::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    site.wp_config("right", &format!("127.0.0.1:{port}"));
    let hosts = Hosts::of(&site.config, &site.domain, true, site.server.folder()).unwrap();
    let account = credentials::candidates(&site.config, &site.domain, &site.root).unwrap().accounts.remove(0);
    assert_eq!(hosts.connect_as(&account).unwrap_err().code, Code::DatabaseUnreachable);
}
