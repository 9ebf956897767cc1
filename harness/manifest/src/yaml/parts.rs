//! Long texts are read in parts, so that several threads can read them, and what the YAML library
//! makes of one part is gone before it reads the next one.

/// The least bytes of a part.
#[cfg(not(test))]
const LEAST: usize = 1 << 17;
#[cfg(test)]
const LEAST: usize = 1 << 6;

/// Some of a text's documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TextPart<'a> {
    pub text: &'a str,
    /// Lines of the whole text before it.
    pub lines: usize,
    /// Bytes of the whole text before it.
    pub bytes: usize,
}

impl<'a> TextPart<'a> {
    pub fn whole(text: &'a str) -> Self {
        Self {
            text,
            lines: 0,
            bytes: 0,
        }
    }
}

/// Cuts a text before lines that begin a document: `---` at the begin of a line is nothing else.
pub(super) fn parts(text: &str) -> Vec<TextPart<'_>> {
    // Alone it ends a line, too, and such texts are rare.
    if text.len() < 2 * LEAST || text.contains('\r') {
        return vec![TextPart::whole(text)];
    }
    let mut parts = Vec::new();
    let mut part = TextPart::whole(text);
    let mut from = LEAST;
    while let Some(length) = begin(part.text, from) {
        let (before, rest) = part.text.split_at(length);
        parts.push(TextPart {
            text: before,
            ..part
        });
        part = TextPart {
            text: rest,
            lines: part.lines + before.matches('\n').count(),
            bytes: part.bytes + before.len(),
        };
        from = LEAST;
    }
    parts.push(part);
    parts
}

/// Returns the start of the first document behind some bytes of a text.
fn begin(text: &str, mut from: usize) -> Option<usize> {
    const MARK: &str = "\n---";
    loop {
        let found = text.as_bytes().get(from..)?;
        let at = from + find(found, MARK.as_bytes())?;
        let behind = text.as_bytes().get(at + MARK.len());
        if behind.is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\n')) {
            return Some(at + 1);
        }
        from = at + 1;
    }
}

fn find(text: &[u8], sought: &[u8]) -> Option<usize> {
    text.windows(sought.len()).position(|part| part == sought)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::super::{Source, parse_part, parse_stream};
    use super::*;

    /// Lines of a text: documents, what begins and ends them, and what hides or breaks their begin.
    const LINES: [&str; 29] = [
        "---",
        "---",
        "---",
        "--- ",
        "--- # é",
        "--- {a: 1}",
        "--- |",
        "---a: 1",
        "---\u{a0}a",
        " ---",
        "...",
        "%YAML 1.2",
        "%TAG !e! tag:e,2000:",
        "",
        "# ---",
        "é: ü",
        "a: &x [1, 2]",
        "b: *x",
        "c: |",
        "  ---",
        "  text",
        "d: 'open",
        "close'",
        "e: \"open",
        "f: [1,",
        "]",
        "a: yEs",
        "!e!t x",
        "- 1",
    ];

    /// Readable texts, with lines inside of a text that look like the start of a document.
    const DOCUMENT: &str =
        "(---( # é)?\n)(é: \\{b: \\[1, yEs\\]\\}\n)?(c: \\|2\n  ---\n   x\n)?(\n)?";

    #[test]
    fn a_part_ends_before_the_document_that_follows() {
        let text = format!("{}\n---x\n ---\n---\nb: 1\n", "# é".repeat(LEAST));
        let parts = parts(&text);
        let end = text.len() - "---\nb: 1\n".len();
        let last = TextPart {
            text: &text[end..],
            lines: 3,
            bytes: end,
        };
        assert_eq!(parts[1..], [last]);
        assert_eq!(parts[0].text, &text[..end]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn parts_hold_what_the_whole_holds(
            lines in prop::collection::vec(prop::sample::select(&LINES[..]), 30..120)
        ) {
            let source = Source::new(Path::new("f.yaml"), &(lines.join("\n") + "\n"));
            let whole = parse_part(&source, TextPart::whole(&source.text));
            match (parse_stream(&source), whole) {
                (Ok(read), Ok(whole)) => prop_assert_eq!(read, whole),
                (Err(read), Err(whole)) => prop_assert_eq!(format!("{read:?}"), format!("{whole:?}")),
                (read, whole) => prop_assert!(false, "{:?} is not {:?}", read, whole),
            }
        }

        #[test]
        fn parts_of_what_can_be_read_hold_it(
            documents in prop::collection::vec(DOCUMENT, 10..30)
        ) {
            let source = Source::new(Path::new("f.yaml"), &documents.concat());
            let whole = parse_part(&source, TextPart::whole(&source.text)).unwrap();
            prop_assert_eq!(parse_stream(&source).unwrap(), whole);
        }
    }
}
