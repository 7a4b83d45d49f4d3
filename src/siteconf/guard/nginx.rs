//! What a site's nginx file may contain, by place.

mod checks;

use super::super::nginx::{self, Directive};
use super::{Refusal, Scene, lists, refused};
use crate::siteconf::Item;
use checks::*;
use std::collections::HashSet;
use std::path::PathBuf;

/// Where a directive stands; several places are a sum.
type Place = u8;
/// Beside the server blocks: what stands here holds for every site of the machine.
const TOP: Place = 1;
const SERVER: Place = 2;
const LOCATION: Place = 4;
const IF: Place = 8;
const LIMIT_EXCEPT: Place = 16;
const UPSTREAM: Place = 32;
const SITE: Place = SERVER | LOCATION;
const REQUEST: Place = SITE | IF;

type Check = fn(&Directive, &Site<'_>) -> Refusal;

/// What is allowed, where, with the check of its value. Whatever is not here is refused.
const TABLE: &[(Place, Check, &str)] = &[
    // Blocks.
    (TOP, any, "server upstream"),
    (TOP, variable, "map geo split_clients"),
    (SITE, any, "location if types"),
    (LOCATION, any, "limit_except"),
    // Which requests are the site's.
    (SERVER, listen, "listen"),
    (SERVER, server_name, "server_name"),
    (SERVER, any, "http2 http3 http3_hq quic_gso quic_retry quic_active_connection_id_limit"),
    (
        SERVER,
        any,
        "client_header_timeout http2_max_concurrent_streams http2_recv_timeout http3_max_concurrent_streams \
         ignore_invalid_headers max_headers merge_slashes server_name_in_redirect underscores_in_headers",
    ),
    (
        SERVER,
        buffers,
        "client_header_buffer_size connection_pool_size http2_chunk_size http3_stream_buffer_size \
         large_client_header_buffers request_pool_size",
    ),
    // Of older nginx, which newer ones read and leave alone.
    (SERVER, any, "http2_idle_timeout http2_max_concurrent_pushes http2_max_requests"),
    (SERVER, buffers, "http2_body_preread_size http2_max_field_size http2_max_header_size"),
    (SITE, any, "http2_push http2_push_preload"),
    // Files that are served.
    (SITE | IF, folder, "root alias"),
    (SITE, no_climb, "add_after_body add_before_body index try_files auth_request mirror"),
    (REQUEST, no_climb, "error_page post_action"),
    (
        REQUEST,
        any,
        "autoindex charset default_type directio etag expires gzip sendfile sub_filter \
         sub_filter_last_modified sub_filter_once sub_filter_types tcp_nodelay",
    ),
    (
        SITE,
        any,
        "absolute_redirect addition_types aio aio_write ancient_browser ancient_browser_value autoindex_exact_size \
         autoindex_format autoindex_localtime charset_types chunked_transfer_encoding directio_alignment \
         early_hints empty_gif flv if_modified_since internal log_not_found log_subrequest max_ranges \
         mirror_request_body modern_browser modern_browser_value mp4 mp4_start_key_frame msie_padding \
         msie_refresh open_file_cache open_file_cache_errors open_file_cache_events open_file_cache_min_uses \
         open_file_cache_valid open_log_file_cache override_charset port_in_redirect random_index read_ahead \
         recursive_error_pages sendfile_max_chunk server_tokens source_charset stub_status tcp_nopush",
    ),
    (
        SITE,
        buffers,
        "mp4_buffer_size mp4_max_buffer_size referer_hash_bucket_size referer_hash_max_size \
         subrequest_output_buffer_size types_hash_bucket_size types_hash_max_size",
    ),
    // Pages that nginx puts together: they name addresses of the site, as a visitor could.
    (REQUEST, any, "ssi"),
    (
        SITE,
        any,
        "ssi_ignore_recycled_buffers ssi_last_modified ssi_min_file_chunk ssi_silent_errors ssi_types ssi_value_length",
    ),
    // The operator's own protection against links is not turned off.
    (SITE, not_off, "disable_symlinks modsecurity"),
    // Headers, redirects, variables.
    (REQUEST, any, "add_header add_header_inherit add_trailer add_trailer_inherit break return set"),
    (REQUEST, any, "more_clear_headers more_set_headers"),
    (SITE, any, "auth_request_set more_clear_input_headers more_set_input_headers"),
    (REQUEST, rewrite, "rewrite"),
    (SITE, any, "rewrite_log uninitialized_variable_warn valid_referers"),
    (
        SITE,
        any,
        "userid userid_domain userid_expires userid_flags userid_mark userid_name userid_p3p userid_path \
         userid_service",
    ),
    // Who may come, and how often.
    (SITE | LIMIT_EXCEPT, addresses, "allow deny"),
    (SITE | LIMIT_EXCEPT, any, "auth_basic"),
    (SITE, any, "auth_delay"),
    (SITE | LIMIT_EXCEPT, password_file, "auth_basic_user_file"),
    (SITE, any, "satisfy secure_link secure_link_md5 secure_link_secret"),
    (SITE, addresses, "set_real_ip_from"),
    (SITE, any, "real_ip_header real_ip_recursive"),
    (TOP, zones, "limit_conn_zone limit_req_zone"),
    (
        SITE,
        any,
        "limit_conn limit_conn_dry_run limit_conn_log_level limit_conn_status limit_req limit_req_dry_run \
         limit_req_log_level limit_req_status",
    ),
    (REQUEST, any, "limit_rate limit_rate_after"),
    // Connections and bodies.
    (
        SITE,
        any,
        "client_body_in_single_buffer client_body_timeout client_max_body_size keepalive_disable \
         keepalive_min_timeout keepalive_requests keepalive_time keepalive_timeout lingering_close \
         lingering_time lingering_timeout postpone_output reset_timedout_connection send_lowat send_timeout",
    ),
    (SITE, buffers, "client_body_buffer_size output_buffers"),
    (SITE, resolver, "resolver"),
    (SITE, any, "resolver_timeout"),
    // Compression.
    (
        SITE,
        any,
        "brotli brotli_comp_level brotli_min_length brotli_static brotli_types brotli_window gunzip \
         gzip_comp_level gzip_disable gzip_http_version gzip_min_length gzip_proxied gzip_static gzip_types \
         gzip_vary zstd zstd_comp_level zstd_min_length zstd_static zstd_types",
    ),
    (SITE, buffers, "brotli_buffers gunzip_buffers gzip_buffers zstd_buffers"),
    // TLS.
    (SERVER, certificate, "ssl_certificate ssl_certificate_key ssl_ech_file ssl_session_ticket_key"),
    (SERVER, tls_file, "ssl_client_certificate ssl_crl ssl_dhparam ssl_stapling_file ssl_trusted_certificate"),
    (SERVER, zones, "ssl_ocsp_cache ssl_session_cache"),
    (SERVER, buffers, "ssl_buffer_size"),
    (
        SERVER,
        any,
        "ssl_certificate_cache ssl_certificate_compression ssl_ciphers ssl_early_data ssl_ecdh_curve ssl_ocsp \
         ssl_prefer_server_ciphers ssl_protocols ssl_reject_handshake ssl_session_tickets ssl_session_timeout ssl_stapling \
         ssl_stapling_verify ssl_verify_client ssl_verify_depth",
    ),
    // Logs, and files of the operator's.
    (REQUEST, access_log, "access_log"),
    (SITE, error_log, "error_log"),
    (TOP, any, "log_format"),
    (TOP | REQUEST | LIMIT_EXCEPT, include, "include"),
    // Programs behind the site.
    (LOCATION | IF | LIMIT_EXCEPT, backend, "grpc_pass memcached_pass proxy_pass scgi_pass uwsgi_pass"),
    (LOCATION | IF, php_backend, "fastcgi_pass"),
    (REQUEST, parameter, "fastcgi_param scgi_param uwsgi_param"),
    (TOP, cache_folder, "fastcgi_cache_path proxy_cache_path scgi_cache_path uwsgi_cache_path"),
    (TOP, shared_key, "fastcgi_cache_key proxy_cache_key"),
    (SITE, cache_zone, "fastcgi_cache proxy_cache scgi_cache uwsgi_cache"),
    (SITE, any, "fastcgi_index fastcgi_split_path_info fastcgi_keep_conn proxy_http_version proxy_redirect"),
    (SITE, any, "proxy_cookie_domain proxy_cookie_flags proxy_cookie_path proxy_method"),
    (SITE, any, "fastcgi_catch_stderr grpc_set_header memcached_gzip_flag proxy_pass_trailers proxy_set_body"),
    (SITE, any, "proxy_set_header slice"),
    (SITE, buffers, "proxy_headers_hash_bucket_size proxy_headers_hash_max_size"),
    // Of a group of servers.
    (UPSTREAM, upstream_server, "server"),
    (UPSTREAM, zones, "sticky zone"),
    (UPSTREAM, resolver, "resolver"),
    (
        UPSTREAM,
        any,
        "hash ip_hash keepalive keepalive_requests keepalive_time keepalive_timeout least_conn random resolver_timeout",
    ),
];

/// What `fastcgi_`, `proxy_`, `scgi_`, `uwsgi_`, `grpc_` and `memcached_` have in common, and their TLS.
const OF_EVERY_BACKEND: &[(Check, &str)] = &[
    (
        any,
        "buffering cache_background_update cache_bypass cache_convert_head cache_key cache_lock \
         cache_lock_age cache_lock_timeout cache_max_range_offset cache_methods cache_min_uses \
         cache_revalidate cache_use_stale cache_valid connect_timeout force_ranges hide_header \
         ignore_client_abort ignore_headers intercept_errors limit_rate max_temp_file_size next_upstream \
         next_upstream_timeout next_upstream_tries no_cache pass_header pass_request_body \
         pass_request_headers read_timeout request_buffering send_lowat send_timeout socket_keepalive \
         ssl_certificate_cache ssl_ciphers ssl_name ssl_protocols ssl_server_name ssl_session_reuse ssl_verify \
         ssl_verify_depth temp_file_write_size",
    ),
    (buffers, "buffer_size buffers busy_buffers_size"),
    (certificate, "ssl_certificate ssl_certificate_key"),
    (tls_file, "ssl_crl ssl_trusted_certificate"),
];

/// What the checks know of the file and of the machine.
struct Site<'a> {
    scene: &'a Scene<'a>,
    directives: &'a [Directive],
    others: Vec<Other>,
}

