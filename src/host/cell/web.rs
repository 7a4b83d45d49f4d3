//! nginx's configuration in a cell: one server on one socket, with what the site's own server block says about its pages. Pure.
//!
//! Of a server block only directives pass that say which file or script answers an address, as they stand there. Sockets, certificates,
//! logs, limits and caches are left out. Anything else means that the block is not taken: what it does is not known here.

use super::OWN;
use crate::siteconf::nginx::{self, Directive};
use crate::siteconf::servers;
use std::fmt::Write;
use std::path::Path;

/// What stands for the address of the socket until that is made.
pub const ADDRESS: &str = "@ADDRESS@";
/// Where PHP-FPM answers inside of a cell.
pub const PHP: &str = "/run/rocketvps-cell/php.sock";
/// The header of a request that tells whether it stands for one by HTTPS: `on`.
pub const SECURE: &str = "X-Rocketvps-Https";
/// The header with the settings that lead the site.
pub const LED: &str = "X-Rocketvps-Rehearsal";
/// The variables in the place of `$scheme` and `$https`.
const SCHEME: &str = "$rehearsed_scheme";
const HTTPS: &str = "$rehearsed_https";

/// What passes as it stands.
const KEPT: [&str; 31] = [
    "absolute_redirect",
    "add_header",
    "alias",
    "allow",
    "autoindex",
    "break",
    "charset",
    "default_type",
    "deny",
    "disable_symlinks",
    "error_page",
    "etag",
    "expires",
    "fastcgi_buffer_size",
    "fastcgi_buffers",
    "fastcgi_busy_buffers_size",
    "fastcgi_index",
    "fastcgi_intercept_errors",
    "fastcgi_split_path_info",
    "if_modified_since",
    "index",
    "internal",
    "merge_slashes",
    "port_in_redirect",
    "recursive_error_pages",
    "return",
    "rewrite",
    "root",
    "satisfy",
    "set",
    "try_files",
];
/// Blocks, whose directives are looked at in turn.
const BLOCKS: [&str; 3] = ["if", "limit_except", "location"];
/// What is of no matter to a page, by the begin of its name.
const LEFT_OUT: [&str; 37] = [
    "access_log",
    "aio",
    "auth_basic",
    "brotli",
    "client_",
    "directio",
    "error_log",
    "fastcgi_cache",
    "fastcgi_connect_timeout",
    "fastcgi_hide_header",
    "fastcgi_ignore",
    "fastcgi_keep_conn",
    "fastcgi_no_cache",
    "fastcgi_param",
    "fastcgi_read_timeout",
    "fastcgi_request_buffering",
    "fastcgi_send_timeout",
    "fastcgi_temp",
    "gzip",
    "http2",
    "http3",
    "keepalive",
    "large_client_header_buffers",
    "limit_conn",
    "limit_rate",
    "limit_req",
    "listen",
    "log_not_found",
    "open_file_cache",
    "quic",
    "resolver",
    "rewrite_log",
    "send",
    "server_name",
    "server_tokens",
    "ssl",
    "tcp_",
];
/// Files of nginx's that say what PHP is told, for which a cell has its own words.
const OF_PHP: [&str; 3] = ["fastcgi.conf", "fastcgi-php.conf", "fastcgi_params"];

/// What a site's server is made of where its own block is not taken.
pub struct Plain<'a> {
    /// The folder that it shows, as the site sees it.
    pub root: &'a Path,
    /// The names of a folder's page, in the order in which they are looked for.
    pub index: &'a [String],
    /// What PHP is told besides.
    pub given: &'a [(String, String)],
    /// PHP answers.
    pub php: bool,
}

