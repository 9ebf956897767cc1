//! Limits for what data unpacks to.

use std::io::{Error, Read};

/// A reader that fails once it has given more than a number of bytes: a few kilobytes may unpack to
/// gigabytes.
pub(crate) struct Bounded<R> {
    reader: R,
    left: u64,
    most: u64,
}

impl<R> Bounded<R> {
    /// Returns a reader that gives at most so many bytes.
    pub(crate) fn new(reader: R, most: u64) -> Self {
        Self {
            reader,
            left: most,
            most,
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.reader.read(buffer)?;
        let left = u64::try_from(read)
            .ok()
            .and_then(|read| self.left.checked_sub(read));
        self.left = left.ok_or_else(|| too_much(self.most))?;
        Ok(read)
    }
}

/// Returns the error about data that unpacks to more than `most` bytes.
pub(crate) fn too_much(most: u64) -> Error {
    Error::other(format!("it unpacks to more than {} MiB", most >> 20))
}

#[cfg(test)]
#[path = "bounded/tests.rs"]
mod tests;
