//! PAX extended headers: `LENGTH KEY=VALUE\n` records.

use super::corrupt;
use super::sparse::Map;
use crate::error::Result;

/// What extended headers say about the next entry, or about all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extension {
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) size: Option<u64>,
    pub(crate) mtime: Option<(i64, u32)>,
    pub(crate) uid: Option<u64>,
    pub(crate) gid: Option<u64>,
    pub(crate) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) sparse: Sparse,
    /// The names of a folder in an incremental archive of GNU tar.
    pub(crate) dumpdir: Option<Vec<u8>>,
}

/// The GNU sparse keys (formats 0.0, 0.1 and 1.0).
#[derive(Debug, Clone, Default)]
pub(crate) struct Sparse {
    pub(crate) major: Option<u64>,
    pub(crate) name: Option<Vec<u8>>,
    pub(crate) size: Option<u64>,
    pub(crate) numbers: Option<Vec<u64>>,
}

impl Sparse {
    /// The map of the formats that keep it in the header; 1.0 keeps it before the data.
    pub(crate) fn map(&self) -> Result<Option<Map>> {
        let Some(numbers) = &self.numbers else { return Ok(None) };
        let mut map = Map::default();
        if numbers.len() % 2 != 0 {
            return Err(corrupt("a sparse map has an odd number of values"));
        }
        for pair in numbers.chunks_exact(2) {
            map.push(pair[0], pair[1])?;
        }
        Ok(Some(map))
    }
}

impl Extension {
    /// Adds the records of one header; later ones win.
    pub(crate) fn read(&mut self, mut text: &[u8]) -> Result<()> {
        while !text.is_empty() {
            // GNU tar and others may fill the block with NULs
            if text.iter().all(|byte| *byte == 0) {
                break;
            }
            let space = text.iter().position(|byte| *byte == b' ').ok_or_else(bad)?;
            let length = number(&text[..space])? as usize;
            if length > text.len() || length < space + 3 || text[length - 1] != b'\n' {
                return Err(bad());
            }
            let record = &text[space + 1..length - 1];
            let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(bad)?;
            self.set(&record[..equals], &record[equals + 1..])?;
            text = &text[length..];
        }
        Ok(())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        // an empty value withdraws a global one
        let given = !value.is_empty();
        match key {
            b"path" => self.path = given.then(|| value.to_vec()),
            b"linkpath" => self.link = given.then(|| value.to_vec()),
            b"size" => self.size = given.then(|| number(value)).transpose()?,
            b"mtime" => self.mtime = given.then(|| time(value)).transpose()?,
            b"uid" => self.uid = given.then(|| number(value)).transpose()?,
            b"gid" => self.gid = given.then(|| number(value)).transpose()?,
            b"GNU.dumpdir" => self.dumpdir = given.then(|| value.to_vec()),
            b"GNU.sparse.major" => self.sparse.major = Some(number(value)?),
            b"GNU.sparse.minor" | b"GNU.sparse.numblocks" => {}
            b"GNU.sparse.name" => self.sparse.name = Some(value.to_vec()),
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.sparse.size = Some(number(value)?),
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                self.sparse.numbers.get_or_insert_default().push(number(value)?);
            }
            b"GNU.sparse.map" => {
                let numbers = value.split(|byte| *byte == b',').filter(|part| !part.is_empty());
                self.sparse.numbers = Some(numbers.map(number).collect::<Result<_>>()?);
            }
            _ => {
                if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                    self.xattrs.push((name.to_vec(), value.to_vec()));
                }
            }
        }
        Ok(())
    }
}

fn bad() -> crate::error::Error {
    corrupt("an extended header is not well formed")
}

/// Decimal digits only.
pub(crate) fn number(text: &[u8]) -> Result<u64> {
    if text.is_empty() || text.len() > 20 {
        return Err(bad());
    }
    text.iter().try_fold(0u64, |value, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10).ok_or_else(bad)?;
        value.checked_mul(10).and_then(|value| value.checked_add(u64::from(digit))).ok_or_else(bad)
    })
}

/// `[-]SECONDS[.FRACTION]`.
fn time(text: &[u8]) -> Result<(i64, u32)> {
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut parts = text.splitn(2, |byte| *byte == b'.');
    let seconds = i64::try_from(number(parts.next().unwrap_or_default())?).map_err(|_| bad())?;
    let mut nanos = 0u32;
    let fraction = parts.next().unwrap_or_default();
    for place in 0..9 {
        let digit = match fraction.get(place) {
            Some(byte) if byte.is_ascii_digit() => u32::from(byte - b'0'),
            Some(_) => return Err(bad()),
            None => 0,
        };
        nanos = nanos * 10 + digit;
    }
    Ok(match (negative, nanos) {
        (false, nanos) => (seconds, nanos),
        (true, 0) => (-seconds, 0),
        (true, nanos) => (-seconds - 1, 1_000_000_000 - nanos),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_whatever_bytes_their_values_hold() {
        let mut found = Extension::default();
        found.read(b"16 path=a\n=b c\xff\n23 mtime=1700000000.25\n13 size=4096\n").unwrap();
        assert_eq!(found.path.unwrap(), b"a\n=b c\xff");
        assert_eq!(found.mtime, Some((1_700_000_000, 250_000_000)));
        assert_eq!(found.size, Some(4096));
    }

    #[test]
    fn times_before_1970_are_exact() {
        assert_eq!(time(b"-1.5").unwrap(), (-2, 500_000_000));
        assert_eq!(time(b"-3").unwrap(), (-3, 0));
    }

    #[test]
    fn damaged_records_are_refused() {
        for bad in [&b"99 path=a\n"[..], b"x path=a\n", b"9 path=ab\n", b"5 a\n\n", b"12 size=-123\n", b"7", b"3 =\n"] {
            assert!(Extension::default().read(bad).is_err(), "{:?}", String::from_utf8_lossy(bad));
        }
    }
}