/// A configuration with a server that shows a folder, and leads what is no file to the site's first script where there is PHP.
///
/// # Errors
/// A sentence, where a path cannot be written in a configuration.
pub fn plain(of: &Plain) -> Result<String, String> {
    let root = quoted(&of.root.display().to_string()).ok_or("its path has letters that nginx does not take")?;
    let names = of.index.iter().filter_map(|name| quoted(name)).collect::<Vec<_>>().join(" ");
    let last = if of.php { "/index.php?$args" } else { "=404" };
    let mut server = format!("root {root};\nindex {names};\nlocation / {{\ntry_files $uri $uri/ {last};\n}}\n");
    server.push_str("location ~ /\\.(?!well-known) {\ndeny all;\n}\n");
    if of.php {
        let given = of.given.iter().filter_map(|(name, value)| Some((quoted(name)?, quoted(value)?)));
        let given = given.fold(String::new(), |all, (name, value)| all + &format!("fastcgi_param {name} {value};\n"));
        let _ = write!(server, "location ~ \\.php$ {{\ntry_files $uri =404;\n{}{given}}}\n", to_php());
    }
    Ok(around(&server))
}

/// A configuration with what the site's own server block for the domain says about its pages. `secure`: that of HTTPS, where there are two.
///
/// # Errors
/// A sentence: why the block is not taken.
pub fn own(text: &[u8], domain: &str, secure: bool, php: bool) -> Result<String, String> {
    let all = nginx::parse(text)?;
    let of = |parent: usize| all.iter().filter(move |directive| directive.parent == Some(parent));
    let is_secure = |server: usize| {
        of(server).any(|directive| {
            let listens = directive.name == "listen" && directive.arguments.iter().any(|word| word.text == "ssl");
            listens || directive.name == "ssl_certificate"
        })
    };
    let (mut servers, _) = servers::of(&all, domain);
    servers.retain(|server| all[*server].parent.is_none());
    let fitting = servers.iter().copied().find(|server| is_secure(*server) == secure);
    let server = fitting.or(servers.first().copied()).ok_or("it has no server of this name")?;
    let block = Block { all: &all, text, php };
    let mut written = String::new();
    block.write(server, &[], &mut written)?;
    Ok(around(&written))
}

struct Block<'a> {
    all: &'a [Directive],
    text: &'a [u8],
    php: bool,
}

impl Block<'_> {
    /// Writes what stands in a block. `given`: what PHP is told by the blocks around it.
    fn write(&self, parent: usize, given: &[String], into: &mut String) -> Result<(), String> {
        let inner = || (0..self.all.len()).filter(|at| self.all[*at].parent == Some(parent));
        // Those of a block take the place of those around it.
        let is_given = |at: &usize| self.all[*at].name == "fastcgi_param" && is_sites_own(self.all[*at].first());
        let own: Vec<String> = inner().filter(is_given).map(|at| self.words(&self.all[at])).collect();
        let given = if own.is_empty() { given } else { &own };
        for at in inner() {
            let directive = &self.all[at];
            let name = directive.name.as_str();
            if BLOCKS.contains(&name) {
                let _ = writeln!(into, "{} {{", self.words(directive));
                self.write(at, given, into)?;
                into.push_str("}\n");
            } else if KEPT.contains(&name) {
                let _ = writeln!(into, "{};", self.words(directive));
            } else if name == "fastcgi_pass" {
                self.pass(given, into);
            } else if name == "include" {
                include(directive.first(), into)?;
            } else if !LEFT_OUT.iter().any(|begin| name.starts_with(begin)) {
                return Err(format!("line {}: {name} is not followed in a rehearsal", directive.line));
            }
        }
        Ok(())
    }

    fn pass(&self, given: &[String], into: &mut String) {
        if !self.php {
            into.push_str("return 404;\n");
            return;
        }
        into.push_str(&to_php());
        for words in given {
            let _ = writeln!(into, "{words};");
        }
    }

    /// A directive as it stands in the text.
    fn words(&self, directive: &Directive) -> String {
        let words = directive.arguments.iter().map(|word| String::from_utf8_lossy(&self.text[word.extent.clone()]));
        let all = words.fold(directive.name.clone(), |all, word| all + " " + &word);
        // On a private socket these have no value, or another one.
        let all = all.replace("$remote_addr", "127.0.0.1").replace("$server_name", "$host");
        all.replace("$server_port", "$rehearsed_port").replace("$scheme", SCHEME).replace("$https", HTTPS)
    }
}

