//! Another prefix in a dump: however the bytes arrive, the text is the same; and what has no prefix comes through as it is.

use super::pieces::pieces;
use rocketvps_restore::sql::prefix::{PrefixReader, Renaming};
use std::io::Read;

pub fn run(data: &[u8]) {
    let renaming = Renaming {
        from: Some("wp_".into()),
        placeholder: Some("M_".into()),
        is_data: true,
        to: "x_".into(),
        bare_hex: true,
        mark: Some("/**/"),
        ..Renaming::default()
    };
    let chosen = Renaming {
        from: Some("wp_".into()),
        to: "x_".into(),
        only: Some("wp_".into()),
        schema: Some("d".into()),
        ..Renaming::default()
    };
    let read = |from: &mut dyn Read, renaming: &Renaming| {
        let mut text = Vec::new();
        PrefixReader::new(from, renaming).read_to_end(&mut text).map(|_| text)
    };
    let lines = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
    let taken = read(&mut &data[..], &chosen).unwrap();
    assert_eq!(taken, read(&mut pieces(data), &chosen).unwrap(), "what is taken depends on how the bytes arrive");
    assert_eq!(lines(&taken), lines(data), "a line has another number");
    let whole = read(&mut &data[..], &renaming).unwrap();
    assert_eq!(whole, read(&mut pieces(data), &renaming).unwrap(), "the text depends on how the bytes arrive");
    let has = |mark: &[u8]| data.windows(mark.len()).any(|window| window == mark);
    if !has(b"M_") && !has(b"wp_") && !has(b"0x") && !has(b"/**/") {
        assert_eq!(whole, data, "nothing was to be renamed");
    }
}
