//! What the live site is asked for to see that it stands and is the restored one, and what was seen of it.

use crate::engine::posts::{self, Kind};
use crate::report::Check;

/// What was asked for to see that the live site is the restored one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The answer for this address carries what only the restored state has.
    New(String),
    /// An answer came that is not of the restored state, as this says.
    Old(String),
    /// What was asked for was the same before.
    Same,
    /// It was asked for or could have been, and nothing was seen of it, for this reason.
    Nothing(String),
    /// It is not given out, as this says.
    Refused(String),
    /// There is nothing to ask for, for this reason.
    Unasked(String),
    /// It takes no part.
    NoPart,
}

/// The check of an answer, where there is one, and what it proves.
pub type Judged = (Option<Check>, Seen);

/// A post to ask the live site for; else what its absence says.
pub type ToAsk = Result<Post, Seen>;

/// A post, a page or a product to ask the live site for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Post {
    /// What it is.
    pub kind: Kind,
    /// Its address below the site's.
    pub path: String,
    /// Words of its title; empty: none are known.
    pub title: String,
    /// Words that stand in no post of before, the page has to hold one of them.
    pub marks: Vec<String>,
    /// The same of its price.
    pub price: Option<String>,
    /// What the state before has in its place.
    pub before: posts::Before,
    /// Why its page is not known; `None`: the rehearsal saw it with the title and the words.
    pub unknown: Option<String>,
}

impl Post {
    /// Whether something is known by which its page can be told from that of before.
    pub fn is_told(&self) -> bool {
        !self.marks.is_empty() || self.price.is_some()
    }
}

/// How the front page came before anything was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stood {
    /// Plainly.
    pub page: Came,
    /// The same under TLS; `None`: nothing speaks that for the site.
    pub secure: Option<Came>,
}

/// How a page came by one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// As restore.toml wants it, or it was not asked for: a whole site is restored because it does not stand.
    Well,
    /// With this status, which restore.toml does not want.
    Badly(u16),
    /// Not at all.
    Not,
}

impl Came {
    /// Whether it did not come as it has to.
    pub fn was_bad(self) -> bool {
        self != Came::Well
    }

    /// Whether an answer is as bad as this one was, by the word of the site itself: a gateway's word may be another in a moment.
    pub fn was_as_bad(self, status: u16) -> bool {
        self == Came::Badly(status) && !(502..=504).contains(&status)
    }
}

/// What several posts prove together: one of before says more than all that are new.
pub fn together(all: Vec<Seen>) -> Seen {
    let whys = |of: fn(&Seen) -> Option<&String>| all.iter().filter_map(of).cloned().collect::<Vec<_>>().join("; ");
    let old = whys(|seen| if let Seen::Old(why) = seen { Some(why) } else { None });
    if !old.is_empty() {
        return Seen::Old(old);
    }
    if let Some(new) = all.iter().find(|seen| matches!(seen, Seen::New(_))) {
        return new.clone();
    }
    let nothing = whys(|seen| match seen {
        Seen::Nothing(why) | Seen::Refused(why) => Some(why),
        _ => None,
    });
    if !nothing.is_empty() {
        return Seen::Nothing(nothing);
    }
    all.into_iter().next().unwrap_or(Seen::NoPart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_old_page_outweighs_the_others() {
        let new = || Seen::New("/a/".into());
        let old = |why: &str| Seen::Old(why.into());
        let nothing = || Seen::Nothing("no page".into());
        for (all, seen) in [
            (vec![new(), old("b is old"), old("c is old")], old("b is old; c is old")),
            (vec![nothing(), new()], new()),
            (vec![Seen::Same, nothing()], nothing()),
            (vec![Seen::Same, Seen::Same], Seen::Same),
            (vec![], Seen::NoPart),
        ] {
            assert_eq!(together(all), seen);
        }
    }
}