/// Whether what PHP is told under a name is the site's own matter: neither what a cell says itself, nor settings of PHP's, nor the way to
/// its database.
fn is_sites_own(name: &str) -> bool {
    let is_told = || TOLD.iter().any(|(told, _)| *told == name) || name == "HTTPS";
    let leads = ["PHP_", "DB_", "DATABASE", "MYSQL"].iter().any(|begin| name.starts_with(begin));
    !leads && !is_told()
}

fn include(path: &str, into: &mut String) -> Result<(), String> {
    let name = path.rsplit('/').next().unwrap_or_default();
    match name {
        "fastcgi-php.conf" => into.push_str(
            "fastcgi_split_path_info ^(.+?\\.php)(/.*)$;\ntry_files $fastcgi_script_name =404;\nfastcgi_index index.php;\n",
        ),
        name if OF_PHP.contains(&name) || path.contains("ssl") || path.contains("letsencrypt") => {}
        _ => return Err(format!("what it includes is not followed in a rehearsal: {path}")),
    }
    Ok(())
}

/// What PHP is told by a cell.
const TOLD: [(&str, &str); 21] = [
    ("QUERY_STRING", "$query_string"),
    ("REQUEST_METHOD", "$request_method"),
    ("CONTENT_TYPE", "$content_type"),
    ("CONTENT_LENGTH", "$content_length"),
    ("SCRIPT_FILENAME", "$document_root$fastcgi_script_name"),
    ("SCRIPT_NAME", "$fastcgi_script_name"),
    ("REQUEST_URI", "$request_uri"),
    ("DOCUMENT_URI", "$document_uri"),
    ("DOCUMENT_ROOT", "$document_root"),
    ("SERVER_PROTOCOL", "$server_protocol"),
    ("REQUEST_SCHEME", SCHEME),
    ("GATEWAY_INTERFACE", "CGI/1.1"),
    ("SERVER_SOFTWARE", "nginx"),
    ("REMOTE_ADDR", "127.0.0.1"),
    ("REMOTE_PORT", "40000"),
    ("SERVER_ADDR", "127.0.0.1"),
    ("SERVER_PORT", "$rehearsed_port"),
    ("SERVER_NAME", "$host"),
    ("REDIRECT_STATUS", "200"),
    ("ROCKETVPS_REHEARSAL", "$http_x_rocketvps_rehearsal"),
    ("HTTP_X_ROCKETVPS_REHEARSAL", "\"\""),
];

/// What PHP is told, and where it is.
fn to_php() -> String {
    let mut text = String::new();
    for (name, value) in TOLD {
        let _ = writeln!(text, "fastcgi_param {name} {value};");
    }
    let _ = writeln!(text, "fastcgi_param HTTPS {HTTPS} if_not_empty;\nfastcgi_pass unix:{PHP};");
    text
}

/// The configuration around a server.
fn around(server: &str) -> String {
    let header = SECURE.to_ascii_lowercase().replace('-', "_");
    let mut text = format!(
        "daemon off;\nworker_processes 1;\npid /tmp/rocketvps-nginx.pid;\nerror_log {OWN}/nginx.log;\n\
         events {{\nworker_connections 64;\n}}\nhttp {{\naccess_log off;\ndefault_type application/octet-stream;\n\
         server_tokens off;\nlarge_client_header_buffers 4 32k;\n"
    );
    for folder in ["client_body", "fastcgi", "proxy", "scgi", "uwsgi"] {
        let _ = writeln!(text, "{folder}_temp_path /tmp/rocketvps-nginx-{folder};");
    }
    for (variable, usual, secure) in
        [(SCHEME, "http", "https"), (HTTPS, "\"\"", "on"), ("$rehearsed_port", "80", "443")]
    {
        let _ = writeln!(text, "map $http_{header} {variable} {{\ndefault {usual};\non {secure};\n}}");
    }
    let _ = writeln!(text, "server {{\nlisten unix:{ADDRESS};\n{server}}}\n}}");
    text
}

