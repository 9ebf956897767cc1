//! `sigs.k8s.io/yaml`: YAML 1.1 as the operator turns `runtimeEnvYAML` into JSON.
//!
//! Scalars are resolved as go.yaml.in/yaml/v2 does (`resolve.go`), keys become texts as
//! `convertToJSONableObject` makes them, and of two equal keys the last one counts. Known
//! differences: Go refuses a tab where indentation is expected, and takes `[-]` for a list of the
//! text `-`.

use std::collections::HashMap;
use std::iter::Peekable;

use granit_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};

use super::float;

const CORE: &str = "tag:yaml.org,2002:";

/// A scalar or collection before keys become texts.
#[derive(Debug, Clone, PartialEq)]
enum Yaml {
    Null,
    Bool(bool),
    Int(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
    List(Vec<Yaml>),
    /// Entries in the order in which they are set; a later one replaces an equal earlier one.
    Map(Vec<(Yaml, Yaml)>),
}

/// Turns the first document of a text into JSON.
///
/// # Errors
/// When it is no YAML, or holds what JSON cannot: infinity, no number, or a key that is no scalar.
pub(crate) fn to_json(text: &str) -> Result<Value, String> {
    let events = Parser::new_from_str(text);
    let mut reader = Reader {
        events: events.peekable(),
        anchors: HashMap::new(),
    };
    match reader.document()? {
        Some(value) => json(value),
        None => Ok(Value::Null),
    }
}

type Parsed<'a> = Result<(Event<'a>, granit_parser::Span), granit_parser::ScanError>;

struct Reader<I: Iterator> {
    events: Peekable<I>,
    anchors: HashMap<usize, Yaml>,
}

impl<'a, I: Iterator<Item = Parsed<'a>>> Reader<I> {
    fn next(&mut self) -> Result<Event<'a>, String> {
        loop {
            let next = self
                .events
                .next()
                .unwrap_or(Ok((Event::StreamEnd, granit_parser::Span::default())));
            match next.map_err(|error| error.to_string())?.0 {
                Event::Comment(..) | Event::Anchor(..) => {}
                event => return Ok(event),
            }
        }
    }

    fn document(&mut self) -> Result<Option<Yaml>, String> {
        loop {
            match self.next()? {
                Event::StreamStart | Event::DocumentStart(..) => {}
                Event::StreamEnd | Event::DocumentEnd => return Ok(None),
                event => return self.node(event).map(Some),
            }
        }
    }

    fn node(&mut self, event: Event<'a>) -> Result<Yaml, String> {
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (scalar(&text, style, tag.as_deref())?, anchor)
            }
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).cloned();
                return known.ok_or_else(|| "an anchor contains itself".to_owned());
            }
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => items.push(self.node(event)?),
                    }
                }
                (Yaml::List(items), anchor)
            }
            Event::MappingStart(_, anchor, _) => (Yaml::Map(self.entries()?), anchor),
            event => return Err(format!("unexpected {event:?}")),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn entries(&mut self) -> Result<Vec<(Yaml, Yaml)>, String> {
        let mut entries = Vec::new();
        loop {
            let event = match self.next()? {
                Event::MappingEnd => return Ok(entries),
                event => event,
            };
            let merges =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.node(event)?;
            let event = self.next()?;
            let value = self.node(event)?;
            if merges {
                merge(value, &mut entries)?;
            } else {
                entries.push((key, value));
            }
        }
    }
}

