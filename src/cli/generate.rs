//! What is installed beside the helper and comes from its tables: the man page and the completions.

use crate::cli::man;
use crate::error::{Code, Error, Result};

/// The man page, or the completion of a shell. The completions ask the helper, by `complete`, what the tables say.
///
/// # Errors
/// `usage` when there is no such thing.
pub fn artefact(name: &str) -> Result<String> {
    match name {
        "man" => Ok(man::page()),
        "bash" => Ok(include_str!("../../shell/completion/rocketvps-restore.bash").to_owned()),
        "zsh" => Ok(include_str!("../../shell/completion/_rocketvps-restore").to_owned()),
        "fish" => Ok(include_str!("../../shell/completion/rocketvps-restore.fish").to_owned()),
        other => Err(Error::new(Code::Usage, format!("generate {other}: there is no such thing"))
            .hint("There are man, bash, zsh and fish.")),
    }
}
