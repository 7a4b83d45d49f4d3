//! Local time by /etc/localtime. The environment's TZ is not read: it belongs to the host process.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use once_cell::sync::OnceCell;

static ZONE: OnceCell<TimeZone> = OnceCell::new();

/// The machine's time zone; UTC where it has none.
pub fn zone() -> TimeZone {
    let read = || {
        let rules = std::fs::read("/etc/localtime").ok()?;
        TimeZone::tzif("localtime", &rules).ok()
    };
    ZONE.get_or_init(|| read().unwrap_or(TimeZone::UTC)).clone()
}

/// The moment, in local time.
pub fn now() -> ZonedDateTime {
    Timestamp::now().to_zoned_datetime(zone())
}

/// RFC 3339 with the zone's offset: `2025-10-04T03:00:00+07:00`.
pub fn rfc3339() -> String {
    now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// The second since 1970 of a moment in that form, or in local time without an offset; `None` where it is neither.
pub fn second_of(text: &str) -> Option<i64> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment.as_second());
    }
    let local: jiff::civil::DateTime = text.parse().ok()?;
    Some(local.to_zoned_datetime(zone()).ok()?.timestamp().as_second())
}

/// A second since 1970 in the same form.
pub fn at(second: i64) -> Option<String> {
    let moment = Timestamp::from_second(second).ok()?.to_zoned_datetime(zone());
    Some(moment.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}