/// The file of another site.
struct Other {
    path: PathBuf,
    directives: Vec<Directive>,
}

pub fn judge(content: &[u8], scene: &Scene<'_>) -> Vec<String> {
    // What cannot be read is refused by its check.
    let Ok(directives) = nginx::parse(content) else { return Vec::new() };
    let live_directives = scene.live.and_then(|text| nginx::parse(text).ok()).unwrap_or_default();
    let live: HashSet<String> =
        (0..live_directives.len()).filter_map(|index| in_its_place(&live_directives, index)).collect();
    let site = Site { scene, directives: &directives, others: others(scene) };
    let mut found = Vec::new();
    let mut closed = vec![false; directives.len()];
    for (index, directive) in directives.iter().enumerate() {
        // What is in a refused block is refused with it.
        if directive.parent.is_some_and(|parent| closed[parent]) {
            closed[index] = true;
            continue;
        }
        if in_its_place(&directives, index).is_some_and(|known| live.contains(&known)) {
            continue;
        }
        if let Some(why) = reason(directive, &site) {
            closed[index] = true;
            found.push(refused(Item::Nginx, directive.line, &spelled(directive), &why));
        }
    }
    found
}

fn spelled(directive: &Directive) -> String {
    let words = directive.arguments.iter().map(|argument| argument.text.as_str());
    [directive.name.as_str()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

/// A directive with the blocks around it. `None` for one whose body was not read.
fn in_its_place(directives: &[Directive], index: usize) -> Option<String> {
    let mut text = String::new();
    let mut parent = directives[index].parent;
    while let Some(at) = parent {
        text.insert_str(0, &format!("{} > ", directives[at].name));
        parent = directives[at].parent;
    }
    let own = &directives[index];
    let words: Vec<&str> = own.arguments.iter().map(|argument| argument.text.as_str()).collect();
    (!own.name.ends_with("_by_lua_block")).then(|| format!("{text}{} {words:?}", own.name))
}

/// The other sites in use.
fn others(scene: &Scene<'_>) -> Vec<Other> {
    let Ok(folder) = std::fs::read_dir(&scene.config.paths.nginx_enabled) else { return Vec::new() };
    let own = [scene.domain.as_str().to_owned(), format!("{}.conf", scene.domain)];
    let target = scene.target.canonicalize().unwrap_or_else(|_| scene.target.to_owned());
    let mut paths: Vec<PathBuf> = folder.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
        .into_iter()
        .filter(|path| !own.iter().any(|own| path.file_name().is_some_and(|name| name == own.as_str())))
        .filter(|path| path.canonicalize().is_ok_and(|real| real != target))
        .filter_map(|path| {
            let directives = std::fs::read(&path).ok().and_then(|text| nginx::parse(&text).ok())?;
            Some(Other { path, directives })
        })
        .collect()
}

fn reason(directive: &Directive, site: &Site<'_>) -> Refusal {
    let words = || directive.arguments.iter().map(|argument| argument.text.as_str());
    if !words().chain([directive.name.as_str()]).all(super::is_plain) {
        return Some("has a control character or is no UTF-8".into());
    }
    let parent = directive.parent.map(|parent| &site.directives[parent]);
    let place = match parent.map(|parent| parent.name.as_str()) {
        None => TOP,
        Some("server") => SERVER,
        Some("location") => LOCATION,
        Some("if") => IF,
        Some("limit_except") => LIMIT_EXCEPT,
        Some("upstream") => UPSTREAM,
        // Their content is keys and values; the one thing that is done there is to read a file.
        Some("types" | "map" | "geo" | "split_clients") if directive.name == "include" => {
            return include(directive, site);
        }
        Some("types" | "map" | "geo" | "split_clients") => return None,
        Some(_) => return Some("stands in a block that is not for a site's file".into()),
    };
    let rows = || TABLE.iter().filter(|(_, _, names)| lists(names, &directive.name));
    if let Some((_, check, _)) = rows().find(|(places, ..)| places & place != 0) {
        return check(directive, site);
    }
    let families = ["fastcgi_", "grpc_", "memcached_", "proxy_", "scgi_", "uwsgi_"];
    let of_backend = families.iter().find_map(|family| directive.name.strip_prefix(family));
    if let Some(rest) = of_backend.filter(|_| place & SITE != 0)
        && let Some((check, _)) = OF_EVERY_BACKEND.iter().find(|(_, names)| lists(names, rest))
    {
        return check(directive, site);
    }
    match (place, rows().next()) {
        (TOP, Some(_)) => Some("would hold for every site".into()),
        (_, Some(_)) => Some("does not belong here".into()),
        _ => Some("is not for a site's file".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use std::path::Path;

    #[test]
    fn files_as_panels_make_them_pass() {
        let stage = Stage::new();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/nginx");
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 10);
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            assert_eq!(stage.judged(Item::Nginx, &text, None), Vec::<String>::new(), "{}", file.display());
        }
    }

    #[test]
    fn what_is_not_for_a_sites_file_is_refused_wherever_it_stands() {
        let stage = Stage::new();
        for bad in [
            "load_module /tmp/x.so;",
            "user root;",
            "env LD_PRELOAD=/tmp/x.so;",
            "daemon off;",
            "http { server { root /; } }",
            "stream { server { listen 22; } }",
            "root /var/www/shop.example;",
            "add_header X-All yes;",
            "ssl_certificate /etc/letsencrypt/live/shop.example/fullchain.pem;",
            "access_log /var/log/nginx/shop.example.log;",
            "server_names_hash_bucket_size 128;",
            "content_by_lua_block { os.execute() }",
            "js_import /tmp/x.js;",
            "perl_modules /tmp;",
            "passenger_ruby /tmp/x;",
            "modsecurity_rules_file /tmp/x;",
        ] {
            let said = stage.refused(Item::Nginx, &format!("# first line\n{bad}"));
            let name = bad.split([' ', ';']).next().unwrap();
            assert!(said.starts_with(&format!("line 2: `{name}")), "{bad}: {said}");
        }
        for bad in [
            "content_by_lua 'os.execute()';",
            "js_content x;",
            "perl 'sub {}';",
            "dav_methods PUT;",
            "proxy_store on;",
            "client_body_temp_path /etc;",
            "proxy_temp_path /etc;",
            "client_body_in_file_only on;",
            "xslt_stylesheet /etc/x;",
            "ssl_password_file /etc/x;",
            "ssl_engine x;",
            "ssl_conf_command PrivateKey /etc/shadow;",
            "proxy_ssl_conf_command PrivateKey /etc/shadow;",
            "proxy_bind 192.0.2.1;",
            "uwsgi_string x;",
            "image_filter test;",
            "made_up on;",
            "Root /;",
            "upstream x { server 127.0.0.1:1; }",
            "server { listen 80; }",
            "disable_symlinks off;",
            "modsecurity off;",
        ] {
            for block in ["server {\n", "server { location / {\n"] {
                let said =
                    stage.refused(Item::Nginx, &format!("{block}{bad} {}", "}".repeat(block.matches('{').count())));
                let name = bad.split([' ', ';']).next().unwrap();
                assert!(said.starts_with(&format!("line 2: `{name}")), "{bad}: {said}");
            }
        }
    }

    #[test]
    fn no_text_makes_the_guard_stumble() {
        let stage = Stage::new();
        proptest::proptest!(|(text in "[a-z/$. {};:'\"\\\\\u{e9}0-9\n]{0,120}")| {
            for item in Item::ALL {
                stage.judged(item, &text, Some("server { root /x; }"));
                stage.judged(item, &format!("server {{ listen {text}; location / {{ root {text}; fastcgi_pass {text}; }} }}"), None);
            }
        });
    }
}
