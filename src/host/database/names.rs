//! What this program's schemas and accounts are called: one place, so that what is made, recognised and removed is the same.

/// Before the name of a schema in which a dump is loaded.
pub const SHADOW: &str = "rvs_";
/// Before the name of a schema that keeps old tables.
pub const KEPT: &str = "rvk_";
/// Before the name of an account that loads a dump.
pub const LOADER: &str = "rv_";
/// Before the name of an account that reads a site's tables.
pub const READER: &str = "rvr_";
/// Before the name of an account as which a staged site reads its tables.
pub const VISITOR: &str = "rvv_";
/// Before the name of an account that holds a site's tables against a dump, or shows them beside its tables.
pub const COMPARER: &str = "rvc_";
/// Before the name of an account that carries newer rows of a site's tables into the restored ones.
pub const CARRIER: &str = "rvn_";
/// Before the names of all accounts of ours.
pub const ACCOUNTS: [&str; 5] = [LOADER, READER, VISITOR, COMPARER, CARRIER];

/// The schema in which a job loads its dump. `short` is the job's short name, 12 hex digits.
pub fn shadow(short: &str) -> String {
    format!("{SHADOW}{short}")
}

/// The schema in which a job keeps the old tables.
pub fn kept(short: &str) -> String {
    format!("{KEPT}{short}")
}

/// The throw-away account that loads a job's dump.
pub fn loader(short: &str) -> String {
    format!("{LOADER}{short}")
}

/// The throw-away account that reads a site's tables for a job.
pub fn reader(short: &str) -> String {
    format!("{READER}{short}")
}

/// The throw-away account as which a staged site reads the tables of a job's dump.
pub fn visitor(short: &str) -> String {
    format!("{VISITOR}{short}")
}

/// The throw-away account that holds a site's tables against a job's dump.
pub fn comparer(short: &str) -> String {
    format!("{COMPARER}{short}")
}

/// The throw-away account that carries newer rows of a site's tables into those of a job.
pub fn carrier(short: &str) -> String {
    format!("{CARRIER}{short}")
}

/// The short name of the job that a schema of ours belongs to; `None` for anybody else's.
pub fn job_of_schema(schema: &str) -> Option<&str> {
    [SHADOW, KEPT].into_iter().find_map(|prefix| short(schema.strip_prefix(prefix)?))
}

/// The same of an account.
pub fn job_of_account(user: &str) -> Option<&str> {
    ACCOUNTS.into_iter().find_map(|prefix| short(user.strip_prefix(prefix)?))
}

fn short(id: &str) -> Option<&str> {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (id.len() == 12 && id.bytes().all(hex)).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_are_recognised_and_nobody_elses() {
        let id = "0123456789ab";
        assert_eq!((job_of_schema(&shadow(id)), job_of_schema(&kept(id))), (Some(id), Some(id)));
        assert_eq!((job_of_account(&loader(id)), job_of_account(&reader(id))), (Some(id), Some(id)));
        assert_eq!((job_of_account(&visitor(id)), job_of_account(&comparer(id))), (Some(id), Some(id)));
        assert_eq!(job_of_account(&carrier(id)), Some(id));
        for other in ["mysql", "rvk_", "rvk_short", "rvk_0123456789ab; DROP", "rvx_0123456789ab", "rvs_campervans_1"] {
            assert_eq!(job_of_schema(other), None, "{other}");
        }
        // Twelve letters after the prefix do not make an account ours.
        assert_eq!(job_of_account("rv_motorhomeshop"), None);
        assert_eq!(job_of_account("rv_motorhomes1"), None);
    }
}
