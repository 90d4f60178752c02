//! A file or a stream to its decompressed content, hashed on the way.
//!
//! Invariants:
//! 1. [`Input::finish`] gives the BLAKE3 of every decompressed byte, in order, whatever the
//!    container and however the bytes were asked for (`the_hash_is_of_the_content`).
//! 2. Memory does not grow with the file: at most what was peeked at is kept.
//!
//! Not here: what the content is (`sniff`), where lines end (`block`).

use super::container::{Container, HEAD_BYTES, container_of};
use crate::error::{Error, Result};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Buffer before a decoder, in bytes: large enough that a system call costs little per row, and
/// smaller than [`PIECE_BYTES`], so that what is not wrapped is read past it.
const SOURCE_BUFFER_BYTES: usize = 64 << 10;
/// Content is read and hashed in pieces of this size, in bytes: small enough that the hash finds
/// the piece in the second-level cache, large enough for BLAKE3's widest path.
const PIECE_BYTES: usize = 128 << 10;

/// The byte-order mark of UTF-8, which is not content of the first column's name.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// What was read, once all of it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Content {
    /// BLAKE3 of the decompressed bytes: what a file is known by.
    pub hash: [u8; 32],
    /// How many there were.
    pub bytes: u64,
}

/// An open file or stream.
pub struct Input {
    name: PathBuf,
    container: &'static dyn Container,
    source_bytes: Arc<AtomicU64>,
    content: Box<dyn Read + Send>,
    hasher: blake3::Hasher,
    content_bytes: u64,
    /// Read and hashed, but not yet handed out.
    ahead: Vec<u8>,
    ended: bool,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input")
            .field("name", &self.name)
            .field("container", &self.container.name())
            .field("content_bytes", &self.content_bytes)
            .finish_non_exhaustive()
    }
}

