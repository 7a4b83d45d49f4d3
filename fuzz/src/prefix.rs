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
        // Where it is not read on, that is the same, too.
        let ended = PrefixReader::new(from, renaming).read_to_end(&mut text).map_err(|error| error.to_string());
        (text, ended.err())
    };
    let lines = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
    let (taken, refused) = read(&mut &data[..], &chosen);
    let again = read(&mut pieces(data), &chosen);
    assert_eq!((&taken, &refused), (&again.0, &again.1), "what is taken depends on how the bytes arrive");
    assert!(refused.is_some() || lines(&taken) == lines(data), "a line has another number");
    let (whole, refused) = read(&mut &data[..], &renaming);
    let again = read(&mut pieces(data), &renaming);
    assert_eq!((&whole, &refused), (&again.0, &again.1), "the text depends on how the bytes arrive");
    let has = |mark: &[u8]| data.windows(mark.len()).any(|window| window == mark);
    if refused.is_none() && !has(b"M_") && !has(b"wp_") && !has(b"0x") && !has(b"/**/") {
        assert_eq!(whole, data, "nothing was to be renamed");
    }
}
