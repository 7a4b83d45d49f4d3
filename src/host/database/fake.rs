//! The server in memory, for tests of everything above it. It can be told to fail at any call and to
//! hold a lock.

use crate::error::{Code, Error, Result};
use crate::host::database::{
    Database, ForeignKey, NextValue, Object, ObjectKind, Objects, OutsideKey, Patience, SchemaCharset, SchemaTimes,
    Switch, TableInfo, TableTimes,
};
use crate::sql::token::Quoting;
use crate::sql::trigger::Trigger;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Schemas, tables as counts and checksums, objects, users.
#[derive(Debug, Default)]
pub struct Fake {
    state: Mutex<State>,
}

#[derive(Debug, Default, Clone)]
struct State {
    schemas: BTreeMap<String, Schema>,
    accounts: BTreeSet<String>,
    locked: Option<String>,
    damaged: BTreeSet<(String, String)>,
    outside: Vec<(String, OutsideKey)>,
    orphans: Vec<(String, String, u64)>,
    fail_at: Option<(usize, Code)>,
    calls: Vec<String>,
}

#[derive(Debug, Clone, Default)]
struct Schema {
    charset: Option<SchemaCharset>,
    tables: BTreeMap<String, (u64, u64)>,
    next_values: BTreeMap<String, u64>,
    objects: Vec<Object>,
    keys: Vec<ForeignKey>,
}

impl Fake {
    /// An empty server.
    pub fn new() -> Fake {
        Fake::default()
    }

    /// Puts a table with so many rows and this checksum into a schema.
    pub fn put_table(&self, schema: &str, table: &str, rows: u64, checksum: u64) {
        let mut state = self.lock();
        state.schemas.entry(schema.into()).or_default().tables.insert(table.into(), (rows, checksum));
    }

    /// Adds a user.
    pub fn put_account(&self, user: &str) {
        self.lock().accounts.insert(user.into());
    }

    /// Adds a foreign key of another schema that refers into `schema`.
    pub fn put_outside_key(&self, schema: &str, key: OutsideKey) {
        self.lock().outside.push((schema.into(), key));
    }

    /// Lets a key of this name have so many orphans in a schema's table.
    pub fn put_orphans(&self, schema: &str, key: &str, rows: u64) {
        self.lock().orphans.push((schema.into(), key.into(), rows));
    }

    /// Lets [`Database::check_table`] complain of a table.
    pub fn damage(&self, schema: &str, table: &str) {
        self.lock().damaged.insert((schema.into(), table.into()));
    }

    /// Lets every switch find its tables in use by `user`, until `None` is given.
    pub fn hold_lock(&self, user: Option<&str>) {
        self.lock().locked = user.map(str::to_owned);
    }

    /// Lets the call that is `calls_from_now` calls away fail with `code`, 0 being the next one, and every
    /// call after it too if the code is `database_unreachable`.
    pub fn fail(&self, calls_from_now: usize, code: Code) {
        let mut state = self.lock();
        state.fail_at = Some((state.calls.len() + calls_from_now, code));
    }

    /// Lets nothing fail any more.
    pub fn mend(&self) {
        self.lock().fail_at = None;
    }

    /// Names of the calls so far, with their schema.
    pub fn calls(&self) -> Vec<String> {
        self.lock().calls.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, name: &str, about: &str) -> Result<MutexGuard<'_, State>> {
        let mut state = self.lock();
        let number = state.calls.len();
        state.calls.push(format!("{name} {about}").trim_end().to_owned());
        match state.fail_at {
            Some((at, code)) if number == at || (number > at && code == Code::DatabaseUnreachable) => {
                Err(Error::new(code, format!("{name} {about}: made to fail")))
            }
            _ => Ok(state),
        }
    }
}

impl State {
    /// Whether tables may be changed; who has nothing to do needs no lock.
    fn free(&self, nothing: bool) -> Result<()> {
        match &self.locked {
            Some(user) if !nothing => {
                Err(Error::new(Code::DatabaseLocked, format!("the tables are in use by connection 1 of {user}"))
                    .with("connection", "1")
                    .with("user", user.clone()))
            }
            _ => Ok(()),
        }
    }

