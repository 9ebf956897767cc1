//! `time.ParseDuration`.

/// The units, longer ones before those that they begin with, in nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    // The micro sign, and the Greek letter.
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Returns the nanoseconds of a text that Go reads as a duration, such as `1h30m`, `-.5s` or `0`.
/// `None` where Go refuses the text, also because it is more than about 290 years.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(end);
        let (unit, factor) = UNITS.iter().find(|(unit, _)| behind.starts_with(unit))?;
        total = total.checked_add(nanoseconds(number, *factor)?)?;
        rest = &behind[unit.len()..];
    }
    // Go takes the least number, which has no positive counterpart.
    if negative {
        0_i64.checked_sub_unsigned(total)
    } else {
        i64::try_from(total).ok()
    }
}

/// The nanoseconds of a number with an optional fraction, at least one digit in all.
fn nanoseconds(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole = match whole {
        "" => 0,
        digits => digits.parse::<u64>().ok()?,
    };
    whole
        .checked_mul(factor)?
        .checked_add(part(fraction, factor))
}

/// The nanoseconds of the digits behind the point. Go drops those that 63 bits can't hold, and
/// calculates with floats.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Go rounds in the same way"
)]
fn part(fraction: &str, factor: u64) -> u64 {
    let (mut digits, mut scale) = (0_u64, 1.0_f64);
    for digit in fraction.bytes() {
        if digits > i64::MAX.unsigned_abs() / 10 {
            break;
        }
        let more = digits * 10 + u64::from(digit - b'0');
        if more > 1 << 63 {
            break;
        }
        digits = more;
        scale *= 10.0;
    }
    (digits as f64 * (factor as f64 / scale)) as u64
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0", Some(0))]
    #[case("1h30m", Some(5_400_000_000_000))]
    #[case("-1.5s", Some(-1_500_000_000))]
    #[case("+.5ms", Some(500_000))]
    #[case("5.s", Some(5_000_000_000))]
    #[case("2\u{b5}s", Some(2_000))]
    #[case("2\u{3bc}s", Some(2_000))]
    #[case("1ms1ns", Some(1_000_001))]
    #[case("0.3333333333333333333h", Some(1_200_000_000_000))]
    #[case("9223372036854775807ns", Some(i64::MAX))]
    #[case("-9223372036854775808ns", Some(i64::MIN))]
    #[case("9223372036854775808ns", None)]
    #[case("9999999h", None)]
    #[case("", None)]
    #[case("-", None)]
    #[case("5", None)]
    #[case(".s", None)]
    #[case("1.2.3s", None)]
    #[case("5 m", None)]
    #[case("5d", None)]
    fn durations_are_read_as_go_reads_them(#[case] text: &str, #[case] expected: Option<i64>) {
        assert_eq!(parse(text), expected);
    }
}
