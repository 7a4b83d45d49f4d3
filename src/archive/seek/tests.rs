//! What is read from the middle is what is read from the beginning, and nothing else is handed out.

use super::*;
use crate::archive::zip::ReadAt;
use crate::archive::{Codec, unwrap_io};
use crate::error::Code;
use flate2::{Compression, write::GzEncoder};
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Bytes(Vec<u8>);

impl ReadAt for Bytes {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> std::io::Result<usize> {
        (&self.0[..]).read_at(into, offset)
    }
}

/// Bytes of which every second half kilobyte is packed to a quarter.
fn plain(length: usize) -> Vec<u8> {
    let mut state = 7_u64;
    (0..length)
        .map(|at| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if at / 512 % 2 == 0 { (state >> 56) as u8 } else { b"abcd"[(state >> 62) as usize] }
        })
        .collect()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(plain).unwrap();
    packer.finish().unwrap()
}

/// Reads all of it once: its map, and its windows.
fn recorded(packed: &[u8], codec: Codec) -> (Map, Vec<u8>) {
    let windows = Arc::new(Mutex::new(Vec::new()));
    let recorder = Recorder::new(Box::new(Shared(windows.clone())), 0);
    let mut reader = codec.recorded(packed, Some(recorder.clone())).unwrap();
    std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
    let (map, written) = recorder.finish().unwrap();
    let windows = windows.lock().unwrap().clone();
    assert_eq!(written, windows.len() as u64);
    assert!(map.is_possible());
    (map, windows)
}

fn reader(packed: &[u8], codec: Codec, map: &Map, windows: &[u8]) -> SeekReader {
    let (map, packed, windows) = (Arc::new(map.clone()), Bytes(packed.to_vec()), Bytes(windows.to_vec()));
    SeekReader::new(Arc::new(packed), codec, map, Arc::new(windows))
}

#[test]
fn every_stretch_is_what_a_whole_reading_gives() {
    let text = plain(9 << 20);
    let (one, two) = text.split_at(5 << 20);
    for (codec, packed) in [
        (Codec::Gzip, gzip(&text)),
        (Codec::Gzip, [gzip(one), gzip(b""), gzip(two)].concat()),
        (Codec::Zstd, text.chunks(1 << 20).flat_map(|piece| zstd::encode_all(piece, 1).unwrap()).collect()),
        (Codec::None, text.clone()),
    ] {
        let (map, windows) = recorded(&packed, codec);
        assert_eq!(map.plain, text.len() as u64);
        assert_eq!(map.checkpoints.is_empty(), codec == Codec::None);
        let mut reader = reader(&packed, codec, &map, &windows);
        for (from, length) in [
            (8 << 20, 100),
            (0, 70),
            ((5 << 20) - 50, 100),
            (3_000_001, 700_000),
            (3_000_002, 3),
            (text.len() - 10, 10),
            (262_143, 2),
        ] {
            let mut read = vec![0; length];
            reader.jump(from as u64);
            reader.read_exact(&mut read).unwrap();
            assert_eq!(read, text[from..from + length], "{codec:?} {from} {length}");
        }
        assert_eq!(reader.read(&mut [0; 10]).unwrap(), 10);
        reader.jump(text.len() as u64);
        assert_eq!(reader.read(&mut [0; 10]).unwrap(), 0);
    }
}

#[test]
fn windows_take_a_third_of_a_percent_of_what_they_open() {
    for text in [plain(40 << 20), (0..6_000_000_u32).flat_map(|at| (at % 977).to_le_bytes()).collect()] {
        let packed = gzip(&text);
        let (map, windows) = recorded(&packed, Codec::Gzip);
        assert!(windows.len() * SHARE as usize <= packed.len() + (32 << 10) * SHARE as usize);
        let apart = map.checkpoints.windows(2).map(|two| (two[0], two[1].packed - two[0].packed));
        for (point, apart) in apart {
            assert!(u64::from(point.window.1) * SHARE <= apart && apart >= APART, "{point:?} {apart}");
        }
    }
}