    fn table(&self, schema: &str, table: &str) -> Result<(u64, u64)> {
        let found = self.schemas.get(schema).and_then(|schema| schema.tables.get(table)).copied();
        found.ok_or_else(|| Error::new(Code::DatabaseFailed, format!("there is no table {schema}.{table}")))
    }

    fn schema(&mut self, name: &str) -> Result<&mut Schema> {
        self.schemas.get_mut(name).ok_or_else(|| Error::new(Code::DatabaseFailed, format!("there is no schema {name}")))
    }
}

/// The table a trigger's text names.
fn trigger_table(object: &Object) -> Option<String> {
    Trigger::parse(&object.create, Quoting::default()).map(|trigger| trigger.table.name)
}

impl Database for Fake {
    fn version(&self) -> Result<String> {
        self.call("version", "").map(|_| "10.11.0-MariaDB-fake".into())
    }

    fn schemas(&self, prefix: &str) -> Result<Vec<String>> {
        let state = self.call("schemas", prefix)?;
        Ok(state.schemas.keys().filter(|name| name.starts_with(prefix)).cloned().collect())
    }

    fn schema_charset(&self, schema: &str) -> Result<Option<SchemaCharset>> {
        let state = self.call("schema_charset", schema)?;
        let default = || SchemaCharset { charset: "utf8mb4".into(), collation: "utf8mb4_general_ci".into() };
        Ok(state.schemas.get(schema).map(|schema| schema.charset.clone().unwrap_or_else(default)))
    }

    fn time_rename(&self, scratch: &str) -> Result<Duration> {
        self.call("time_rename", scratch).map(|_| Duration::from_micros(100))
    }

    fn create_schema(&self, schema: &str, charset: Option<&SchemaCharset>) -> Result<()> {
        let mut state = self.call("create_schema", schema)?;
        state.schemas.entry(schema.into()).or_insert_with(|| Schema { charset: charset.cloned(), ..Schema::default() });
        Ok(())
    }

    fn drop_schema(&self, schema: &str) -> Result<()> {
        self.call("drop_schema", schema)?.schemas.remove(schema);
        Ok(())
    }

    fn create_live_schema(&self, schema: &str, charset: Option<&SchemaCharset>) -> Result<()> {
        let mut state = self.call("create_live_schema", schema)?;
        state.schemas.entry(schema.into()).or_insert_with(|| Schema { charset: charset.cloned(), ..Schema::default() });
        Ok(())
    }

    fn drop_live_schema(&self, schema: &str) -> Result<()> {
        let mut state = self.call("drop_live_schema", schema)?;
        if state.schemas.get(schema).is_some_and(|found| found.tables.is_empty() && found.objects.is_empty()) {
            state.schemas.remove(schema);
        }
        Ok(())
    }

    fn drop_tables(&self, schema: &str, tables: &[String]) -> Result<()> {
        let mut state = self.call("drop_tables", schema)?;
        if let Some(schema) = state.schemas.get_mut(schema) {
            schema.tables.retain(|name, _| !tables.contains(name));
        }
        Ok(())
    }

    fn tables(&self, schema: &str) -> Result<Vec<TableInfo>> {
        let state = self.call("tables", schema)?;
        let info = |(name, (rows, _)): (&String, &(u64, u64))| TableInfo {
            name: name.clone(),
            engine: "InnoDB".into(),
            rows_estimate: *rows,
            bytes: rows * 100,
            sequence: false,
            damage: String::new(),
        };
        Ok(state.schemas.get(schema).map(|schema| schema.tables.iter().map(info).collect()).unwrap_or_default())
    }

    fn count_rows(&self, schema: &str, table: &str) -> Result<u64> {
        Ok(self.call("count_rows", schema)?.table(schema, table)?.0)
    }

    fn check_table(&self, schema: &str, table: &str) -> Result<Vec<String>> {
        let state = self.call("check_table", schema)?;
        if state.table(schema, table).is_err() {
            return Ok(vec![format!("error: there is no table {schema}.{table}")]);
        }
        let damaged = state.damaged.contains(&(schema.to_owned(), table.to_owned()));
        Ok(if damaged { vec!["error: Corrupt".into()] } else { Vec::new() })
    }

