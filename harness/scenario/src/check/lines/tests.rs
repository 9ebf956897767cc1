use assertables::{
    assert_contains, assert_ends_with, assert_ge, assert_gt, assert_le, assert_not_contains,
    assert_starts_with,
};

use super::{Bounds, CHUNK_BYTES, LINE_COST, Line, Lines, size};

const SMALL: Bounds = Bounds {
    head: 2 * CHUNK_BYTES,
    tail: 3 * CHUNK_BYTES,
};

/// A line of just 100 bytes.
fn line(number: usize) -> Line {
    Line {
        text: format!("line {number:>95}"),
        cut: 0,
    }
}

fn filled(lines: &mut Lines, numbers: std::ops::Range<usize>) {
    numbers.for_each(|number| lines.push(&line(number)));
}

#[test]
fn a_short_log_is_kept_whole() {
    let mut lines = Lines::new(SMALL);
    filled(&mut lines, 0..2000);
    lines.set_partial(Some(Line {
        text: "half".into(),
        cut: 0,
    }));
    assert_eq!(lines.count(), 2000);
    assert_eq!(lines.end(), 2001);
    assert_eq!(lines.dropped(), (0, 0));
    for number in 0..2000 {
        assert_eq!(lines.get(number), Some(line(number).text.as_str()));
    }
    assert_eq!(lines.get(2000), Some("half"));
    assert_eq!(lines.get(2001), None);
    assert_eq!(lines.cut_words(), None);
    assert_eq!(lines.whole_from(1990).count(), 10);
    assert_ends_with!(lines.to_text(), "1999\nhalf\n");
    assert_not_contains!(lines.to_text(), "[", "nothing is left out");
    lines.push(&line(2000));
    assert_eq!(lines.partial(), None, "the line has ended");
}

#[test]
fn of_a_long_log_the_beginning_and_the_end_are_kept_and_the_rest_is_counted() {
    let mut lines = Lines::new(SMALL);
    filled(&mut lines, 0..100_000);
    assert_le!(
        lines.kept_bytes(),
        SMALL.head + SMALL.tail + 2 * CHUNK_BYTES
    );
    assert_ge!(
        lines.kept_bytes(),
        SMALL.head + SMALL.tail - 2 * CHUNK_BYTES
    );
    let kept: Vec<usize> = lines.whole_from(0).map(|(number, _)| number).collect();
    let (dropped, bytes) = lines.dropped();
    assert_eq!(kept.len() + dropped, 100_000);
    assert_eq!(bytes, 101 * dropped as u64);
    assert_eq!(kept.first(), Some(&0));
    assert_eq!(kept.last(), Some(&99_999));
    let gaps: Vec<_> = kept
        .windows(2)
        .filter(|pair| pair[1] != pair[0] + 1)
        .collect();
    assert_eq!(gaps.len(), 1);
    let (before, after) = (gaps[0][0], gaps[0][1]);
    assert_eq!(lines.get(before + 1), None);
    assert_eq!(lines.get(after - 1), None);
    assert!(lines.get(after).is_some());
    let expected = format!(
        "[lines {} to {after}: {dropped} of 100000 lines (",
        before + 2
    );
    assert!(lines.to_text().contains(&expected), "{expected}");
}

#[test]
fn copies_share_what_they_hold() {
    let mut lines = Lines::new(SMALL);
    filled(&mut lines, 0..1500);
    let copy = lines.clone();
    let shared = |number| std::ptr::eq(lines.get(number).unwrap(), copy.get(number).unwrap());
    for number in 0..1500 {
        assert!(shared(number), "line {number} is a copy");
    }
    assert_eq!(lines.id(), copy.id());
    assert_ne!(lines.id(), Lines::new(SMALL).id(), "others have another");
    filled(&mut lines, 1500..1501);
    assert_eq!(lines.count(), 1501, "a copy does not change");
    assert_eq!(copy.count(), 1500, "a copy does not change");
}

#[test]
fn lines_that_are_known_are_not_added_again() {
    let mut lines = Lines::new(SMALL);
    filled(&mut lines, 0..900);
    let mut more = Lines::from_number(700, SMALL);
    filled(&mut more, 700..2400);
    lines.append(more);
    assert_eq!(lines.count(), 2400);
    assert_eq!(lines.dropped(), (0, 0));
    for number in 0..2400 {
        assert_eq!(lines.get(number), Some(line(number).text.as_str()));
    }
    filled(&mut lines, 2400..2401);
    assert_eq!(lines.get(2400), Some(line(2400).text.as_str()));
}

#[test]
fn within_other_bounds_there_is_as_much_as_they_allow() {
    let mut lines = Lines::new(Bounds::CHECKS);
    filled(&mut lines, 0..20_000);
    let evidence = lines.within(SMALL);
    assert_le!(
        evidence.kept_bytes(),
        SMALL.head + SMALL.tail + 2 * CHUNK_BYTES
    );
    assert_eq!(evidence.count(), 20_000);
    assert_eq!(evidence.get(0), lines.get(0));
    assert_eq!(evidence.get(19_999), lines.get(19_999));
    assert_gt!(evidence.dropped().0, 10_000);
}

#[test]
fn what_can_not_be_judged_is_said() {
    let mut lines = Lines::new(SMALL);
    lines.push(&line(0));
    lines.push(&Line {
        text: "x".repeat(10),
        cut: 2048,
    });
    lines.break_off();
    lines.push(&line(2));
    assert_eq!(lines.lost(0, 0), None);
    assert_contains!(
        lines.lost(1, 1).unwrap(),
        "2.0 KiB after that are not checked"
    );
    assert_contains!(
        lines.lost(2, 2).unwrap(),
        "from line 3 on lines may be missing"
    );
    assert_starts_with!(lines.lost(3, 10).unwrap(), "lines 4 to 10 were dropped");
    assert_contains!(
        lines.to_text(),
        "xx[2.0 KiB more of this line are left out]\n"
    );
}

