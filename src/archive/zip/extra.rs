//! The extra fields of an entry: number, length, content.

/// An extra field of that number.
pub(in crate::archive) fn field(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    while let Some((head, rest)) = extra.split_first_chunk::<4>() {
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let content = rest.get(..length)?;
        if u16::from_le_bytes([head[0], head[1]]) == wanted {
            return Some(content);
        }
        extra = &rest[length..];
    }
    None
}
