//! The lines of a log, as many as are kept. Copies share them.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of a line that are kept.
pub const LINE_BYTES: usize = 1 << 20;
/// Bytes of a chunk, which is shared as a whole: adding a line to one that is shared copies so many
/// at most.
const CHUNK_BYTES: usize = 64 << 10;

/// What a line takes beside its text; also empty lines fill memory.
const LINE_COST: usize = 16;

/// How many bytes of a log are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Of its beginning.
    pub head: usize,
    /// Of its end.
    pub tail: usize,
}

impl Bounds {
    /// For checks: what is not kept can't be judged, so that it is more than containers write
    /// between two looks.
    pub const CHECKS: Self = Self {
        head: 16 << 20,
        tail: 48 << 20,
    };
    /// For evidence, which people read.
    pub const EVIDENCE: Self = Self {
        head: 1 << 20,
        tail: 7 << 20,
    };
}

/// A line with what is known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// Its text without the line end; bytes that are not UTF-8 are replaced by U+FFFD.
    pub text: String,
    /// Bytes at its end that are not in `text`, because it is longer than [`LINE_BYTES`].
    pub cut: u64,
}

#[derive(Debug, Clone, Default)]
struct Chunk {
    /// Number of its first line.
    first: usize,
    text: String,
    /// Where each line ends in `text`.
    ends: Vec<usize>,
    /// Numbers of lines of which a part is cut, each with the number of bytes.
    shortened: Vec<(usize, u64)>,
}

impl Chunk {
    /// What it takes in memory.
    fn size(&self) -> usize {
        self.text.len() + LINE_COST * self.ends.len()
    }

    /// Bytes of the log that it stands for.
    fn log_bytes(&self) -> u64 {
        let cut: u64 = self.shortened.iter().map(|(_, cut)| cut).sum();
        (self.text.len() + self.ends.len()) as u64 + cut
    }

    fn lines(&self) -> Range<usize> {
        self.first..self.first + self.ends.len()
    }

    fn get(&self, number: usize) -> Option<&str> {
        let index = number.checked_sub(self.first)?;
        let end = *self.ends.get(index)?;
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.text[begin..end])
    }
}

/// Lines of a log, numbered from 0: all of a log that is shorter than its bounds, else its
/// beginning and its end.
#[derive(Debug, Clone)]
pub struct Lines {
    /// Tells the lines of one instance of a container from those of another; copies have the same.
    id: u64,
    bounds: Bounds,
    chunks: VecDeque<Arc<Chunk>>,
    /// The first chunks, which stay.
    head: usize,
    head_bytes: usize,
    tail_bytes: usize,
    /// How many lines were written.
    count: usize,
    /// Lines between head and tail that are not kept, and their bytes.
    dropped: (usize, u64),
    /// Where it is not certain that a line follows the one before.
    broken: Option<usize>,
    /// What stands behind the last line end.
    partial: Option<Line>,
}

impl Default for Lines {
    fn default() -> Self {
        Self::new(Bounds::CHECKS)
    }
}