/// `<<`: of a list the first mapping takes precedence.
fn merge(value: Yaml, entries: &mut Vec<(Yaml, Yaml)>) -> Result<(), String> {
    let maps = match value {
        Yaml::List(items) => items,
        value => vec![value],
    };
    for map in maps.into_iter().rev() {
        match map {
            Yaml::Map(merged) => entries.extend(merged),
            _ => return Err("map merge requires map or sequence of maps as the value".into()),
        }
    }
    Ok(())
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Yaml, String> {
    let Some(tag) = tag else {
        return Ok(if style == ScalarStyle::Plain {
            resolve(text, true)
        } else {
            Yaml::Text(text.into())
        });
    };
    let (handle, suffix) = tag.parts();
    if handle != CORE {
        // `!` alone says that the scalar is a text; other tags are not resolved.
        return Ok(Yaml::Text(text.into()));
    }
    let resolved = resolve(text, suffix == "timestamp");
    let fits = match (suffix, &resolved) {
        ("binary", _) => {
            return base64(text)
                .map(Yaml::Text)
                .ok_or_else(|| "!!binary value contains invalid base64 data".into());
        }
        ("float", Yaml::Int(value)) => {
            #[expect(clippy::cast_precision_loss, reason = "Go loses it in the same way")]
            return Ok(Yaml::Float(*value as f64));
        }
        ("bool", Yaml::Bool(_))
        | ("null", Yaml::Null)
        | ("float", Yaml::Float(_))
        | ("int", Yaml::Int(_) | Yaml::Unsigned(_)) => true,
        ("bool" | "null" | "float" | "int", _) => false,
        _ => return Ok(Yaml::Text(text.into())),
    };
    if fits {
        Ok(resolved)
    } else {
        Err(format!("cannot decode `{text}` as a !!{suffix}"))
    }
}

/// Returns the value of a plain scalar.
fn resolve(text: &str, dates: bool) -> Yaml {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Yaml::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Yaml::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Yaml::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Yaml::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Yaml::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Yaml::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let number = match text.as_bytes()[0] {
        b'.' => separated(text)
            .and_then(|plain| finite(&plain))
            .map(Yaml::Float),
        b'0'..=b'9' | b'+' | b'-' if !(dates && is_date(text)) => number(&text.replace('_', "")),
        _ => None,
    };
    number.unwrap_or_else(|| Yaml::Text(text.into()))
}

/// A text without the underscores that stand between digits; none where one stands elsewhere.
fn separated(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: Option<&u8>| at.is_some_and(u8::is_ascii_digit);
    let fine = bytes.iter().enumerate().all(|(at, byte)| {
        *byte != b'_' || at > 0 && digit(bytes.get(at - 1)) && digit(bytes.get(at + 1))
    });
    fine.then(|| text.replace('_', ""))
}

fn number(plain: &str) -> Option<Yaml> {
    let (negative, digits) = match plain.as_bytes().first()? {
        b'-' => (true, &plain[1..]),
        b'+' => (false, &plain[1..]),
        _ => (false, plain),
    };
    if let Some(size) = whole(digits) {
        if negative {
            if let Ok(value) = i64::try_from(-i128::from(size)) {
                return Some(Yaml::Int(value));
            }
        } else if let Ok(value) = i64::try_from(size) {
            return Some(Yaml::Int(value));
        } else if !plain.starts_with('+') {
            return Some(Yaml::Unsigned(size));
        }
    }
    let decimal = {
        let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        !(exponent.is_empty() || before.is_empty() && after.is_empty())
            && [before, after, exponent].into_iter().all(all_digits)
    };
    if !decimal {
        return None;
    }
    finite(digits).map(|value| Yaml::Float(if negative { -value } else { value }))
}

/// A number without a sign as `strconv.ParseUint` with base 0 reads it.
fn whole(digits: &str) -> Option<u64> {
    let lower = digits.to_ascii_lowercase();
    let (base, rest) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, &lower[..]),
    };
    if rest.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(rest, base).ok()
}

fn finite(text: &str) -> Option<f64> {
    let digits = text.bytes().any(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|value: &f64| digits && value.is_finite())
}

/// `YYYY-` and what follows, in a form that Go's library takes for a time; such scalars stay texts.
fn is_date(text: &str) -> bool {
    // A number of four digits and a dash is nothing else, so that texts and times are the same
    // here.
    let bytes = text.as_bytes();
    bytes.len() > 4 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-'
}

fn json(value: Yaml) -> Result<Value, String> {
    Ok(match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => value.into(),
        Yaml::Int(value) => value.into(),
        Yaml::Unsigned(value) => value.into(),
        Yaml::Text(text) => text.into(),
        Yaml::Float(value) => Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| "json: unsupported value: not a finite number".to_owned())?,
        Yaml::List(items) => items.into_iter().map(json).collect::<Result<_, _>>()?,
        Yaml::Map(entries) => {
            let mut last = Vec::with_capacity(entries.len());
            let mut places = HashMap::new();
            for (key, value) in entries {
                let name = name(&key)?;
                if let Some(place) = places.get(&name) {
                    last[*place] = (name, value);
                } else {
                    places.insert(name.clone(), last.len());
                    last.push((name, value));
                }
            }
            let entries = last
                .into_iter()
                .map(|(name, value)| Ok((name, json(value)?)));
            Value::Object(entries.collect::<Result<Map<_, _>, String>>()?)
        }
    })
}

/// The text that a key becomes.
fn name(key: &Yaml) -> Result<String, String> {
    Ok(match key {
        Yaml::Text(text) => text.clone(),
        Yaml::Bool(value) => value.to_string(),
        Yaml::Int(value) => value.to_string(),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "Go writes keys in single precision, too"
        )]
        Yaml::Float(value) => float::general(*value as f32),
        Yaml::Null | Yaml::Unsigned(_) => return Err("unsupported map key".into()),
        Yaml::List(_) | Yaml::Map(_) => return Err("invalid map key".into()),
    })
}

/// Standard base64 with padding; line breaks are skipped.
fn base64(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let (mut bits, mut count, mut padding) = (0u32, 0u32, 0u32);
    for byte in text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')) {
        let value = match byte {
            b'=' => {
                padding += 1;
                count += 1;
                continue;
            }
            _ if padding > 0 => return None,
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count % 4 != 1 {
            let shift = [6, 0, 4, 2][(count % 4) as usize];
            let shift = if count % 4 == 0 { 0 } else { shift };
            bytes.push(u8::try_from(bits >> shift & 0xff).ok()?);
        }
    }
    (count % 4 == 0 && padding <= 2).then(|| String::from_utf8_lossy(&bytes).into_owned())
}
