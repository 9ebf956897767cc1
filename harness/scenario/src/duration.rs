//! Lengths of time as scenario files write them.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A duration: numbers with the units `ms`, `s`, `m` or `h`, such as `90s` or `1m30s`. At most a
/// day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend(
    "pattern" = "^([0-9]+(ms|s|m|h))+$",
    "patternErrorMessage" = "a length of time is numbers with units (ms, s, m, h), such as `90s` or `1m30s`"
))]
pub struct DurationText(String);

impl Deref for DurationText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DurationText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// It has another form.
    #[error(
        "`{0}` is not a length of time; write a number and a unit (ms, s, m or h), such as `90s` or `1m30s`"
    )]
    Form(String),
    /// It is no time at all.
    #[error("`{0}` is no time at all; write at least `1ms`")]
    Zero(String),
    /// It is too long to be meant.
    #[error("`{0}` is longer than a day")]
    TooLong(String),
}

const LONGEST: Duration = Duration::from_hours(24);

/// Reads a length of time such as `500ms`, `90s`, `5m`, `1h` or `1m30s`.
///
/// # Errors
/// When it has another form, is zero, or is longer than a day.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let form = || DurationError::Form(text.into());
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(form)?;
        if digits == 0 {
            return Err(form());
        }
        let (number, after) = rest.split_at(digits);
        let letters = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let milliseconds: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(form()),
        };
        let part = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(milliseconds));
        let part = part.ok_or_else(|| DurationError::TooLong(text.into()))?;
        total = total.saturating_add(Duration::from_millis(part));
        rest = after;
    }
    if text.is_empty() {
        Err(form())
    } else if total.is_zero() {
        Err(DurationError::Zero(text.into()))
    } else if total > LONGEST {
        Err(DurationError::TooLong(text.into()))
    } else {
        Ok(total)
    }
}

/// A length of time as [`parse_duration`] reads it, in the largest units: `6h`, `1m30s`, `500ms`.
/// What is below a millisecond is left out.
pub fn written_duration(duration: Duration) -> String {
    let mut left = duration.as_millis();
    let mut text = String::new();
    for (unit, milliseconds) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        let number = left / milliseconds;
        left %= milliseconds;
        if number > 0 {
            text.push_str(&format!("{number}{unit}"));
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("500ms")]
    #[case("20s")]
    #[case("1m30s")]
    #[case("6h")]
    #[case("1h1ms")]
    fn writes_what_it_reads(#[case] text: &str) {
        assert_eq!(written_duration(parse_duration(text).unwrap()), text);
    }

    #[rstest]
    #[case(Duration::from_millis(300_001), "5m1ms")]
    #[case(Duration::from_micros(3), "0s")]
    fn writes_the_largest_units(#[case] duration: Duration, #[case] expected: &str) {
        assert_eq!(written_duration(duration), expected);
    }

    #[rstest]
    #[case("500ms", 500)]
    #[case("90s", 90_000)]
    #[case("1m30s", 90_000)]
    #[case("24h", 86_400_000)]
    fn reads(#[case] text: &str, #[case] milliseconds: u64) {
        assert_eq!(
            parse_duration(text),
            Ok(Duration::from_millis(milliseconds))
        );
    }

    #[rstest]
    #[case("", "not a length of time")]
    #[case("10", "not a length of time")]
    #[case("s", "not a length of time")]
    #[case("10 s", "not a length of time")]
    #[case("-1s", "not a length of time")]
    #[case("1.5s", "not a length of time")]
    #[case("5min", "not a length of time")]
    #[case("0s", "no time at all")]
    #[case("25h", "longer than a day")]
    #[case("99999999999999999999h", "longer than a day")]
    fn refuses(#[case] text: &str, #[case] reason: &str) {
        let message = parse_duration(text).unwrap_err().to_string();
        assert!(message.contains(reason), "{message}");
    }
}
