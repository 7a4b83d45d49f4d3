//! A gzip writer that compresses on several threads.
//!
//! The input is cut into blocks; each becomes deflate blocks of its own, ended on a byte boundary, and they are
//! joined in order into ONE gzip member with one checksum: any gzip reader takes it for an ordinary file.

use crossbeam_channel::{Receiver, Sender, bounded};
use flate2::{Compress, Compression, FlushCompress, Status};
use std::io::{self, Write};
use std::thread::JoinHandle;

/// Bytes compressed apart from each other. Larger ones cost memory, smaller ones size.
pub const BLOCK: usize = 256 << 10;

/// Header without name and time; the last byte says that the system is Unix.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
/// An empty last block.
const END: [u8; 2] = [3, 0];

struct Packed {
    bytes: Vec<u8>,
    sum: crc32fast::Hasher,
    length: u64,
}

struct Task {
    block: Vec<u8>,
    answer: Sender<io::Result<Packed>>,
}

/// Compresses what is written to it. [`ParallelGzip::finish`] must be called: only then is the file complete.
pub struct ParallelGzip<W: Write + Send + 'static> {
    block: Vec<u8>,
    tasks: Option<Sender<Task>>,
    order: Option<Sender<Receiver<io::Result<Packed>>>>,
    workers: Vec<JoinHandle<()>>,
    writer: Option<JoinHandle<io::Result<W>>>,
}

impl<W: Write + Send + 'static> ParallelGzip<W> {
    /// Writes to `inner` with this many compressing threads (at least one) at this level (1 to 9).
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn new(inner: W, threads: usize, level: u32) -> io::Result<ParallelGzip<W>> {
        let threads = threads.max(1);
        let (tasks, inbox) = bounded::<Task>(threads);
        // As many blocks wait in order as can be under way; more would only cost memory.
        let (order, ordered) = bounded::<Receiver<io::Result<Packed>>>(2 * threads);
        let mut made = ParallelGzip {
            block: Vec::with_capacity(BLOCK),
            tasks: Some(tasks),
            order: Some(order),
            workers: Vec::new(),
            writer: None,
        };
        for _ in 0..threads {
            let inbox = inbox.clone();
            let worker = std::thread::Builder::new().name("gzip".into()).spawn(move || work(&inbox, level))?;
            made.workers.push(worker);
        }
        let writer = std::thread::Builder::new().name("gzip-out".into()).spawn(move || join(inner, &ordered))?;
        made.writer = Some(writer);
        Ok(made)
    }

    fn send(&mut self) -> io::Result<()> {
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
        let (answer, later) = bounded(1);
        let sent = match (&self.order, &self.tasks) {
            // The order first: the writer then waits for this block, whoever compresses it.
            (Some(order), Some(tasks)) => order.send(later).is_ok() && tasks.send(Task { block, answer }).is_ok(),
            _ => false,
        };
        if sent {
            return Ok(());
        }
        // The writer ended early: its error is the reason.
        match self.end() {
            Err(error) => Err(error),
            Ok(_) => Err(io::Error::other("written to after its end")),
        }
    }

    fn end(&mut self) -> io::Result<W> {
        self.tasks = None;
        self.order = None;
        let outcome = self.writer.take().map(JoinHandle::join);
        for worker in self.workers.drain(..) {
            worker.join().map_err(|_| io::Error::other("a compressing thread panicked"))?;
        }
        match outcome {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(io::Error::other("the writing thread panicked")),
            None => Err(io::Error::other("already ended")),
        }
    }

    /// Compresses what is left, writes the end and gives the inner writer back, flushed.
    ///
    /// # Errors
    /// The first error of the inner writer.
    pub fn finish(mut self) -> io::Result<W> {
        if !self.block.is_empty() {
            self.send()?;
        }
        self.end()
    }
}