impl Input {
    /// Opens a file.
    ///
    /// # Errors
    /// `NotFound` or `Io` if it cannot be opened or read.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::not_found("no such file").at_path(path),
            _ => Error::io("open", path, error),
        })?;
        Self::from_reader(path, Box::new(file))
    }

    /// Takes a stream (standard input, a connection) under a name for messages.
    ///
    /// # Errors
    /// `Io` if its first bytes cannot be read.
    pub fn from_reader(name: impl Into<PathBuf>, source: Box<dyn Read + Send>) -> Result<Self> {
        let name = name.into();
        let source_bytes = Arc::new(AtomicU64::new(0));
        let mut head = Vec::with_capacity(HEAD_BYTES);
        let mut source = source;
        source
            .by_ref()
            .take(HEAD_BYTES as u64)
            .read_to_end(&mut head)
            .map_err(|error| Error::io("read", &name, error))?;
        let container = container_of(&head);
        let source = io::Cursor::new(head).chain(source);
        let counted = Counted {
            source: BufReader::with_capacity(SOURCE_BUFFER_BYTES, source),
            bytes: Arc::clone(&source_bytes),
        };
        let content = container
            .open(Box::new(counted))
            .map_err(|error| Error::io("start to decompress", &name, error))?;
        Ok(Self {
            name,
            container,
            source_bytes,
            content,
            hasher: blake3::Hasher::new(),
            content_bytes: 0,
            ahead: Vec::new(),
            ended: false,
        })
    }

    /// Its name, for messages.
    #[must_use]
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// Its container: `plain`, `gzip`, `zstd`.
    #[must_use]
    pub fn container(&self) -> &'static str {
        self.container.name()
    }

    /// A counter of the bytes taken from the file itself, for progress.
    #[must_use]
    pub fn source_bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.source_bytes)
    }

    /// The next `len` bytes without taking them; fewer only at the end.
    ///
    /// # Errors
    /// As for [`Input::append`].
    pub fn peek(&mut self, len: usize) -> Result<&[u8]> {
        let mut ahead = std::mem::take(&mut self.ahead);
        let read = self.append_content(&mut ahead, len);
        self.ahead = ahead;
        read?;
        Ok(self.ahead.get(..len).unwrap_or(&self.ahead))
    }

    /// Drops `len` bytes that were peeked at.
    pub(super) fn skip(&mut self, len: usize) {
        self.ahead.drain(..len.min(self.ahead.len()));
    }

    /// Drops a byte-order mark at the start.
    ///
    /// # Errors
    /// As for [`Input::append`].
    pub(super) fn skip_bom(&mut self) -> Result<()> {
        if self.peek(BOM.len())? == BOM {
            self.skip(BOM.len());
        }
        Ok(())
    }

    /// Appends content to `to` until that has `len` bytes. True at the end of the content.
    ///
    /// # Errors
    /// `Io` if the file cannot be read, `Invalid` if its container is damaged or cut short.
    pub fn append(&mut self, to: &mut Vec<u8>, len: usize) -> Result<bool> {
        if !self.ahead.is_empty() {
            let wanted = len.saturating_sub(to.len()).min(self.ahead.len());
            to.extend(self.ahead.drain(..wanted));
            if !self.ahead.is_empty() {
                return Ok(false);
            }
        }
        self.append_content(to, len)
    }

    fn append_content(&mut self, to: &mut Vec<u8>, len: usize) -> Result<bool> {
        to.reserve_exact(len.saturating_sub(to.len()));
        while !self.ended && to.len() < len {
            let had = to.len();
            to.resize(had + self.piece_bytes().min(len - had), 0);
            let read = self.read_piece(to.get_mut(had..).unwrap_or_default());
            to.truncate(had + read.as_ref().map_or(0, |count| *count));
            read?;
        }
        Ok(self.ended)
    }

    /// Fills `to` with content, as far as there is some; gives the number of bytes. `seen` is shown every piece while
    /// it is near.
    ///
    /// # Errors
    /// As for [`Input::append`].
    pub(super) fn fill(&mut self, to: &mut [u8], mut seen: impl FnMut(&[u8])) -> Result<usize> {
        let ahead = self.ahead.len().min(to.len());
        let (first, rest) = to.split_at_mut(ahead);
        for (to, from) in first.iter_mut().zip(self.ahead.drain(..ahead)) {
            *to = from;
        }
        seen(first);
        let (mut count, mut rest) = (ahead, rest);
        while !self.ended && !rest.is_empty() {
            let len = self.piece_bytes().min(rest.len());
            let (piece, after) = std::mem::take(&mut rest).split_at_mut(len);
            rest = after;
            let read = self.read_piece(piece)?;
            seen(piece.get(..read).unwrap_or_default());
            count += read;
        }
        Ok(count)
    }

    /// Bytes to the end of the piece that is read next: pieces begin at multiples of their size, for BLAKE3 takes the
    /// widest path only through whole ones.
    fn piece_bytes(&self) -> usize {
        let within = self.content_bytes % PIECE_BYTES as u64;
        PIECE_BYTES - usize::try_from(within).unwrap_or_default()
    }

    /// How much of `len` bytes that are wanted next is to be asked for, so that a whole piece is read last.
    pub(super) fn whole_pieces(&self, len: usize) -> usize {
        let end = self.content_bytes + len.saturating_sub(self.ahead.len()) as u64;
        let over = usize::try_from(end % PIECE_BYTES as u64).unwrap_or_default();
        if len > PIECE_BYTES { len - over } else { len }
    }

    /// Whether all content was handed out.
    pub(super) fn is_at_end(&self) -> bool {
        self.ended && self.ahead.is_empty()
    }

    /// Fills a piece with content and hashes it; gives the number of bytes.
    fn read_piece(&mut self, piece: &mut [u8]) -> Result<usize> {
        let (count, read) = fill(&mut *self.content, piece);
        self.ended = count < piece.len();
        self.hasher.update(piece.get(..count).unwrap_or_default());
        self.content_bytes += count as u64;
        read.map(|()| count).map_err(|error| self.explained(error))
    }

    /// What is left unread is read and hashed, and nothing else.
    ///
    /// # Errors
    /// As for [`Input::append`].
    pub fn finish(mut self) -> Result<Content> {
        self.ahead.clear();
        let mut piece = Vec::new();
        while !self.append_content(&mut piece, PIECE_BYTES)? {
            piece.clear();
        }
        Ok(Content {
            hash: self.hasher.finalize().into(),
            bytes: self.content_bytes,
        })
    }

    /// An I/O error as what it means: the system's, or the container's.
    fn explained(&self, error: io::Error) -> Error {
        if error.raw_os_error().is_some() {
            return Error::io("read", &self.name, error);
        }
        let container = self.container.name();
        let message = match error.kind() {
            io::ErrorKind::UnexpectedEof => format!("the {container} file is cut short"),
            _ => format!("the {container} file is damaged, or something follows it: {error}"),
        };
        Error::invalid(message)
            .at_path(&self.name)
            .at_byte(self.source_bytes.load(Ordering::Relaxed))
            .with_help("fetch the file again; nothing of it was taken")
    }
}

