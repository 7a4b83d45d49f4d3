//! How much of a database the dump of another program holds. A live table that the dump lacks goes only where the dump is one of the whole
//! database: an export of single tables looks the same but for the tables in it. Pure.

/// What is known of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Extent {
    /// Its writer dumps whole databases and nothing less.
    Whole,
    /// Anybody made it: whole where the tables of an application are all in it.
    Unknown,
    /// Its writer dumps the tables of one prefix.
    #[default]
    Part,
}

impl Extent {
    /// Whether a table that is not among these did not exist.
    pub fn holds_every_table(self, tables: &[&str]) -> bool {
        match self {
            Extent::Whole => true,
            Extent::Unknown => is_application(tables),
            Extent::Part => false,
        }
    }

    /// What is said of the tables that stay for want of knowledge.
    pub fn unsure(self, tables: &[&str]) -> Option<&'static str> {
        (self == Extent::Unknown && !is_application(tables)).then_some(
            "The dump may be of a part of the database: live tables that it does not hold stay. An exact replica (`--exact`) takes them away.",
        )
    }
}

/// The tables that WordPress makes for every site (wp-admin/includes/schema.php), behind the prefix.
const WORDPRESS: &[&str] = &[
    "commentmeta",
    "comments",
    "options",
    "postmeta",
    "posts",
    "term_relationships",
    "term_taxonomy",
    "terms",
    "usermeta",
    "users",
];
/// The list of its own tables that Laravel keeps.
const LARAVEL: &str = "migrations";

fn is_application(tables: &[&str]) -> bool {
    let has = |prefix: &str, name: &str| tables.iter().any(|table| table.strip_prefix(prefix) == Some(name));
    let mut prefixes = tables.iter().filter_map(|table| table.strip_suffix("options"));
    prefixes.any(|prefix| WORDPRESS.iter().all(|name| has(prefix, name))) || (has("", LARAVEL) && tables.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_of_single_tables_is_not_taken_for_the_whole_database() {
        let shop: Vec<String> = WORDPRESS.iter().map(|name| format!("shop_{name}")).collect();
        let shop: Vec<&str> = shop.iter().map(String::as_str).collect();
        for (tables, whole) in [
            (shop.as_slice(), true),
            (&shop[1..], false),
            (&["shop_options"][..], false),
            (&["migrations", "users"], true),
            (&["migrations"], false),
            (&[], false),
        ] {
            assert_eq!(Extent::Unknown.holds_every_table(tables), whole, "{tables:?}");
            assert_eq!(Extent::Unknown.unsure(tables).is_none(), whole, "{tables:?}");
        }
        assert!(!Extent::Part.holds_every_table(&shop) && Extent::Part.unsure(&[]).is_none());
        assert!(Extent::Whole.holds_every_table(&[]));
    }
}