impl<W: Write + Send + 'static> Write for ParallelGzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let take = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..take]);
        if self.block.len() == BLOCK {
            self.send()?;
        }
        Ok(take)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write + Send + 'static> Drop for ParallelGzip<W> {
    fn drop(&mut self) {
        // Given up halfway: no thread outlives it, and a block that nobody will pack keeps the end from being written.
        self.tasks = None;
        if let Some(order) = self.order.take() {
            let (_, never) = bounded(1);
            let _ = order.send(never);
        }
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

fn work(inbox: &Receiver<Task>, level: u32) {
    let mut deflate = Compress::new(Compression::new(level), false);
    for task in inbox {
        let packed = pack(&mut deflate, &task.block);
        // A writer that gave up no longer listens.
        let _ = task.answer.send(packed);
    }
}

fn pack(deflate: &mut Compress, block: &[u8]) -> io::Result<Packed> {
    deflate.reset();
    let mut bytes = Vec::with_capacity(block.len() / 2 + 1024);
    loop {
        let used = deflate.total_in() as usize;
        let status = deflate.compress_vec(&block[used..], &mut bytes, FlushCompress::Full);
        let all = deflate.total_in() as usize == block.len();
        match status.map_err(io::Error::other)? {
            // Room left over means that the flush is complete.
            Status::Ok | Status::BufError if all && bytes.len() < bytes.capacity() => break,
            Status::StreamEnd => return Err(io::Error::other("deflate ended by itself")),
            _ => bytes.reserve(bytes.capacity().max(1024)),
        }
    }
    let mut sum = crc32fast::Hasher::new();
    sum.update(block);
    Ok(Packed { bytes, sum, length: block.len() as u64 })
}

fn join<W: Write>(mut inner: W, ordered: &Receiver<Receiver<io::Result<Packed>>>) -> io::Result<W> {
    inner.write_all(&HEADER)?;
    let mut sum = crc32fast::Hasher::new();
    let mut length = 0_u64;
    for later in ordered {
        let packed = later.recv().map_err(|_| io::Error::other("given up"))??;
        inner.write_all(&packed.bytes)?;
        sum.combine(&packed.sum);
        length += packed.length;
    }
    inner.write_all(&END)?;
    inner.write_all(&sum.finalize().to_le_bytes())?;
    inner.write_all(&(length as u32).to_le_bytes())?;
    inner.flush()?;
    Ok(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::GzipReader;
    use std::io::Read;

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8 & 0x3f
        };
        (0..length).map(|_| next()).collect()
    }

    fn pack_all(text: &[u8], threads: usize, level: u32) -> Vec<u8> {
        let mut writer = ParallelGzip::new(Vec::new(), threads, level).unwrap();
        writer.write_all(text).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn what_goes_in_comes_out_whatever_the_length_and_the_threads() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 17] {
            let text = noise(length);
            for (threads, level) in [(1, 1), (3, 6), (4, 9)] {
                let packed = pack_all(&text, threads, level);
                let mut reader = GzipReader::new(&packed[..]);
                let mut back = Vec::new();
                reader.read_to_end(&mut back).unwrap();
                assert!(back == text, "{length} bytes, {threads} threads");
                assert_eq!(reader.members(), 1);
            }
        }
    }

    #[test]
    fn random_bytes_that_do_not_shrink_are_still_right() {
        let mut text = vec![0; 3 * BLOCK];
        for (at, byte) in text.iter_mut().enumerate() {
            *byte = (xxhash_rust::xxh3::xxh3_64(&at.to_le_bytes()) & 0xff) as u8;
        }
        let packed = pack_all(&text, 2, 6);
        assert!(packed.len() < text.len() + 4096);
        let mut back = Vec::new();
        GzipReader::new(&packed[..]).read_to_end(&mut back).unwrap();
        assert!(back == text);
    }

    #[test]
    fn plain_gzip_takes_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gz");
        std::fs::write(&path, pack_all(&noise(BLOCK * 2), 2, 6)).unwrap();
        assert!(std::process::Command::new("gzip").arg("-t").arg(&path).status().unwrap().success());
    }

    #[test]
    fn a_full_disk_is_told_to_the_one_who_writes() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if self.0 < bytes.len() {
                    return Err(io::Error::from_raw_os_error(libc::ENOSPC));
                }
                self.0 -= bytes.len();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut writer = ParallelGzip::new(Full(BLOCK), 2, 1).unwrap();
        let text = noise(50 * BLOCK);
        let error = writer.write_all(&text).and_then(|()| writer.finish().map(drop)).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOSPC));
    }

    #[test]
    fn a_writer_given_up_leaves_no_thread_and_no_complete_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gz");
        let mut writer = ParallelGzip::new(std::fs::File::create(&path).unwrap(), 2, 6).unwrap();
        writer.write_all(&noise(3 * BLOCK + 5)).unwrap();
        drop(writer);
        assert!(!std::process::Command::new("gzip").arg("-tq").arg(&path).status().unwrap().success());
    }
}
