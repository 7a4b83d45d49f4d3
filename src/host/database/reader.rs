//! Reads a site's tables as an account that may do nothing else.
//!
//! A site's owner may change its schema while we look at it. Between the question what a table is and the reading of its rows it can
//! put a view in the table's place, and a lock of its own makes the order certain. A view or function with `SQL SECURITY INVOKER` runs with the rights of
//! whoever reads it ("Stored Object Access Control" in MySQL's manual): with the administrator's it could do anything on the server. So rows are read by a throw-away account that may
//! read the tables of the schema, execute nothing and look nowhere else. A question that locks or looks twice would not do.

use crate::error::Result;
use crate::host::credentials::Password;
use crate::host::database::accounts;
use crate::host::database::grants::READING;
use crate::host::database::server::Server;
use std::sync::{Mutex, PoisonError};

/// The account of one job; made when it is first needed, gone with this value.
pub struct Reader {
    server: Server,
    /// `None`: the server's own account reads.
    name: Option<String>,
    made: Mutex<Option<Made>>,
}

struct Made {
    password: Password,
    schemas: Vec<String>,
}

impl Reader {
    /// `server` is the administrator's; `name` is one of [`names::reader`](super::names::reader). Opens nothing yet.
    pub fn new(server: Server, name: String) -> Reader {
        Reader { server, name: Some(name), made: Mutex::new(None) }
    }

    /// For a server that the site's own account speaks to: it may do no more than the site's owner may.
    pub fn itself(server: Server) -> Reader {
        Reader { server, name: None, made: Mutex::new(None) }
    }

    /// The server as somebody who may read the tables of `schema`.
    ///
    /// # Errors
    /// `insufficient_privilege` when the administrator may not make the account, `database_unreachable`.
    pub fn server(&self, schema: &str) -> Result<Server> {
        let Some(name) = &self.name else { return Ok(self.server.clone()) };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let as_reader = |made: &Made| self.server.with_account(name, made.password.clone());
        match &mut *made {
            Some(made) if made.schemas.iter().any(|known| known == schema) => Ok(as_reader(made)),
            Some(made) => {
                accounts::grant(&mut self.server.connect(None)?, name, READING, schema)?;
                made.schemas.push(schema.to_owned());
                Ok(as_reader(made))
            }
            empty => {
                let password = accounts::create(&mut self.server.connect(None)?, name, READING, schema)?;
                Ok(as_reader(empty.insert(Made { password, schemas: vec![schema.to_owned()] })))
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let made = self.made.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let (Some(name), true) = (&self.name, made.is_some()) {
            // Of one that stays the next cleanup knows the name.
            let _ = self.server.impatient().connect(None).and_then(|mut admin| accounts::drop_user(&mut admin, name));
        }
    }
}
