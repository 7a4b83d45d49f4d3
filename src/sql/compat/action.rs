//! What is to be done about each kind of difference: the request's `options.compatibility`.

use crate::sql::compat::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Put something the server knows in its place, or refuse the dump.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MapOrRefuse")]
#[serde(rename_all = "snake_case")]
pub enum Map {
    /// The nearest the server has.
    #[default]
    Map,
    /// The dump is refused.
    Refuse,
}

/// Leave it out, or refuse the dump.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StripOrRefuse")]
#[serde(rename_all = "snake_case")]
pub enum Strip {
    /// It is left out.
    #[default]
    Strip,
    /// The dump is refused.
    Refuse,
}

/// Send it in parts, or refuse the dump.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SplitOrRefuse")]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Rows of one statement go in several.
    #[default]
    Split,
    /// The dump is refused.
    Refuse,
}

/// Take it as it is, or refuse the dump.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "KeepOrRefuse")]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Loaded under a mode that takes it.
    #[default]
    Keep,
    /// The dump is refused.
    Refuse,
}

/// Leave it to the servers it is meant for, or refuse the dump.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SkipOrRefuse")]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// As this server itself would.
    #[default]
    Skip,
    /// The dump is refused.
    Refuse,
}

/// Leave out a statement that no dump of a site needs, or refuse the dump.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SkipOrRefuseStatement")]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// It is left out, with a note.
    Skip,
    /// The dump is refused.
    #[default]
    Refuse,
}

/// What is done about each kind of difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CompatibilityActions")]
#[serde(deny_unknown_fields, default)]
pub struct Actions {
    /// Collations the server does not have.
    pub collation: Map,
    /// Definers other than the site's own account.
    pub definer: Map,
    /// GTID lines.
    pub gtid: Strip,
    /// Statements longer than `max_allowed_packet`.
    pub packet: Split,
    /// Storage engines the server does not have.
    pub engine: Map,
    /// Zero dates.
    pub zero_dates: Keep,
    /// Versioned comments that the server skips and that say more than it says anyway.
    pub versioned_comment: Skip,
    /// Statements that no dump of a site needs and that are about no table: `GRANT`, `CALL`. They are never sent.
    pub statement: Unknown,
}

impl Actions {
    /// Whether the caller asked for a refusal of this kind.
    pub fn refuses(&self, kind: Kind) -> bool {
        match kind {
            Kind::Collation => self.collation == Map::Refuse,
            Kind::Charset | Kind::SqlMode | Kind::Parser | Kind::Feature | Kind::TableOption | Kind::Check => false,
            Kind::ZeroDates => self.zero_dates == Keep::Refuse,
            Kind::Definer => self.definer == Map::Refuse,
            Kind::Gtid => self.gtid == Strip::Refuse,
            Kind::Packet => self.packet == Split::Refuse,
            Kind::Engine => self.engine == Map::Refuse,
            Kind::VersionedComment => self.versioned_comment == Skip::Refuse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_its_default_and_what_is_unknown_is_refused() {
        let some: Actions = serde_json::from_str(r#"{"gtid":"refuse","engine":"map"}"#).unwrap();
        assert_eq!(some, Actions { gtid: Strip::Refuse, ..Actions::default() });
        for bad in [r#"{"gtid":"map"}"#, r#"{"charset":"map"}"#, r#"{"packet":"keep"}"#] {
            assert!(serde_json::from_str::<Actions>(bad).is_err(), "{bad}");
        }
    }
}
