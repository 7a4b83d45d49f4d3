//! Files that only the administrator may have written: what they say decides what root does.

use crate::disk::{is_ours, open_regular};
use crate::error::{Code, Error, Result};
use std::fmt::Display;
use std::io::{ErrorKind, Read};
use std::path::Path;
use zeroize::Zeroizing;

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Reads a file that is root's, or ours, and for nobody else to write. `None` when there is none.
///
/// # Errors
/// `code`, for a file that cannot be read or that others may write to; `forbidden` instead of `config_invalid` where the caller
/// lacks the right to read: nothing is wrong with the file.
pub fn read(path: &Path, code: Code) -> Result<Option<Zeroizing<String>>> {
    let shown = path.display().to_string();
    let fail = |code: Code, why: &dyn Display| {
        Error::new(code, format!("cannot read {shown}: {why}")).with("path", shown.clone())
    };
    let file = match open_regular(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) if error.kind() == ErrorKind::PermissionDenied && code == Code::ConfigInvalid => {
            return Err(fail(Code::Forbidden, &error));
        }
        Err(error) => return Err(fail(code, &error)),
    };
    if !file.metadata().is_ok_and(|metadata| is_ours(&metadata)) {
        let message = format!("{shown} is not the administrator's alone: others may write to it");
        return Err(Error::new(code, message)
            .hint(format!("Look at what it says, then run `chown root:root {shown} && chmod 600 {shown}`."))
            .with("path", shown));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(|error| fail(code, &error))?;
    Ok(Some(text_of(&bytes)))
}

/// The text of a file; an editor's byte order mark is no part of its first word.
pub fn text_of(bytes: &[u8]) -> Zeroizing<String> {
    let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
    Zeroizing::new(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}
