//! Which keys of an object cache are the site's.

/// The site's keys.
pub struct Keys<'a> {
    /// What they begin with; all of them where this is nothing, by the operator's word.
    pub prefixes: Option<&'a [String]>,
    /// Where the numbers of visitors' sessions are.
    pub sessions: Sessions,
}

/// Where the numbers of visitors' sessions are, which stand behind a prefix with nothing else, as Laravel writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// Nowhere among such keys.
    Nowhere,
    /// Perhaps behind a neighbour's prefix, which may begin with the site's.
    OfOthers,
    /// Behind the site's prefix, too.
    Own,
}

impl Keys<'_> {
    /// Whether this one goes. Sessions and queues stay, whatever they begin with.
    pub fn have(&self, key: &[u8]) -> bool {
        let rest = match self.prefixes {
            Some(prefixes) => prefixes.iter().find_map(|prefix| key.strip_prefix(prefix.as_bytes())),
            None => Some(key),
        };
        let stays = |rest: &[u8]| match self.sessions {
            Sessions::Nowhere => false,
            Sessions::OfOthers => is_session_of_others(rest),
            Sessions::Own => is_session(rest) || is_session_of_others(rest),
        };
        rest.is_some_and(|rest| !is_kept(key) && !stays(rest))
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

/// The same behind more of a prefix.
fn is_session_of_others(rest: &[u8]) -> bool {
    let mark = rest.iter().rposition(|byte| !byte.is_ascii_alphanumeric());
    mark.is_some_and(|mark| mark > 0 && is_session(&rest[mark + 1..]))
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
        let of = |sessions| Keys { prefixes: Some(&prefixes), sessions };
        let (own, others, nowhere) = (of(Sessions::Own), of(Sessions::OfOthers), of(Sessions::Nowhere));
        assert!(!own.have(session.as_bytes()) && others.have(session.as_bytes()) && nowhere.have(session.as_bytes()));
        assert!(own.have(format!("{session}1").as_bytes()) && own.have(b"shop_posts") && !own.have(b"shop2_posts"));
        // A neighbour whose prefix begins with the site's.
        let neighbours = format!("shop_b_{}", "a1B2".repeat(10));
        assert!(!own.have(neighbours.as_bytes()) && !others.have(neighbours.as_bytes()));
        assert!(nowhere.have(neighbours.as_bytes()) && others.have(b"shop_b_posts"));
    }
}