#[test]
fn empty_lines_do_not_fill_memory() {
    let mut lines = Lines::new(SMALL);
    for _ in 0..100_000 {
        lines.push(&Line::default());
    }
    assert_eq!(lines.count(), 100_000);
    assert_gt!(lines.dropped().0, 50_000);
    assert_eq!(lines.get(99_999), Some(""));
}

#[test]
fn nothing_was_written() {
    let mut lines = Lines::new(SMALL);
    assert!(lines.is_empty());
    lines.set_partial(Some(Line::default()));
    assert!(!lines.is_empty(), "a line has begun");
    lines.set_partial(None);
    lines.push(&Line::default());
    assert!(!lines.is_empty(), "an empty line was written");
}

/// A line that fills a chunk by itself.
fn large() -> Line {
    Line {
        text: "x".repeat(CHUNK_BYTES),
        cut: 0,
    }
}

const LARGE: usize = CHUNK_BYTES + LINE_COST;

#[test]
fn chunks_are_filled_to_their_size() {
    let mut lines = Lines::new(SMALL);
    lines.push(&line(0));
    let fits = CHUNK_BYTES - (100 + LINE_COST);
    let with = |length: usize| {
        let mut lines = lines.clone();
        lines.push(&Line {
            text: "x".repeat(length),
            cut: 0,
        });
        lines.chunks.len()
    };
    assert_eq!(with(fits), 1);
    assert_eq!(with(fits + 1), 2);
    filled(&mut lines, 1..20);
    assert_eq!(lines.chunks.len(), 1);
}

#[test]
fn the_beginning_ends_at_its_bound() {
    let each = 100 + LINE_COST;
    for (head, expected) in [(3 * each, 3), (3 * each + 1, 4)] {
        let mut lines = Lines::new(Bounds { head, tail: 0 });
        filled(&mut lines, 0..1000);
        assert_eq!(lines.head, 1, "{head} bytes");
        assert_eq!(lines.chunks[0].ends.len(), expected, "{head} bytes");
        assert_eq!(lines.head_bytes, expected * each, "{head} bytes");
    }
}

#[test]
fn the_end_is_dropped_above_its_bound_and_never_wholly() {
    let kept = |tail: usize, number: usize| {
        let mut lines = Lines::new(Bounds { head: 1, tail });
        (0..number).for_each(|_| lines.push(&large()));
        assert!(lines.get(number - 1).is_some(), "the last line stays");
        number - lines.dropped().0
    };
    assert_eq!(kept(2 * LARGE, 3), 3, "the bound is for what is above it");
    assert_eq!(kept(2 * LARGE, 4), 3);
    assert_eq!(kept(2 * LARGE - 1, 3), 2);
    assert_eq!(kept(0, 9), 2, "the first and the last");
}

#[test]
fn what_is_dropped_counts_the_bytes_of_the_log() {
    let mut lines = Lines::new(Bounds { head: 1, tail: 0 });
    for _ in 0..4 {
        lines.push(&Line { cut: 7, ..large() });
    }
    assert_eq!(lines.dropped(), (2, 2 * (CHUNK_BYTES as u64 + 1 + 7)));
    let again = lines.within(Bounds::CHECKS);
    assert_eq!(again.dropped(), lines.dropped(), "a copy knows it, too");
}

#[test]
fn chunks_that_are_new_are_shared_and_others_copied() {
    let mut all = Lines::new(Bounds::CHECKS);
    filled(&mut all, 0..1500);
    let copy = all.within(Bounds::CHECKS);
    let is_shared = |number| std::ptr::eq(all.get(number).unwrap(), copy.get(number).unwrap());
    for number in 0..1500 {
        assert!(is_shared(number), "line {number} is a copy");
    }

    let mut lines = Lines::new(SMALL);
    filled(&mut lines, 0..2);
    let mut more = Lines::from_number(1, SMALL);
    filled(&mut more, 1..2);
    more.push(&Line {
        text: "long".into(),
        cut: 10,
    });
    filled(&mut more, 3..4);
    lines.append(more);
    let text = lines.to_text();
    assert_contains!(text, "\nlong[10 bytes more of this line are left out]\n");
    assert_eq!(text.matches("left out").count(), 1);
}

#[test]
fn what_is_unfinished_is_that_of_who_knows_more() {
    let unfinished = |count: usize, text: &str| {
        let mut lines = Lines::new(SMALL);
        filled(&mut lines, 0..count);
        lines.set_partial(Some(Line {
            text: text.into(),
            cut: 0,
        }));
        lines
    };
    let mut lines = unfinished(2, "ha");
    lines.append(unfinished(2, "half"));
    assert_eq!(lines.partial(), Some("half"));
    lines.append(unfinished(1, "old"));
    assert_eq!(lines.partial(), None);
    assert_eq!(lines.last_whole(), Some(line(1).text.as_str()));
}

#[test]
fn sizes_for_people() {
    let shown = [0, 1023, 1024, 1536, 1_048_575, 1_048_576].map(size);
    let expected = [
        "0 bytes",
        "1023 bytes",
        "1.0 KiB",
        "1.5 KiB",
        "1024.0 KiB",
        "1.0 MiB",
    ];
    assert_eq!(shown, expected);
}