/// A text as one word of nginx's, without variables in it.
fn quoted(text: &str) -> Option<String> {
    let plain = !text.contains(['"', '\\', '$', '\n', '\0']);
    plain.then(|| format!("\"{text}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = r#"
server { listen 80; server_name shop.example; return 301 https://$host$request_uri; }
server {
    listen 443 ssl http2; server_name shop.example; root /var/www/shop; index index.php;
    ssl_certificate /etc/x.pem; access_log /var/log/nginx/shop.log; client_max_body_size 64m;
    include /etc/letsencrypt/options-ssl-nginx.conf;
    if ($scheme = http) { return 301 https://$host$request_uri; }
    location / { try_files $uri $uri/ /index.php?$args; }
    location ~ \.php$ { include snippets/fastcgi-php.conf; fastcgi_param APP_ENV "a b"; fastcgi_pass unix:/run/php/shop.sock; }
    location ~* ^/old/(.*)$ { rewrite ^/old/(.*)$ /new/$1 permanent; }
}"#;

    #[test]
    fn what_a_site_says_of_its_pages_passes_as_it_stands_and_nothing_else() {
        let text = own(SITE.as_bytes(), "shop.example", true, true).unwrap();
        for kept in [
            "root /var/www/shop;\n",
            "location ~ \\.php$ {\n",
            "if ($rehearsed_scheme = http) {\nreturn 301 https://$host$request_uri;\n}\n",
            "try_files $uri $uri/ /index.php?$args;\n",
            "rewrite ^/old/(.*)$ /new/$1 permanent;\n",
            "fastcgi_pass unix:/run/rocketvps-cell/php.sock;\nfastcgi_param APP_ENV \"a b\";\n",
            "fastcgi_split_path_info",
            "listen unix:@ADDRESS@;\n",
        ] {
            assert!(text.contains(kept), "{kept} in\n{text}");
        }
        for gone in ["shop.log", "x.pem", "443 ssl", "shop.sock", "include", "64m"] {
            assert!(!text.contains(gone), "{gone} in\n{text}");
        }
        let http = own(SITE.as_bytes(), "shop.example", false, true).unwrap();
        assert!(http.contains("return 301 https://$host$request_uri;") && !http.contains("location"), "{http}");
        let without = own(SITE.as_bytes(), "shop.example", true, false).unwrap();
        assert!(without.contains("return 404;\n") && !without.contains("fastcgi_pass"), "{without}");
    }

    #[test]
    fn a_block_that_does_what_is_not_known_here_is_not_taken() {
        for (inner, why) in [
            ("location / { proxy_pass http://127.0.0.1:3000; }", "proxy_pass"),
            ("content_by_lua_block { os.execute('x') }", "content_by_lua_block"),
            ("include /etc/nginx/snippets/*.conf;", "includes"),
            ("perl_set $x 'sub {}';", "perl_set"),
            ("dav_methods PUT;", "dav_methods"),
            ("location / { load_module /x.so; }", "load_module"),
        ] {
            let text = format!("server {{ server_name shop.example; {inner} }}");
            let said = own(text.as_bytes(), "shop.example", false, true).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        assert!(own(b"server { server_name a.example; }", "shop.example", false, true).is_err());
    }

    #[test]
    fn a_server_of_our_own_leads_to_the_first_script_where_there_is_php() {
        let given = [("APP_ENV".to_owned(), "live".to_owned()), ("X".to_owned(), "$y".to_owned())];
        let index = ["index.php".to_owned()];
        let of = |php| Plain { root: Path::new("/var/www/shop"), index: &index, given: &given, php };
        let text = plain(&of(true)).unwrap();
        assert!(text.contains("try_files $uri $uri/ /index.php?$args;\n"), "{text}");
        assert!(text.contains("fastcgi_param \"APP_ENV\" \"live\";\n") && !text.contains("$y"), "{text}");
        let text = plain(&of(false)).unwrap();
        assert!(text.contains("try_files $uri $uri/ =404;\n") && !text.contains("fastcgi_pass"), "{text}");
        assert!(plain(&Plain { root: Path::new("/var/www/a\"b"), ..of(true) }).is_err());
    }
}
