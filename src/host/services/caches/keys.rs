//! Which keys of an object cache are the site's.

/// The site's keys.
pub struct Keys<'a> {
    /// What they begin with; all of them where this is nothing, by the operator's word.
    pub prefixes: Option<&'a [String]>,
    /// Behind the prefix alone stand the numbers of visitors' sessions too.
    pub has_sessions: bool,
}

impl Keys<'_> {
    /// Whether this one goes. Sessions and queues stay, whatever they begin with.
    pub fn have(&self, key: &[u8]) -> bool {
        let rest = match self.prefixes {
            Some(prefixes) => prefixes.iter().find_map(|prefix| key.strip_prefix(prefix.as_bytes())),
            None => Some(key),
        };
        rest.is_some_and(|rest| !(is_kept(key) || self.has_sessions && is_session(rest)))
    }
}

/// Sessions and queues are no cache: a visitor would lose the basket, and a job its work.
pub fn is_kept(key: &[u8]) -> bool {
    const WORDS: [&[u8]; 8] = [
        b"session:",
        b"sessions:",
        b"sess:",
        b"phpredis_session",
        // PHP's own sessions in Memcached.
        b"memc.sess.",
        b"queues:",
        b"horizon:",
        // By which the workers of Laravel's queue learn that they are to end.
        b"illuminate:queue:restart",
    ];
    let key = key.to_ascii_lowercase();
    WORDS.iter().any(|word| memchr::memmem::find(&key, word).is_some())
}

/// The number of a session of Laravel's; older ones have a `:` before it.
fn is_session(rest: &[u8]) -> bool {
    let number = rest.strip_prefix(b":").unwrap_or(rest);
    number.len() == 40 && number.iter().all(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_and_queues_are_no_cache() {
        for key in [
            "PHPREDIS_SESSION:abc",
            "memc.sess.key.abc",
            "shop_queues:default",
            "shop:session:1",
            "shop:Sess:1",
            "horizon:x",
            "laravel_cache_:illuminate:queue:restart",
        ] {
            assert!(is_kept(key.as_bytes()), "{key}");
        }
        for key in ["shop:posts:1", "wp:options:alloptions", "shop:queue_stats"] {
            assert!(!is_kept(key.as_bytes()), "{key}");
        }
    }

    #[test]
    fn the_number_of_a_session_stays_where_sessions_are_among_the_keys() {
        let prefixes = ["shop_".to_owned()];
        let session = format!("shop_{}", "a1B2".repeat(10));
        let of = |has_sessions| Keys { prefixes: Some(&prefixes), has_sessions };
        assert!(!of(true).have(session.as_bytes()) && of(false).have(session.as_bytes()));
        assert!(of(true).have(format!("{session}1").as_bytes()) && of(true).have(b"shop_posts"));
        assert!(!of(true).have(b"shop2_posts"));
    }
}