    fn checksum_table(&self, schema: &str, table: &str) -> Result<u64> {
        Ok(self.call("checksum_table", schema)?.table(schema, table)?.1)
    }

    fn table_times(&self, schema: &str) -> Result<SchemaTimes> {
        let state = self.call("table_times", schema)?;
        // A clock that moves with the calls, and a table that changes with its checksum.
        let set = |name: &str| state.schemas.get(schema).and_then(|schema| schema.next_values.get(name)).copied();
        let times = |(name, (rows, checksum)): (&String, &(u64, u64))| TableTimes {
            name: name.clone(),
            created: "2025-01-01 00:00:00".into(),
            updated: i64::try_from(*checksum).ok(),
            auto_increment: set(name).unwrap_or(rows + 1),
        };
        let tables = state.schemas.get(schema).map(|schema| schema.tables.iter().map(times).collect());
        Ok(SchemaTimes { now: 1_700_000_000 + state.calls.len() as i64, tables: tables.unwrap_or_default() })
    }

    fn table_text(&self, schema: &str, table: &str) -> Result<String> {
        self.call("table_text", schema)?.table(schema, table)?;
        let name = crate::sql::quote_name(table);
        Ok(format!("CREATE TABLE {name} (\n  `id` int(11) NOT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB"))
    }

    fn objects(&self, schema: &str) -> Result<Objects> {
        let state = self.call("objects", schema)?;
        let mut objects = state.schemas.get(schema).map(|schema| schema.objects.clone()).unwrap_or_default();
        objects.sort_by(|one, other| one.kind.cmp(&other.kind).then_with(|| one.name.cmp(&other.name)));
        Ok(Objects(objects))
    }

    fn drop_objects(&self, schema: &str, objects: &Objects, _: Patience) -> Result<()> {
        let mut state = self.call("drop_objects", schema)?;
        state.free(objects.is_empty())?;
        if let Some(schema) = state.schemas.get_mut(schema) {
            let named =
                |kept: &Object| objects.0.iter().any(|object| object.kind == kept.kind && object.name == kept.name);
            schema.objects.retain(|kept| !named(kept));
        }
        Ok(())
    }

    fn create_objects(&self, schema: &str, objects: &Objects, _: Patience) -> Result<Vec<String>> {
        let mut state = self.call("create_objects", schema)?;
        state.free(objects.is_empty())?;
        if objects.is_empty() {
            return Ok(Vec::new());
        }
        let schema = state.schema(schema)?;
        for object in &objects.0 {
            if let (ObjectKind::Trigger, Some(table)) = (object.kind, trigger_table(object))
                && !schema.tables.contains_key(&table)
            {
                return Err(Error::new(
                    Code::DatabaseFailed,
                    format!("create trigger {}: there is no table {table}", object.name),
                ));
            }
            schema.objects.retain(|kept| !(kept.kind == object.kind && kept.name == object.name));
            schema.objects.push(object.clone());
        }
        Ok(Vec::new())
    }

    fn switch(&self, switch: &Switch, _: Patience) -> Result<()> {
        let mut state = self.call("switch", "")?;
        state.free(switch.moves.is_empty())?;
        let mut after = state.clone();
        for step in &switch.moves {
            let named = format!("{}.{}", step.from, step.table);
            let from = after.schema(&step.from)?;
            let triggered = |object: &Object| {
                object.kind == ObjectKind::Trigger && trigger_table(object).as_deref() == Some(step.table.as_str())
            };
            if from.objects.iter().any(triggered) {
                return Err(Error::new(Code::DatabaseFailed, format!("{named} has a trigger")));
            }
            let next_value = from.next_values.remove(&step.table);
            let (moving, staying) = from.keys.drain(..).partition(|key: &ForeignKey| key.table == step.table);
            from.keys = staying;
            let table = from.tables.remove(&step.table);
            let table = table.ok_or_else(|| Error::new(Code::DatabaseFailed, format!("there is no table {named}")))?;
            if after.schema(&step.to)?.tables.insert(step.table.clone(), table).is_some() {
                return Err(Error::new(Code::DatabaseFailed, format!("{}.{} is in the way", step.to, step.table)));
            }
            let to = after.schema(&step.to)?;
            to.keys.extend(moving);
            to.next_values.extend(next_value.map(|value| (step.table.clone(), value)));
            // Keys follow the table they refer to.
            for key in after.schemas.values_mut().flat_map(|schema| &mut schema.keys) {
                if key.refers_schema == step.from && key.refers_to == step.table {
                    key.refers_schema = step.to.clone();
                }
            }
        }
        *state = after;
        Ok(())
    }

