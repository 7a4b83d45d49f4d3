//! An archive in several files, of which one was named: zip (`NAME.z01` … `NAME.zip`), Akeeba's (`NAME.j01` … `NAME.jpa` or `.jps`) and 7-Zip's
//! (`NAME.7z.001` …).

use super::{MAX_FILES, names};
use crate::archive::{ReadAt, jpa, seven_zip};
use crate::backup::source::{Container, Part, Role};
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

/// Opens another file beside a part.
fn beside(part: &Part, folder: &OwnedFd, name: &str) -> Result<Part> {
    let around = part.path.parent().unwrap_or(Path::new("/"));
    Part::open_in(folder.as_fd(), around, &RelPath::parse(name.as_bytes())?, Role::Archive)
}

/// The files before the last one, by a letter and their numbers, as many as follow each other.
fn earlier(part: &Part, folder: &OwnedFd, letter: char) -> Result<Vec<Part>> {
    let (name, all) = (stem(&part.path), names(folder)?);
    let found = (1..=MAX_FILES).map_while(|number| {
        let wanted = format!("{name}.{letter}{number:02}");
        all.iter().find(|found| found.eq_ignore_ascii_case(&wanted))
    });
    found.map(|name| beside(part, folder, name)).collect()
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether a name ends with a letter and a number of so many digits or more.
fn is_numbered(path: &Path, letter: char, digits: usize) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let number = ending.strip_prefix(letter);
    number.is_some_and(|number| number.len() >= digits && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The error of a file that is not there. `of`: more about it.
fn missing(part: &Part, file: String, of: &str) -> Error {
    let shown = part.path.display().to_string();
    Error::new(Code::BackupIncomplete, format!("{shown}: {file}{of} is missing"))
        .hint("Put all files of the archive into one folder.")
        .with("archive", shown)
        .with("missing", file)
}

/// A zip, with the files before the last one.
pub(super) fn whole_zip(part: Part, folder: &OwnedFd) -> Result<Part> {
    if is_numbered(&part.path, 'z', 1) {
        let message = format!("{} is one of several files of a zip archive", part.path.display());
        let hint = format!("Name the last one: {}.zip.", stem(&part.path));
        return Err(Error::new(Code::BackupUnreadable, message).hint(hint));
    }
    let earlier = earlier(&part, folder, 'z')?;
    Ok(part.of_several(&earlier))
}

/// Whether a file is called as one of an archive of Akeeba; those in the middle only where the last one is there.
pub(super) fn is_of_jpa(path: &Path, folder: &OwnedFd) -> Result<bool> {
    let last = format!("{}.jpa", stem(path));
    Ok(is_last_jpa(path)
        || (is_numbered(path, 'j', 2) && names(folder)?.iter().any(|name| name.eq_ignore_ascii_case(&last))))
}

fn is_last_jpa(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("jpa"))
}

/// An archive of Akeeba, with the files before the last one where it is in several. `begins`: it begins as one.
pub(super) fn whole_jpa(part: Part, folder: &OwnedFd, begins: bool) -> Result<Part> {
    let (name, is_last) = (stem(&part.path), is_last_jpa(&part.path));
    let earlier = if is_last && !begins { earlier(&part, folder, 'j')? } else { Vec::new() };
    let part = part.of_several(&earlier);
    let of_several = |files: &str| {
        let message = format!("{} is one of the {files}files of an archive of Akeeba", part.path.display());
        Error::new(Code::BackupUnreadable, message).hint(format!("Name the last one: {name}.jpa."))
    };
    if !begins && !is_last {
        return Err(of_several(""));
    }
    if !begins && earlier.is_empty() {
        let of = ", with which an archive of Akeeba in several files begins,";
        return Err(missing(&part, format!("{name}.j01"), of));
    }
    let head = jpa::Head::of(&part.bytes(&Arc::default())).map_err(|error| part.named(error))?;
    let (wanted, found) = (usize::from(head.files), earlier.len() + 1);
    if !is_last && wanted > 1 {
        return Err(of_several(&format!("{wanted} ")));
    }
    if found < wanted {
        return Err(missing(&part, format!("{name}.j{found:02}"), &format!(", one of its {wanted} files,")));
    }
    Ok(part)
}

/// Whether a file is called as the last one of an encrypted archive of Akeeba.
pub(super) fn is_last_jps(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("jps"))
}

/// An encrypted archive of Akeeba, with the files before the last one where it is in several. `begins`: it begins as one.
pub(super) fn whole_jps(part: Part, folder: &OwnedFd, begins: bool) -> Result<Part> {
    let (name, is_last) = (stem(&part.path), is_last_jps(&part.path));
    if !is_last && is_numbered(&part.path, 'j', 2) {
        let message = format!("{} is one of the files of an encrypted archive of Akeeba", part.path.display());
        return Err(Error::new(Code::BackupUnreadable, message).hint(format!("Name the last one: {name}.jps.")));
    }
    let earlier = if begins { Vec::new() } else { earlier(&part, folder, 'j')? };
    if !begins && earlier.is_empty() {
        return Err(missing(
            &part,
            format!("{name}.j01"),
            ", with which an encrypted archive of Akeeba in several files begins,",
        ));
    }
    Ok(part.of_several(&earlier))
}

/// The number of one of the files of a 7-Zip archive.
pub(super) fn number_of_7z(path: &Path) -> Option<usize> {
    let number = path.extension()?.to_str().filter(|end| end.len() >= 3)?.parse().ok()?;
    path.file_stem()?.to_str()?.to_ascii_lowercase().ends_with(".7z").then_some(number)
}

/// A 7-Zip archive, with all its files where it is in several.
pub(super) fn whole_7z(mut part: Part, folder: &OwnedFd) -> Result<Part> {
    if number_of_7z(&part.path).is_some() {
        part = of_all_7z(&part, folder)?;
    }
    part.container = Container::SevenZip;
    Ok(part)
}

fn of_all_7z(part: &Part, folder: &OwnedFd) -> Result<Part> {
    let name = stem(&part.path);
    let mut numbers: Vec<(usize, String)> = names(folder)?
        .into_iter()
        .filter(|other| stem(Path::new(other)) == name)
        .filter_map(|other| Some((number_of_7z(Path::new(&other))?, other)))
        .collect();
    numbers.sort();
    let lacks = |number: usize| missing(part, format!("{name}.{number:03}"), ", one of the files of the archive,");
    let mut all = Vec::new();
    for (at, (number, name)) in numbers.iter().enumerate() {
        if *number != at + 1 {
            return Err(lacks(at + 1));
        }
        all.push(beside(part, folder, name)?);
    }
    let Some(last) = all.pop() else { return Ok(part.clone()) };
    let whole = last.of_several(&all);
    let bytes = whole.bytes(&Arc::default());
    if seven_zip::whole_size(&bytes).is_some_and(|size| size > bytes.size()) {
        return Err(lacks(all.len() + 2));
    }
    Ok(whole)
}
