//! From the bytes of a dump to statements: a streaming lexer, an interpreter of its `SET` lines, the
//! list of statements a dump may hold, and small rewrites. Pure: no file, no connection.
//!
//! Comments never reach the server and versioned comments are unwrapped here, so what was classified
//! is exactly what is executed.

pub mod compat;
pub mod definer;
pub mod definitions;
pub mod digest;
pub mod dump_rows;
pub mod function;
pub mod greatest;
pub mod identity;
pub mod insert;
pub mod lexer;
pub mod meaning;
pub mod modes;
pub mod origin;
pub mod outline;
pub mod own;
pub mod prefix;
pub mod rows;
pub mod secret;
pub mod session;
pub mod shape;
pub mod state;
pub mod statement;
pub mod table;
pub mod tally;
pub mod token;
pub mod trigger;
pub mod versioned;
pub mod window;

/// Quotes a name for use as an identifier.
pub fn quote_name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Quotes a text as a string literal that means the same under every `sql_mode`.
pub fn quote_text(text: &str) -> String {
    if text.contains('\\') {
        let hex = crate::text::hex(text.as_bytes());
        return format!("CONVERT(x'{hex}' USING utf8mb4)");
    }
    format!("'{}'", text.replace('\'', "''"))
}