#[test]
fn little_is_read_of_the_file_for_a_stretch_of_it() {
    struct Counted(Bytes, std::sync::atomic::AtomicU64);
    impl ReadAt for Counted {
        fn size(&self) -> u64 {
            self.0.size()
        }

        fn read_at(&self, into: &mut [u8], offset: u64) -> std::io::Result<usize> {
            let read = self.0.read_at(into, offset)?;
            self.1.fetch_add(read as u64, std::sync::atomic::Ordering::Relaxed);
            Ok(read)
        }
    }
    let text = plain(64 << 20);
    let packed = gzip(&text);
    let (map, windows) = recorded(&packed, Codec::Gzip);
    let counted = Arc::new(Counted(Bytes(packed.clone()), Default::default()));
    let mut reader = SeekReader::new(counted.clone(), Codec::Gzip, Arc::new(map.clone()), Arc::new(Bytes(windows)));
    reader.jump(50 << 20);
    reader.read_exact(&mut [0; 1000]).unwrap();
    let read = counted.1.load(std::sync::atomic::Ordering::Relaxed);
    let widest = map.checkpoints.windows(2).map(|two| two[1].packed - two[0].packed).max().unwrap();
    assert!(read < widest + (1 << 20), "{read} of {}, checkpoints up to {widest} apart", packed.len());
}

#[test]
fn changed_bytes_are_never_handed_out() {
    let text = plain(6 << 20);
    let packed = gzip(&text);
    let (map, windows) = recorded(&packed, Codec::Gzip);
    let mut bad = packed.clone();
    bad[packed.len() / 2] ^= 1;
    let mut reader = reader(&bad, Codec::Gzip, &map, &windows);
    let mut met = None;
    for piece in 0..text.len() / PIECE as usize {
        let from = piece * PIECE as usize;
        let mut read = vec![0; 1000];
        reader.jump(from as u64);
        match reader.read_exact(&mut read) {
            Ok(()) => assert_eq!(read, text[from..from + 1000]),
            Err(error) => met = Some(unwrap_io(error)),
        }
    }
    assert_eq!(met.expect("the damage is met").code, Code::BackupCorrupt);
    // What lies before the damage is still there.
    reader.jump(0);
    reader.read_exact(&mut [0; 1000]).unwrap();
}

#[test]
fn a_damaged_window_is_met_by_the_sum() {
    let text = plain(6 << 20);
    let packed = gzip(&text);
    let (map, mut windows) = recorded(&packed, Codec::Gzip);
    windows.iter_mut().for_each(|byte| *byte ^= 0x55);
    let mut reader = reader(&packed, Codec::Gzip, &map, &windows);
    reader.jump(5 << 20);
    assert_eq!(unwrap_io(reader.read(&mut [0; 10]).unwrap_err()).code, Code::BackupCorrupt);
}

#[test]
fn stretches_come_one_behind_the_other_with_line_ends_for_what_is_left_out() {
    let text = plain(2 << 20);
    let packed = gzip(&text);
    let (map, windows) = recorded(&packed, Codec::Gzip);
    let list = [Stretch::Bytes(10..20), Stretch::Lines(3), Stretch::Lines(0), Stretch::Bytes(1_500_000..1_500_300)];
    let mut read = Vec::new();
    Stretches::new(reader(&packed, Codec::Gzip, &map, &windows), list).read_to_end(&mut read).unwrap();
    assert_eq!(read, [&text[10..20], b"\n\n\n", &text[1_500_000..1_500_300]].concat());
    let beyond = [Stretch::Bytes((2 << 20) - 5..(2 << 20) + 5)];
    let cut = Stretches::new(reader(&packed, Codec::Gzip, &map, &windows), beyond).read_to_end(&mut Vec::new());
    assert!(cut.is_err());
}