    fn connection_id(&self) -> Result<u64> {
        self.call("connection_id", "").map(|_| 7)
    }

    fn end_connection(&self, _: u64) -> Result<bool> {
        self.call("end_connection", "").map(|_| false)
    }

    fn foreign_keys_from_outside(&self, schema: &str) -> Result<Vec<OutsideKey>> {
        let state = self.call("foreign_keys_from_outside", schema)?;
        Ok(state.outside.iter().filter(|(to, _)| to == schema).map(|(_, key)| key.clone()).collect())
    }

    fn foreign_keys(&self, schema: &str) -> Result<Vec<ForeignKey>> {
        let state = self.call("foreign_keys", schema)?;
        let mut keys = state.schemas.get(schema).map(|schema| schema.keys.clone()).unwrap_or_default();
        keys.sort_by(|one, other| (&one.table, &one.name).cmp(&(&other.table, &other.name)));
        Ok(keys)
    }

    fn drop_foreign_keys(&self, schema: &str, keys: &[ForeignKey], _: Patience) -> Result<()> {
        let mut state = self.call("drop_foreign_keys", schema)?;
        state.free(keys.is_empty())?;
        if let Some(schema) = state.schemas.get_mut(schema) {
            schema.keys.retain(|kept| !keys.iter().any(|key| key.is_named_as(kept)));
        }
        Ok(())
    }

    fn add_foreign_keys(&self, schema: &str, keys: &[ForeignKey], _: Patience) -> Result<()> {
        let mut state = self.call("add_foreign_keys", schema)?;
        state.free(keys.is_empty())?;
        for key in keys {
            state.table(schema, &key.table)?;
            let kept = &mut state.schema(schema)?.keys;
            kept.retain(|kept| !kept.is_named_as(key));
            kept.push(key.clone());
        }
        Ok(())
    }

    fn set_next_values(&self, schema: &str, values: &[NextValue], _: Patience) -> Result<()> {
        let now = self.table_times(schema)?.tables;
        let mut state = self.call("set_next_values", schema)?;
        state.free(values.is_empty())?;
        let is_due = |value: &&NextValue| {
            now.iter().any(|times| times.name == value.table && value.is_due(times.auto_increment))
        };
        for value in values.iter().filter(is_due) {
            state.schema(schema)?.next_values.insert(value.table.clone(), value.new);
        }
        Ok(())
    }

    fn orphans(&self, schema: &str, key: &ForeignKey) -> Result<u64> {
        let state = self.call("orphans", schema)?;
        state.table(schema, &key.table)?;
        state.table(&key.refers_schema, &key.refers_to)?;
        let told = state.orphans.iter().find(|(of, name, _)| of == schema && *name == key.name);
        Ok(told.map_or(0, |(_, _, rows)| *rows))
    }

    fn accounts(&self, prefix: &str) -> Result<Vec<String>> {
        let state = self.call("accounts", prefix)?;
        Ok(state.accounts.iter().filter(|name| name.starts_with(prefix)).cloned().collect())
    }

    fn end_connections_of(&self, user: &str) -> Result<()> {
        self.call("end_connections_of", user).map(drop)
    }

    fn drop_account(&self, user: &str) -> Result<()> {
        self.call("drop_account", user)?.accounts.remove(user);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fails_when_told_and_only_then() {
        let fake = Fake::new();
        fake.fail(1, Code::DatabaseFailed);
        assert!(fake.version().is_ok());
        assert_eq!(fake.version().unwrap_err().code, Code::DatabaseFailed);
        assert!(fake.version().is_ok());
        fake.fail(0, Code::DatabaseUnreachable);
        assert!(fake.version().is_err() && fake.version().is_err());
        fake.mend();
        assert!(fake.version().is_ok());
    }
}
