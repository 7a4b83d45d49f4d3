//! Another prefix in a dump: however the bytes arrive, the text is the same; and what has no prefix comes through as it is.

use super::pieces::pieces;
use rocketvps_restore::sql::prefix::{PrefixReader, Renaming};
use std::io::Read;

pub fn run(data: &[u8]) {
    let renaming = Renaming {
        from: vec!["M_".into(), "wp_".into()],
        data: Some("M_".into()),
        to: "x_".into(),
        bare_hex: true,
        mark: Some("/**/"),
        is_whole: false,
    };
    let read = |from: &mut dyn Read| {
        let mut text = Vec::new();
        PrefixReader::new(from, &renaming).read_to_end(&mut text).map(|_| text)
    };
    let whole = read(&mut &data[..]).unwrap();
    assert_eq!(whole, read(&mut pieces(data)).unwrap(), "the text depends on how the bytes arrive");
    let has = |mark: &[u8]| data.windows(mark.len()).any(|window| window == mark);
    if !has(b"M_") && !has(b"wp_") && !has(b"0x") && !has(b"/**/") {
        assert_eq!(whole, data, "nothing was to be renamed");
    }
}
