//! Live tables, shown in another schema to be read there: by views that run as an account that may do nothing but read them. Whoever reads
//! a view needs no right on the site's schema, and can write nothing through it.

use crate::error::Result;
use crate::host::database::accounts;
use crate::host::database::reader::Reader;
use crate::host::database::server::{Server, full, run};

/// Tables while they are shown; the views and their account are gone with this value.
pub struct ShownTables {
    server: Server,
    views: Vec<String>,
    /// As whom the views read.
    _reader: Reader,
}

impl ShownTables {
    /// Shows `tables` of the schema `live` in `schema`. `reader` is one of [`names::comparer`](super::names::comparer).
    ///
    /// # Errors
    /// `insufficient_privilege`, `database_failed`; what was made is gone then.
    pub fn show(server: &Server, reader: String, live: &str, schema: &str, tables: &[&str]) -> Result<ShownTables> {
        let mut admin = server.connect(None)?;
        let account = Reader::new(server.clone(), reader.clone());
        account.server(live)?;
        let definer = accounts::full_name(&mut admin, &reader)?;
        let mut shown = ShownTables { server: server.clone(), views: Vec::new(), _reader: account };
        for table in tables {
            let view = full(schema, table);
            let sql = format!(
                "CREATE OR REPLACE DEFINER={definer} SQL SECURITY DEFINER VIEW {view} AS SELECT * FROM {}",
                full(live, table)
            );
            run(&mut admin, &sql)?;
            shown.views.push(view);
        }
        Ok(shown)
    }
}

impl Drop for ShownTables {
    fn drop(&mut self) {
        if self.views.is_empty() {
            return;
        }
        // Those that stay go with the schema, or with the next cleanup.
        let sql = format!("DROP VIEW IF EXISTS {}", self.views.join(", "));
        let _ = self.server.impatient().connect(None).and_then(|mut admin| run(&mut admin, &sql));
    }
}