/// Reads until `to` is full or nothing follows; how much there is, also after an error.
fn fill(from: &mut dyn Read, to: &mut [u8]) -> (usize, io::Result<()>) {
    let mut count = 0;
    while let Some(rest) = to.get_mut(count..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(read) => count += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (count, Err(error)),
        }
    }
    (count, Ok(()))
}

impl Read for Input {
    /// The content, for readers that want a stream; it is hashed all the same.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ahead.is_empty() {
            self.peek(PIECE_BYTES).map_err(io::Error::other)?;
        }
        let count = buffer.len().min(self.ahead.len());
        let (Some(to), Some(from)) = (buffer.get_mut(..count), self.ahead.get(..count)) else {
            return Ok(0);
        };
        to.copy_from_slice(from);
        self.skip(count);
        Ok(count)
    }
}

/// Counts what is taken from a file.
struct Counted<R> {
    source: R,
    bytes: Arc<AtomicU64>,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.source.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.bytes.fetch_add(count as u64, Ordering::Relaxed);
        self.source.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::super::collect::{drain, open_reader};
    use super::super::header::ReadOptions;
    use super::*;
    use std::io::Write;

    const LINE: &[u8] = b"2026-01-31T00:00:00.000Z,200,GET,a/b,model,,ff,US,Ohio\n";
    const HEADER: &[u8] =
        b"timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region\n";

    fn gz(pieces: &[&[u8]]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        pieces
            .iter()
            .for_each(|piece| encoder.write_all(piece).unwrap());
        encoder.finish().unwrap()
    }

    fn zst(pieces: &[&[u8]]) -> Vec<u8> {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        pieces
            .iter()
            .for_each(|piece| encoder.write_all(piece).unwrap());
        encoder.finish().unwrap()
    }

    fn read(file: Vec<u8>) -> Result<(usize, Content)> {
        let sniffed = open_reader(Box::new(io::Cursor::new(file)), ReadOptions::default())?;
        drain(sniffed).map(|(told, content)| (told.rows.len(), content.content))
    }

    #[test]
    fn the_hash_is_of_the_content() {
        let content = [BOM, HEADER, &LINE.repeat(50_000)].concat();
        let want = Content {
            hash: blake3::hash(&content).into(),
            bytes: content.len() as u64,
        };
        let (a, b) = content.split_at(content.len() / 3);
        for file in [
            content.clone(),
            gz(&[&content]),
            zst(&[&content]),
            [gz(&[a]), gz(&[b])].concat(),
            [zst(&[a]), zst(&[b])].concat(),
        ] {
            assert_eq!(read(file).unwrap(), (50_000, want));
        }
    }

    #[test]
    fn a_cut_file_is_an_error_that_names_file_and_byte() {
        let content = [HEADER, &LINE.repeat(3)].concat();
        for wrap in [gz, zst] {
            let file = wrap(&[&content]);
            for cut in 0..file.len() {
                let error = read(file[..cut].to_vec()).unwrap_err();
                assert_eq!(
                    error.place().path.as_deref(),
                    Some(Path::new("test.log")),
                    "{cut}"
                );
                if cut >= HEAD_BYTES {
                    assert!(error.message().contains("cut short"), "{cut}: {error}");
                    assert_eq!(error.place().byte, Some(cut as u64), "{error}");
                }
            }
            assert_eq!(read(file).unwrap().0, 3);
        }
    }

    #[test]
    fn a_bomb_is_read_in_bounded_memory() {
        let zeros = vec![0; 1 << 20];
        let pieces = [vec![HEADER], vec![&zeros[..]; 64], vec![b"\n", LINE]].concat();
        for wrap in [gz, zst] {
            let file = wrap(&pieces);
            assert!(file.len() < 1 << 20);
            let mut input =
                Input::from_reader("bomb", Box::new(io::Cursor::new(file.clone()))).unwrap();
            let mut buffer = Vec::new();
            while !input.append(&mut buffer, 1 << 16).unwrap() {
                assert!(buffer.capacity() <= 1 << 17);
                buffer.clear();
            }
            let sniffed =
                open_reader(Box::new(io::Cursor::new(file)), ReadOptions::default()).unwrap();
            let (told, _) = drain(sniffed).unwrap();
            assert_eq!(told.codes(), [(2, "too_long")]);
            assert_eq!(told.rows.len(), 1);
        }
    }

    #[test]
    fn a_missing_file_is_not_found() {
        let error = Input::open(Path::new("/nowhere/x.csv")).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::NotFound);
    }
}
