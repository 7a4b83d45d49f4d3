//! The password of an encrypted backup. It is in a file of the administrator's, never in a request, and in no sentence.

use crate::error::{Code, Error, Result};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Longest password, in bytes.
const MOST: usize = 1024;

/// One password; its copies share its memory, which is overwritten in the end.
#[derive(Clone)]
pub struct Password(Arc<Zeroizing<String>>);

impl Password {
    /// The first line of a file's text.
    ///
    /// # Errors
    /// `bad_request` for an empty one and for one of over 1,024 bytes.
    pub fn of(text: &str) -> Result<Password> {
        let line = text.split('\n').next().unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() || line.len() > MOST {
            let message = format!("the password has to be in its first line, with {MOST} bytes at most");
            return Err(Error::new(Code::BadRequest, message).hint("Write the password alone into the file."));
        }
        Ok(Password(Arc::new(Zeroizing::new(line.to_owned()))))
    }

    /// Its letters.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Password")
    }
}

/// The error of an encrypted thing for which no password was named; `what` with the verb: `it is encrypted`.
pub fn wanted(what: &str) -> Error {
    Error::new(Code::BackupUnreadable, what)
        .hint("Write its password into a file that only root can write to, and name that: `--password-file FILE`.")
        .with("password", "wanted")
}

/// The error of a password that is not the one.
pub fn wrong(what: &str) -> Error {
    Error::new(Code::BackupUnreadable, format!("the password does not open {what}"))
        .hint("Look at the first line of the password file: letters in upper and lower case differ, and blanks count.")
        .with("password", "wrong")
}

/// The same of an archive in which a wrong password looks like damage.
pub fn wrong_or_damaged() -> Error {
    wrong("it, or it is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_first_line_and_is_never_shown() {
        let password = Password::of(" pass word \r\nsecond").unwrap();
        assert_eq!(password.text(), " pass word ");
        assert_eq!(format!("{password:?}"), "Password");
        assert!(Password::of("\nx").is_err());
        assert!(Password::of(&"x".repeat(MOST + 1)).unwrap_err().message.contains("1024 bytes"));
    }
}