impl Lines {
    /// Returns no lines, of which as many will be kept as the bounds say.
    pub fn new(bounds: Bounds) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            bounds,
            chunks: VecDeque::new(),
            head: 0,
            head_bytes: 0,
            tail_bytes: 0,
            count: 0,
            dropped: (0, 0),
            broken: None,
            partial: None,
        }
    }

    /// Returns no lines, of which the first will have this number.
    pub fn from_number(number: usize, bounds: Bounds) -> Self {
        Self {
            count: number,
            ..Self::new(bounds)
        }
    }

    /// Returns the same for all copies of these lines, and something else for all others.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Returns how many whole lines were written so far, also where not all of them are kept.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.partial.is_none()
    }

    /// Returns what the lines that are kept take in memory, in bytes.
    pub fn kept_bytes(&self) -> usize {
        self.head_bytes + self.tail_bytes
    }

    /// Returns how many lines are not kept, and their bytes.
    pub fn dropped(&self) -> (usize, u64) {
        self.dropped
    }

    /// Adds a line, which ends what was unfinished.
    pub fn push(&mut self, line: &Line) {
        self.partial = None;
        let is_full = |chunk: &Arc<Chunk>| {
            chunk.lines().end != self.count || chunk.size() + line.text.len() > CHUNK_BYTES
        };
        let head_is_full = self.chunks.len() == self.head && self.head_bytes >= self.bounds.head;
        if self.chunks.back().is_none_or(is_full) || head_is_full {
            let first = self.count;
            self.add(Arc::new(Chunk {
                first,
                ..Chunk::default()
            }));
        }
        if let Some(last) = self.chunks.back_mut() {
            let last = Arc::make_mut(last);
            last.text.push_str(&line.text);
            last.ends.push(last.text.len());
            if line.cut > 0 {
                last.shortened.push((self.count, line.cut));
            }
        }
        self.count += 1;
        self.account(line.text.len() + LINE_COST);
    }

    /// Counts what was added to the last chunk.
    fn account(&mut self, bytes: usize) {
        if self.chunks.len() == self.head {
            self.head_bytes += bytes;
        } else {
            self.tail_bytes += bytes;
            self.drop_oldest();
        }
    }

    /// Takes over lines of which the first ones may be known already.
    pub fn append(&mut self, other: Self) {
        let Self {
            chunks,
            dropped,
            partial,
            count,
            ..
        } = other;
        self.dropped.0 += dropped.0;
        self.dropped.1 += dropped.1;
        for chunk in chunks {
            let lines = chunk.lines();
            if lines.start >= self.count {
                self.count = lines.end;
                let bytes = chunk.size();
                self.add(chunk);
                self.account(bytes);
            } else {
                for number in self.count..lines.end {
                    let cut = chunk.shortened.iter().find(|(of, _)| *of == number);
                    self.push(&Line {
                        text: chunk.get(number).unwrap_or_default().to_owned(),
                        cut: cut.map_or(0, |(_, cut)| *cut),
                    });
                }
            }
        }
        // Where more lines are known by now, one of them ended what was unfinished.
        self.partial = partial.filter(|_| count == self.count);
    }

    /// Sets what stands behind the last line end.
    pub fn set_partial(&mut self, partial: Option<Line>) {
        self.partial = partial;
    }

    /// Returns what stands behind the last line end, where something does.
    pub fn partial(&self) -> Option<&str> {
        self.partial.as_ref().map(|line| line.text.as_str())
    }

    /// Notes that the next line may not follow the last.
    pub fn break_off(&mut self) {
        self.broken.get_or_insert(self.count);
    }

    fn add(&mut self, chunk: Arc<Chunk>) {
        if self.chunks.len() == self.head && self.head_bytes < self.bounds.head {
            self.head += 1;
        }
        self.chunks.push_back(chunk);
    }

    fn drop_oldest(&mut self) {
        while self.tail_bytes > self.bounds.tail && self.chunks.len() > self.head + 1 {
            let Some(chunk) = self.chunks.remove(self.head) else {
                return;
            };
            self.tail_bytes -= chunk.size();
            self.dropped.0 += chunk.ends.len();
            self.dropped.1 += chunk.log_bytes();
        }
    }

    /// Returns a line by its number; none where it is not kept, or not written yet.
    pub fn get(&self, number: usize) -> Option<&str> {
        if number == self.count {
            return self.partial();
        }
        let after = self.chunks.partition_point(|chunk| chunk.first <= number);
        self.chunks.get(after.checked_sub(1)?)?.get(number)
    }

    /// Returns the last line.
    pub fn last(&self) -> Option<&str> {
        self.partial().or_else(|| self.last_whole())
    }

    /// Returns the last line that has ended.
    pub fn last_whole(&self) -> Option<&str> {
        self.get_whole(self.count.checked_sub(1)?)
    }

    fn get_whole(&self, number: usize) -> Option<&str> {
        (number < self.count).then(|| self.get(number)).flatten()
    }

    /// Returns one more than the number of the last line, an unfinished one among them.
    pub fn end(&self) -> usize {
        self.count + usize::from(self.partial.is_some())
    }

    /// Returns the whole lines that are kept from a number on, with their numbers.
    pub fn whole_from(&self, number: usize) -> impl Iterator<Item = (usize, &str)> {
        let before = self
            .chunks
            .partition_point(|chunk| chunk.lines().end <= number);
        let chunks = self.chunks.iter().skip(before);
        chunks.flat_map(move |chunk| {
            let lines = chunk.first.max(number)..chunk.lines().end;
            lines.filter_map(move |number| Some((number, chunk.get(number)?)))
        })
    }

    /// Returns all lines that are kept, an unfinished one last.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.whole_from(0)
            .map(|(_, text)| text)
            .chain(self.partial())
    }

    /// Says which of the lines from `next` to `number` can't be judged, where some can't: those
    /// between are not kept, or the line itself is not as it was written.
    pub(super) fn lost(&self, next: usize, number: usize) -> Option<String> {
        if number > next {
            return Some(format!(
                "lines {} to {number} were dropped before they could be judged ({})",
                next + 1,
                self.kept_words()
            ));
        }
        if self.broken.is_some_and(|broken| broken <= number) {
            return Some(format!(
                "the node began a new file for the log while it was read again, so that from line {} on lines may be missing",
                number + 1
            ));
        }
        let after = self.chunks.partition_point(|chunk| chunk.first <= number);
        let chunk = self.chunks.get(after.checked_sub(1)?)?;
        let (_, cut) = chunk.shortened.iter().find(|(of, _)| *of == number)?;
        Some(format!(
            "line {} is longer than {}, and the {} after that are not checked",
            number + 1,
            size(LINE_BYTES as u64),
            size(*cut)
        ))
    }

    /// Says how much of a log is kept.
    pub fn kept_words(&self) -> String {
        format!(
            "of a log, its first {} and its last {} are read",
            size(self.bounds.head as u64),
            size(self.bounds.tail as u64)
        )
    }

    /// Says what is not kept, where something is not.
    pub fn cut_words(&self) -> Option<String> {
        let (lines, bytes) = self.dropped;
        (lines > 0).then(|| {
            format!(
                "{} of {} lines ({}) are left out: {}",
                lines,
                self.count,
                size(bytes),
                self.kept_words()
            )
        })
    }

    /// Returns the text with the lines that are kept; a line in brackets stands for those that are
    /// not.
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.kept_bytes() + self.kept_bytes() / 16);
        let mut next = self.chunks.front().map_or(0, |chunk| chunk.first);
        for chunk in &self.chunks {
            if chunk.first > next {
                let words = self.cut_words().unwrap_or_default();
                text.push_str(&format!(
                    "[lines {} to {}: {words}]\n",
                    next + 1,
                    chunk.first
                ));
            }
            next = chunk.lines().end;
            for number in chunk.lines() {
                text.push_str(chunk.get(number).unwrap_or_default());
                if let Some((_, cut)) = chunk.shortened.iter().find(|(of, _)| *of == number) {
                    text.push_str(&format!("[{} more of this line are left out]", size(*cut)));
                }
                text.push('\n');
            }
        }
        if let Some(partial) = self.partial() {
            text.push_str(partial);
            text.push('\n');
        }
        text
    }

    /// Returns as many of these lines as other bounds allow.
    #[must_use]
    pub fn within(&self, bounds: Bounds) -> Self {
        let mut lines = Self::new(bounds);
        lines.append(self.clone());
        lines
    }
}

impl<T: Into<String>> FromIterator<T> for Lines {
    fn from_iter<I: IntoIterator<Item = T>>(lines: I) -> Self {
        let mut all = Self::default();
        for text in lines {
            all.push(&Line {
                text: text.into(),
                cut: 0,
            });
        }
        all
    }
}

/// A number of bytes for people.
fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let of = |unit: u32| bytes as f64 / f64::from(unit);
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{:.1} KiB", of(1024)),
        _ => format!("{:.1} MiB", of(1_048_576)),
    }
}

#[cfg(test)]
mod tests;
