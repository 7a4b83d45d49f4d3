//! Names in a zip: UTF-8 where a flag or a field says so, else what the writer's system had.

use super::extra::field;
use crate::archive::corrupt;
use crate::error::Result;

/// What the bytes from 0x80 stand for in code page 437, the one of zip's own specification.
const CP437: [char; 128] = [
    'Ç', 'ü', 'é', 'â', 'ä', 'à', 'å', 'ç', 'ê', 'ë', 'è', 'ï', 'î', 'ì', 'Ä', 'Å', 'É', 'æ', 'Æ', 'ô', 'ö', 'ò', 'û',
    'ù', 'ÿ', 'Ö', 'Ü', '¢', '£', '¥', '₧', 'ƒ', 'á', 'í', 'ó', 'ú', 'ñ', 'Ñ', 'ª', 'º', '¿', '⌐', '¬', '½', '¼', '¡',
    '«', '»', '░', '▒', '▓', '│', '┤', '╡', '╢', '╖', '╕', '╣', '║', '╗', '╝', '╜', '╛', '┐', '└', '┴', '┬', '├', '─',
    '┼', '╞', '╟', '╚', '╔', '╩', '╦', '╠', '═', '╬', '╧', '╨', '╤', '╥', '╙', '╘', '╒', '╓', '╫', '╪', '┘', '┌', '█',
    '▄', '▌', '▐', '▀', 'α', 'ß', 'Γ', 'π', 'Σ', 'σ', 'µ', 'τ', 'Φ', 'Θ', 'Ω', 'δ', '∞', 'φ', 'ε', '∩', '≡', '±', '≥',
    '≤', '⌠', '⌡', '÷', '≈', '°', '∙', '·', '√', 'ⁿ', '²', '■', '\u{a0}',
];
const IS_UTF8: u16 = 1 << 11;
const UNIX: u8 = 3;

/// The name of an entry as a path with slashes.
pub(super) fn read(raw: &[u8], flags: u16, made_by: u8, extra: &[u8]) -> Result<Vec<u8>> {
    let mut name = match unicode(raw, extra) {
        Some(name) => name.to_vec(),
        None if flags & IS_UTF8 != 0 && std::str::from_utf8(raw).is_err() => {
            return Err(corrupt("the name of an entry is not the UTF-8 that it says it is"));
        }
        // A Unix system's names are any bytes; and what is valid UTF-8 is not by chance.
        None if flags & IS_UTF8 != 0 || made_by == UNIX || std::str::from_utf8(raw).is_ok() => raw.to_vec(),
        None => raw.iter().map(|byte| letter(*byte)).collect::<String>().into_bytes(),
    };
    // Some writers of Windows separate names as that system does.
    if made_by != UNIX {
        separate(&mut name);
    }
    Ok(name)
}

/// Has slashes where a name of Windows has backslashes.
pub(super) fn separate(name: &mut [u8]) {
    name.iter_mut().filter(|byte| **byte == b'\\').for_each(|byte| *byte = b'/');
}

fn letter(byte: u8) -> char {
    match byte {
        0..0x80 => char::from(byte),
        _ => CP437[usize::from(byte) - 0x80],
    }
}

/// Info-ZIP's field of the name in UTF-8, where it is of this name.
fn unicode<'a>(raw: &[u8], extra: &'a [u8]) -> Option<&'a [u8]> {
    let (head, name) = field(extra, 0x7075)?.split_first_chunk::<5>()?;
    let sum = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
    (head[0] == 1 && sum == crc32fast::hash(raw) && std::str::from_utf8(name).is_ok()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_by_what_says_how() {
        let read = |raw: &[u8], flags, made_by| read(raw, flags, made_by, &[]);
        assert_eq!(read("größe.txt".as_bytes(), IS_UTF8, 0).unwrap(), "größe.txt".as_bytes());
        assert_eq!(read(b"gr\x94\xe1e.txt", 0, 0).unwrap(), "größe.txt".as_bytes());
        assert_eq!(read(b"gr\xf6.txt", 0, UNIX).unwrap(), b"gr\xf6.txt");
        assert_eq!(read(b"a\\b\\c", 0, 0).unwrap(), b"a/b/c");
        assert_eq!(read(b"a\\b", 0, UNIX).unwrap(), b"a\\b");
        assert!(read(b"\xff", IS_UTF8, 0).is_err());
        let field = [&[0x75, 0x70, 9, 0, 1][..], &crc32fast::hash(b"x").to_le_bytes(), "äö".as_bytes()].concat();
        assert_eq!(super::read(b"x", 0, 0, &field).unwrap(), "äö".as_bytes());
        assert_eq!(super::read(b"y", 0, 0, &field).unwrap(), b"y");
    }
}
